//! A connection of a pool, from its first attempt to its end.

use crate::connecting::Connecting;
use crate::link::Link;
use crate::request::Origin;
use crate::response::Reader;
use crate::tunnel::Tunnel;
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct Connection {
    pub pool: usize,
    pub origin: Origin,
    pub stage: Stage,
    /// The key of the exchange on this connection.
    pub exchange: Option<usize>,
    pub reader: Reader,
    /// Whether it served another exchange before.
    pub reused: bool,
    /// The link's count of written bytes at the beginning of the current request.
    pub began_at: u64,
    /// Whether what arrives is held back.
    pub held: bool,
    /// The time when it is closed if it is still idle.
    pub idle_until: Option<Instant>,
}

#[derive(Debug)]
pub(crate) enum Stage {
    Connecting(Connecting),
    Tunnelling(Tunnel),
    Open(Link),
    Closed,
}

impl Connection {
    pub fn new(pool: usize, origin: Origin, exchange: usize, connecting: Connecting) -> Self {
        Self {
            pool,
            origin,
            stage: Stage::Connecting(connecting),
            exchange: Some(exchange),
            reader: Reader::new(false),
            reused: false,
            began_at: 0,
            held: false,
            idle_until: None,
        }
    }

    pub fn link(&mut self) -> Option<&mut Link> {
        match &mut self.stage {
            Stage::Open(link) => Some(link),
            Stage::Connecting(_) | Stage::Tunnelling(_) | Stage::Closed => None,
        }
    }
}
