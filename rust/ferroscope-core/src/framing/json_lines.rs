//! Splits a body of JSON objects into events: the elements of one array, or objects one after another.
//!
//! Gemini's `streamGenerateContent` without `alt=sse` answers with a JSON array that it writes element by element, each
//! over many lines (`https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent`). This decoder
//! follows only brackets and strings. The reader of an object checks that it is valid JSON.

use crate::error::{Error, ErrorKind, JsonProblem, Limit, Place, excerpt};
use memchr::memchr2;
use std::borrow::Cow;
use std::ops::Range;

/// An incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from object to object.
///
/// ```
/// use ferroscope_core::framing::json_lines::Decoder;
///
/// let mut decoder = Decoder::new(1 << 20);
/// decoder.feed(b"[{\"a\": [1]}\n, {\"b\"");
/// assert!(decoder.advance().unwrap());
/// assert_eq!(decoder.data(), b"{\"a\": [1]}");
/// assert!(!decoder.advance().unwrap());
/// ```
#[derive(Debug)]
pub struct Decoder {
    /// Bytes that are still needed: the last delivered object, and everything after it.
    buffer: Vec<u8>,
    /// The position up to which the buffer has been read.
    read: usize,
    /// The offset of `buffer[0]` in the body.
    base: u64,
    part: Part,
    /// The position of the current object in the buffer.
    object: usize,
    /// The number of open brackets in the current object; 0 between objects.
    depth: usize,
    in_string: bool,
    /// Whether the last byte of an open string was a backslash that escapes the next one.
    escaped: bool,
    /// The range of the delivered object in the buffer.
    delivered: Range<usize>,
    events: u64,
    finished: bool,
    max_event: usize,
    /// The beginning of a body that is not JSON objects.
    stray: Vec<u8>,
    /// The first error. After it, the position of the next object is unknown.
    broken: Option<Error>,
}

/// The part of the body that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Only whitespace has arrived.
    Begin,
    /// Objects that are elements of an array.
    Array,
    /// Objects one after another.
    Sequence,
    /// Everything after the array.
    End,
    /// The body is not JSON objects.
    Other,
}

/// The number of bytes of such a body that are stored for an error message.
const MAX_STRAY: usize = 64 * 1024;

const MARK: &[u8] = b"\xEF\xBB\xBF";

impl Decoder {
    /// Creates a decoder for one body with objects of up to `max_event` bytes each.
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            buffer: Vec::new(),
            read: 0,
            base: 0,
            part: Part::Begin,
            object: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            delivered: 0..0,
            events: 0,
            finished: false,
            max_event,
            stray: Vec::new(),
            broken: None,
        }
    }

    /// Adds the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        // The rest is at most one incomplete object. It is moved only once, because it then begins at 0.
        let keep = if self.depth > 0 { self.object } else { self.read };
        self.buffer.drain(..keep);
        self.base += keep as u64;
        self.read -= keep;
        self.object = 0;
        self.delivered = 0..0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Ends the body. An incomplete object is then an error.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Advances to the next complete object. Returns `false` until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// Returns [`Limit::EventBytes`] if an object exceeds its limit, [`ErrorKind::Json`] if other text follows an
    /// object, and
    /// [`ErrorKind::Unfinished`] if the body ends inside an object. Nothing can be read after an error, so later calls
    /// return
    /// the same error.
    pub fn advance(&mut self) -> Result<bool, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.next_object().map_err(|(kind, byte)| {
            let at = Place { event: self.events + 1, byte: self.base + byte as u64 };
            let error = Error { kind, at };
            *self = Self { events: self.events, base: at.byte, ..Self::new(self.max_event) };
            self.broken.insert(error).clone()
        })
    }

    /// Advances like [`advance`](Self::advance). An error has its position in the buffer.
    fn next_object(&mut self) -> Result<bool, (ErrorKind, usize)> {
        if self.depth == 0 && !self.find_object()? {
            return Ok(false);
        }
        let complete = self.find_end();
        if self.read - self.object > self.max_event {
            return Err((ErrorKind::Limit { limit: Limit::EventBytes, max: self.max_event }, self.object));
        }
        if complete {
            self.delivered = self.object..self.read;
            self.events += 1;
        } else if self.finished {
            return Err((ErrorKind::Unfinished, self.object));
        }
        Ok(complete)
    }

    /// Advances to the first byte of the next object, after its bracket.
    fn find_object(&mut self) -> Result<bool, (ErrorKind, usize)> {
        while let Some(&byte) = self.buffer.get(self.read) {
            self.part = match (self.part, byte) {
                (Part::Other, _) => break,
                (Part::End, _) | (_, b' ' | b'\t' | b'\n' | b'\r') | (Part::Array, b',') => self.part,
                (Part::Begin, b'[') => Part::Array,
                (Part::Array, b']') => Part::End,
                (part, b'{') => {
                    self.object = self.read;
                    self.depth = 1;
                    self.read += 1;
                    self.part = if part == Part::Begin { Part::Sequence } else { part };
                    return Ok(true);
                }
                (Part::Begin, _) if self.base == 0 && self.read == 0 && byte == MARK[0] => {
                    let begin = &self.buffer[..self.buffer.len().min(MARK.len())];
                    if begin == MARK {
                        self.read = MARK.len();
                        continue;
                    }
                    if MARK.starts_with(begin) && !self.finished {
                        return Ok(false);
                    }
                    Part::Other
                }
                (Part::Begin, _) => Part::Other,
                (_, byte) => {
                    let problem = JsonProblem::UnexpectedByte(byte);
                    // Only this byte may have arrived.
                    let kind = ErrorKind::Json { problem, byte: 0, excerpt: excerpt(&[byte]) };
                    return Err((kind, self.read));
                }
            };
            if self.part != Part::Other {
                self.read += 1;
            }
        }
        if self.part == Part::Other {
            let room = MAX_STRAY - self.stray.len();
            let rest = &self.buffer[self.read..];
            self.stray.extend_from_slice(&rest[..rest.len().min(room)]);
            self.read = self.buffer.len();
        }
        Ok(false)
    }

    /// Scans the current object. Returns whether its end has arrived.
    fn find_end(&mut self) -> bool {
        while let Some(&byte) = self.buffer.get(self.read) {
            if self.escaped {
                self.escaped = false;
                self.read += 1;
            } else if self.in_string {
                match memchr2(b'"', b'\\', &self.buffer[self.read..]) {
                    Some(found) => {
                        self.read += found + 1;
                        self.escaped = self.buffer[self.read - 1] == b'\\';
                        self.in_string = self.escaped;
                    }
                    None => self.read = self.buffer.len(),
                }
            } else {
                self.read += 1;
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return true;
                        }
                    }
                    _ => {}
                }
            }
        }
        false
    }

    /// Returns the current object, which is empty after a [`feed`](Self::feed).
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.buffer[self.delivered.clone()]
    }

    /// Returns the number and the position of the current object.
    #[must_use]
    pub fn at(&self) -> Place {
        Place { event: self.events, byte: self.base + self.delivered.start as u64 }
    }

    /// Returns the beginning of a body that is not JSON objects, at most 64 KiB.
    #[must_use]
    pub fn stray(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stray)
    }

    /// Returns the number of delivered objects.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Returns the number of the last object, and the offset up to which the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { event: self.events, byte: self.base + self.read as u64 }
    }
}
