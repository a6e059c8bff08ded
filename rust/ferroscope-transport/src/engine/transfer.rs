//! The bytes of a request and of its response on an open connection.

use super::{Engine, HIGH_MARK, READS_PER_TURN};
use crate::connection::{Connection, Stage as ConnectionStage};
use crate::error::{Error, Kind};
use crate::exchange::Stage;
use crate::link::{Outcome, plain};
use crate::response::Reader;
use std::time::Instant;

impl Engine {
    /// Begins the request on an open connection, or its handshake.
    pub(super) fn begin(&mut self, at: usize, now: Instant) {
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
    pub(super) fn send(&mut self, at: usize, now: Instant) {
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
    pub(super) fn receive(&mut self, at: usize, now: Instant) {
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
    pub(super) fn finish(&mut self, at: usize, fit: bool, now: Instant) {
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
}
