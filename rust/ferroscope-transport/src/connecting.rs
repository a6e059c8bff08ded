//! Connects to the first of several addresses that answers
//! ([RFC 8305](https://www.rfc-editor.org/rfc/rfc8305#section-5)). The next attempt begins when the last one failed, or
//! after a delay.

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The maximum number of simultaneous attempts for one connection.
pub(crate) const MAX_ATTEMPTS: usize = 8;

const NEXT_ATTEMPT: Duration = Duration::from_millis(250);
// A stream may be silent for minutes while a model thinks, but a lost peer must be detected.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(60));

#[derive(Debug)]
pub(crate) struct Connecting {
    left: VecDeque<SocketAddr>,
    attempts: Vec<TcpStream>,
    started: usize,
    first_token: usize,
    next_at: Option<Instant>,
    failure: Option<io::Error>,
}

impl Connecting {
    /// Starts with the first address. The attempts get tokens from `first_token` on.
    pub fn start(addresses: &[SocketAddr], first_token: usize, registry: &Registry, now: Instant) -> Self {
        let mut connecting = Self {
            left: interleave(addresses),
            attempts: Vec::new(),
            started: 0,
            first_token,
            next_at: None,
            failure: None,
        };
        connecting.next(registry, now);
        connecting
    }

    /// Returns the socket once one of the attempts has connected, or an error once all have failed.
    pub fn poll(&mut self, registry: &Registry, now: Instant) -> io::Result<Option<TcpStream>> {
        let mut at = 0;
        while at < self.attempts.len() {
            match is_connected(&self.attempts[at]) {
                Ok(true) => return Ok(Some(self.attempts.swap_remove(at))),
                Ok(false) => at += 1,
                Err(error) => {
                    self.failure = Some(error);
                    self.attempts.swap_remove(at);
                }
            }
        }
        if self.attempts.is_empty() || self.next_at.is_some_and(|at| at <= now) {
            self.next(registry, now);
        }
        if self.attempts.is_empty() {
            let nowhere = || io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
            return Err(self.failure.take().unwrap_or_else(nowhere));
        }
        Ok(None)
    }

    /// Returns the time when `poll` starts the next attempt.
    pub fn next_at(&self) -> Option<Instant> {
        self.next_at
    }

    fn next(&mut self, registry: &Registry, now: Instant) {
        self.next_at = None;
        while self.started < MAX_ATTEMPTS {
            let Some(address) = self.left.pop_front() else { return };
            let token = Token(self.first_token + self.started);
            self.started += 1;
            match open(address, token, registry) {
                Ok(socket) => {
                    self.attempts.push(socket);
                    if !self.left.is_empty() && self.started < MAX_ATTEMPTS {
                        self.next_at = Some(now + NEXT_ATTEMPT);
                    }
                    return;
                }
                Err(error) => self.failure = Some(error),
            }
        }
    }
}

fn open(address: SocketAddr, token: Token, registry: &Registry) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    SockRef::from(&socket).set_tcp_keepalive(&KEEPALIVE)?;
    // Edge-triggered: an event arrives when something changes, so a full buffer needs no other registration.
    registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(socket)
}

fn is_connected(socket: &TcpStream) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Alternates between the address families, beginning with that of the first address.
fn interleave(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first);
    let mut mixed = VecDeque::with_capacity(addresses.len());
    while !one.is_empty() || !other.is_empty() {
        mixed.extend(one.pop_front());
        mixed.extend(other.pop_front());
    }
    mixed
}
