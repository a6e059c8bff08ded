//! The state of one block of a message's content.

use crate::delta::Delta;
use crate::json::{Kind, Text, Value};
use crate::tool_call::Buffer;
use crate::tree::{List, Merge, Object};

#[derive(Debug)]
pub(super) struct Block {
    /// The index in the events.
    pub index: i64,
    pub body: Body,
}

/// The content of a block.
#[derive(Debug)]
pub(super) enum Body {
    /// The kind is still unknown.
    Empty,
    /// Text and its citations. Some blocks have only citations.
    Text {
        text: Option<Text>,
        citations: List,
    },
    Reasoning(Box<Reasoning>),
    Tool {
        input: Box<Buffer>,
        /// Whether it is one of the caller's tools, and not one that the service runs.
        own: bool,
    },
    Other(Box<Other>),
}

#[derive(Debug, Default)]
pub(super) struct Reasoning {
    pub text: Option<Text>,
    pub signature: Text,
    /// Pieces of base64.
    pub redacted: Vec<String>,
    /// The other members.
    pub members: Object,
}

/// A tool result, an image, or an unknown kind.
#[derive(Debug, Default)]
pub(super) struct Other {
    pub name: Box<str>,
    pub members: Object,
    /// The elements of a list, which become the member `content`.
    pub content: List,
    /// The member `source` without its bytes, which are pieces of base64.
    pub source: Object,
    pub bytes: Vec<String>,
}

impl Body {
    /// Returns the content of a block by the `start` of its `contentBlockStart`.
    pub fn of_start(start: Option<Value<'_>>) -> Self {
        for (key, value) in start.into_iter().flat_map(Value::members) {
            match &*key.name() {
                "text" | "citation" | "reasoningContent" => {}
                "toolUse" => return Self::of_tool_use(value),
                name => {
                    let mut other = Other { name: name.into(), ..Other::default() };
                    other.add(value);
                    return Self::Other(Box::new(other));
                }
            }
        }
        Self::Empty
    }

    /// Returns the content of a block by the name of the first member of a delta.
    pub fn of_delta(name: &str) -> Self {
        match name {
            "text" | "citation" => Self::Text { text: None, citations: List::default() },
            "reasoningContent" => Self::Reasoning(Box::default()),
            name => Self::Other(Box::new(Other { name: name.into(), ..Other::default() })),
        }
    }

    /// Returns the kind of a block in a body without streaming, still without its content.
    pub fn of_response(block: Value<'_>) -> Self {
        let member = |name| block.get(name).filter(|member| !member.is_null());
        if member("text").is_some() || member("citationsContent").is_some() {
            Self::of_delta("text")
        } else if member("reasoningContent").is_some() {
            Self::of_delta("reasoningContent")
        } else if let Some(tool_use) = member("toolUse") {
            Self::of_tool_use(tool_use)
        } else {
            Self::Empty
        }
    }

    fn of_tool_use(value: Value<'_>) -> Self {
        let mut input = Buffer::new(None);
        let mut own = true;
        for (key, member) in value.members().filter(|(_, member)| !member.is_null()) {
            match (&*key.name(), member.as_str()) {
                ("toolUseId", Some(id)) => input.id = Some(id.into_owned()),
                ("name", Some(name)) => input.name = name.into_owned(),
                ("input", _) => {}
                (name, text) => {
                    own &= name != "type" || text.as_deref() == Some("tool_use");
                    input.extra.set(name, member);
                }
            }
        }
        Self::Tool { input: Box::new(input), own }
    }
}

impl Block {
    /// Returns whether a member of a delta can belong to this block.
    pub fn accepts(&self, name: &str) -> bool {
        match &self.body {
            Body::Empty => false,
            Body::Text { .. } => matches!(name, "text" | "citation"),
            Body::Reasoning(_) => name == "reasoningContent",
            Body::Tool { .. } => name == "toolUse",
            Body::Other(other) => *other.name == *name,
        }
    }

    /// Adds a member of a delta. Returns the string that extends the block, and whether it was the only member.
    pub fn take<'a>(&mut self, name: &str, value: Value<'a>) -> (Option<Value<'a>>, bool) {
        let mut grown = None;
        match &mut self.body {
            Body::Empty => {}
            Body::Text { citations, .. } => {
                if name == "citation" {
                    citations.push(value);
                } else {
                    grown = Some(value).filter(|text| text.quoted().is_some());
                }
                return (grown, true);
            }
            Body::Reasoning(reasoning) => {
                for (key, member) in value.members().filter(|(_, member)| !member.is_null()) {
                    match (&*key.name(), member.quoted()) {
                        ("text", Some(_)) => grown = Some(member),
                        ("signature", Some(quoted)) => reasoning.signature.push(quoted),
                        ("redactedContent", Some(_)) => {
                            reasoning.redacted.extend(member.as_str().map(|piece| piece.into_owned()));
                        }
                        (name, _) => reasoning.members.set(name, member),
                    }
                }
            }
            Body::Tool { input, .. } => {
                for (key, member) in value.members().filter(|(_, member)| !member.is_null()) {
                    match &*key.name() {
                        "input" => grown = Some(member),
                        name => input.extra.merge(name, member, Merge::Latest),
                    }
                }
            }
            Body::Other(other) => other.add(value),
        }
        (grown, value.members().count() == 1)
    }

    /// Adds the content of a block in a body without streaming.
    pub fn fill(&mut self, block: Value<'_>, call: Option<usize>, delta: &mut Delta) {
        match &mut self.body {
            Body::Text { .. } => {
                let content = block.get("citationsContent").and_then(|cited| cited.get("content"));
                let cited = content.into_iter().flat_map(Value::elements).map(|part| part.get("text"));
                for quoted in cited.chain([block.get("text")]).flatten().filter_map(Value::quoted) {
                    self.grow(quoted, call, delta);
                }
            }
            Body::Reasoning(_) => {
                let text = block.get("reasoningContent").and_then(|content| content.get("reasoningText"));
                if let Some(quoted) = text.and_then(|text| text.get("text")).and_then(Value::quoted) {
                    self.grow(quoted, call, delta);
                }
            }
            Body::Tool { input, .. } => {
                let value = block.get("toolUse").and_then(|tool| tool.get("input"));
                if let Some(value) = value.filter(|value| !value.is_null()) {
                    input.grow_by(call, value, delta);
                }
            }
            Body::Empty | Body::Other(_) => {}
        }
    }

    /// Appends the text between the quotes of a JSON string.
    pub fn grow(&mut self, quoted: &str, call: Option<usize>, delta: &mut Delta) {
        match &mut self.body {
            Body::Text { text, .. } => {
                let text = text.get_or_insert_default();
                let before = text.value.len();
                text.push(quoted);
                delta.text.push_str(&text.value[before..]);
            }
            Body::Reasoning(reasoning) => reasoning.text.get_or_insert_default().push(quoted),
            Body::Tool { input, .. } => input.grow(call, quoted, delta),
            Body::Empty | Body::Other(_) => {}
        }
    }

    /// Ends the texts of the block. Half of a surrogate pair at the end becomes U+FFFD.
    pub fn finish(&mut self, call: Option<usize>, delta: &mut Delta) {
        match &mut self.body {
            Body::Text { text: Some(text), .. } => {
                let before = text.value.len();
                text.finish();
                delta.text.push_str(&text.value[before..]);
            }
            Body::Reasoning(reasoning) => {
                reasoning.text.iter_mut().for_each(Text::finish);
                reasoning.signature.finish();
            }
            Body::Tool { input, .. } => input.finish(call, delta),
            Body::Other(other) => other.members.finish(),
            Body::Empty | Body::Text { text: None, .. } => {}
        }
    }

    /// `contentBlockStop`
    ///
    /// A tool call with empty or incomplete input waits for `messageStop`, which shows whether the message is
    /// malformed. A call
    /// without input is complete when another block begins.
    pub fn end(&mut self, call: Option<usize>, delta: &mut Delta) {
        self.finish(call, delta);
        if let Body::Tool { input, .. } = &mut self.body {
            input.end(call, delta);
        }
    }
}

impl Other {
    /// Adds a start or a delta: the elements of a list, or members whose strings are joined.
    fn add(&mut self, value: Value<'_>) {
        if value.kind() != Kind::Object {
            self.content.extend(value);
            return;
        }
        for (key, member) in value.members().filter(|(_, member)| !member.is_null()) {
            match &*key.name() {
                "content" if member.kind() == Kind::Array => self.content.extend(member),
                "source" if member.kind() == Kind::Object => {
                    for (key, part) in member.members() {
                        match part.as_str().filter(|_| key.is("bytes")) {
                            Some(piece) => self.bytes.push(piece.into_owned()),
                            None => self.source.set_given(&key.name(), part),
                        }
                    }
                }
                name if member.quoted().is_some() => self.members.join(name, member),
                name => self.members.merge(name, member, Merge::Grow),
            }
        }
    }
}
