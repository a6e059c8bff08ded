//! The state of one block of a message's content.

use crate::delta::Delta;
use crate::json::{Text, Value, write_string};
use crate::tree::Object;

#[derive(Debug)]
pub(super) struct Block {
    /// The index in the deltas.
    pub index: i64,
    pub content: Content,
    /// The other members, without the type.
    pub members: Object,
}

/// The growing string of a block, by the type of the block.
#[derive(Debug)]
pub(super) enum Content {
    Text(Text),
    Thinking(Text),
    /// The unknown type as JSON text. Every string member may grow.
    Other(Box<str>),
}

impl Block {
    /// Creates a block from `content-start` or a body without streaming.
    pub fn new(value: Value<'_>) -> Self {
        let kind = value.get("type").filter(|kind| !kind.is_null());
        let content = match kind.and_then(Value::as_str).as_deref() {
            Some("text") => Content::Text(Text::default()),
            Some("thinking") => Content::Thinking(Text::default()),
            _ => match kind {
                Some(kind) => Content::Other(kind.normalized().into()),
                None => Content::of(value),
            },
        };
        let mut block = Self { index: 0, content, members: Object::default() };
        if let Some(text) = block.take(value).and_then(Value::quoted)
            && let Content::Text(known) | Content::Thinking(known) = &mut block.content
        {
            known.push(text);
        }
        block
    }

    /// Creates the block for a delta if the block's first event is missing.
    pub fn of_delta(delta: Value<'_>) -> Self {
        Self { index: 0, content: Content::of(delta), members: Object::default() }
    }

    /// Returns whether a delta can belong to this block.
    pub fn accepts(&self, delta: Value<'_>) -> bool {
        match &self.content {
            Content::Text(_) => delta.get("thinking").is_none(),
            Content::Thinking(_) => delta.get("text").is_none(),
            Content::Other(_) => true,
        }
    }

    /// Adds the members of a delta. Returns the string that extends the block.
    pub fn take<'a>(&mut self, delta: Value<'a>) -> Option<Value<'a>> {
        let mut grown = None;
        for (key, member) in delta.members() {
            let name = &*key.name();
            match &self.content {
                _ if name == "type" => {}
                Content::Text(_) if name == "text" => grown = Some(member),
                Content::Thinking(_) if name == "thinking" => grown = Some(member),
                Content::Other(_) => self.members.join(name, member),
                _ => self.members.set_given(name, member),
            }
        }
        grown.filter(|text| text.quoted().is_some())
    }

    /// Appends the text between the quotes of a JSON string.
    pub fn grow(&mut self, quoted: &str, delta: &mut Delta) {
        match &mut self.content {
            Content::Text(text) => {
                let before = text.value.len();
                text.push(quoted);
                delta.text.push_str(&text.value[before..]);
            }
            Content::Thinking(text) => text.push(quoted),
            Content::Other(_) => {}
        }
    }

    /// Ends the block. Half of a surrogate pair at its end becomes U+FFFD.
    pub fn finish(&mut self, delta: &mut Delta) {
        match &mut self.content {
            Content::Text(text) => {
                let before = text.value.len();
                text.finish();
                delta.text.push_str(&text.value[before..]);
            }
            Content::Thinking(text) => text.finish(),
            Content::Other(_) => self.members.finish(),
        }
    }

    pub fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(&text.value) } else { None }
    }

    pub fn thinking(&self) -> Option<&str> {
        if let Content::Thinking(text) = &self.content { Some(&text.value) } else { None }
    }

    pub fn write(&self, out: &mut String) {
        match &self.content {
            Content::Text(text) => {
                out.push_str("{\"type\":\"text\",\"text\":");
                write_string(&text.value, out);
            }
            Content::Thinking(text) => {
                out.push_str("{\"type\":\"thinking\",\"thinking\":");
                write_string(&text.value, out);
            }
            Content::Other(kind) => {
                out.push_str("{\"type\":");
                out.push_str(kind);
            }
        }
        self.members.write_members(out);
        out.push('}');
    }
}

impl Content {
    /// Returns the kind of a block without a type.
    fn of(value: Value<'_>) -> Self {
        if value.get("thinking").is_some() {
            Self::Thinking(Text::default())
        } else {
            Self::Text(Text::default())
        }
    }
}
