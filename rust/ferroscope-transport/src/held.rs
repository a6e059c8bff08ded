//! Sockets whose events are held back, so that one wake-up of the event loop serves many of them.
//!
//! A second epoll descriptor watches these sockets. The engine's own descriptor watches the second one until the first
//! event arrives, and again after a hold without events. In between, events cause no wake-up.

use mio::unix::SourceFd;
use mio::{Interest, Poll, Registry, Token};
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// The token of the second descriptor in the engine's own.
pub(crate) const TOKEN: Token = Token(usize::MAX);

#[derive(Debug)]
pub(crate) struct Held {
    pub poll: Poll,
    /// The time at which the events are read that are being held.
    pub until: Option<Instant>,
    /// The shortest hold of the sockets.
    hold: Duration,
    sockets: usize,
    watched: bool,
}

impl Held {
    pub fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, until: None, hold: Duration::MAX, sockets: 0, watched: false })
    }

    /// Counts a socket whose events are held for at most `hold`.
    pub fn add(&mut self, hold: Duration, registry: &Registry) {
        self.sockets += 1;
        self.hold = self.hold.min(hold);
        self.watch(registry);
    }

    /// Counts a socket no longer.
    pub fn remove(&mut self, registry: &Registry) {
        self.sockets -= 1;
        if self.sockets == 0 {
            self.unwatch(registry);
            (self.until, self.hold) = (None, Duration::MAX);
        }
    }

    /// Takes note that the first event has arrived.
    pub fn begin(&mut self, now: Instant, registry: &Registry) -> Option<Instant> {
        self.unwatch(registry);
        if self.until.is_none() && self.sockets > 0 {
            self.until = now.checked_add(self.hold);
        }
        self.until
    }

    /// Takes note that the events were read. While there are some, they are read once per hold. After a hold without
    /// any, the next one is reported.
    pub fn end(&mut self, now: Instant, had_events: bool, registry: &Registry) {
        self.until = None;
        if self.sockets > 0 {
            if had_events {
                self.until = now.checked_add(self.hold);
            } else {
                self.watch(registry);
            }
        }
    }

    fn watch(&mut self, registry: &Registry) {
        if !self.watched && self.until.is_none() {
            let descriptor = self.poll.as_raw_fd();
            self.watched = registry.register(&mut SourceFd(&descriptor), TOKEN, Interest::READABLE).is_ok();
        }
    }

    fn unwatch(&mut self, registry: &Registry) {
        if std::mem::take(&mut self.watched) {
            let descriptor = self.poll.as_raw_fd();
            let _ = registry.deregister(&mut SourceFd(&descriptor));
        }
    }
}
