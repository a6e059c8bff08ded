//! From the bytes of a language-model stream to messages, tool calls, usage and cost.
#![forbid(unsafe_code)]
