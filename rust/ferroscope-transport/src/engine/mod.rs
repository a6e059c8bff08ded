//! The engine of one event loop: all connections, watched by one descriptor that the loop watches.
//!
//! The engine does not block and has no thread. The loop calls [`Engine::turn`] when the descriptor is readable, and
//! [`Engine::expire`] at [`Engine::wake_at`].

mod connections;
mod exchanges;
mod transfer;
mod turning;

use crate::connection::Connection;
use crate::error::{Error, Kind};
use crate::exchange::{Exchange, Stage};
use crate::held::Held;
use crate::link::Link;
use crate::pool::{Counts, Limits, Pool};
use crate::request::Request;
use crate::response::Head;
use crate::tls::Tls;
pub use mio::Waker;
use mio::{Events, Poll, Token};
use slab::Slab;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Instant;

/// The size of unfetched body data above which reading pauses, so that TCP slows down the server.
const HIGH_MARK: usize = 1024 * 1024;
const READ_SIZE: usize = 64 * 1024;
/// The number of reads of one connection per turn.
const READS_PER_TURN: usize = 8;
const EVENTS_PER_TURN: usize = 512;
/// The token of the waker, which belongs to no connection.
const WAKE: Token = Token(usize::MAX - 1);

/// The next step of a response before its head.
#[derive(Debug)]
pub enum Next {
    /// The head has arrived.
    Head(Head),
    /// The addresses of the host are needed: see [`Engine::connect`].
    Resolve,
    /// Nothing yet. [`Engine::take_ready`] will return the exchange.
    Wait,
}

/// The next step of a response body.
#[derive(Debug)]
pub enum Body {
    /// All data that has arrived.
    Data(Vec<u8>),
    /// The end.
    End,
    /// Nothing yet. [`Engine::take_ready`] will return the exchange.
    Wait,
}

/// The connections of one event loop. See the [module](self).
#[derive(Debug)]
pub struct Engine {
    poll: Poll,
    held: Held,
    events: Events,
    pools: Slab<Pool>,
    connections: Slab<Connection>,
    exchanges: Slab<Exchange>,
    buffer: Vec<u8>,
    /// Connections with more to read than one turn allows.
    again: Vec<usize>,
    ready: Vec<usize>,
    wake_at: Option<Instant>,
}

impl Engine {
    /// Creates an engine without pools.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no free descriptor.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            held: Held::new()?,
            events: Events::with_capacity(EVENTS_PER_TURN),
            pools: Slab::new(),
            connections: Slab::new(),
            exchanges: Slab::new(),
            buffer: vec![0; READ_SIZE],
            again: Vec::new(),
            ready: Vec::new(),
            wake_at: None,
        })
    }

    /// Returns the descriptor that is readable when [`turn`](Self::turn) has something to do.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Returns a handle with which another thread makes the descriptor readable. An engine has at most one.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no free descriptor.
    pub fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    /// Returns the time of the next call of [`expire`](Self::expire).
    #[must_use]
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at.into_iter().chain(self.held.until).min()
    }

    /// Returns whether a turn left work that the descriptor does not show.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.again.is_empty()
    }

    /// Returns the exchanges that can continue, and clears the list.
    pub fn take_ready(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ready)
    }

    /// Returns the key of a new, empty pool. `tls` is needed for encrypted connections.
    pub fn add_pool(&mut self, limits: Limits, tls: Option<Tls>) -> usize {
        self.pools.insert(Pool::new(limits, tls))
    }

    /// Closes the connections of a pool. Its exchanges fail.
    pub fn close_pool(&mut self, pool: usize) {
        let keys: Vec<usize> = self.keys_of_exchanges(|exchange| exchange.pool == pool);
        for key in keys {
            self.end_exchange(key, Some(closed()));
        }
        let keys: Vec<usize> =
            self.connections.iter().filter(|(_, it)| it.pool == pool).map(|(key, _)| key).collect();
        for key in keys {
            self.close_connection(key);
        }
        self.pools.try_remove(pool);
    }

    /// Returns the numbers of a pool's connections and requests.
    #[must_use]
    pub fn counts(&self, pool: usize) -> Counts {
        self.pools.get(pool).map(Pool::counts).unwrap_or_default()
    }

    /// Starts a request. Returns the key of its exchange, which is valid until [`close`](Self::close).
    pub fn start(&mut self, pool: usize, request: Request) -> usize {
        let key = self.exchanges.insert(Exchange::new(pool, request));
        if let Some(found) = self.pools.get_mut(pool) {
            found.queue.push_back(key);
            self.set_deadline(key, Kind::PoolTimeout, Instant::now());
            self.assign(pool);
        } else {
            self.end_exchange(key, Some(closed()));
        }
        key
    }

    /// Returns the next step to the head of a response.
    ///
    /// # Errors
    ///
    /// Returns an error if the request failed.
    pub fn head(&mut self, key: usize) -> Result<Next, Error> {
        let exchange = self.exchanges.get_mut(key).ok_or_else(closed)?;
        if let Some(head) = exchange.head.take() {
            return Ok(Next::Head(head));
        }
        if let Some(failure) = &exchange.failure {
            return Err(failure.clone());
        }
        if exchange.stage == Stage::Resolving {
            return Ok(Next::Resolve);
        }
        self.wait(key);
        Ok(Next::Wait)
    }

    /// Returns the next step of a response body.
    ///
    /// # Errors
    ///
    /// Returns an error if the response was interrupted. All data before that was returned.
    pub fn body(&mut self, key: usize) -> Result<Body, Error> {
        let exchange = self.exchanges.get_mut(key).ok_or_else(closed)?;
        if !exchange.data.is_empty() {
            let data = std::mem::take(&mut exchange.data);
            if std::mem::take(&mut exchange.paused)
                && let Stage::Connected(at) = exchange.stage
            {
                self.receive(at, Instant::now());
            }
            return Ok(Body::Data(data));
        }
        if let Some(failure) = &exchange.failure {
            return Err(failure.clone());
        }
        if exchange.stage == Stage::Ended {
            return Ok(Body::End);
        }
        self.wait(key);
        Ok(Body::Wait)
    }

    /// Ends an exchange. Its key becomes invalid. A connection in the middle of a response is closed.
    pub fn close(&mut self, key: usize) {
        if let Some(exchange) = self.exchanges.get_mut(key) {
            exchange.waiting = false;
            self.end_exchange(key, None);
            self.exchanges.remove(key);
        }
    }

    /// Returns the local and the remote address of an exchange's connection.
    #[must_use]
    pub fn addresses(&mut self, key: usize) -> Option<(SocketAddr, SocketAddr)> {
        let socket = self.link_of(key)?.socket();
        Some((socket.local_addr().ok()?, socket.peer_addr().ok()?))
    }

    /// Returns the TLS version and cipher of an exchange's connection.
    #[must_use]
    pub fn tls_names(&mut self, key: usize) -> Option<(&'static str, &'static str)> {
        self.link_of(key)?.tls_names()
    }

    fn link_of(&mut self, key: usize) -> Option<&mut Link> {
        let Stage::Connected(at) = self.exchanges.get(key)?.stage else { return None };
        self.connections.get_mut(at)?.link()
    }
}

fn closed() -> Error {
    Error::new(Kind::Read, "the transport was closed")
}
