//! An HTTP/1.1 client for one event loop: sockets, TLS and chunked bodies, without a thread of its own.
//!
//! The loop watches one descriptor of the [`Engine`]. One call reads, decrypts and decodes the data that has arrived on
//! all
//! connections. The parsers ([`request`], [`response`]) do not use sockets.

pub mod error;
pub mod request;
pub mod response;

#[cfg(unix)]
mod connecting;
#[cfg(unix)]
mod connection;
#[cfg(unix)]
pub mod engine;
#[cfg(unix)]
mod exchange;
#[cfg(unix)]
mod held;
#[cfg(unix)]
mod link;
#[cfg(unix)]
pub mod pool;
#[cfg(unix)]
pub mod tls;
#[cfg(unix)]
pub mod tunnel;

#[cfg(unix)]
pub use engine::Engine;
pub use error::{Error, Kind};
