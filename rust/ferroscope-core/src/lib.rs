//! From the bytes of a language model's stream to messages, tool calls, usage and cost.
//!
//! A stream is a response in pieces. The decoder turns its bytes into exactly the response that the provider would have
//! sent without streaming, and provides the response so far at any time.
//!
//! ```text
//! bytes ─ framing ─ events ─ dialect ─ deltas, and the response so far
//! ```
//!
//! This crate does no I/O, needs no interpreter, and does not panic on input.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod delta;
pub mod dialect;
pub mod emit;
pub mod error;
pub mod framing;
pub mod json;
pub mod limits;
pub mod message;
pub mod partial_json;
pub mod price;
mod providers;
pub mod stream;
pub mod text_cursor;
pub mod tool_call;
pub mod tree;
pub mod usage;

pub use delta::Delta;
pub use error::{Error, ErrorKind, Place};
pub use framing::Framing;
pub use limits::Limits;
pub use message::{Message, ToolCall};
pub use stream::{Step, Stream};
