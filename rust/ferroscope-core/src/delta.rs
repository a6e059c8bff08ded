//! The change of a message by one event, in common terms for all dialects.

/// The change by one event. A decoder has one, which it clears and fills for each event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Text of the first choice.
    pub text: String,
    /// The positions of the first choice's tool calls that this event completed.
    pub completed: Vec<usize>,
    /// The added arguments of tool calls: the call's position and the new text.
    pub arguments: Vec<(usize, String)>,
}

impl Delta {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.completed.clear();
        self.arguments.clear();
    }
}
