//! The pipeline: input is the bytes of a body; output is the change by each event, and the response so far.

use crate::delta::Delta;
use crate::dialect::{Dialect, Format, provider_error, stray_error};
use crate::error::{Error, ErrorKind, Limit, Place, excerpt};
use crate::framing::{Decoder, Framing};
use crate::json::{Tape, Value, write_string};
use crate::limits::Limits;
use std::borrow::Cow;

/// Decodes one streamed response.
///
/// ```
/// use ferroscope_core::{Limits, Stream, dialect::openai_chat::Quirks};
///
/// let mut stream = Stream::new(Quirks::default(), Limits::default());
/// stream.feed(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n");
/// assert_eq!(stream.next_step().unwrap().unwrap().delta.text, "Hello");
/// assert!(stream.next_step().unwrap().is_none());
/// stream.feed(b"data: [DONE]\n\n");
/// stream.finish();
/// assert!(stream.next_step().unwrap().is_none());
/// assert_eq!(stream.state().message_so_far().text, "Hello");
/// ```
#[derive(Debug)]
pub struct Stream {
    framing: Decoder,
    state: Dialect,
    tape: Tape,
    delta: Delta,
    phase: Phase,
    limits: Limits,
    fed_events: u64,
    /// Whether the input is the body with its terminator, rather than events from a client.
    is_framed: bool,
    ended: bool,
    /// Whether an error was reported, or the end of the body was searched for one. A stream reports only one error.
    explained: bool,
    /// After a resume: events up to this sequence number may have been processed already.
    repeated_up_to: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// The terminator or the end of the body arrived. Everything after it is not part of the response.
    Closed,
}

/// One processed event of the stream.
#[derive(Debug)]
pub struct Step<'a> {
    /// The event's data as received; `None` for changes that only the end of the stream completed.
    pub data: Option<Cow<'a, str>>,
    /// The change by the event.
    pub delta: &'a Delta,
    /// The event's number, and the position of its data.
    pub at: Place,
}

impl Stream {
    /// Creates a stream in the usual framing of its format.
    #[must_use]
    pub fn new(format: impl Into<Format>, limits: Limits) -> Self {
        let state = Dialect::new(format.into(), limits);
        Self {
            framing: Decoder::new(state.usual_framing(), state.payload(), limits.event_bytes),
            state,
            tape: Tape::default(),
            delta: Delta::default(),
            phase: Phase::Running,
            limits,
            fed_events: 0,
            is_framed: true,
            ended: false,
            explained: false,
            repeated_up_to: None,
        }
    }

    /// Returns the framing of the body.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing.framing()
    }

    /// Sets the framing of the body. It must be set before the first bytes, which it would discard.
    pub fn set_framing(&mut self, framing: Framing) {
        self.framing = Decoder::new(framing, self.state.payload(), self.limits.event_bytes);
    }

    /// Sets whether the input will be the body, or single events from a client.
    pub fn set_framed(&mut self, framed: bool) {
        self.is_framed = framed;
    }

    /// Returns whether the input is the body, and not events.
    #[must_use]
    pub fn is_framed(&self) -> bool {
        self.is_framed
    }

    /// Begins with the text of an earlier response, which this response continues. Returns whether the format allows
    /// that. It must be called before the first bytes.
    pub fn begin_with(&mut self, text: &str) -> bool {
        self.state.begin_with(text)
    }

    /// Adds the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.framing.feed(bytes);
    }

    /// Ends the body. The next steps include changes that only the end completes.
    pub fn finish(&mut self) {
        self.ended = true;
        self.framing.finish();
    }

    /// Continues the response with another body, after the previous one was interrupted.
    ///
    /// An incomplete event is dropped. Events up to the last processed sequence number are skipped, because a server
    /// may send them again.
    pub fn resume(&mut self) {
        self.fed_events += self.framing.events();
        self.set_framing(self.framing.framing());
        self.ended = false;
        self.explained = false;
        self.repeated_up_to = self.state.sequence_number();
        if !self.state.is_complete() {
            self.phase = Phase::Running;
        }
    }

    /// Returns whether the event was processed in an earlier body.
    fn is_repeated(&mut self) -> bool {
        let data = String::from_utf8_lossy(self.framing.data());
        let root = self.tape.read(&data, self.limits.depth);
        let number = root.ok().and_then(|root| root.get("sequence_number"));
        let Some(number) = number.and_then(|number| number.raw().parse::<u64>().ok()) else { return false };
        let repeated = self.repeated_up_to.is_some_and(|last| number <= last);
        if !repeated {
            self.repeated_up_to = None;
        }
        repeated
    }

    /// Discards data that was fed but not processed.
    pub fn stop(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Returns whether the terminator has arrived, so that the response is complete. The body may continue.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.phase != Phase::Running
    }

    /// Returns the number of events so far, including those without content.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.framing.events() + self.fed_events
    }

    /// Processes the next event. Returns `None` until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// Returns the errors of the framing and the dialect. The events before remain processed.
    pub fn next_step(&mut self) -> Result<Option<Step<'_>>, Error> {
        while self.advance()? {
            let data = self.framing.data();
            if self.phase == Phase::Closed || data.trim_ascii().is_empty() {
                continue;
            }
            if data.starts_with(b"[DONE]") {
                return self.close();
            }
            if self.repeated_up_to.is_some() && self.is_repeated() {
                continue;
            }
            return self.fold_framed().map(Some);
        }
        if self.ended && self.phase == Phase::Running {
            if !std::mem::replace(&mut self.explained, true) {
                self.explain_silence()?;
                // Clients that yield events do not report the end.
                let is_missing = self.is_framed && self.state.is_unreported(self.events());
                if is_missing || self.state.is_unfinished() {
                    // What is still open, such as a tool's arguments, is incomplete too.
                    self.phase = Phase::Closed;
                    return Err(Error { kind: ErrorKind::Unfinished, at: self.framing.place() });
                }
            }
            return self.close();
        }
        Ok(None)
    }

    /// Processes all events that have been fed, and passes the response so far and the change by each to `sink`.
    ///
    /// # Errors
    /// Returns the errors of [`next_step`](Self::next_step).
    pub fn fold(&mut self, mut sink: impl FnMut(&Dialect, &Delta)) -> Result<(), Error> {
        while self.next_step()?.is_some() {
            sink(&self.state, &self.delta);
        }
        Ok(())
    }

    /// Advances to the next event of the body. After an error of the framing, there are no further errors.
    fn advance(&mut self) -> Result<bool, Error> {
        let ended = self.phase == Phase::Closed;
        self.framing.advance().or_else(|error| {
            self.explained = true;
            self.phase = Phase::Closed;
            if ended { Ok(false) } else { Err(error) }
        })
    }

    fn fold_framed(&mut self) -> Result<Step<'_>, Error> {
        let event = self.framing.event();
        self.delta.clear();
        let folded = match event.name {
            "error" => named_error(&mut self.tape, &event.data, self.limits.depth).map_or(Ok(()), Err),
            _ => Ok(()),
        };
        let folded = folded.and_then(|()| self.state.event(&mut self.tape, &event.data, &mut self.delta));
        if self.state.is_complete() {
            self.phase = Phase::Closed;
        }
        match folded {
            Ok(()) => Ok(Step { data: Some(event.data), delta: &self.delta, at: event.at }),
            Err(kind) => {
                self.explained = true;
                Err(Error { kind, at: event.at })
            }
        }
    }

    /// Ends the response. Returns a step only if that completed something.
    fn close(&mut self) -> Result<Option<Step<'_>>, Error> {
        self.phase = Phase::Closed;
        self.delta.clear();
        self.state.finish(&mut self.delta);
        if self.delta == Delta::default() {
            return Ok(None);
        }
        let at = self.framing.place();
        Ok(Some(Step { data: None, delta: &self.delta, at }))
    }

    /// Looks for an error in data that a strict SSE parser skips: GPUStack's `error:` field, a JSON body.
    fn explain_silence(&mut self) -> Result<(), Error> {
        let stray = self.framing.stray();
        let text = stray.trim_ascii();
        let json = text.strip_prefix("error:").unwrap_or(text).trim_ascii();
        let at = self.framing.place();
        if json.starts_with(['{', '['])
            && let Ok(root) = self.tape.read(json, self.limits.depth)
        {
            let named = (text.len() > json.len()).then_some(root);
            // Google's servers send the error in an array if the response is not server-sent events.
            let mut objects = std::iter::once(root).chain(root.elements());
            let kind =
                objects.find_map(|object| match object.get("error").filter(|error| error.is_truthy()) {
                    Some(error) => Some(provider_error(error)),
                    None => stray_error(object),
                });
            if let Some(kind) = kind.or(named.map(provider_error)) {
                return Err(Error { kind, at });
            }
        }
        if self.framing.events() == 0 && !text.is_empty() {
            return Err(Error {
                kind: ErrorKind::NotAnEventStream { excerpt: excerpt(text.as_bytes()) },
                at,
            });
        }
        Ok(())
    }

    /// Processes one event without framing, as clients yield them.
    ///
    /// # Errors
    /// Returns the errors of the dialect.
    pub fn feed_event<'a>(&'a mut self, data: &'a str) -> Result<Step<'a>, Error> {
        self.fed_events += 1;
        self.delta.clear();
        let at = Place { event: self.fed_events, byte: 0 };
        let folded = if data.len() > self.limits.event_bytes {
            Err(ErrorKind::Limit { limit: Limit::EventBytes, max: self.limits.event_bytes })
        } else {
            self.state.event(&mut self.tape, data, &mut self.delta)
        };
        folded.map_err(|kind| Error { kind, at })?;
        if self.state.is_complete() {
            self.phase = Phase::Closed;
        }
        Ok(Step { data: Some(Cow::Borrowed(data)), delta: &self.delta, at })
    }

    /// Processes the body of a response without streaming.
    ///
    /// # Errors
    /// Returns the errors of the dialect.
    pub fn feed_body<'a>(&'a mut self, data: &'a str) -> Result<Step<'a>, Error> {
        self.delta.clear();
        self.phase = Phase::Closed;
        let at = Place::default();
        self.state.body(&mut self.tape, data, &mut self.delta).map_err(|kind| Error { kind, at })?;
        Ok(Step { data: Some(Cow::Borrowed(data)), delta: &self.delta, at })
    }

    /// Returns what the latest step added.
    #[must_use]
    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    /// Returns the response so far.
    #[must_use]
    pub fn state(&self) -> &Dialect {
        &self.state
    }
}

/// Returns the error that an event named `error` reports; `None` if the dialect itself reports it.
///
/// The data of such an event is not part of an answer: it may have an `error` member, have another form, or not be
/// JSON.
fn named_error(tape: &mut Tape, data: &str, depth: usize) -> Option<ErrorKind> {
    match tape.read(data, depth) {
        Ok(root) if root.get("error").is_some_and(Value::is_truthy) => None,
        Ok(root) => Some(provider_error(root)),
        Err(_) => {
            let mut body = String::new();
            write_string(data, &mut body);
            Some(ErrorKind::Provider { message: Some(data.to_owned()), body })
        }
    }
}
