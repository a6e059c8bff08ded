//! An open socket, encrypted or not.

use crate::error::{Error, Kind};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Link {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// The number of bytes written to the socket.
    pub wrote: u64,
    /// Whether the peer has stopped sending, so that a read must continue to the end.
    pub closing: bool,
    /// Whether the end was read.
    pub ended: bool,
}

/// The result of one read of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The socket has no more data at the moment.
    Drained { any: bool },
    /// The socket may have more.
    More,
    /// The peer has stopped sending; `clean` if no data can be missing.
    Ended { clean: bool },
}

impl Link {
    pub fn new(socket: TcpStream, tls: Option<(&Arc<ClientConfig>, &str)>) -> Result<Self, Error> {
        let tls = match tls {
            None => None,
            Some((config, name)) => {
                let name = ServerName::try_from(name.to_owned()).map_err(|_| {
                    Error::new(Kind::Connect, format!("{name} is not a valid name for a TLS certificate"))
                })?;
                let session = ClientConnection::new(config.clone(), name)
                    .map_err(|error| Error::new(Kind::Connect, format!("TLS: {error}")))?;
                Some(Box::new(session))
            }
        };
        Ok(Self { socket, tls, wrote: 0, closing: false, ended: false })
    }

    /// Returns whether the TLS handshake is in progress.
    pub fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Returns whether encrypted bytes wait for space in the socket's buffer.
    pub fn has_pending(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Has another descriptor watch the socket. Returns whether it does.
    pub fn watch_by(&mut self, before: &Registry, after: &Registry, token: Token) -> bool {
        let interests = Interest::READABLE | Interest::WRITABLE;
        let moved = before
            .deregister(&mut self.socket)
            .and_then(|()| after.register(&mut self.socket, token, interests));
        moved.is_ok() || {
            let _ = before.register(&mut self.socket, token, interests);
            false
        }
    }

    /// Returns the protocol version and the cipher of the TLS session.
    pub fn tls_names(&self) -> Option<(&'static str, &'static str)> {
        let tls = self.tls.as_ref()?;
        let version = tls.protocol_version()?.as_str()?;
        Some((version, tls.negotiated_cipher_suite()?.suite().as_str()?))
    }

    /// Writes as many bytes as the socket accepts. Returns the number of bytes used; none during the TLS handshake.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        loop {
            let Some(tls) = &mut self.tls else {
                while !rest.is_empty() {
                    let Some(count) = attempt(|| self.socket.write(rest))? else { break };
                    self.wrote += count as u64;
                    rest = &rest[count..];
                }
                break;
            };
            if !tls.is_handshaking() {
                let count = tls.writer().write(rest)?;
                rest = &rest[count..];
            }
            while tls.wants_write() {
                let Some(count) = attempt(|| tls.write_tls(&mut self.socket))? else {
                    return Ok(bytes.len() - rest.len());
                };
                self.wrote += count as u64;
            }
            if rest.is_empty() || tls.is_handshaking() {
                break;
            }
        }
        Ok(bytes.len() - rest.len())
    }

    /// Reads the socket once, and passes decrypted bytes to `sink`.
    pub fn read(&mut self, buffer: &mut [u8], sink: &mut dyn FnMut(&[u8])) -> Result<Outcome, Error> {
        if self.ended {
            return Ok(Outcome::Drained { any: false });
        }
        let count = match attempt(|| self.socket.read(buffer)) {
            Ok(Some(count)) => count,
            Ok(None) => return Ok(Outcome::Drained { any: false }),
            Err(error) => {
                self.ended = true;
                return Err(self.broken(&plain(&error)));
            }
        };
        if count == 0 {
            self.ended = true;
            // Without TLS, an end cannot be verified.
            return Ok(Outcome::Ended { clean: self.tls.is_none() });
        }
        if self.tls.is_none() {
            sink(&buffer[..count]);
        } else if self.decrypt(&buffer[..count], sink)? {
            self.ended = true;
            return Ok(Outcome::Ended { clean: true });
        }
        let more = count == buffer.len() || self.closing;
        Ok(if more { Outcome::More } else { Outcome::Drained { any: true } })
    }

    /// Decrypts bytes of the socket. Returns whether the peer announced the end of its data.
    fn decrypt(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        while !bytes.is_empty() {
            let Some(tls) = &mut self.tls else { return Ok(false) };
            if let Err(error) = tls.read_tls(&mut bytes) {
                return Err(self.broken(&error.to_string()));
            }
            let state = match tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // Send the alert that explains the error to the peer.
                    let _ = tls.write_tls(&mut self.socket);
                    self.ended = true;
                    return Err(self.broken(&describe(&error)));
                }
            };
            if state.plaintext_bytes_to_read() > 0 {
                let mut reader = tls.reader();
                while let Ok(part @ [_, ..]) = reader.fill_buf() {
                    let length = part.len();
                    sink(part);
                    reader.consume(length);
                }
            }
            if state.peer_has_closed() {
                return Ok(true);
            }
        }
        if self.has_pending() {
            // The handshake continues, or a key update is answered. The next read reports a failure.
            let _ = self.write(&[]);
        }
        Ok(false)
    }

    fn broken(&self, reason: &str) -> Error {
        let kind = if self.is_handshaking() { Kind::Connect } else { Kind::Read };
        Error::new(kind, reason)
    }

    /// Announces the end to a TLS peer if the socket's buffer has space, and drops the socket.
    pub fn close(mut self, registry: &Registry) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.socket);
        }
        let _ = registry.deregister(&mut self.socket);
    }
}

/// Returns the count of a read or a write, or `None` if it would block.
pub(crate) fn attempt(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match transfer() {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the text of an error without the system's error number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn describe(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => format!("certificate verify failed: {reason}"),
        other => format!("TLS: {other}"),
    }
}
