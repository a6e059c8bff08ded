//! Errors of a request, with the class names of Python's HTTP libraries.

use std::fmt;

/// The step in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// No connection, or no TLS session.
    Connect,
    /// No connection, or no TLS session, within the timeout.
    ConnectTimeout,
    /// No free connection within the timeout.
    PoolTimeout,
    /// A proxy refused to open a tunnel, or broke off.
    Proxy,
    /// The connection broke while a response was read.
    Read,
    /// No bytes of a response within the timeout.
    ReadTimeout,
    /// The connection broke while a request was written.
    Write,
    /// The server read nothing of a request within the timeout.
    WriteTimeout,
    /// The server's bytes are not a valid response.
    RemoteProtocol,
    /// The request cannot be written as HTTP/1.1.
    LocalProtocol,
}

impl Kind {
    /// Returns the name of the exception class in httpx.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "ConnectError",
            Self::ConnectTimeout => "ConnectTimeout",
            Self::PoolTimeout => "PoolTimeout",
            Self::Proxy => "ProxyError",
            Self::Read => "ReadError",
            Self::ReadTimeout => "ReadTimeout",
            Self::Write => "WriteError",
            Self::WriteTimeout => "WriteTimeout",
            Self::RemoteProtocol => "RemoteProtocolError",
            Self::LocalProtocol => "LocalProtocolError",
        }
    }
}

/// The error of a failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The step in which it failed.
    pub kind: Kind,
    /// The error message.
    pub message: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn remote(message: impl Into<String>) -> Self {
        Self::new(Kind::RemoteProtocol, message)
    }

    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Kind::LocalProtocol, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Error {}
