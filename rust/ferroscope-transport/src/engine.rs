//! The engine of one event loop: all connections, watched by one descriptor that the loop watches.
//!
//! The engine does not block and has no thread. The loop calls [`Engine::turn`] when the descriptor is readable, and
//! [`Engine::expire`] at [`Engine::wake_at`].

use crate::connecting::{Connecting, MAX_ATTEMPTS};
use crate::connection::{Connection, Stage as ConnectionStage};
use crate::error::{Error, Kind};
use crate::exchange::{Exchange, Stage};
use crate::held::{Held, TOKEN as HELD};
use crate::link::{Link, Outcome, plain};
use crate::pool::{Counts, Limits, Pool};
use crate::request::Request;
use crate::response::{Head, Reader};
use crate::tls::Tls;
use crate::tunnel::Tunnel;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use slab::Slab;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

/// The size of unfetched body data above which reading pauses, so that TCP slows down the server.
const HIGH_MARK: usize = 1024 * 1024;
const READ_SIZE: usize = 64 * 1024;
/// The number of reads of one connection per turn.
const READS_PER_TURN: usize = 8;
const EVENTS_PER_TURN: usize = 512;

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

    /// Opens a connection to the first of these addresses that answers.
    pub fn connect(&mut self, key: usize, addresses: &[SocketAddr]) {
        let Some(exchange) = self.exchanges.get_mut(key).filter(|it| it.stage == Stage::Resolving) else {
            return;
        };
        let entry = self.connections.vacant_entry();
        let at = entry.key();
        let now = Instant::now();
        let connecting = Connecting::start(addresses, at * MAX_ATTEMPTS, self.poll.registry(), now);
        entry.insert(Connection::new(exchange.pool, exchange.request.origin.clone(), key, connecting));
        exchange.stage = Stage::Connected(at);
        self.set_deadline(key, Kind::ConnectTimeout, now);
        self.advance(at, now);
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

    /// Holds back what arrives on an exchange's connection, for at most `time`, until the end of the exchange.
    ///
    /// What arrives on several such connections in that time is read in one turn. Others are not held back.
    pub fn hold(&mut self, key: usize, time: Duration) {
        let Some(Exchange { stage: Stage::Connected(at), .. }) = self.exchanges.get(key) else { return };
        let Some(connection) = self.connections.get_mut(*at) else { return };
        let (held, token) = (connection.held, Token(*at * MAX_ATTEMPTS));
        let Some(link) = connection.link().filter(|_| !held) else { return };
        if link.watch_by(self.poll.registry(), self.held.poll.registry(), token) {
            connection.held = true;
            self.held.add(time, self.poll.registry());
        }
    }

    /// Ends the hold on a connection that serves another exchange next.
    fn unhold(&mut self, at: usize) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        if std::mem::take(&mut connection.held) {
            if let Some(link) = connection.link() {
                link.watch_by(self.held.poll.registry(), self.poll.registry(), Token(at * MAX_ATTEMPTS));
            }
            self.held.remove(self.poll.registry());
        }
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

    /// Reads and writes on all ready connections.
    ///
    /// # Errors
    ///
    /// Returns an error if the system cannot report which connections are ready.
    pub fn turn(&mut self) -> io::Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = self.poll.poll(&mut events, Some(Duration::ZERO));
        let now = Instant::now();
        for at in std::mem::take(&mut self.again) {
            self.receive(at, now);
        }
        if polled.is_ok() {
            self.handle(&events, now);
        }
        self.events = events;
        match polled {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    fn handle(&mut self, events: &Events, now: Instant) {
        for event in events {
            if event.token() == HELD {
                self.held.begin(now, self.poll.registry());
                continue;
            }
            let Token(token) = event.token();
            let at = token / MAX_ATTEMPTS;
            let Some(connection) = self.connections.get_mut(at) else { continue };
            match &mut connection.stage {
                ConnectionStage::Connecting(_) | ConnectionStage::Tunnelling(_) => self.advance(at, now),
                ConnectionStage::Open(link) => {
                    link.closing |= event.is_read_closed() || event.is_error();
                    if event.is_writable() {
                        self.send(at, now);
                    }
                    if event.is_readable() || event.is_read_closed() || event.is_error() {
                        self.receive(at, now);
                    }
                }
                ConnectionStage::Closed => {}
            }
        }
    }

    /// Reads what arrived on connections that hold it back.
    fn read_held(&mut self, now: Instant) {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut had_events = false;
        while self.held.poll.poll(&mut events, Some(Duration::ZERO)).is_ok() {
            had_events |= !events.is_empty();
            self.handle(&events, now);
            if events.iter().count() < EVENTS_PER_TURN {
                break;
            }
        }
        self.events = events;
        self.held.end(now, had_events, self.poll.registry());
    }

    /// Ends the exchanges whose timeout has passed.
    pub fn expire(&mut self, now: Instant) {
        if self.held.until.is_some_and(|until| until <= now) {
            self.read_held(now);
        }
        if self.wake_at.is_some_and(|at| at > now) {
            return;
        }
        for key in self.keys_of_exchanges(|it| it.deadline.is_some_and(|(at, _)| at <= now)) {
            let Some(exchange) = self.exchanges.get(key) else { continue };
            let Some((_, kind)) = exchange.deadline else { continue };
            let error = exchange.timeout(kind);
            self.end_exchange(key, Some(error));
        }
        let due: Vec<usize> = self
            .connections
            .iter()
            .filter(|(_, it)| next_of(it).is_some_and(|at| at <= now))
            .map(|(key, _)| key)
            .collect();
        for at in due {
            match self.connections.get(at).map(|it| it.exchange) {
                Some(None) => self.close_connection(at),
                Some(Some(_)) => self.advance(at, now),
                None => {}
            }
        }
        let waits = self.exchanges.iter().filter_map(|(_, it)| it.deadline.map(|(at, _)| at));
        self.wake_at = waits.chain(self.connections.iter().filter_map(|(_, it)| next_of(it))).min();
    }

    // ---- connections

    /// Assigns connections to the requests that wait for one.
    fn assign(&mut self, pool: usize) {
        loop {
            let Some(found) = self.pools.get(pool) else { return };
            let Some(&key) = found.queue.front() else { return };
            let origin = &self.exchanges[key].request.origin;
            let fits = |at: &&usize| self.connections[**at].origin == *origin;
            // The connection with the shortest idle time, so that the others may expire.
            if let Some(at) = found.idle.iter().rev().find(fits).copied() {
                if self.is_alive(at) {
                    let Some(found) = self.pools.get_mut(pool) else { return };
                    found.idle.retain(|&idle| idle != at);
                    found.queue.pop_front();
                    self.connections[at].exchange = Some(key);
                    self.exchanges[key].stage = Stage::Connected(at);
                    self.begin(at, Instant::now());
                } else {
                    self.close_connection(at);
                }
                continue;
            }
            if !found.has_room() {
                let Some(&oldest) = found.idle.first() else { return };
                self.close_connection(oldest);
                continue;
            }
            let (host, port) = origin.peer();
            let address = host.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port));
            let Some(found) = self.pools.get_mut(pool) else { return };
            found.queue.pop_front();
            found.open += 1;
            self.exchanges[key].stage = Stage::Resolving;
            if let Ok(address) = address {
                self.connect(key, &[address]);
            } else {
                // The caller limits the time of the lookup, because it resolves the name itself.
                self.exchanges[key].deadline = None;
                self.wake(key);
            }
        }
    }

    /// Returns whether an idle connection can serve another request: neither its end nor a byte has arrived.
    fn is_alive(&mut self, at: usize) -> bool {
        let mut surplus = false;
        let Some(link) = self.connections[at].link() else { return false };
        let outcome = link.read(&mut self.buffer, &mut |_| surplus = true);
        matches!(outcome, Ok(Outcome::Drained { .. })) && !surplus
    }

    /// Continues opening a connection.
    fn advance(&mut self, at: usize, now: Instant) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        if let ConnectionStage::Connecting(connecting) = &mut connection.stage {
            match connecting.poll(self.poll.registry(), now) {
                Ok(None) => {
                    if let Some(next) = connecting.next_at() {
                        self.note(next);
                    }
                }
                Ok(Some(socket)) if connection.origin.proxy.is_some() => {
                    connection.stage = ConnectionStage::Tunnelling(Tunnel::new(socket));
                    if let Some(key) = connection.exchange {
                        self.set_deadline(key, Kind::ConnectTimeout, now);
                    }
                }
                Ok(Some(socket)) => self.open(at, socket, now),
                Err(error) => {
                    let (host, port) = connection.origin.peer();
                    let message = format!("cannot connect to {host}:{port}: {}", plain(&error));
                    self.fail(at, Error::new(Kind::Connect, message));
                }
            }
        }
        let Some(connection) = self.connections.get_mut(at) else { return };
        if let (ConnectionStage::Tunnelling(tunnel), Some(proxy)) =
            (&mut connection.stage, connection.origin.proxy.as_ref())
        {
            match tunnel.advance(proxy) {
                Ok(None) => {}
                Ok(Some(socket)) => self.open(at, socket, now),
                Err(error) => self.fail(at, error),
            }
        }
    }

    /// Begins the TLS handshake on a socket, or the request.
    fn open(&mut self, at: usize, socket: TcpStream, now: Instant) {
        let connection = &mut self.connections[at];
        let pool = &self.pools[connection.pool];
        let name = connection.origin.server_name.as_ref().unwrap_or(&connection.origin.host);
        let tls = if connection.origin.tls { pool.tls.as_ref() } else { None };
        if connection.origin.tls && tls.is_none() {
            self.fail(at, Error::new(Kind::Connect, "this transport has no TLS settings"));
            return;
        }
        match Link::new(socket, tls.map(|tls| (&tls.config, name.as_str()))) {
            Ok(link) => {
                let handshaking = link.is_handshaking();
                connection.stage = ConnectionStage::Open(link);
                if handshaking && let Some(key) = connection.exchange {
                    self.set_deadline(key, Kind::ConnectTimeout, now);
                }
                self.begin(at, now);
            }
            Err(error) => self.fail(at, error),
        }
    }

    /// Begins the request on an open connection, or its handshake.
    fn begin(&mut self, at: usize, now: Instant) {
        let connection = &mut self.connections[at];
        let Some(key) = connection.exchange else { return };
        connection.reader = Reader::new(self.exchanges[key].request.is_head);
        connection.idle_until = None;
        if let Some(link) = connection.link() {
            let (wrote, handshaking) = (link.wrote, link.is_handshaking());
            connection.began_at = wrote;
            if !handshaking {
                self.set_deadline(key, Kind::WriteTimeout, now);
            }
            self.send(at, now);
        }
    }

    /// Writes as much of a request as the socket accepts.
    fn send(&mut self, at: usize, now: Instant) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        let Some(key) = connection.exchange else { return };
        let exchange = &mut self.exchanges[key];
        let (reused, began_at) = (connection.reused, connection.began_at);
        let Some(link) = connection.link() else { return };
        if exchange.is_sent() && !link.has_pending() {
            return;
        }
        let before = link.wrote;
        match link.write(&exchange.request.bytes[exchange.sent..]) {
            Ok(count) => {
                exchange.sent += count;
                if link.is_handshaking() {
                    return;
                }
                if exchange.is_sent() && !link.has_pending() {
                    exchange.request.bytes = Vec::new();
                    exchange.sent = 0;
                    exchange.deadline = None;
                    if exchange.waiting {
                        self.set_deadline(key, Kind::ReadTimeout, now);
                    }
                } else if link.wrote > before {
                    self.set_deadline(key, Kind::WriteTimeout, now);
                }
            }
            Err(error) if link.is_handshaking() => {
                self.fail(at, Error::new(Kind::Connect, plain(&error)));
            }
            Err(_) if reused && link.wrote == began_at => {
                // The server closed the idle connection. Nothing was sent, so it is safe to repeat the request.
                let pool = connection.pool;
                connection.exchange = None;
                exchange.sent = 0;
                exchange.deadline = None;
                exchange.stage = Stage::Queued;
                self.pools[pool].queue.push_front(key);
                self.close_connection(at);
            }
            Err(error) => {
                // The server may have answered before it closed the connection, with an error for a request that is too
                // large.
                link.closing = true;
                self.receive(at, now);
                if self.connections.get(at).is_some_and(|it| it.exchange == Some(key)) {
                    self.fail(at, Error::new(Kind::Write, plain(&error)));
                }
            }
        }
    }

    /// Reads the data that has arrived on a connection.
    fn receive(&mut self, at: usize, now: Instant) {
        for _ in 0..READS_PER_TURN {
            let Some(connection) = self.connections.get_mut(at) else { return };
            let mut exchange = connection.exchange.map(|key| &mut self.exchanges[key]);
            if let Some(exchange) = &mut exchange
                && exchange.data.len() >= HIGH_MARK
            {
                exchange.paused = true;
                return;
            }
            let Connection { stage: ConnectionStage::Open(link), reader, .. } = connection else { return };
            let was_handshaking = link.is_handshaking();
            let (mut failure, mut surplus, mut progress) = (None, false, false);
            let outcome = link.read(&mut self.buffer, &mut |bytes| {
                progress = true;
                match &mut exchange {
                    Some(exchange) if failure.is_none() => {
                        match reader.read(bytes, &mut exchange.head, &mut exchange.data) {
                            Ok(used) => surplus |= used < bytes.len(),
                            Err(error) => failure = Some(error),
                        }
                    }
                    _ => surplus = true,
                }
            });
            let opened = was_handshaking && !link.is_handshaking();
            let Some(key) = connection.exchange else {
                // The connection is idle, so only messages of TLS itself are valid.
                match outcome {
                    Ok(Outcome::Drained { .. }) if !surplus => return,
                    Ok(Outcome::More) if !surplus => continue,
                    _ => {
                        self.close_connection(at);
                        return;
                    }
                }
            };
            if opened {
                self.set_deadline(key, Kind::WriteTimeout, now);
                self.send(at, now);
                if !self.connections.contains(at) {
                    return;
                }
            }
            let connection = &mut self.connections[at];
            let done = connection.reader.is_done();
            if progress {
                self.arrived(key, now);
            }
            if let Some(error) = failure {
                self.fail(at, error);
                return;
            }
            if done {
                self.finish(at, !surplus, now);
                return;
            }
            match outcome {
                Ok(Outcome::More) => {}
                Ok(Outcome::Drained { .. }) => return,
                Ok(Outcome::Ended { clean }) => {
                    let handshaking = self.connections[at].link().is_some_and(|link| link.is_handshaking());
                    if handshaking {
                        let message = "the server closed the connection during the TLS handshake";
                        self.fail(at, Error::new(Kind::Connect, message));
                    } else {
                        match self.connections[at].reader.end(clean) {
                            Ok(()) => self.finish(at, false, now),
                            Err(error) => self.fail(at, error),
                        }
                    }
                    return;
                }
                Err(error) => {
                    self.fail(at, error);
                    return;
                }
            }
        }
        self.again.push(at);
    }

    /// Wakes the waiter of a response after bytes have arrived.
    fn arrived(&mut self, key: usize, now: Instant) {
        let exchange = &mut self.exchanges[key];
        if exchange.head.is_some() || !exchange.data.is_empty() {
            self.wake(key);
        } else if exchange.waiting && exchange.is_sent() {
            self.set_deadline(key, Kind::ReadTimeout, now);
        }
    }

    /// Ends an exchange with a complete response, and keeps the connection if it can be reused.
    fn finish(&mut self, at: usize, fit: bool, now: Instant) {
        let connection = &mut self.connections[at];
        let Some(key) = connection.exchange.take() else { return };
        let keeps_alive = connection.reader.keeps_alive();
        let pool = connection.pool;
        let exchange = &mut self.exchanges[key];
        let fit = fit && keeps_alive && exchange.is_sent() && !exchange.request.closes;
        exchange.stage = Stage::Ended;
        exchange.deadline = None;
        self.wake(key);
        if !fit || self.connections[at].link().is_none_or(|link| link.ended || link.has_pending()) {
            self.close_connection(at);
            return;
        }
        self.unhold(at);
        let found = &mut self.pools[pool];
        found.idle.push(at);
        let connection = &mut self.connections[at];
        connection.reused = true;
        connection.idle_until = found.limits.keepalive_expiry.map(|seconds| now + seconds);
        if let Some(until) = connection.idle_until {
            self.note(until);
        }
        self.assign(pool);
        while let Some(found) = self.pools.get(pool).filter(|pool| pool.has_too_many_idle()) {
            let oldest = found.idle[0];
            self.close_connection(oldest);
        }
    }

    /// Ends the exchange of a connection with an error, and closes the connection.
    fn fail(&mut self, at: usize, error: Error) {
        match self.connections.get(at).and_then(|it| it.exchange) {
            Some(key) => self.end_exchange(key, Some(error)),
            None => self.close_connection(at),
        }
    }

    fn close_connection(&mut self, at: usize) {
        let Some(mut connection) = self.connections.try_remove(at) else { return };
        if let ConnectionStage::Open(link) = std::mem::replace(&mut connection.stage, ConnectionStage::Closed)
        {
            link.close(if connection.held { self.held.poll.registry() } else { self.poll.registry() });
        }
        if connection.held {
            self.held.remove(self.poll.registry());
        }
        let Some(pool) = self.pools.get_mut(connection.pool) else { return };
        pool.open -= 1;
        pool.idle.retain(|&idle| idle != at);
        self.assign(connection.pool);
    }

    // ---- exchanges

    /// Ends an exchange in any stage. With an error, its waiter is woken.
    fn end_exchange(&mut self, key: usize, error: Option<Error>) {
        let Some(exchange) = self.exchanges.get_mut(key) else { return };
        let (stage, pool) = (exchange.stage, exchange.pool);
        exchange.stage = Stage::Ended;
        exchange.deadline = None;
        exchange.request.bytes = Vec::new();
        exchange.sent = 0;
        if error.is_some() && stage != Stage::Ended {
            exchange.failure = error;
            self.wake(key);
        }
        match stage {
            Stage::Queued => {
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.queue.retain(|&queued| queued != key);
                }
            }
            Stage::Resolving => {
                if let Some(found) = self.pools.get_mut(pool) {
                    found.open -= 1;
                    self.assign(pool);
                }
            }
            Stage::Connected(at) => {
                if let Some(connection) = self.connections.get_mut(at) {
                    connection.exchange = None;
                }
                self.close_connection(at);
            }
            Stage::Ended => {}
        }
    }

    fn wait(&mut self, key: usize) {
        let exchange = &mut self.exchanges[key];
        exchange.waiting = true;
        if matches!(exchange.stage, Stage::Connected(_)) && exchange.is_sent() && exchange.deadline.is_none()
        {
            self.set_deadline(key, Kind::ReadTimeout, Instant::now());
        }
    }

    fn wake(&mut self, key: usize) {
        let exchange = &mut self.exchanges[key];
        if std::mem::take(&mut exchange.waiting) {
            if exchange.deadline.is_some_and(|(_, kind)| kind == Kind::ReadTimeout) {
                exchange.deadline = None;
            }
            self.ready.push(key);
        }
    }

    fn set_deadline(&mut self, key: usize, kind: Kind, now: Instant) {
        let exchange = &mut self.exchanges[key];
        let at = exchange.limit(kind).and_then(|limit| now.checked_add(limit));
        exchange.deadline = at.map(|at| (at, kind));
        if let Some(at) = at {
            self.note(at);
        }
    }

    fn note(&mut self, at: Instant) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    fn keys_of_exchanges(&self, matching: impl Fn(&Exchange) -> bool) -> Vec<usize> {
        self.exchanges.iter().filter(|(_, it)| matching(it)).map(|(key, _)| key).collect()
    }
}

fn closed() -> Error {
    Error::new(Kind::Read, "the transport was closed")
}

/// Returns the time when a connection must do something without an event.
fn next_of(connection: &Connection) -> Option<Instant> {
    match &connection.stage {
        ConnectionStage::Connecting(connecting) => connecting.next_at(),
        ConnectionStage::Tunnelling(_) | ConnectionStage::Open(_) | ConnectionStage::Closed => {
            connection.idle_until
        }
    }
}
