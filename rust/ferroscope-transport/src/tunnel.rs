//! Opens a tunnel through an HTTP proxy
//! ([RFC 9110, section 9.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6)).

use crate::error::{Error, Kind};
use crate::link::{attempt, plain};
use crate::request::{Origin, Request, Timeouts};
use crate::response::{Head, Reader};
use mio::net::TcpStream;
use std::fmt;
use std::io::{Read, Write};

/// A proxy, and the request that opens a tunnel through it.
///
/// Connections are reused only through the same proxy with the same credentials.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// A host name in ASCII, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The bytes of the `CONNECT` request.
    request: Vec<u8>,
}

// The request may have the password of the proxy.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Returns the proxy for a server. `headers` are the proxy's own, such as `Proxy-Authorization`.
    ///
    /// # Errors
    ///
    /// A header that could be read as something else. The message names the header, never its value.
    pub fn new<'a>(
        host: String,
        port: u16,
        server: (&str, u16),
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, Error> {
        let (name, server_port) = server;
        let target = if name.contains(':') {
            format!("[{name}]:{server_port}")
        } else {
            format!("{name}:{server_port}")
        };
        let origin = Origin { tls: false, host: host.clone(), port, server_name: None, proxy: None };
        let mut named = vec![(&b"Host"[..], target.as_bytes())];
        for header in headers {
            named.push(header);
        }
        let request = Request::new(origin, Timeouts::default(), b"CONNECT", target.as_bytes(), named, b"")?;
        Ok(Self { host, port, request: request.bytes })
    }
}

/// A socket to a proxy, until the tunnel is open.
#[derive(Debug)]
pub(crate) struct Tunnel {
    socket: Option<TcpStream>,
    sent: usize,
    reader: Reader,
    head: Option<Head>,
}

impl Tunnel {
    pub fn new(socket: TcpStream) -> Self {
        // As after a HEAD request, the connection itself follows the head.
        Self { socket: Some(socket), sent: 0, reader: Reader::new(true), head: None }
    }

    /// Writes and reads what is possible now. Returns the socket once the tunnel is open.
    pub fn advance(&mut self, proxy: &Proxy) -> Result<Option<TcpStream>, Error> {
        let place = || format!("the proxy {}:{}", proxy.host, proxy.port);
        let broken = |reason: &str| Error::new(Kind::Proxy, format!("{}: {reason}", place()));
        let Some(socket) = &mut self.socket else { return Ok(None) };
        while self.sent < proxy.request.len() {
            match attempt(|| socket.write(&proxy.request[self.sent..])) {
                Ok(Some(count)) => self.sent += count,
                Ok(None) => return Ok(None),
                Err(error) => return Err(broken(&plain(&error))),
            }
        }
        let mut buffer = [0; 1024];
        loop {
            let count = match attempt(|| socket.read(&mut buffer)) {
                Ok(Some(count)) => count,
                Ok(None) => return Ok(None),
                Err(error) => return Err(broken(&plain(&error))),
            };
            if count == 0 {
                return Err(broken("it closed the connection before its answer to CONNECT"));
            }
            let read = self.reader.read(&buffer[..count], &mut self.head, &mut Vec::new());
            let used = read.map_err(|error| broken(&error.message))?;
            let Some(head) = &self.head else { continue };
            if !(200..300).contains(&head.status) {
                // The text that httpx has for it.
                return Err(Error::new(
                    Kind::Proxy,
                    format!("{} {}", head.status, String::from_utf8_lossy(&head.reason)),
                ));
            }
            if used < count {
                return Err(broken("bytes follow its answer to CONNECT"));
            }
            return Ok(self.socket.take());
        }
    }
}
