//! The state of one block of a message's content.

use crate::json::{Kind, Text, Value};
use crate::tool_call::Buffer;
use crate::tree::{List, Merge, Object};

#[derive(Debug)]
pub(super) struct Block {
    /// The index in the deltas.
    pub index: i64,
    /// The type as JSON text; `None` if it has none.
    pub kind: Option<Box<str>>,
    pub body: Body,
    pub citations: Citations,
    /// The other members.
    pub members: Object,
}

/// The growing content of a block.
#[derive(Debug)]
pub(super) enum Body {
    Text(Text),
    Thinking(Text),
    Tool {
        input: Box<Buffer>,
        /// The input in `content_block_start`, as JSON text.
        given: Box<str>,
        /// Whether it is one of the caller's tools, and not one that the server runs.
        own: bool,
    },
    /// Results of the server's tools, and unknown blocks.
    Other,
    /// A value that is not a block, as received.
    Raw(Box<str>),
}

#[derive(Debug, Default)]
pub(super) enum Citations {
    #[default]
    Absent,
    Null,
    List(List),
}

/// The text that a delta adds to a block.
pub(super) struct Piece<'a> {
    pub value: Value<'a>,
    /// Whether the delta has no other members.
    pub alone: bool,
}

impl Block {
    pub fn new(index: i64, value: Value<'_>) -> Self {
        if value.kind() != Kind::Object {
            return Self::with(index, None, Body::Raw(value.raw().into()));
        }
        let kind = value.get("type").filter(|kind| kind.quoted().is_some());
        let name = kind.and_then(Value::as_str).unwrap_or_default();
        let body = match &*name {
            "text" => Body::Text(Text::default()),
            "thinking" => Body::Thinking(Text::default()),
            "tool_use" => tool(true),
            name if name.ends_with("_tool_use") => tool(false),
            _ => Body::Other,
        };
        let mut block = Self::with(index, kind.map(|kind| kind.raw().into()), body);
        for (key, member) in value.members() {
            block.begin(&key.name(), member);
        }
        block
    }

    /// Returns the block that a delta continues if the block's first event is missing.
    pub fn of_delta(index: Option<i64>, delta: &str) -> Option<Self> {
        let (kind, body) = match delta {
            "text_delta" => ("\"text\"", Body::Text(Text::default())),
            "thinking_delta" => ("\"thinking\"", Body::Thinking(Text::default())),
            _ => return None,
        };
        Some(Self::with(index.unwrap_or_default(), Some(kind.into()), body))
    }

    fn with(index: i64, kind: Option<Box<str>>, body: Body) -> Self {
        Self { index, kind, body, citations: Citations::Absent, members: Object::default() }
    }

    /// Adds a member of the block's first event.
    fn begin(&mut self, name: &str, member: Value<'_>) {
        match (&mut self.body, name, member.quoted()) {
            (_, "type", Some(_)) => return,
            (Body::Text(text), "text", Some(quoted)) | (Body::Thinking(text), "thinking", Some(quoted)) => {
                text.push(quoted);
                return;
            }
            (Body::Text(_), "citations", None) => {
                match member.kind() {
                    Kind::Array => self.citations = Citations::List(list(member)),
                    _ => self.citations = Citations::Null,
                }
                return;
            }
            (Body::Tool { given, .. }, "input", _) => {
                *given = member.raw().into();
                return;
            }
            (Body::Tool { input, .. }, "id", Some(_)) => input.id = member.as_str().map(|id| id.into_owned()),
            (Body::Tool { input, .. }, "name", Some(_)) => {
                input.name = member.as_str().unwrap_or_default().into_owned();
            }
            (Body::Other, _, Some(_)) => {
                // A delta of an unknown kind may extend it.
                self.members.join(name, member);
                return;
            }
            _ => {}
        }
        self.members.merge(name, member, Merge::Latest);
    }

    /// Adds a delta, except for the text that extends the block, which it returns.
    pub fn take<'a>(&mut self, kind: &str, piece: Value<'a>) -> Option<Piece<'a>> {
        let name = match (kind, &self.body) {
            ("text_delta", Body::Text(_)) => "text",
            ("thinking_delta", Body::Thinking(_)) => "thinking",
            ("input_json_delta", Body::Tool { .. }) => "partial_json",
            _ => "",
        };
        let mut found = Piece { value: piece, alone: true };
        let mut text = None;
        for (key, member) in piece.members() {
            match &*key.name() {
                "type" => {}
                own if own == name && member.quoted().is_some() => text = Some(member),
                other => {
                    found.alone = false;
                    self.add(kind, other, member, !name.is_empty());
                }
            }
        }
        found.value = text?;
        Some(found)
    }

    /// Adds a member of a delta, whose kind is known or unknown.
    fn add(&mut self, kind: &str, name: &str, member: Value<'_>, known: bool) {
        match (kind, name) {
            ("citations_delta", "citation") => self.cite(member),
            // A hint for a progress bar, not part of the message.
            ("thinking_delta", "estimated_tokens") => {}
            ("signature_delta", "signature") | ("compaction_delta", _) => {
                self.members.set_given(name, member)
            }
            _ if known => self.members.set_given(name, member),
            _ if member.quoted().is_some() => self.members.join(name, member),
            _ => self.members.merge(name, member, Merge::Grow),
        }
    }

    fn cite(&mut self, citation: Value<'_>) {
        if !matches!(self.citations, Citations::List(_)) {
            self.citations = Citations::List(List::default());
        }
        if let Citations::List(list) = &mut self.citations {
            list.push(citation);
        }
    }
}

fn tool(own: bool) -> Body {
    Body::Tool { input: Box::default(), given: "{}".into(), own }
}

fn list(array: Value<'_>) -> List {
    let mut list = List::default();
    list.extend(array);
    list
}
