//! The pipeline: bytes of a body in, what each event added out, and the response so far at any time.

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
    /// Whether the body is fed, and with it the terminator, and not the events that a client hands out.
    is_framed: bool,
    ended: bool,
    /// Whether an error has been reported, or the end of the body looked at for one: there is one a stream.
    explained: bool,
    /// The sequence number up to which the events of a resumed stream may have been folded already.
    repeated_up_to: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// The terminator or the end of the body came; whatever follows is not part of the response.
    Closed,
}

/// One event of the stream, folded.
#[derive(Debug)]
pub struct Step<'a> {
    /// The event's data, as received; None for what only the end of the stream completed.
    pub data: Option<Cow<'a, str>>,
    /// What it added.
    pub delta: &'a Delta,
    /// The event's number and where its data begins.
    pub at: Place,
}

impl Stream {
    /// A stream of which nothing has been read, in the usual framing of its format.
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

    /// How the body is cut into events.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing.framing()
    }

    /// Says how the body is cut into events; to be said before its first bytes, which it would forget.
    pub fn set_framing(&mut self, framing: Framing) {
        self.framing = Decoder::new(framing, self.state.payload(), self.limits.event_bytes);
    }

    /// Sets whether the body will be fed, or events one by one, as a client hands them out.
    pub fn set_framed(&mut self, framed: bool) {
        self.is_framed = framed;
    }

    /// Whether the body is fed, and not events.
    #[must_use]
    pub fn is_framed(&self) -> bool {
        self.is_framed
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.framing.feed(bytes);
    }

    /// Ends the body. What it completes comes with the next steps.
    pub fn finish(&mut self) {
        self.ended = true;
        self.framing.finish();
    }

    /// Continues the response with another body, after the one before broke off.
    ///
    /// An event that was cut is dropped. So are events up to the last sequence number that was folded: a server may
    /// send them again.
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

    /// Whether the event has been folded from an earlier body.
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

    /// Leaves unread what has been fed and not been folded yet: nobody wants the rest.
    pub fn stop(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Whether the terminator has come: the response is complete, though the body may go on.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.phase != Phase::Running
    }

    /// How many events have come, those that said nothing included.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.framing.events() + self.fed_events
    }

    /// Folds the next event; None until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// As the framing and the dialect have them. What came before stays folded.
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
                // Clients that hand out events keep the end to themselves.
                let is_missing = self.is_framed && self.state.is_unreported(self.events());
                if is_missing || self.state.is_unfinished() {
                    // What is still open, a tool's arguments, is no more complete than the rest.
                    self.phase = Phase::Closed;
                    return Err(Error { kind: ErrorKind::Unfinished, at: self.framing.place() });
                }
            }
            return self.close();
        }
        Ok(None)
    }

    /// Goes to the next event of the body; an error of the framing is the only error of the stream.
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

    /// Ends the response; a step only if that completed something.
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

    /// Looks for an error in what a strict reader of events skips: GPUStack's `error:` field, a JSON body.
    fn explain_silence(&mut self) -> Result<(), Error> {
        let stray = self.framing.stray();
        let text = stray.trim_ascii();
        let json = text.strip_prefix("error:").unwrap_or(text).trim_ascii();
        let at = self.framing.place();
        if json.starts_with(['{', '['])
            && let Ok(root) = self.tape.read(json, self.limits.depth)
        {
            let named = (text.len() > json.len()).then_some(root);
            // Google's servers put it into an array when they do not stream events.
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

    /// Folds one event that comes without framing, as clients hand it out.
    ///
    /// # Errors
    /// As the dialect has them.
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

    /// Folds a plain body, as it comes without streaming.
    ///
    /// # Errors
    /// As the dialect has them.
    pub fn feed_body<'a>(&'a mut self, data: &'a str) -> Result<Step<'a>, Error> {
        self.delta.clear();
        self.phase = Phase::Closed;
        let at = Place::default();
        self.state.body(&mut self.tape, data, &mut self.delta).map_err(|kind| Error { kind, at })?;
        Ok(Step { data: Some(Cow::Borrowed(data)), delta: &self.delta, at })
    }

    /// The response so far.
    #[must_use]
    pub fn state(&self) -> &Dialect {
        &self.state
    }
}

/// The error that an event named `error` reports; None if it says so in the dialect's own words.
///
/// Its data is no part of an answer, whether that has an `error` member, is something else or no JSON at all.
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
