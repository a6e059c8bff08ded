//! Splits a body of JSON objects into events: the elements of one array, or objects one after another.
//!
//! Gemini's `streamGenerateContent` without `alt=sse` answers with a JSON array that it writes element by element,
//! each over many lines (`https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent`). Only
//! brackets and strings are followed here. Whether an object is JSON is checked by whoever reads it.

use crate::error::{Error, ErrorKind, JsonProblem, Limit, Place, excerpt};
use memchr::memchr2;
use std::borrow::Cow;
use std::ops::Range;

/// Incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from object to object.
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
    /// Bytes that are still needed: the last object that was delivered, and what follows it.
    buffer: Vec<u8>,
    /// How far the buffer has been read.
    read: usize,
    /// Offset in the body of `buffer[0]`.
    base: u64,
    part: Part,
    /// Where in the buffer the current object begins.
    object: usize,
    /// Brackets that are open inside the current object; 0 between objects.
    depth: usize,
    in_string: bool,
    /// Whether the last byte of an open string was a backslash that escapes the next one.
    escaped: bool,
    /// Where in the buffer the object stands that `advance` came to.
    delivered: Range<usize>,
    events: u64,
    finished: bool,
    max_event: usize,
    /// The beginning of a body that is something else.
    stray: Vec<u8>,
    /// The first error: behind it nobody knows where an object begins.
    broken: Option<Error>,
}

/// The part of the body that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing has come yet but space.
    Begin,
    /// Objects that are elements of an array.
    Array,
    /// Objects one after another.
    Sequence,
    /// What follows the array.
    End,
    /// The body is something else.
    Other,
}

/// How many bytes of a body that is something else are kept for an error message.
const MAX_STRAY: usize = 64 * 1024;

const MARK: &[u8] = b"\xEF\xBB\xBF";

impl Decoder {
    /// A decoder for one body whose objects may have up to `max_event` bytes each.
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

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        // What is left is at most one unfinished object, and it moves only once: it then begins at 0.
        let keep = if self.depth > 0 { self.object } else { self.read };
        self.buffer.drain(..keep);
        self.base += keep as u64;
        self.read -= keep;
        self.object = 0;
        self.delivered = 0..0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Ends the body: an object that is not complete by now is an error.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Goes to the next complete object; false until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// [`Limit::EventBytes`] when an object outgrows its limit, [`ErrorKind::Json`] when something else follows an
    /// object, [`ErrorKind::Unfinished`] when the body ends inside an object. Nothing can be read behind an error,
    /// which comes again then.
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

    /// The same; an error with the place in the buffer that it is about.
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

    /// Goes to the first byte of the next object, behind its bracket.
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
                    // More than that byte may not have come yet.
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

    /// Reads on in the current object; whether its end has come.
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

    /// The object that [`advance`](Self::advance) came to; empty after a [`feed`](Self::feed).
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.buffer[self.delivered.clone()]
    }

    /// The number of that object, and where it begins.
    #[must_use]
    pub fn at(&self) -> Place {
        Place { event: self.events, byte: self.base + self.delivered.start as u64 }
    }

    /// The beginning of a body that is something else, cut at 64 KiB.
    #[must_use]
    pub fn stray(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stray)
    }

    /// How many objects have been delivered.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The number of the last object, and how far the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { event: self.events, byte: self.base + self.read as u64 }
    }
}
