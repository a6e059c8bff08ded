//! A pool of connections: its limits, the idle connections, and the requests that wait for one.

use crate::tls::Tls;
use std::collections::VecDeque;
use std::time::Duration;

/// The limits of a pool; `None` means no limit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The maximum number of open connections.
    pub max_connections: Option<usize>,
    /// The maximum number of idle connections.
    pub max_keepalive: Option<usize>,
    /// The time after which an idle connection is closed.
    pub keepalive_expiry: Option<Duration>,
}

/// The numbers of a pool's connections and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that are open or being opened, including idle ones.
    pub connections: usize,
    /// Idle connections.
    pub idle: usize,
    /// Requests that wait for a connection.
    pub queued: usize,
}

#[derive(Debug)]
pub(crate) struct Pool {
    pub limits: Limits,
    pub tls: Option<Tls>,
    /// The number of connections, including requests whose address is being resolved.
    pub open: usize,
    /// Keys of idle connections, the longest idle first.
    pub idle: Vec<usize>,
    /// Keys of exchanges that wait for a connection.
    pub queue: VecDeque<usize>,
}

impl Pool {
    pub fn new(limits: Limits, tls: Option<Tls>) -> Self {
        Self { limits, tls, open: 0, idle: Vec::new(), queue: VecDeque::new() }
    }

    pub fn has_room(&self) -> bool {
        self.limits.max_connections.is_none_or(|most| self.open < most)
    }

    pub fn has_too_many_idle(&self) -> bool {
        self.limits.max_keepalive.is_some_and(|most| self.idle.len() > most)
    }

    pub fn counts(&self) -> Counts {
        Counts { connections: self.open, idle: self.idle.len(), queued: self.queue.len() }
    }
}
