//! Decodes the chunks of an HTTP/1.1 body
//! ([RFC 9112, section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)).
//!
//! Strict where two parsers could disagree about the end of a body, because the bytes after it would then be read as
//! another response: line ends are CRLF, and a size is plain hexadecimal digits.

use super::http_chunks::{LINE_END, MAX_LINE, chunk_size};
use memchr::memchr;
use std::fmt;

/// An incremental decoder of one chunked body, up to its last chunk. The caller reads the trailers.
///
/// ```
/// use ferroscope_core::framing::chunked_body::Decoder;
///
/// let (mut decoder, mut data) = (Decoder::default(), Vec::new());
/// let used = decoder.decode(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", &mut data).unwrap();
/// assert_eq!((data.as_slice(), used, decoder.is_done()), (b"abcde".as_slice(), 18, true));
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The beginning of an incomplete size line.
    line: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Size,
    /// The number of missing bytes of the current chunk.
    Data(u64),
    /// The missing part of the line end after a chunk's data.
    Footer(&'static [u8]),
    Done,
}

impl Decoder {
    /// Appends the data in `bytes` to `data`. Returns the number of bytes used, which is less than all only after the
    /// last
    /// chunk.
    ///
    /// # Errors
    ///
    /// Returns an error for a chunk without a valid size, or data without a line end after it. The data before that is
    /// in
    /// `data`.
    pub fn decode(&mut self, bytes: &[u8], data: &mut Vec<u8>) -> Result<usize, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.state {
                State::Size => rest = self.size(rest)?,
                State::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let (part, behind) = rest.split_at(here);
                    data.extend_from_slice(part);
                    let left = left - part.len() as u64;
                    self.state = if left == 0 { State::Footer(LINE_END) } else { State::Data(left) };
                    rest = behind;
                }
                State::Footer(missing) => {
                    let here = missing.len().min(rest.len());
                    let (found, behind) = rest.split_at(here);
                    if found != &missing[..here] {
                        return Err(Malformed::Footer(found.escape_ascii().to_string()));
                    }
                    let missing = &missing[here..];
                    self.state = if missing.is_empty() { State::Size } else { State::Footer(missing) };
                    rest = behind;
                }
                State::Done => break,
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Returns whether the last chunk was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn size<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let end = memchr(b'\n', bytes).map(|at| at + 1);
        let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if self.line.len() + part.len() > MAX_LINE {
            return Err(Malformed::Size("the line is too long".to_owned()));
        }
        if end.is_none() {
            self.line.extend_from_slice(part);
            return Ok(rest);
        }
        let size = if self.line.is_empty() {
            chunk_size(part)
        } else {
            self.line.extend_from_slice(part);
            chunk_size(&self.line)
        };
        let Some(size) = size else {
            let line = if self.line.is_empty() { part } else { &self.line };
            return Err(Malformed::Size(line[..line.len().min(40)].escape_ascii().to_string()));
        };
        self.line = Vec::new();
        self.state = if size == 0 { State::Done } else { State::Data(size) };
        Ok(rest)
    }
}

/// The error for a body that is not validly chunked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The text in place of a chunk's size.
    Size(String),
    /// The bytes in place of the line end after a chunk's data.
    Footer(String),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(found) => write!(f, "malformed chunk header: {found}"),
            Self::Footer(found) => write!(f, "malformed chunk footer: {found}"),
        }
    }
}

impl std::error::Error for Malformed {}
