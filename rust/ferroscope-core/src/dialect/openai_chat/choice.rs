//! The state of one choice of a response: its text, its tool calls, and its other members.

use crate::delta::Delta;
use crate::json::{Kind, Text, Value};
use crate::tool_call::Calls;
use crate::tree::{List, Merge, Object};

use super::super::take_first;

/// The state of a choice.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) index: i64,
    pub(super) role: Option<String>,
    pub(super) content: Content,
    pub(super) refusal: Option<Text>,
    pub(super) calls: Calls,
    pub(super) function_call: Option<FunctionCall>,
    pub(super) audio: Audio,
    pub(super) message_extra: Object,
    pub(super) logprobs: Option<Logprobs>,
    pub(super) finish_reason: Option<String>,
    pub(super) extra: Object,
}

/// The function call of the old API, which allowed one per message.
#[derive(Debug, Default)]
pub(super) struct FunctionCall {
    pub(super) name: String,
    pub(super) arguments: Text,
}

#[derive(Debug, Default)]
pub(super) enum Content {
    #[default]
    Null,
    Text(Text),
    /// Mistral's typed parts. Consecutive parts of text or thinking are joined.
    Parts(Vec<Part>),
}

/// A part of a content, with its unknown members.
#[derive(Debug)]
pub(super) enum Part {
    Text(Text, Object),
    Thinking(Vec<Part>, Object),
    Other(Box<str>),
}

#[derive(Debug, Default)]
pub(super) struct Audio {
    /// Pieces of base64, each of whole characters.
    pub(super) data: Vec<String>,
    pub(super) extra: Object,
}

#[derive(Debug, Default)]
pub(super) struct Logprobs {
    pub(super) content: Option<List>,
    pub(super) refusal: Option<List>,
    pub(super) extra: Object,
    /// A value in place of the object: some servers send a number.
    pub(super) other: Option<Box<str>>,
}

impl Choice {
    /// Returns whether this is the choice of `content` and the tools.
    pub(super) fn is_first(&self) -> bool {
        self.index == 0
    }

    /// Appends to the text.
    pub(super) fn push_text(&mut self, quoted: &str, delta: &mut Delta) {
        let first = self.is_first();
        let text = match &mut self.content {
            Content::Text(text) => text,
            Content::Parts(parts) => {
                if !matches!(parts.last(), Some(Part::Text(..))) {
                    if quoted.is_empty() {
                        return;
                    }
                    parts.push(Part::Text(Text::default(), Object::default()));
                }
                match parts.last_mut() {
                    Some(Part::Text(text, _)) => text,
                    _ => return,
                }
            }
            content @ Content::Null => {
                *content = Content::Text(Text::default());
                match content {
                    Content::Text(text) => text,
                    _ => return,
                }
            }
        };
        let before = text.value.len();
        text.push(quoted);
        if first {
            delta.text.push_str(&text.value[before..]);
        }
        if !quoted.is_empty() && !self.calls.buffers().is_empty() {
            self.complete_empty(delta);
        }
    }

    /// Emits the calls with an empty object when another part follows.
    pub(super) fn complete_empty(&mut self, delta: &mut Delta) {
        self.complete(delta, |call| call.is_closed() && call.is_empty());
    }

    /// Appends typed parts (`https://docs.mistral.ai/capabilities/reasoning/`).
    pub(super) fn push_parts(&mut self, parts: Value<'_>, delta: &mut Delta) {
        let mut known = match std::mem::take(&mut self.content) {
            Content::Null => Vec::new(),
            Content::Text(text) if text.value.is_empty() => Vec::new(),
            Content::Text(text) => vec![Part::Text(text, Object::default())],
            Content::Parts(parts) => parts,
        };
        let added_text = if self.is_first() { Some(&mut delta.text) } else { None };
        add_parts(&mut known, parts, added_text);
        self.content = Content::Parts(known);
    }

    /// Appends to the arguments of a tool call.
    pub(super) fn push_arguments(&mut self, call: usize, quoted: &str, delta: &mut Delta) {
        let position = self.is_first().then_some(call);
        self.calls.buffers_mut()[call].grow(position, quoted, delta);
    }

    /// Appends arguments that are JSON instead of a string of JSON.
    pub(super) fn push_arguments_value(&mut self, call: usize, value: Value<'_>, delta: &mut Delta) {
        let position = self.is_first().then_some(call);
        self.calls.buffers_mut()[call].grow_by(position, value, delta);
    }

    /// Emits the calls that are ready and have not been emitted.
    pub(super) fn complete(&mut self, delta: &mut Delta, ready: impl Fn(&crate::tool_call::Buffer) -> bool) {
        let first = self.is_first();
        for (position, buffer) in self.calls.buffers_mut().iter_mut().enumerate() {
            if ready(buffer) {
                buffer.deliver(first.then_some(position), delta);
            }
        }
    }

    /// Ends the text and the arguments. Half of a surrogate pair at their end becomes U+FFFD.
    pub(super) fn finish(&mut self, delta: &mut Delta) {
        let first = self.is_first();
        let text = match &mut self.content {
            Content::Text(text) => Some(text),
            Content::Parts(parts) => match parts.last_mut() {
                Some(Part::Text(text, _)) => Some(text),
                _ => None,
            },
            Content::Null => None,
        };
        if let Some(text) = text {
            let before = text.value.len();
            text.finish();
            if first {
                delta.text.push_str(&text.value[before..]);
            }
        }
        for (position, call) in self.calls.buffers_mut().iter_mut().enumerate() {
            call.finish(first.then_some(position), delta);
        }
    }

    /// Ends all other growing members, at the end of the stream.
    pub(super) fn finish_rest(&mut self) {
        if let Content::Parts(parts) = &mut self.content {
            parts.iter_mut().for_each(Part::finish);
        }
        let function_call = self.function_call.as_mut().map(|call| &mut call.arguments);
        self.refusal.iter_mut().chain(function_call).for_each(Text::finish);
        self.message_extra.finish();
        self.audio.extra.finish();
    }

    pub(super) fn logprobs(&mut self, value: Value<'_>) {
        if value.is_null() {
            return;
        }
        let known = self.logprobs.get_or_insert_default();
        known.other = (value.kind() != Kind::Object).then(|| value.normalized().into());
        for (key, member) in value.members() {
            let list = match &*key.name() {
                "content" => &mut known.content,
                "refusal" => &mut known.refusal,
                name => {
                    known.extra.merge(name, member, Merge::Grow);
                    continue;
                }
            };
            if member.kind() == Kind::Array {
                list.get_or_insert_default().extend(member);
            }
        }
    }
}

/// Adds typed parts. The first one may continue the last known one. Their text is also appended to `added_text`.
fn add_parts(known: &mut Vec<Part>, parts: Value<'_>, mut added_text: Option<&mut String>) {
    for (place, part) in parts.elements().enumerate() {
        let name = part.get("type").and_then(Value::as_str).unwrap_or_default();
        let text = part.get("text").and_then(Value::quoted).filter(|_| name == "text");
        let thinking = part.get("thinking").filter(|_| name == "thinking");
        if let Some(quoted) = text {
            if place > 0 || !matches!(known.last(), Some(Part::Text(..))) {
                known.push(Part::Text(Text::default(), Object::default()));
            }
            if let Some(Part::Text(text, extra)) = known.last_mut() {
                let before = text.value.len();
                text.push(quoted);
                if let Some(added_text) = added_text.as_deref_mut() {
                    added_text.push_str(&text.value[before..]);
                }
                add_members(extra, part, "text");
            }
        } else if let Some(thinking) = thinking.filter(|thinking| thinking.kind() == Kind::Array) {
            let open =
                matches!(known.last(), Some(Part::Thinking(_, extra)) if extra.raw("closed") != Some("true"));
            if place > 0 || !open {
                known.push(Part::Thinking(Vec::new(), Object::default()));
            }
            if let Some(Part::Thinking(thoughts, extra)) = known.last_mut() {
                add_parts(thoughts, thinking, None);
                add_members(extra, part, "thinking");
            }
        } else {
            known.push(Part::Other(part.normalized().into()));
        }
    }
}

/// Adds the members of a part, except its type and its content.
fn add_members(extra: &mut Object, part: Value<'_>, content: &str) {
    for (key, member) in part.members() {
        if !key.is("type") && !key.is(content) {
            extra.merge(&key.name(), member, Merge::Latest);
        }
    }
}

impl Part {
    pub(super) fn finish(&mut self) {
        match self {
            Self::Text(text, _) => text.finish(),
            Self::Thinking(parts, _) => parts.iter_mut().for_each(Self::finish),
            Self::Other(_) => {}
        }
    }
}

impl FunctionCall {
    pub(super) fn add(&mut self, value: Value<'_>) {
        if let Some(name) = value.get("name") {
            take_first(&mut self.name, name);
        }
        self.arguments.push(value.get("arguments").and_then(Value::quoted).unwrap_or_default());
    }
}

impl Audio {
    pub(super) fn add(&mut self, value: Value<'_>) {
        for (key, member) in value.members() {
            match (&*key.name(), member.as_str()) {
                ("data", Some(data)) => {
                    if !data.is_empty() {
                        self.data.push(data.into_owned());
                    }
                }
                ("data", None) if !member.is_truthy() => {}
                ("transcript", Some(_)) => self.extra.join("transcript", member),
                (name, _) => self.extra.merge(name, member, Merge::Latest),
            }
        }
    }
}
