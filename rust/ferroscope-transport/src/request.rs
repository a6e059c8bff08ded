//! Renders the bytes of an HTTP/1.1 request.

use crate::error::Error;
#[cfg(unix)]
use crate::tunnel::Proxy;
#[cfg(unix)]
use std::sync::Arc;
use std::time::Duration;

/// The timeout of each step of a request; `None` means no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeouts {
    /// Until a connection is open, and again for the TLS handshake.
    pub connect: Option<Duration>,
    /// Between two reads of the response, while a reader waits for it.
    pub read: Option<Duration>,
    /// Between two writes of the request.
    pub write: Option<Duration>,
    /// Until a connection of the pool is free.
    pub pool: Option<Duration>,
}

/// The server that a request goes to. Connections are reused for requests of the same origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// A host name in ASCII, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name for which a certificate must be valid, if it differs from the host.
    pub server_name: Option<String>,
    /// The proxy through which the connection goes.
    #[cfg(unix)]
    pub proxy: Option<Arc<Proxy>>,
}

impl Origin {
    /// Returns the host and the port that a socket connects to: the proxy's, if there is one.
    #[must_use]
    pub fn peer(&self) -> (&str, u16) {
        #[cfg(unix)]
        if let Some(proxy) = &self.proxy {
            return (&proxy.host, proxy.port);
        }
        (&self.host, self.port)
    }
}

/// A request, ready to be written.
#[derive(Debug)]
pub struct Request {
    /// The server.
    pub origin: Origin,
    /// The limits of each step.
    pub timeouts: Timeouts,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_head: bool,
    pub(crate) closes: bool,
}

impl Request {
    /// Renders a request with a body in memory.
    ///
    /// # Errors
    ///
    /// Returns an error for a method, target or header that the server could interpret differently, or for a length
    /// that
    /// contradicts the body. The message names the header, but never its value, which may be a key.
    pub fn new<'a>(
        origin: Origin,
        timeouts: Timeouts,
        method: &[u8],
        target: &[u8],
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        body: &[u8],
    ) -> Result<Self, Error> {
        if method.is_empty() || !method.iter().copied().all(is_token) {
            return Err(Error::local(format!("invalid method: {}", method.escape_ascii())));
        }
        if target.is_empty() || !target.iter().all(|&byte| matches!(byte, 0x21..=0x7e)) {
            return Err(Error::local("the target of the request is not valid in HTTP/1.1"));
        }
        let mut bytes = Vec::with_capacity(1024 + body.len());
        bytes.extend_from_slice(method);
        bytes.push(b' ');
        bytes.extend_from_slice(target);
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        let (mut hosts, mut length, mut closes) = (0, None, false);
        for (name, value) in headers {
            check_header(name, value)?;
            if name.eq_ignore_ascii_case(b"host") {
                hosts += 1;
            } else if name.eq_ignore_ascii_case(b"content-length") {
                let declared = std::str::from_utf8(value).ok().and_then(|value| value.parse::<usize>().ok());
                if length.is_some() || declared != Some(body.len()) {
                    return Err(Error::local("the request's Content-Length is not the length of its body"));
                }
                length = declared;
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Err(Error::local(
                    "a request with a body in memory must not have a Transfer-Encoding header",
                ));
            } else if name.eq_ignore_ascii_case(b"connection") {
                closes |= has_token(value, b"close");
            }
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if hosts != 1 {
            return Err(Error::local("a request needs exactly one Host header"));
        }
        if length.is_none() && !body.is_empty() {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Ok(Self { origin, timeouts, bytes, is_head: method == b"HEAD", closes })
    }

    /// Returns the bytes of the request.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn check_header(name: &[u8], value: &[u8]) -> Result<(), Error> {
    let shown = || name.escape_ascii().to_string();
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(Error::local(format!("invalid header name: {}", shown())));
    }
    let plain = value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    if !plain || value.trim_ascii().len() != value.len() {
        return Err(Error::local(format!("invalid value of the header {}", shown())));
    }
    Ok(())
}

/// Returns whether a comma-separated header value has a member, ignoring case.
pub(crate) fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
