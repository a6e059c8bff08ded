//! The message of a response, in the words that all providers share.

use std::borrow::Cow;

/// A message, whole or still growing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The provider's id of the response; empty when it gave none.
    pub id: &'a str,
    /// The model that answered; empty when the provider did not say.
    pub model: &'a str,
    /// What the model said, of the first choice.
    pub text: Cow<'a, str>,
    /// What the model thought, as far as the provider shows it.
    pub reasoning: Cow<'a, str>,
    /// Why the model refused, if it did.
    pub refusal: Option<&'a str>,
    /// The tools that it called.
    pub tool_calls: Vec<ToolCall<'a>>,
    /// Why each choice ended, in the provider's own words; a choice that has not ended is left out.
    pub finish_reasons: Vec<&'a str>,
    /// The provider's own account of the tokens, JSON text.
    pub usage: Option<&'a str>,
}

/// A call of a tool, whole or still growing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall<'a> {
    /// The provider's id of the call, if it gave one.
    pub id: Option<&'a str>,
    /// The name of the tool.
    pub name: &'a str,
    /// The arguments, JSON text; empty for a call without arguments.
    pub arguments: &'a str,
}
