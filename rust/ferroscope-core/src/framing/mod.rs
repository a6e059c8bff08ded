//! Bytes in, events out. A framing knows where an event begins and ends, and nothing of what it says.

pub mod http_chunks;
pub mod sse;
