//! The state of one function call.
//!
//! A call arrives whole, or in pieces with `streamFunctionCallArguments` on Vertex AI
//! (`https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc`): the name first,
//! then
//! `partialArgs`, each value with its JSON path.
//!
//! - A piece with the `id` of a known call continues it. A piece with a name begins a call. Any other piece continues
//!   the
//!   last call that has not ended.
//! - A call ends with the first piece without `willContinue`, which may be empty or have the last arguments.
//! - A whole call without arguments waits for the next part, because some servers send its arguments in a separate
//!   part.
//! - A repeated call with the same id is the same call, and keeps its first signature.

use super::arguments::Assembly;
use crate::error::ErrorKind;
use crate::json::{Key, Kind, Value, write_string};
use crate::tool_call::Buffer;
use crate::tree::Object;
use std::borrow::Cow;
use std::ops::Range;

/// The state of a call. The buffer's `extra` has the members of the part beside `functionCall`.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub buffer: Buffer,
    /// The arguments in single values; `None` for a call that arrives whole.
    assembly: Option<Box<Assembly>>,
    /// Whether the call had arguments, even `{}`.
    has_arguments: bool,
    stage: Stage,
    is_closed: bool,
}

/// The progress of a call.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More pieces will follow.
    #[default]
    Open,
    /// Complete, unless the next part has its arguments.
    Waiting,
    Over,
}

/// A part with a function call, or with a piece of one.
pub(super) struct Piece<'a> {
    pub id: Option<Cow<'a, str>>,
    pub name: Option<Cow<'a, str>>,
    arguments: Option<Value<'a>>,
    partial: Option<Value<'a>>,
    will_continue: bool,
    part: Value<'a>,
    call: Value<'a>,
}

impl<'a> Piece<'a> {
    pub fn new(part: Value<'a>, call: Value<'a>) -> Self {
        let given = |name| call.get(name).filter(|member| !member.is_null());
        let partial = given("partialArgs").filter(|partial| partial.kind() == Kind::Array);
        Self {
            id: super::super::given(given("id")),
            name: super::super::given(given("name")),
            arguments: given("args"),
            partial: partial.filter(|partial| partial.is_truthy()),
            will_continue: given("willContinue").is_some_and(Value::is_truthy),
            part,
            call,
        }
    }

    /// Returns the range of its string, without the quotes, if it has only one string, which continues.
    pub fn only_string(&self) -> Option<Range<usize>> {
        if self.name.is_some() || self.arguments.is_some() || !self.will_continue {
            return None;
        }
        let mut elements = self.partial?.elements();
        let (partial, None) = (elements.next()?, elements.next()) else { return None };
        let is_known =
            |key: Key<'_>| ["jsonPath", "stringValue", "willContinue"].iter().any(|name| key.is(name));
        if !partial.members().all(|(key, _)| is_known(key)) {
            return None;
        }
        let string = partial.get("stringValue").filter(|string| string.quoted().is_some())?.span();
        partial.get("willContinue").is_some_and(Value::is_truthy).then(|| string.start + 1..string.end - 1)
    }

    /// Returns whether it has no data of a call.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.partial.is_none() && !self.arguments.is_some_and(Value::is_truthy)
    }
}

impl Call {
    /// Returns whether a piece with the same id belongs to this call, and is not a new call.
    pub fn accepts(&self, piece: &Piece<'_>) -> bool {
        if self.stage != Stage::Over {
            return true;
        }
        let same_arguments = match piece.arguments {
            Some(arguments) if arguments.is_truthy() => arguments.normalized() == self.buffer.arguments.value,
            _ => true,
        };
        piece.partial.is_none()
            && same_arguments
            && piece.name.as_ref().is_none_or(|name| **name == *self.buffer.name)
    }

    /// Folds a piece.
    ///
    /// # Errors
    /// Returns an error for `partialArgs` of another form.
    pub fn add(&mut self, piece: &Piece<'_>, depth: usize) -> Result<(), ErrorKind> {
        self.add_members(piece);
        if self.stage == Stage::Over {
            return Ok(());
        }
        if let Some(id) = &piece.id {
            self.buffer.id.get_or_insert_with(|| id.clone().into_owned());
        }
        if let Some(name) = &piece.name
            && self.buffer.name.is_empty()
        {
            self.buffer.name.push_str(name);
        }
        self.has_arguments |= piece.arguments.is_some();
        if piece.will_continue || piece.partial.is_some() {
            self.assembly.get_or_insert_default();
        }
        match (&mut self.assembly, piece.arguments) {
            (Some(assembly), arguments) => {
                let text = &mut self.buffer.arguments.value;
                for (key, value) in arguments.into_iter().flat_map(Value::members) {
                    assembly.set_member(&key.name(), value, text);
                }
                for partial in piece.partial.into_iter().flat_map(Value::elements) {
                    assembly.add(partial, depth, text)?;
                }
            }
            (None, Some(arguments)) if arguments.is_truthy() => {
                self.buffer.arguments.value.push_str(&arguments.normalized());
            }
            (None, _) => {}
        }
        let is_bare = self.assembly.is_none() && self.buffer.arguments.value.is_empty();
        self.stage = match piece.will_continue {
            true => Stage::Open,
            false if is_bare && self.stage == Stage::Open => Stage::Waiting,
            false => Stage::Over,
        };
        Ok(())
    }

    /// Stores the members outside of the call itself.
    fn add_members(&mut self, piece: &Piece<'_>) {
        for (key, member) in piece.part.members() {
            if !key.is("functionCall") && (member.is_truthy() || self.buffer.extra.raw(&key.name()).is_none())
            {
                self.buffer.extra.set_given(&key.name(), member);
            }
        }
        for (key, member) in piece.call.members() {
            if !["id", "name", "args", "partialArgs", "willContinue"].iter().any(|known| key.is(known)) {
                self.buffer.function_extra.set_given(&key.name(), member);
            }
        }
    }

    /// Returns whether the last piece extended the string that ends the arguments, and the string will continue.
    pub fn ends_in_text(&self) -> bool {
        self.stage == Stage::Open && self.assembly.as_ref().is_some_and(|assembly| assembly.ends_in_text())
    }

    /// Appends the text between the quotes of a JSON string to the string that ends the arguments.
    pub fn grow(&mut self, quoted: &str) {
        if let Some(assembly) = &mut self.assembly {
            assembly.grow_last(quoted, &mut self.buffer.arguments.value);
        }
    }

    /// Returns whether the call has ended.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Returns whether the call is complete unless the next part has its arguments.
    pub fn is_waiting(&self) -> bool {
        self.stage == Stage::Waiting
    }

    /// Returns whether more pieces were announced, but the known arguments are complete.
    pub fn may_be_over(&self) -> bool {
        self.stage == Stage::Open && self.assembly.as_ref().is_none_or(|assembly| !assembly.has_open_text())
    }

    /// Completes the arguments. Returns the text that this added.
    pub fn close(&mut self) -> String {
        self.stage = Stage::Over;
        if std::mem::replace(&mut self.is_closed, true) {
            return String::new();
        }
        let text = &mut self.buffer.arguments.value;
        let before = text.len();
        let only_grew = match &mut self.assembly {
            Some(assembly) => assembly.close(text),
            None => {
                if text.is_empty() {
                    text.push_str("{}");
                }
                true
            }
        };
        if only_grew { text[before..].to_owned() } else { String::new() }
    }

    /// Appends the `functionCall` as JSON.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"name\":");
        write_string(&self.buffer.name, out);
        if let Some(id) = &self.buffer.id {
            out.push_str(",\"id\":");
            write_string(id, out);
        }
        if self.has_arguments || self.assembly.is_some() {
            out.push_str(",\"args\":");
            match &self.assembly {
                Some(assembly) => assembly.write(out),
                None if self.buffer.arguments.value.is_empty() => out.push_str("{}"),
                None => out.push_str(&self.buffer.arguments.value),
            }
        }
        if self.stage == Stage::Open {
            // The rest never arrived.
            out.push_str(",\"willContinue\":true");
        }
        self.buffer.function_extra.write_members(out);
        out.push('}');
    }

    /// Returns the members of its part beside the call.
    pub fn part_members(&self) -> &Object {
        &self.buffer.extra
    }
}
