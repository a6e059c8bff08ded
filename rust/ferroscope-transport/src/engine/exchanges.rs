//! The waiters of an exchange: woken by data, by its end or by its deadline.

use super::Engine;
use crate::error::{Error, Kind};
use crate::exchange::{Exchange, Stage};
use std::time::Instant;

impl Engine {
    /// Ends an exchange in any stage. With an error, its waiter is woken.
    pub(super) fn end_exchange(&mut self, key: usize, error: Option<Error>) {
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

    pub(super) fn wait(&mut self, key: usize) {
        let exchange = &mut self.exchanges[key];
        exchange.waiting = true;
        if matches!(exchange.stage, Stage::Connected(_)) && exchange.is_sent() && exchange.deadline.is_none()
        {
            self.set_deadline(key, Kind::ReadTimeout, Instant::now());
        }
    }

    pub(super) fn wake(&mut self, key: usize) {
        let exchange = &mut self.exchanges[key];
        if std::mem::take(&mut exchange.waiting) {
            if exchange.deadline.is_some_and(|(_, kind)| kind == Kind::ReadTimeout) {
                exchange.deadline = None;
            }
            self.ready.push(key);
        }
    }

    pub(super) fn set_deadline(&mut self, key: usize, kind: Kind, now: Instant) {
        let exchange = &mut self.exchanges[key];
        let at = exchange.limit(kind).and_then(|limit| now.checked_add(limit));
        exchange.deadline = at.map(|at| (at, kind));
        if let Some(at) = at {
            self.note(at);
        }
    }

    pub(super) fn note(&mut self, at: Instant) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    pub(super) fn keys_of_exchanges(&self, matching: impl Fn(&Exchange) -> bool) -> Vec<usize> {
        self.exchanges.iter().filter(|(_, it)| matching(it)).map(|(key, _)| key).collect()
    }
}
