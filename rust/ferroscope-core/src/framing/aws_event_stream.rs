//! Splits a byte stream into the messages of AWS's event stream, regardless of the chunk boundaries.
//!
//! `https://smithy.io/2.0/aws/amazon-eventstream.html`. All numbers are big-endian:
//!
//! ```text
//! message   length of all: u32, of the headers: u32, CRC-32 of these eight bytes, headers, payload,
//!           CRC-32 of all before it
//! header    length of the name: u8, name, type: u8, value; bytes and strings with their length: u16
//! ```

use crate::error::{Error, ErrorKind, FrameProblem, Limit, Place};

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    headers: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
    /// The message's number, and its position.
    pub at: Place,
}

/// One header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name.
    pub name: &'a [u8],
    /// The number of the value's type.
    pub kind: u8,
    /// The bytes of the value, without their length.
    pub value: &'a [u8],
}

/// An incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from message to message.
///
/// ```
/// use ferroscope_core::framing::aws_event_stream::Decoder;
///
/// let body = b"\0\0\0\x10\0\0\0\0\x05\xC2\x48\xEB\x7D\x98\xC8\xFF";
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.feed(&body[..7]);
/// assert!(!decoder.advance().unwrap());
/// decoder.feed(&body[7..]);
/// assert!(decoder.advance().unwrap());
/// assert_eq!(decoder.message().payload, b"");
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// Bytes that may still be needed. Everything before `next` belongs to earlier messages.
    buffer: Vec<u8>,
    /// The position of the next message in `buffer`.
    next: usize,
    /// The positions in `buffer` of the last delivered message, of its payload, and of its payload's end.
    delivered: [usize; 3],
    /// The offset of `buffer[0]` in the body.
    base: u64,
    messages: u64,
    finished: bool,
    max_message: usize,
    /// The first error. After it, the position of the next message is unknown.
    broken: Option<Error>,
}

/// The size of the two lengths and their checksum.
const PRELUDE: usize = 12;
/// The size of the checksum at the end.
const CHECKSUM: usize = 4;
/// The format's limit for the headers.
const MAX_HEADERS: usize = 128 << 10;
/// The type of string headers.
const STRING: u8 = 7;

impl Decoder {
    /// Creates a decoder for one body with messages of up to `max_message` bytes each.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            buffer: Vec::new(),
            next: 0,
            delivered: [0; 3],
            base: 0,
            messages: 0,
            finished: false,
            max_message,
            broken: None,
        }
    }

    /// Adds the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        // The rest is at most one incomplete message. It is moved only once, because it then begins at 0.
        self.buffer.drain(..self.next);
        self.base += self.next as u64;
        self.next = 0;
        self.delivered = [0; 3];
        self.buffer.extend_from_slice(bytes);
    }

    /// Ends the body. An incomplete message is then an error.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Advances to the next complete message. Returns `false` until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// Returns a [`FrameProblem`], or [`Limit::EventBytes`] if a message's length exceeds the limit. Nothing can be
    /// read after
    /// an error, so later calls return the same error.
    pub fn advance(&mut self) -> Result<bool, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.next_message().map_err(|kind| {
            let at = Place { event: self.messages + 1, byte: self.base + self.next as u64 };
            let error = Error { kind, at };
            *self = Self { messages: self.messages, base: at.byte, ..Self::new(self.max_message) };
            self.broken.insert(error).clone()
        })
    }

    fn next_message(&mut self) -> Result<bool, ErrorKind> {
        let rest = &self.buffer[self.next..];
        let Some(prelude) = rest.get(..PRELUDE) else { return self.wait() };
        if crc32fast::hash(&prelude[..8]) != number(prelude, 8) {
            return Err(ErrorKind::Frame(FrameProblem::PreludeChecksum));
        }
        let (total, headers) = (number(prelude, 0) as usize, number(prelude, 4) as usize);
        if headers > MAX_HEADERS || total < PRELUDE + headers + CHECKSUM {
            return Err(ErrorKind::Frame(FrameProblem::Lengths));
        }
        if total > self.max_message {
            return Err(ErrorKind::Limit { limit: Limit::EventBytes, max: self.max_message });
        }
        let Some(message) = rest.get(..total) else { return self.wait() };
        let end = total - CHECKSUM;
        if crc32fast::hash(&message[..end]) != number(message, end) {
            return Err(ErrorKind::Frame(FrameProblem::MessageChecksum));
        }
        check_headers(&message[PRELUDE..PRELUDE + headers])?;
        self.delivered = [self.next, self.next + PRELUDE + headers, self.next + end];
        self.next += total;
        self.messages += 1;
        Ok(true)
    }

    /// Returns `false`, because no message is complete; at the end of the body, an incomplete message is an error.
    fn wait(&self) -> Result<bool, ErrorKind> {
        if self.finished && self.next < self.buffer.len() {
            return Err(ErrorKind::Frame(FrameProblem::Truncated));
        }
        Ok(false)
    }

    /// Returns the current message, which is empty after a [`feed`](Self::feed).
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        let [begin, payload, end] = self.delivered;
        Message {
            headers: self.buffer.get(begin + PRELUDE..payload).unwrap_or_default(),
            payload: &self.buffer[payload..end],
            at: Place { event: self.messages, byte: self.base + begin as u64 },
        }
    }

    /// Returns the number of delivered messages.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Returns the number of the last message, and the offset up to which the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { event: self.messages, byte: self.base + self.next as u64 }
    }
}

impl<'a> Message<'a> {
    /// Returns the headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let mut rest = self.headers;
        std::iter::from_fn(move || take_header(&mut rest))
    }

    /// Returns the header with this name, if it is a string.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<&'a [u8]> {
        let header = self.headers().find(|header| header.name == name.as_bytes())?;
        (header.kind == STRING).then_some(header.value)
    }
}

/// Checks that all headers are complete and have different names.
fn check_headers(mut rest: &[u8]) -> Result<(), ErrorKind> {
    let mut names = Vec::new();
    while !rest.is_empty() {
        let header = take_header(&mut rest).ok_or(ErrorKind::Frame(FrameProblem::Header))?;
        names.push(header.name);
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ErrorKind::Frame(FrameProblem::DuplicateHeader));
    }
    Ok(())
}

/// Removes and returns the next header; `None` if it extends past the end or has an unknown type.
fn take_header<'a>(rest: &mut &'a [u8]) -> Option<Header<'a>> {
    let [length] = *take(rest, 1)? else { return None };
    let name = take(rest, usize::from(length))?;
    let [kind] = *take(rest, 1)? else { return None };
    let length = match kind {
        0 | 1 => 0, // true, false
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8, // an integer, a time
        6 | STRING => {
            let [high, low] = *take(rest, 2)? else { return None };
            usize::from(u16::from_be_bytes([high, low]))
        }
        9 => 16, // a UUID
        _ => return None,
    };
    Some(Header { name, kind, value: take(rest, length)? })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// Returns the number at this position.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
}
