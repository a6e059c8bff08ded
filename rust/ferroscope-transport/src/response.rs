//! Parses HTTP/1.1 responses from bytes, without a socket
//! ([RFC 9112, section 6](https://www.rfc-editor.org/rfc/rfc9112#section-6)).
//!
//! If two parsers could disagree about the end of a response, it is an error, or its connection is not reused.

use crate::error::Error;
use crate::request::has_token;
use ferroscope_core::framing::chunked_body::Decoder;
use memchr::memchr_iter;

/// The maximum size of a response's heads, including interim ones, and of its trailers, in bytes.
pub const MAX_HEAD: usize = 100 * 1024;
/// The maximum number of headers of a response.
pub const MAX_HEADERS: usize = 256;

/// The status line and the headers of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Whether the version is HTTP/1.1, not 1.0.
    pub is_http_11: bool,
    /// The text after the status code.
    pub reason: Vec<u8>,
    /// The names as the server wrote them, with their values.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// An incremental parser of one response.
#[derive(Debug)]
pub struct Reader {
    state: State,
    /// The incomplete head or trailers.
    buffer: Vec<u8>,
    /// The size of the interim responses so far, in bytes.
    interim: usize,
    is_head_request: bool,
    keeps_alive: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Length { left: u64, total: u64 },
    Chunks(Decoder),
    Trailers,
    UntilClose,
    Done,
}

impl Reader {
    /// Creates a parser for the response to a `HEAD` request, which has no body, or to any other request.
    #[must_use]
    pub fn new(is_head_request: bool) -> Self {
        Self { state: State::Head, buffer: Vec::new(), interim: 0, is_head_request, keeps_alive: true }
    }

    /// Returns whether nothing of the response was read.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        matches!(self.state, State::Head) && self.buffer.is_empty() && self.interim == 0
    }

    /// Returns whether the response was read to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Returns whether the connection may serve another request afterwards.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.keeps_alive
    }

    /// Parses the next bytes. Sets `head` once it is complete, and appends body data to `data`. Returns the number of
    /// bytes
    /// used, which is less than all only after the end of the response.
    ///
    /// # Errors
    ///
    /// Returns an error for bytes that are not a valid response.
    pub fn read(
        &mut self,
        bytes: &[u8],
        head: &mut Option<Head>,
        data: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match &mut self.state {
                State::Head => rest = self.head(rest, head)?,
                State::Length { left, .. } => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    data.extend_from_slice(&rest[..here]);
                    *left -= here as u64;
                    rest = &rest[here..];
                    if *left == 0 {
                        self.state = State::Done;
                    }
                }
                State::Chunks(decoder) => {
                    let used = decoder
                        .decode(rest, data)
                        .map_err(|malformed| Error::remote(malformed.to_string()))?;
                    rest = &rest[used..];
                    if decoder.is_done() {
                        self.state = State::Trailers;
                    }
                }
                State::Trailers => rest = self.trailers(rest)?,
                State::UntilClose => {
                    data.extend_from_slice(rest);
                    rest = &[];
                }
                State::Done => break,
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Records the end of the connection; `clean` if the server announced it.
    ///
    /// # Errors
    ///
    /// Returns an error if the response was incomplete.
    pub fn end(&mut self, clean: bool) -> Result<(), Error> {
        self.keeps_alive = false;
        let missing = match &self.state {
            State::Done => return Ok(()),
            State::UntilClose if clean => {
                self.state = State::Done;
                return Ok(());
            }
            State::UntilClose => {
                "the TLS connection ended without a close_notify: the response may be incomplete".to_owned()
            }
            State::Head if self.is_fresh() => "Server disconnected without sending a response.".to_owned(),
            State::Head => "Server disconnected before the end of the response's headers.".to_owned(),
            State::Length { left, total } => format!(
                "peer closed connection without sending complete message body (received {} bytes, expected {total})",
                total - left
            ),
            State::Chunks(_) | State::Trailers => {
                "peer closed connection without sending complete message body (incomplete chunked read)"
                    .to_owned()
            }
        };
        Err(Error::remote(missing))
    }

    fn head<'a>(&mut self, bytes: &'a [u8], head: &mut Option<Head>) -> Result<&'a [u8], Error> {
        if self.buffer.is_empty() && matches!(bytes[0], b'\r' | b'\n') {
            return Err(Error::remote("no response line received"));
        }
        let Some(rest) = self.fill(bytes)? else { return Ok(&[]) };
        let buffer = std::mem::take(&mut self.buffer);
        let parsed = parse_head(&buffer)?;
        match parsed.status {
            101 => return Err(Error::remote("the server switched protocols without being asked to")),
            100..=199 => self.interim += buffer.len(),
            0..=99 => return Err(Error::remote(format!("invalid status code: {}", parsed.status))),
            _ => {
                self.state = self.framing(&parsed)?;
                *head = Some(parsed);
            }
        }
        Ok(rest)
    }

    /// Buffers bytes up to an empty line. Returns the bytes after it, or `None` if it has not arrived.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Error> {
        let before = self.buffer.len();
        // The empty line may have begun in an earlier read.
        let searched = before.saturating_sub(2);
        let room = (MAX_HEAD + 1).saturating_sub(before + self.interim);
        self.buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let end = head_end(&self.buffer, searched);
        let size = end.unwrap_or(self.buffer.len());
        if size + self.interim > MAX_HEAD {
            return Err(Error::remote(format!(
                "the headers of the response are longer than {MAX_HEAD} bytes"
            )));
        }
        Ok(end.map(|end| {
            self.buffer.truncate(end);
            &bytes[end - before..]
        }))
    }

    fn framing(&mut self, head: &Head) -> Result<State, Error> {
        let mut coding: Option<&[u8]> = None;
        let mut length: Option<u64> = None;
        self.keeps_alive = head.is_http_11;
        for (name, value) in &head.headers {
            if name.eq_ignore_ascii_case(b"transfer-encoding") {
                if coding.is_some() {
                    return Err(Error::remote("multiple Transfer-Encoding headers"));
                }
                coding = Some(value);
            } else if name.eq_ignore_ascii_case(b"content-length") {
                for part in value.split(|&byte| byte == b',') {
                    let declared = parse_length(part.trim_ascii())?;
                    if length.is_some_and(|known| known != declared) {
                        return Err(Error::remote("conflicting Content-Length headers"));
                    }
                    length = Some(declared);
                }
            } else if name.eq_ignore_ascii_case(b"connection") {
                self.keeps_alive &= !has_token(value, b"close");
            }
        }
        if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"chunked")) {
            return Err(Error::remote("Only Transfer-Encoding: chunked is supported"));
        }
        if self.is_head_request || matches!(head.status, 204 | 304) {
            return Ok(State::Done);
        }
        Ok(match (coding, length) {
            (Some(_), length) => {
                // A proxy in between may have used the length.
                self.keeps_alive &= length.is_none();
                State::Chunks(Decoder::default())
            }
            (None, Some(0)) => State::Done,
            (None, Some(total)) => State::Length { left: total, total },
            (None, None) => {
                self.keeps_alive = false;
                State::UntilClose
            }
        })
    }

    fn trailers<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
        let begins_empty = |line: &[u8]| line.starts_with(b"\r\n") || line.starts_with(b"\n");
        let before = self.buffer.len();
        if before <= 1 && begins_empty(&[&self.buffer, &bytes[..bytes.len().min(2)]].concat()) {
            // Without trailers, the empty line arrives at once, or in two reads.
            let used = if self.buffer.is_empty() && bytes[0] == b'\r' { 2 } else { 1 };
            self.buffer = Vec::new();
            self.state = State::Done;
            return Ok(&bytes[used..]);
        }
        let Some(rest) = self.fill(bytes)? else { return Ok(&[]) };
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(&self.buffer, &mut headers) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(Error::remote("malformed trailers")),
            Err(error) => return Err(Error::remote(format!("malformed trailers: {error}"))),
        }
        self.buffer = Vec::new();
        self.state = State::Done;
        Ok(rest)
    }
}

/// Returns the position after the first empty line.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr_iter(b'\n', &bytes[from..]).map(|at| from + at + 1).find_map(|next| match bytes[next..] {
        [b'\n', ..] => Some(next + 1),
        [b'\r', b'\n', ..] => Some(next + 2),
        _ => None,
    })
}

fn parse_head(bytes: &[u8]) -> Result<Head, Error> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    match config.parse_response(&mut response, bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Error::remote("illegal response headers")),
        Err(error) => return Err(Error::remote(format!("illegal response headers: {error}"))),
    }
    Ok(Head {
        status: response.code.unwrap_or_default(),
        is_http_11: response.version == Some(1),
        reason: response.reason.unwrap_or_default().as_bytes().to_vec(),
        headers: response
            .headers
            .iter()
            .map(|header| (header.name.as_bytes().to_vec(), unfold(header.value)))
            .collect(),
    })
}

/// Replaces each line break of a folded value, and the whitespace around it, by a space.
fn unfold(value: &[u8]) -> Vec<u8> {
    if !value.contains(&b'\n') {
        return value.trim_ascii().to_vec();
    }
    let lines: Vec<&[u8]> = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
    lines.join(&b' ')
}

fn parse_length(digits: &[u8]) -> Result<u64, Error> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(digits).ok().filter(|_| plain).and_then(|digits| digits.parse().ok());
    length.ok_or_else(|| Error::remote("bad Content-Length"))
}
