//! The state of a request and its response.

use crate::error::{Error, Kind};
use crate::request::Request;
use crate::response::Head;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Exchange {
    pub pool: usize,
    pub request: Request,
    /// The number of bytes of the request that were sent.
    pub sent: usize,
    pub stage: Stage,
    pub head: Option<Head>,
    /// Body data that has not been fetched.
    pub data: Vec<u8>,
    pub failure: Option<Error>,
    /// Whether a reader waits for the head or for data.
    pub waiting: bool,
    /// The end of the current wait, and the error after it.
    pub deadline: Option<(Instant, Kind)>,
    /// Whether reading pauses until data is fetched.
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The exchange waits for a connection of the pool.
    Queued,
    /// The exchange waits for the addresses of its host.
    Resolving,
    /// The exchange has a connection, with this key.
    Connected(usize),
    /// The exchange has ended, with or without an error.
    Ended,
}

impl Exchange {
    pub fn new(pool: usize, request: Request) -> Self {
        Self {
            pool,
            request,
            sent: 0,
            stage: Stage::Queued,
            head: None,
            data: Vec::new(),
            failure: None,
            waiting: false,
            deadline: None,
            paused: false,
        }
    }

    pub fn is_sent(&self) -> bool {
        self.sent == self.request.bytes.len()
    }

    pub fn limit(&self, kind: Kind) -> Option<Duration> {
        let timeouts = &self.request.timeouts;
        match kind {
            Kind::ConnectTimeout => timeouts.connect,
            Kind::PoolTimeout => timeouts.pool,
            Kind::WriteTimeout => timeouts.write,
            _ => timeouts.read,
        }
    }

    /// Returns the error for a wait that was too long.
    pub fn timeout(&self, kind: Kind) -> Error {
        let seconds = self.limit(kind).unwrap_or_default().as_secs_f64();
        let origin = &self.request.origin;
        let place = format!("{}:{}", origin.host, origin.port);
        let message = match kind {
            Kind::ConnectTimeout => format!("no connection to {place} within {seconds} s"),
            Kind::PoolTimeout => format!("no connection of the pool was free within {seconds} s"),
            Kind::WriteTimeout => format!("{place} read nothing of the request for {seconds} s"),
            _ => format!("no bytes of the response came from {place} for {seconds} s"),
        };
        Error::new(kind, message)
    }
}
