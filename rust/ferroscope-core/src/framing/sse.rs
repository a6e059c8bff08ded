//! Splits a byte stream into server-sent events, regardless of the chunk boundaries.
//!
//! The rules are those of the [WHATWG standard](https://html.spec.whatwg.org/multipage/server-sent-events.html), with
//! one
//! exception: [`Decoder::finish`] delivers a last event without its blank line, because many providers close the body
//! without it.

use super::replaced;
use crate::error::{Error, ErrorKind, Limit, Place};
use memchr::memchr2;
use std::borrow::Cow;
use std::ops::Range;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The data lines, joined by line feeds; invalid UTF-8 is replaced.
    pub data: Cow<'a, str>,
    /// The event's type; empty if the stream names none (a browser uses `message`).
    pub name: &'a str,
    /// The last event id so far.
    pub id: &'a str,
    /// The reconnection time that this event set, in milliseconds.
    pub retry: Option<u64>,
    /// The event's number, and the position of its data.
    pub at: Place,
}

/// An incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from event to event.
///
/// ```
/// use ferroscope_core::framing::sse::Decoder;
///
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.feed(b"data: hel");
/// assert!(!decoder.advance().unwrap());
/// decoder.feed(b"lo\n\n");
/// assert!(decoder.advance().unwrap());
/// assert_eq!(decoder.event().data, "hello");
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// Bytes that are not delivered yet. Everything before `line` belongs to lines already read.
    buffer: Vec<u8>,
    /// The position of the current line in `buffer`.
    line: usize,
    /// The position up to which the current line has been searched for its end.
    searched: usize,
    /// The offset of `buffer[0]` in the body.
    base: u64,
    data: Data,
    /// Whether `data` belongs to the last delivered event and can be discarded.
    delivered: bool,
    /// The type of the event being read, and of the last delivered event.
    name: String,
    delivered_name: String,
    id: String,
    retry: Option<u64>,
    reconnection_time: Option<u64>,
    delivered_retry: Option<u64>,
    events: u64,
    /// A CR may be half of a CRLF. The line is complete either way, and one LF after it is skipped.
    after_cr: bool,
    first_line: bool,
    finished: bool,
    max_event: usize,
    /// Lines that are not a field of the standard: a JSON error body, an `error:` field.
    stray: Vec<u8>,
}

/// The data lines of the current event.
#[derive(Debug)]
enum Data {
    None,
    /// One line, as a range of the buffer. Almost every event of every provider has one line.
    Line(Range<usize>),
    /// Several lines, joined, and the offset of the first in the body.
    Joined(Vec<u8>, u64),
}

/// The maximum number of stray bytes that are stored for an error message.
const MAX_STRAY: usize = 64 * 1024;

impl Decoder {
    /// Creates a decoder for one body with events of up to `max_event` bytes each.
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            buffer: Vec::new(),
            line: 0,
            searched: 0,
            base: 0,
            data: Data::None,
            delivered: false,
            name: String::new(),
            delivered_name: String::new(),
            id: String::new(),
            retry: None,
            reconnection_time: None,
            delivered_retry: None,
            events: 0,
            after_cr: false,
            first_line: true,
            finished: false,
            max_event,
            stray: Vec::new(),
        }
    }

    /// Adds the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.forget();
        self.release_line();
        let keep = match &self.data {
            Data::Line(range) => range.start,
            Data::None | Data::Joined(..) => self.line,
        };
        if keep > 0 {
            // The rest is at most one incomplete event. It is moved only once, because it then begins at 0.
            self.buffer.copy_within(keep.., 0);
            self.buffer.truncate(self.buffer.len() - keep);
            self.base += keep as u64;
            self.line -= keep;
            self.searched -= keep;
            if let Data::Line(range) = &mut self.data {
                *range = range.start - keep..range.end - keep;
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Moves a data line out of the buffer, so that the lines after it need not be stored.
    fn release_line(&mut self) {
        const LINE_END: usize = 2;
        if let Data::Line(range) = &self.data
            && self.line > range.end + LINE_END
        {
            self.data = Data::Joined(self.buffer[range.clone()].to_vec(), self.base + range.start as u64);
        }
    }

    /// Ends the body. [`advance`](Self::advance) then delivers an event without its blank line.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Advances to the next complete event. Returns `false` until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// Returns [`Limit::EventBytes`] if an event exceeds its limit.
    pub fn advance(&mut self) -> Result<bool, Error> {
        self.forget();
        while let Some(line) = self.next_line() {
            if line.is_empty() {
                if self.dispatch() {
                    return Ok(true);
                }
            } else {
                self.field(line)?;
            }
        }
        if self.finished {
            if self.line < self.buffer.len() {
                let line = self.take_line(self.buffer.len(), self.buffer.len());
                if !line.is_empty() {
                    self.field(line)?;
                }
            }
            return Ok(self.dispatch());
        }
        let unfinished = self.without_mark(self.line..self.buffer.len());
        self.check_size(unfinished.len(), unfinished.start)?;
        Ok(false)
    }

    /// Returns the current event, which is empty after a [`feed`](Self::feed).
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        let begins = match &self.data {
            Data::None => self.base,
            Data::Line(range) => self.base + range.start as u64,
            Data::Joined(_, begins) => *begins,
        };
        Event {
            data: replaced(self.data()),
            name: &self.delivered_name,
            id: &self.id,
            retry: self.delivered_retry,
            at: Place { event: self.events, byte: begins },
        }
    }

    /// Returns the bytes of the current event's data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.data {
            Data::None => b"",
            Data::Line(range) => &self.buffer[range.clone()],
            Data::Joined(joined, _) => joined,
        }
    }

    /// Returns the lines that are not a field of the standard, joined by line feeds, at most 64 KiB.
    ///
    /// A strict parser ignores them, but some servers send their errors in them.
    #[must_use]
    pub fn stray(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stray)
    }

    /// Returns the number of delivered events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Returns the number of the last event, and the offset up to which the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { event: self.events, byte: self.base + self.line as u64 }
    }

    /// Returns the last reconnection time of the stream, in milliseconds.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<u64> {
        self.reconnection_time
    }

    /// Returns the last event id of the stream.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.id
    }

    /// Returns the next complete line, without its end.
    fn next_line(&mut self) -> Option<Range<usize>> {
        if self.after_cr && self.line < self.buffer.len() {
            self.after_cr = false;
            if self.buffer[self.line] == b'\n' {
                self.line += 1;
                self.searched = self.line;
            }
        }
        match memchr2(b'\n', b'\r', &self.buffer[self.searched..]) {
            Some(found) => {
                let end = self.searched + found;
                self.after_cr = self.buffer[end] == b'\r';
                Some(self.take_line(end, end + 1))
            }
            None => {
                self.searched = self.buffer.len();
                None
            }
        }
    }

    /// Consumes the current line, which ends at `end`. The next line begins at `next`.
    fn take_line(&mut self, end: usize, next: usize) -> Range<usize> {
        let line = self.without_mark(self.line..end);
        self.first_line = false;
        self.line = next;
        self.searched = next;
        line
    }

    /// Returns a line without the byte order mark that may begin the body.
    fn without_mark(&self, line: Range<usize>) -> Range<usize> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let marked = self.first_line && self.buffer[line.clone()].starts_with(MARK);
        line.start + if marked { MARK.len() } else { 0 }..line.end
    }

    fn field(&mut self, line: Range<usize>) -> Result<(), Error> {
        self.check_size(line.len(), line.start)?;
        let text = &self.buffer[line.clone()];
        // The most common fields first, without a search for the colon.
        if text.starts_with(b"data:") {
            return self.data_line(line.start + 5..line.end);
        }
        if let Some(name) = text.strip_prefix(b"event:") {
            let name = name.strip_prefix(b" ").unwrap_or(name);
            self.name.clear();
            // A stream repeats its names: the last one is known to be UTF-8.
            if name == self.delivered_name.as_bytes() {
                self.name.push_str(&self.delivered_name);
            } else {
                self.name.push_str(&replaced(name));
            }
            return Ok(());
        }
        let colon = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
        let value = &text[(colon + 1).min(text.len())..];
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &text[..colon] {
            b"" => {}
            b"data" => return self.data_line(line.end..line.end),
            b"event" => self.name.clear(),
            b"id" => {
                if !value.contains(&0) {
                    self.id.clear();
                    self.id.push_str(&replaced(value));
                }
            }
            b"retry" => {
                if value.iter().all(u8::is_ascii_digit)
                    && let Some(time) = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok())
                {
                    self.retry = Some(time);
                    self.reconnection_time = Some(time);
                }
            }
            _ => {
                if !self.stray.is_empty() && self.stray.len() < MAX_STRAY {
                    self.stray.push(b'\n');
                }
                let room = MAX_STRAY - self.stray.len();
                self.stray.extend_from_slice(&text[..text.len().min(room)]);
            }
        }
        Ok(())
    }

    fn data_line(&mut self, mut value: Range<usize>) -> Result<(), Error> {
        if self.buffer[value.clone()].first() == Some(&b' ') {
            value.start += 1;
        }
        match &mut self.data {
            Data::None => self.data = Data::Line(value),
            Data::Line(first) => {
                let begins = self.base + first.start as u64;
                let mut joined = self.buffer[first.clone()].to_vec();
                joined.push(b'\n');
                joined.extend_from_slice(&self.buffer[value]);
                let held = joined.len();
                self.data = Data::Joined(joined, begins);
                self.check_size(held, 0)?;
            }
            Data::Joined(joined, _) => {
                joined.push(b'\n');
                joined.extend_from_slice(&self.buffer[value]);
                let held = joined.len();
                self.check_size(held, 0)?;
            }
        }
        Ok(())
    }

    /// Discards the last delivered event.
    fn forget(&mut self) {
        if self.delivered {
            self.delivered = false;
            self.data = Data::None;
        }
    }

    /// Ends the current event. Returns whether there is one to deliver.
    fn dispatch(&mut self) -> bool {
        std::mem::swap(&mut self.name, &mut self.delivered_name);
        self.name.clear();
        self.delivered_retry = self.retry.take();
        if matches!(self.data, Data::None) {
            return false;
        }
        self.delivered = true;
        self.events += 1;
        true
    }

    /// Checks that neither a line nor the joined data exceeds the limit for an event.
    ///
    /// An incomplete line fails in the same way as a complete one, so that the result does not depend on the chunk
    /// boundaries.
    fn check_size(&self, bytes: usize, line: usize) -> Result<(), Error> {
        if bytes <= self.max_event {
            return Ok(());
        }
        let begins = match &self.data {
            Data::None => self.base + line as u64,
            Data::Line(range) => self.base + range.start as u64,
            Data::Joined(_, begins) => *begins,
        };
        Err(Error {
            kind: ErrorKind::Limit { limit: Limit::EventBytes, max: self.max_event },
            at: Place { event: self.events + 1, byte: begins },
        })
    }
}
