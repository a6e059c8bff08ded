//! Joins the chunks of an HTTP/1.1 response that arrived together into one chunk.
//!
//! Most servers send one chunk per event, and an HTTP library in Python needs more time to parse a chunk than this
//! crate
//! needs for the event in it. The output is the same response in fewer chunks
//! ([RFC 9112, section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)), and no byte of its data is delayed.
//!
//! The library still decides what is valid. Everything that is not clearly a chunked response is passed on unchanged,
//! and
//! a malformed chunk remains malformed.

use memchr::{memchr, memchr_iter, memmem};

/// The joiner of one connection's chunks: call [`sent`](Self::sent) with the bytes sent, [`feed`](Self::feed) with the
/// bytes read.
///
/// ```
/// use ferroscope_core::framing::http_chunks::Joiner;
///
/// let mut joiner = Joiner::default();
/// joiner.sent(b"POST /v1/messages HTTP/1.1\r\n");
/// joiner.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
/// let joined = joiner.feed(b"3\r\nabc\r\n2\r\nde\r\n4\r\nfg").unwrap();
/// assert_eq!(joined, b"0000000000000007\r\nabcdefg\r\n");
/// ```
#[derive(Debug, Default)]
pub struct Joiner {
    state: State,
    /// The head so far, which has been passed on, or the size line so far, which has not.
    held: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    /// Bytes are passed on until a request is sent.
    #[default]
    Idle,
    /// The head of a response, or of an interim one.
    Head,
    /// The line with a chunk's size.
    Size,
    /// The data of a chunk, and the number of its missing bytes.
    Data(u64),
    /// The missing part of the line end after a chunk's data.
    Footer(&'static [u8]),
    /// The connection does not use HTTP/1.1, or no longer.
    Off,
}

/// A longer head or line is not interpreted.
const MAX_HEAD: usize = 64 * 1024;
pub(super) const MAX_LINE: usize = 4 * 1024;
pub(super) const LINE_END: &[u8] = b"\r\n";

impl Joiner {
    /// Records bytes that are sent on the connection. The first few bytes of each request are enough.
    pub fn sent(&mut self, bytes: &[u8]) {
        match self.state {
            State::Idle if begins_request(bytes) => {
                self.state = State::Head;
                self.held.clear();
            }
            State::Idle | State::Head | State::Off => {}
            State::Size | State::Data(_) | State::Footer(_) => self.state = State::Off,
        }
    }

    /// Returns the bytes to read in place of the next bytes of the connection.
    ///
    /// `None`: read the bytes unchanged. Empty: they are not complete yet.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if matches!(self.state, State::Idle | State::Off) {
            return None;
        }
        let mut joined = Joined { bytes: Vec::with_capacity(bytes.len() + Joined::AROUND), begins: None };
        self.split(bytes, &mut joined);
        Some(joined.finish())
    }

    /// Returns whether the next bytes are chunks of a response.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Size | State::Data(_) | State::Footer(_))
    }

    /// Processes the next bytes like [`feed`](Self::feed), but returns only the data in them.
    pub fn extract_data(&mut self, bytes: &[u8]) -> Taken {
        let mut taken = Taken { data: Vec::with_capacity(bytes.len()), rest: Vec::new() };
        self.split(bytes, &mut taken);
        taken
    }

    fn split(&mut self, bytes: &[u8], parts: &mut impl Parts) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Idle | State::Off => {
                    parts.as_is(rest);
                    break;
                }
                State::Head => self.head(rest, parts),
                State::Size => self.size(rest, parts),
                State::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let (data, rest) = rest.split_at(here);
                    parts.data(data);
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::Footer(LINE_END) } else { State::Data(left) };
                    rest
                }
                State::Footer(missing) => self.footer(missing, rest, parts),
            };
        }
    }

    fn head<'a>(&mut self, bytes: &'a [u8], parts: &mut impl Parts) -> &'a [u8] {
        const END: &[u8] = b"\r\n\r\n";
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let searched = before.saturating_sub(END.len() - 1);
        let Some(found) = memmem::find(&self.held[searched..], END) else {
            parts.as_is(bytes);
            if self.held.len() > MAX_HEAD {
                self.become_idle();
            }
            return &[];
        };
        let end = searched + found + END.len();
        let (mine, rest) = bytes.split_at(end - before);
        parts.as_is(mine);
        self.state = match Head::read(&self.held[..end - END.len()]) {
            Head::Chunked => State::Size,
            Head::Interim => State::Head,
            Head::Switching => State::Off,
            Head::Other => State::Idle,
        };
        self.held.clear();
        rest
    }

    fn size<'a>(&mut self, bytes: &'a [u8], parts: &mut impl Parts) -> &'a [u8] {
        let Some(feed) = memchr(b'\n', bytes) else {
            self.held.extend_from_slice(bytes);
            if self.held.len() > MAX_LINE {
                parts.as_is(&self.held);
                self.become_idle();
            }
            return &[];
        };
        let (end, rest) = bytes.split_at(feed + 1);
        if self.held.is_empty() {
            self.sized(end, parts);
        } else {
            let mut line = std::mem::take(&mut self.held);
            line.extend_from_slice(end);
            self.sized(&line, parts);
        }
        rest
    }

    /// Processes a complete size line, including its end.
    fn sized(&mut self, line: &[u8], parts: &mut impl Parts) {
        self.state = match chunk_size(line) {
            Some(size) if size > 0 => State::Data(size),
            // The last chunk, whose trailers pass unchanged, or an invalid size.
            Some(_) | None => {
                parts.as_is(line);
                State::Idle
            }
        };
    }

    fn footer<'a>(&mut self, missing: &'static [u8], bytes: &'a [u8], parts: &mut impl Parts) -> &'a [u8] {
        let here = missing.len().min(bytes.len());
        let (found, rest) = bytes.split_at(here);
        if found == &missing[..here] {
            let missing = &missing[here..];
            self.state = if missing.is_empty() { State::Size } else { State::Footer(missing) };
            return rest;
        }
        // The footer of the joined chunk is valid, so the next bytes could look like another chunk. Write an invalid
        // footer, so
        // that every parser fails here.
        parts.as_is(format!("malformed chunk footer: {}\r\n", found.escape_ascii()).as_bytes());
        self.state = State::Off;
        rest
    }

    fn become_idle(&mut self) {
        self.state = State::Idle;
        self.held = Vec::new();
    }
}

/// The result of [`Joiner::extract_data`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The data of chunks, complete or partial.
    pub data: Vec<u8>,
    /// The bytes after the data, to be read unchanged, such as the last chunk.
    pub rest: Vec<u8>,
}

/// The receiver of the parsed parts.
trait Parts {
    fn data(&mut self, data: &[u8]);
    fn as_is(&mut self, bytes: &[u8]);
}

impl Parts for Taken {
    fn data(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
    }

    fn as_is(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }
}

/// The bytes to read in place of the original bytes.
struct Joined {
    bytes: Vec<u8>,
    /// The position of the size of the current output chunk.
    begins: Option<usize>,
}

impl Joined {
    /// Leading zeros are valid. They reserve room for the size, which is known only at the end.
    const SIZE: &[u8] = b"0000000000000000\r\n";
    const AROUND: usize = Self::SIZE.len() + LINE_END.len();

    fn end_chunk(&mut self) {
        let Some(begins) = self.begins.take() else { return };
        let size = self.bytes.len() - begins - Self::SIZE.len();
        let digits = Self::SIZE.len() - LINE_END.len();
        self.bytes[begins..begins + digits].copy_from_slice(format!("{size:0digits$x}").as_bytes());
        self.bytes.extend_from_slice(LINE_END);
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_chunk();
        self.bytes
    }
}

impl Parts for Joined {
    fn data(&mut self, data: &[u8]) {
        if self.begins.is_none() {
            self.begins = Some(self.bytes.len());
            self.bytes.extend_from_slice(Self::SIZE);
        }
        self.bytes.extend_from_slice(data);
    }

    fn as_is(&mut self, bytes: &[u8]) {
        self.end_chunk();
        self.bytes.extend_from_slice(bytes);
    }
}

/// The kind of data after the head of a response.
enum Head {
    Chunked,
    /// Another head.
    Interim,
    /// Another protocol.
    Switching,
    Other,
}

impl Head {
    fn read(head: &[u8]) -> Self {
        let mut lines =
            head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        // A line may end in a single line feed. But then the head may have ended before.
        let lone_feeds = memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r');
        let status = lines.next().and_then(|line| line.strip_prefix(b"HTTP/1.1 ")).and_then(|line| {
            let (digits, reason) = line.split_at_checked(3)?;
            let plain = digits.iter().all(u8::is_ascii_digit) && (reason.is_empty() || reason[0] == b' ');
            plain.then_some(digits)
        });
        match status {
            _ if lone_feeds => return Self::Other,
            None | Some(b"204" | b"304") => return Self::Other,
            Some(b"101") => return Self::Switching,
            Some([b'0', ..]) => return Self::Other,
            Some([b'1', ..]) => return Self::Interim,
            Some(_) => {}
        }
        let mut codings = 0;
        for line in lines {
            if line.first().is_none_or(u8::is_ascii_whitespace) {
                return Self::Other;
            }
            let colon = memchr(b':', line).unwrap_or(line.len());
            if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") {
                codings += 1;
                let value = line.get(colon + 1..).unwrap_or_default();
                if !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Self::Other;
                }
            }
        }
        if codings == 1 { Self::Chunked } else { Self::Other }
    }
}

/// Returns whether the bytes begin a request whose response has an ordinary body.
fn begins_request(bytes: &[u8]) -> bool {
    let method = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
    let named = bytes.len() > method.len() && !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    // Not a tunnel, a response without a body, or the preface of HTTP/2.
    named && !matches!(method, b"CONNECT" | b"HEAD" | b"PRI")
}

/// Returns the size in a chunk's first line; `None` if another parser might read the line differently.
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    const MAX_DIGITS: usize = 16;
    let line = line.strip_suffix(LINE_END)?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, behind) = line.split_at(digits);
    let plain = match behind.first() {
        Some(b';') => !behind.contains(&b'\r'),
        _ => behind.iter().all(|byte| matches!(byte, b' ' | b'\t')),
    };
    if !plain || digits.len() > MAX_DIGITS {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
