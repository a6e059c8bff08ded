//! From the bytes of a language-model stream to messages, tool calls, usage and cost.
//!
//! A stream is a response in pieces: the decoder turns bytes into exactly the response that the provider
//! would have sent without streaming, and shows it growing on the way.
//!
//! ```text
//! bytes ─ framing ─ events ─ dialect ─ deltas, and the response so far
//! ```
//!
//! Nothing here does I/O, needs an interpreter or panics on input.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod delta;
pub mod dialect;
pub mod error;
pub mod framing;
pub mod json;
pub mod limits;
pub mod message;
pub mod partial_json;
pub mod price;
mod providers;
pub mod stream;
pub mod tool_call;
pub mod tree;
pub mod usage;

pub use delta::Delta;
pub use error::{Error, ErrorKind, Place};
pub use framing::Framing;
pub use limits::Limits;
pub use message::{Message, ToolCall};
pub use stream::{Step, Stream};
