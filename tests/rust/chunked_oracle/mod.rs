//! A slow, obvious reader of a whole chunked response, and what a response is before and after it was joined.

use ferroscope_core::framing::http_chunks::Joiner;

/// What a reader makes of a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub data: Vec<u8>,
    pub end: End,
}

/// How the chunks end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum End {
    #[default]
    Unfinished,
    /// Something other than a line end follows a chunk's data.
    Malformed,
    /// The last chunk, or a line that tells no size: it and all that follows.
    Rest(Vec<u8>),
}

/// Reads what follows the head of a chunked response.
pub fn read(mut body: &[u8]) -> Reading {
    let mut reading = Reading::default();
    loop {
        let Some(end) = body.windows(2).position(|two| two == b"\r\n") else {
            // A reader says so at once, or when it sees the line's end.
            let whole = body.iter().position(|&byte| byte == b'\n');
            if whole.is_some() {
                reading.end = End::Rest(body.to_vec());
            }
            return reading;
        };
        let line = &body[..end];
        // An extension is bytes, which need not be text.
        let (digits, extension) = match line.iter().position(|&byte| byte == b';') {
            Some(at) => (&line[..at], &line[at..]),
            None => (line, &b""[..]),
        };
        let digits = std::str::from_utf8(digits).unwrap_or("no digits");
        let digits = if extension.is_empty() { digits.trim_end_matches([' ', '\t']) } else { digits };
        let known = digits.len() <= 16
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !extension.iter().any(|byte| b"\r\n".contains(byte));
        let size = if known { u64::from_str_radix(digits, 16).ok() } else { None };
        let Some(size) = size.filter(|&size| size > 0) else {
            reading.end = End::Rest(body.to_vec());
            return reading;
        };
        body = &body[end + 2..];
        let here = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
        reading.data.extend_from_slice(&body[..here]);
        body = &body[here..];
        if body.is_empty() || body == b"\r" {
            return reading;
        }
        let Some(rest) = body.strip_prefix(b"\r\n") else {
            reading.end = End::Malformed;
            return reading;
        };
        body = rest;
    }
}

/// Reads what a joiner has made of a response, in whose place it says so where a chunk was malformed.
pub fn read_joined(body: &[u8]) -> Reading {
    let reading = read(body);
    match &reading.end {
        End::Rest(rest) if rest.starts_with(b"malformed chunk footer: ") => {
            Reading { end: End::Malformed, ..reading }
        }
        _ => reading,
    }
}

/// What a joiner makes of pieces.
pub fn join<'a>(joiner: &mut Joiner, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut joined = Vec::new();
    for piece in pieces {
        match joiner.feed(piece) {
            Some(bytes) => joined.extend_from_slice(&bytes),
            None => joined.extend_from_slice(piece),
        }
    }
    joined
}
