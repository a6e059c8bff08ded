//! The message of a response, in common terms for all providers.

use std::borrow::Cow;

/// A message, complete or partial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// The provider's id of the response; empty if it sent none.
    pub id: &'a str,
    /// The model that answered; empty if the provider did not name it.
    pub model: &'a str,
    /// The text of the first choice.
    pub text: Cow<'a, str>,
    /// The reasoning, as far as the provider shows it.
    pub reasoning: Cow<'a, str>,
    /// The model's refusal, if it refused.
    pub refusal: Option<&'a str>,
    /// The tool calls.
    pub tool_calls: Vec<ToolCall<'a>>,
    /// The finish reasons of the choices, in the provider's terms. A choice that has not ended is left out.
    pub finish_reasons: Vec<&'a str>,
    /// The provider's usage object as JSON text.
    pub usage: Option<&'a str>,
}

/// A tool call, complete or partial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall<'a> {
    /// The provider's id of the call, if it sent one.
    pub id: Option<&'a str>,
    /// The name of the tool.
    pub name: &'a str,
    /// The arguments as JSON text; empty for a call without arguments.
    pub arguments: &'a str,
}
