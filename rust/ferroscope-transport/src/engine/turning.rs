//! The two calls of the event loop: ready connections, and timeouts.

use super::{EVENTS_PER_TURN, Engine};
use crate::connecting::MAX_ATTEMPTS;
use crate::connection::{Connection, Stage as ConnectionStage};
use crate::exchange::{Exchange, Stage};
use crate::held::TOKEN as HELD;
use mio::{Events, Token};
use std::io;
use std::time::{Duration, Instant};

impl Engine {
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
    pub(super) fn unhold(&mut self, at: usize) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        if std::mem::take(&mut connection.held) {
            if let Some(link) = connection.link() {
                link.watch_by(self.held.poll.registry(), self.poll.registry(), Token(at * MAX_ATTEMPTS));
            }
            self.held.remove(self.poll.registry());
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
