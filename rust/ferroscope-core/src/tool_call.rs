//! Assembles tool calls from fragments that identify their call by index, by id, by both or by neither.

use crate::delta::Delta;
use crate::json::{Text, Value, write_string};
use crate::message::ToolCall;
use crate::tree::Object;

/// A fragment of one tool call in one event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fragment<'a> {
    /// The provider's index of the call. Some providers send the same index for every call.
    pub index: Option<i64>,
    /// The id of the call, if it is present and not empty.
    pub id: Option<&'a str>,
    /// The name of the tool, if it is present and not empty.
    pub name: Option<&'a str>,
    /// The text of the arguments, between the quotes of a JSON string.
    pub arguments: Option<&'a str>,
    /// Arguments that are JSON instead of a string of JSON.
    pub value: Option<Value<'a>>,
}

impl Fragment<'_> {
    fn brings_arguments(&self) -> bool {
        self.value.is_some() || self.arguments.is_some_and(|text| !text.is_empty())
    }
}

/// The buffer of one tool call.
#[derive(Debug, Clone, Default)]
pub struct Buffer {
    index: Option<i64>,
    /// The provider's id of the call.
    pub id: Option<String>,
    /// The arguments so far, as JSON text.
    pub name: String,
    /// The arguments so far, JSON text.
    pub arguments: Text,
    /// `function` or `custom`, if the provider sends it.
    pub kind: Option<String>,
    /// Unknown members of the call.
    pub extra: Object,
    /// Unknown members of the function in the call.
    pub function_extra: Object,
    closing: Closing,
    /// Whether the provider has marked the arguments as complete.
    ended: bool,
    /// Whether the call has been emitted.
    pub(crate) delivered: bool,
}

impl Buffer {
    /// Creates a call with this index, without a name yet.
    pub(crate) fn new(index: Option<i64>) -> Self {
        Self { index, ..Self::default() }
    }

    /// Returns the provider's index of the call.
    pub(crate) fn index(&self) -> Option<i64> {
        self.index
    }

    /// Returns whether the arguments are a complete JSON object or array.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closing.closed
    }

    /// Returns whether there are no arguments: no text, or `{}`. More may follow, or the answer was cut off before
    /// them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut text = self.arguments.value.bytes().filter(|byte| !byte.is_ascii_whitespace());
        matches!((text.next(), text.next(), text.next()), (None, ..) | (Some(b'{'), Some(b'}'), None))
    }

    /// Appends text of the arguments, between the quotes of a JSON string.
    pub(crate) fn push(&mut self, quoted: &str) {
        let before = self.arguments.value.len();
        self.arguments.push(quoted);
        self.closing.feed(&self.arguments.value.as_bytes()[before..]);
    }

    /// Appends text of the arguments, between the quotes of a JSON string, and completes the call if they are complete.
    /// An empty object does not complete it, because some servers send one before the arguments.
    ///
    /// Reports both for the position of the call, which is `None` for calls of hosted tools.
    pub(crate) fn grow(&mut self, position: Option<usize>, quoted: &str, delta: &mut Delta) {
        let before = self.arguments.value.len();
        self.push(quoted);
        self.report(before, position, delta);
        if self.is_closed() && !self.delivered && !self.is_empty() {
            self.deliver(position, delta);
        }
    }

    /// Appends arguments that may be JSON instead of a string of JSON.
    pub(crate) fn grow_by(&mut self, position: Option<usize>, value: Value<'_>, delta: &mut Delta) {
        match value.quoted() {
            Some(quoted) => self.grow(position, quoted, delta),
            None => {
                let mut quoted = String::new();
                write_string(&value.normalized(), &mut quoted);
                self.grow(position, &quoted[1..quoted.len() - 1], delta);
            }
        }
    }

    /// Ends the arguments. Half of a surrogate pair at their end becomes U+FFFD.
    pub(crate) fn finish(&mut self, position: Option<usize>, delta: &mut Delta) {
        let before = self.arguments.value.len();
        self.arguments.finish();
        self.report(before, position, delta);
    }

    /// Ends the arguments of a call. If there is no text, they become `usual`, as JSON text.
    pub(crate) fn fill(&mut self, usual: &str, position: Option<usize>, delta: &mut Delta) {
        self.finish(position, delta);
        if self.arguments.value.trim_ascii().is_empty() {
            self.arguments.value.clear();
            self.arguments.value.push_str(usual);
            self.closing.feed(usual.as_bytes());
            self.report(0, position, delta);
        }
    }

    /// Ends the arguments at the provider's end marker. Empty or incomplete arguments wait for [`complete_if_ended`], because the
    /// answer may have been cut off in them.
    ///
    /// [`complete_if_ended`]: Self::complete_if_ended
    pub(crate) fn end(&mut self, position: Option<usize>, delta: &mut Delta) {
        self.finish(position, delta);
        self.ended = true;
        if self.is_closed() && !self.is_empty() {
            self.deliver(position, delta);
        }
    }

    /// Completes a call whose arguments have ended or are an empty object, when another part of the answer follows.
    pub(crate) fn complete_if_ended(&mut self, usual: &str, position: Option<usize>, delta: &mut Delta) {
        if !self.delivered && (self.ended || self.is_closed()) {
            self.fill(usual, position, delta);
            self.deliver(position, delta);
        }
    }

    /// Completes the call, unless it is complete already.
    pub(crate) fn deliver(&mut self, position: Option<usize>, delta: &mut Delta) {
        if !std::mem::replace(&mut self.delivered, true) {
            delta.completed.extend(position);
        }
    }

    /// Appends the call as JSON, in the form of OpenAI's chat format.
    pub(crate) fn write(&self, out: &mut String) {
        let kind = self.kind.as_deref().unwrap_or("function");
        let (body, arguments) =
            if kind == "custom" { ("custom", "input") } else { ("function", "arguments") };
        out.push_str("{\"id\":");
        write_string(self.id.as_deref().unwrap_or_default(), out);
        out.push_str(",\"type\":");
        write_string(kind, out);
        out.push_str(",\"");
        out.push_str(body);
        out.push_str("\":{\"name\":");
        write_string(&self.name, out);
        out.push_str(",\"");
        out.push_str(arguments);
        out.push_str("\":");
        write_string(&self.arguments.value, out);
        self.function_extra.write_members(out);
        out.push('}');
        self.extra.write_members(out);
        out.push('}');
    }

    fn report(&self, before: usize, position: Option<usize>, delta: &mut Delta) {
        if let (Some(position), Some(new)) = (position, self.arguments.value.get(before..))
            && !new.is_empty()
        {
            delta.arguments.push((position, new.to_owned()));
        }
    }
}

impl<'a> From<&'a Buffer> for ToolCall<'a> {
    fn from(buffer: &'a Buffer) -> Self {
        Self { id: buffer.id.as_deref(), name: &buffer.name, arguments: &buffer.arguments.value }
    }
}

/// The tool calls of one message.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    buffers: Vec<Buffer>,
}

impl Calls {
    /// Returns the calls, in the order of their first fragments.
    #[must_use]
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    pub(crate) fn buffers_mut(&mut self) -> &mut [Buffer] {
        &mut self.buffers
    }

    /// Returns the position of the call that a fragment continues or begins, and whether the call is new.
    ///
    /// - A known id continues its call, and a new id begins a call, regardless of the index: several servers send the
    ///   index 0 for every parallel call.
    /// - Without an id, the index decides. It refers to the latest call with that index.
    /// - Without either, a name begins a call, and any other fragment continues the last one.
    /// - A name after complete arguments begins a call, unless it only repeats the call's name.
    /// - A new id alone does not begin a call while arguments with that index are open: some servers create an id for
    ///   every
    ///   fragment. Neither does a new id without other members after complete arguments.
    pub fn route(&mut self, fragment: &Fragment<'_>) -> (usize, bool) {
        let known = match (fragment.id, fragment.index) {
            (Some(id), index) => self
                .with_id(id, index)
                .or_else(|| self.awaiting_id(fragment))
                .or_else(|| self.open_without_name(fragment)),
            (None, Some(_)) => self.with_index(fragment.index).filter(|&at| !self.restarts(at, fragment)),
            (None, None) if fragment.name.is_some() => None,
            (None, None) => self.buffers.len().checked_sub(1),
        };
        let position = known.unwrap_or_else(|| {
            self.buffers.push(Buffer { index: fragment.index, ..Buffer::default() });
            self.buffers.len() - 1
        });
        let call = &mut self.buffers[position];
        if let Some(id) = fragment.id {
            call.id.get_or_insert_with(|| id.to_owned());
        }
        if let Some(name) = fragment.name {
            if call.name.is_empty() {
                call.name.push_str(name);
            } else if call.name != name && call.arguments.value.is_empty() && fragment.id.is_none() {
                // The name arrives in pieces. Otherwise a second name would begin a new call, which has an id or
                // follows complete
                // arguments.
                call.name.push_str(name);
            }
        }
        (position, known.is_none())
    }

    /// Returns the latest call with this id. A call with the same index has precedence, in case a server repeats an id.
    fn with_id(&self, id: &str, index: Option<i64>) -> Option<usize> {
        let same = |call: &Buffer| call.id.as_deref() == Some(id);
        self.buffers.iter().rposition(|call| same(call) && call.index == index).or_else(|| {
            self.buffers.iter().rposition(|call| same(call) && (index.is_none() || call.index.is_none()))
        })
    }

    /// Returns a call with this index whose id is missing so far, because some servers send it late.
    fn awaiting_id(&self, fragment: &Fragment<'_>) -> Option<usize> {
        let position = self.with_index(fragment.index)?;
        let call = &self.buffers[position];
        let bare = fragment.name.is_none() && !fragment.brings_arguments();
        (call.id.is_none() && (bare || !call.is_closed())).then_some(position)
    }

    /// Returns a call with this index whose arguments are open, for a fragment with arguments but without a name.
    fn open_without_name(&self, fragment: &Fragment<'_>) -> Option<usize> {
        let position = self.with_index(fragment.index)?;
        let call = &self.buffers[position];
        let goes_on = fragment.name.is_none() && fragment.brings_arguments() && !call.is_closed();
        (goes_on && !call.name.is_empty()).then_some(position)
    }

    /// Returns the latest call with this index.
    fn with_index(&self, index: Option<i64>) -> Option<usize> {
        self.buffers.iter().rposition(|call| index.is_some() && call.index == index)
    }

    /// Removes the call that was begun last.
    pub(crate) fn remove_last(&mut self) {
        self.buffers.pop();
    }

    fn restarts(&self, position: usize, fragment: &Fragment<'_>) -> bool {
        let call = &self.buffers[position];
        let Some(name) = fragment.name else {
            return false;
        };
        call.is_closed() && (call.name != name || fragment.brings_arguments())
    }
}

/// A scanner of JSON text that only detects the end of the outermost container.
#[derive(Debug, Clone, Default)]
struct Closing {
    depth: u32,
    in_string: bool,
    escape: bool,
    closed: bool,
}

impl Closing {
    fn feed(&mut self, text: &[u8]) {
        for &byte in text {
            if self.escape {
                self.escape = false;
            } else if self.in_string {
                match byte {
                    b'\\' => self.escape = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => {
                        self.depth += 1;
                        self.closed = false;
                    }
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        self.closed = self.depth == 0;
                    }
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Index, id, name and arguments of a fragment.
    type Piece<'a> = (Option<i64>, &'a str, &'a str, &'a str);

    /// Routes fragments, and returns `(name, arguments)` of every call.
    fn assemble(fragments: &[Piece<'_>]) -> Vec<(String, String)> {
        let mut calls = Calls::default();
        for &(index, id, name, arguments) in fragments {
            let fragment = Fragment {
                index,
                id: (!id.is_empty()).then_some(id),
                name: (!name.is_empty()).then_some(name),
                arguments: Some(arguments),
                value: None,
            };
            let (position, _) = calls.route(&fragment);
            calls.buffers[position].push(arguments);
        }
        calls.buffers.into_iter().map(|call| (call.name, call.arguments.value)).collect()
    }

    fn two(a: &str, b: &str) -> Vec<(String, String)> {
        vec![("foo".to_owned(), a.to_owned()), ("foo".to_owned(), b.to_owned())]
    }

    #[test]
    fn every_wire_shape_of_two_parallel_calls() {
        let one = Some(1);
        let zero = Some(0);
        let shapes: [(&str, Vec<Piece<'_>>); 9] = [
            (
                "sequential",
                vec![
                    (zero, "a", "foo", ""),
                    (zero, "", "", "{1}"),
                    (one, "b", "foo", ""),
                    (one, "", "", "{2}"),
                ],
            ),
            (
                "interleaved",
                vec![
                    (zero, "a", "foo", "{"),
                    (one, "b", "foo", "{"),
                    (zero, "", "", "1}"),
                    (one, "", "", "2}"),
                ],
            ),
            ("whole", vec![(zero, "a", "foo", "{1}"), (one, "b", "foo", "{2}")]),
            ("same index, new id", vec![(zero, "a", "foo", "{1}"), (zero, "b", "foo", "{2}")]),
            (
                "same index, new id, in pieces",
                vec![
                    (zero, "a", "foo", "{"),
                    (zero, "", "", "1}"),
                    (zero, "b", "foo", "{2"),
                    (zero, "", "", "}"),
                ],
            ),
            (
                "id repeated",
                vec![
                    (zero, "a", "foo", "{"),
                    (zero, "a", "foo", "1}"),
                    (one, "b", "foo", "{"),
                    (one, "b", "foo", "2}"),
                ],
            ),
            (
                "same index, interleaved by id",
                vec![
                    (zero, "a", "foo", "{"),
                    (zero, "b", "foo", "{"),
                    (zero, "a", "", "1}"),
                    (zero, "b", "", "2}"),
                ],
            ),
            ("no index", vec![(None, "a", "foo", "{1"), (None, "", "", "}"), (None, "b", "foo", "{2}")]),
            ("neither index nor id", vec![(None, "", "foo", "{1}"), (None, "", "foo", "{2}")]),
        ];
        for (shape, fragments) in shapes {
            assert_eq!(assemble(&fragments), two("{1}", "{2}"), "{shape}");
        }
    }

    #[test]
    fn a_name_after_closed_arguments_begins_a_call_but_an_echo_does_not() {
        let zero = Some(0);
        assert_eq!(assemble(&[(zero, "", "foo", "{1}"), (zero, "", "foo", "{2}")]), two("{1}", "{2}"));
        assert_eq!(
            assemble(&[(zero, "a", "foo", "{1}"), (zero, "", "foo", "")]),
            [("foo".to_owned(), "{1}".to_owned())]
        );
    }

    #[test]
    fn brackets_inside_strings_do_not_close_arguments() {
        let mut closing = Closing::default();
        closing.feed(br#"{"a":"}\""#);
        assert!(!closing.closed);
        closing.feed(br#"}"}"#);
        assert!(closing.closed);
    }
}
