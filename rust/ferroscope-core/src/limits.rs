//! The maximum sizes of a stream.

/// The limits of one decoder. The defaults are far beyond what providers send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of one event, in bytes.
    pub event_bytes: usize,
    /// The size of all events of one response, in bytes.
    pub response_bytes: usize,
    /// The number of tool calls in one message.
    pub tool_calls: usize,
    /// The number of choices in one response.
    pub choices: usize,
    /// The nesting depth of JSON.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 16 << 20, response_bytes: 128 << 20, tool_calls: 1024, choices: 1024, depth: 200 }
    }
}
