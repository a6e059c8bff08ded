//! What one event adds to a message, in the words that all dialects share.

/// What one event added. A decoder keeps one and fills it anew for each event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Text of the first choice.
    pub text: String,
    /// Tool calls of the first choice that this event completed, by their position in the message.
    pub completed: Vec<usize>,
    /// Arguments of tool calls that grew: the call's position and the new text.
    pub arguments: Vec<(usize, String)>,
}

impl Delta {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.completed.clear();
        self.arguments.clear();
    }
}
