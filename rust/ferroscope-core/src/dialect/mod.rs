//! Wire formats: what the events of a provider say. One format a file; a difference of value is a quirk.

pub mod openai_chat;
