//! The life of a connection: assigned to a request, opened, closed.

use super::Engine;
use crate::connecting::{Connecting, MAX_ATTEMPTS};
use crate::connection::{Connection, Stage as ConnectionStage};
use crate::error::{Error, Kind};
use crate::exchange::Stage;
use crate::link::{Link, Outcome, plain};
use crate::tunnel::Tunnel;
use mio::net::TcpStream;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

impl Engine {
    /// Assigns connections to the requests that wait for one.
    pub(super) fn assign(&mut self, pool: usize) {
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

    /// Continues opening a connection.
    pub(super) fn advance(&mut self, at: usize, now: Instant) {
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

    /// Ends the exchange of a connection with an error, and closes the connection.
    pub(super) fn fail(&mut self, at: usize, error: Error) {
        match self.connections.get(at).and_then(|it| it.exchange) {
            Some(key) => self.end_exchange(key, Some(error)),
            None => self.close_connection(at),
        }
    }

    pub(super) fn close_connection(&mut self, at: usize) {
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
}
