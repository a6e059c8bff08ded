//! How much of a stream a decoder accepts before it calls the stream broken.

/// Limits of one decoder. The defaults are far beyond what providers send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of all events of one response.
    pub response_bytes: usize,
    /// Tool calls of one message.
    pub tool_calls: usize,
    /// Choices of one response.
    pub choices: usize,
    /// Levels of nested JSON.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 16 << 20, response_bytes: 128 << 20, tool_calls: 1024, choices: 1024, depth: 200 }
    }
}
