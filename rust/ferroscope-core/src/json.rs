//! Parses a complete JSON text in one pass into a flat list of nodes that refer to the text.
//!
//! Nothing is copied. Every value keeps its text, so an unknown member can be passed on exactly as received, including
//! big numbers. The tape is reused for each event, without new allocations.
//!
//! The parser accepts the same texts as Python's `json.loads`, including `NaN` and `Infinity`, because the official
//! SDKs
//! read the same payloads with it. The last of duplicate keys wins.

mod text;

pub(crate) use self::text::Halves;
use self::text::without_lone_halves;
pub(crate) use self::text::write_object;
pub use self::text::{StringEnd, Text, scan_string, write_string};
use crate::error::JsonProblem;
use std::borrow::Cow;
use std::collections::HashMap;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, including `NaN` and the infinities.
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    /// An array.
    Array,
    /// An object.
    Object,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// Whether this is the name of a member that a later member of the same name replaces.
    shadowed: bool,
    /// Of an object: a filter for the names of its members. A name whose bit is not set is absent.
    names: u16,
    /// The position of the value in the text; of a string with its quotes.
    start: u32,
    end: u32,
    /// The node after this value and its children.
    next: u32,
}

/// The position and the reason of a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// The reason.
    pub problem: JsonProblem,
    /// The offset in the text, in bytes.
    pub byte: usize,
}

/// The maximum nesting depth, even if the caller allows more: processing nested values uses the stack.
pub const MAX_DEPTH: usize = 256;

/// A reusable list of nodes.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<Open>,
}

impl Tape {
    /// Parses one JSON text with at most `depth` levels of nesting, and at most [`MAX_DEPTH`].
    ///
    /// # Errors
    /// Returns the position and the reason if the text is not JSON.
    pub fn read<'a>(&'a mut self, text: &'a str, depth: usize) -> Result<Value<'a>, Problem> {
        self.nodes.clear();
        self.open.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(Problem { problem: JsonProblem::Depth, byte: 0 });
        }
        let mut reader = Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            nodes: &mut self.nodes,
            open: &mut self.open,
            depth: depth.min(MAX_DEPTH),
        };
        reader.value()?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.fail(JsonProblem::Trailing));
        }
        Ok(Value { text, nodes: &self.nodes, index: 0 })
    }
}

/// A value in a text.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    text: &'a str,
    nodes: &'a [Node],
    index: usize,
}

impl<'a> Value<'a> {
    /// Returns the kind of the value.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.nodes[self.index].kind
    }

    /// Returns the text of the value.
    #[must_use]
    pub fn raw(self) -> &'a str {
        let node = self.nodes[self.index];
        &self.text[node.start as usize..node.end as usize]
    }

    /// Returns the text of the value, with lone surrogate escapes replaced by U+FFFD, because many parsers refuse them.
    #[must_use]
    pub fn normalized(self) -> Cow<'a, str> {
        let raw = self.raw();
        if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
            Cow::Borrowed(raw)
        } else {
            without_lone_halves(raw)
        }
    }

    /// Returns the range of the value in the text.
    #[must_use]
    pub fn span(self) -> std::ops::Range<usize> {
        let node = self.nodes[self.index];
        node.start as usize..node.end as usize
    }

    /// Returns the text between the quotes of a string, with escapes as written.
    #[must_use]
    pub fn quoted(self) -> Option<&'a str> {
        let node = self.nodes[self.index];
        matches!(node.kind, Kind::Plain | Kind::Escaped)
            .then(|| &self.text[node.start as usize + 1..node.end as usize - 1])
    }

    /// Returns the decoded string; a lone surrogate escape becomes U+FFFD.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        Some(decode(self.kind(), self.quoted()?))
    }

    /// Returns a whole number.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }

    /// Returns whether the value is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Returns whether the value is true in Python: not null, false, zero or empty.
    #[must_use]
    pub fn is_truthy(self) -> bool {
        match self.kind() {
            Kind::Null | Kind::False => false,
            Kind::True | Kind::Escaped => true,
            Kind::Plain => self.span().len() > 2,
            Kind::Number => self.raw().parse::<f64>() != Ok(0.0),
            Kind::Array | Kind::Object => self.nodes[self.index].next as usize > self.index + 1,
        }
    }

    /// Returns the members of an object, in order; empty for other values. Of members with one name, only the last.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members { values: self.inside(Kind::Object) }
    }

    /// Returns the elements of an array, in order; empty for other values.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        self.inside(Kind::Array)
    }

    /// Returns the member with this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        // Most lookups are for a name that is absent.
        if self.nodes[self.index].names & filter_bit(name.as_bytes()) == 0 {
            return None;
        }
        // Most names differ in their length, which costs the least to compare.
        let is_as_long = |Key(key): &Key<'_>| {
            let node = &key.nodes[key.index];
            node.kind != Kind::Plain || (node.end - node.start) as usize == name.len() + 2
        };
        self.members().find(|(key, _)| is_as_long(key) && key.is(name)).map(|(_, value)| value)
    }

    fn inside(self, kind: Kind) -> Elements<'a> {
        let node = self.nodes[self.index];
        let end = if node.kind == kind { node.next as usize } else { self.index + 1 };
        Elements { text: self.text, nodes: self.nodes, index: self.index + 1, end }
    }
}

/// The name of a member.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a>(Value<'a>);

impl<'a> Key<'a> {
    /// Returns whether the key is this name.
    #[must_use]
    #[inline]
    pub fn is(self, name: &str) -> bool {
        match self.0.kind() {
            Kind::Plain => self.0.quoted() == Some(name),
            _ => self.0.as_str().as_deref() == Some(name),
        }
    }

    /// Returns the decoded name.
    #[must_use]
    pub fn name(self) -> Cow<'a, str> {
        self.0.as_str().unwrap_or_default()
    }
}

/// An iterator over the elements of an array.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    text: &'a str,
    nodes: &'a [Node],
    index: usize,
    end: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.index >= self.end {
            return None;
        }
        let value = Value { text: self.text, nodes: self.nodes, index: self.index };
        self.index = self.nodes[self.index].next as usize;
        Some(value)
    }
}

/// An iterator over the members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    values: Elements<'a>,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Value<'a>);

    fn next(&mut self) -> Option<(Key<'a>, Value<'a>)> {
        loop {
            let (key, value) = (self.values.next()?, self.values.next()?);
            if !self.values.nodes[key.index].shadowed {
                return Some((Key(key), value));
            }
        }
    }
}

/// Returns the decoded text between the quotes of a string of this kind.
fn decode(kind: Kind, quoted: &str) -> Cow<'_, str> {
    if kind == Kind::Plain {
        return Cow::Borrowed(quoted);
    }
    let mut text = Text::default();
    text.push(quoted);
    text.finish();
    Cow::Owned(text.value)
}

/// Returns the bit of a name without escapes in the filter of an object's node.
#[inline]
fn filter_bit(name: &[u8]) -> u16 {
    let (first, last) = (name.first().copied().unwrap_or(b'"'), name.last().copied().unwrap_or(b'"'));
    1 << ((usize::from(first) * 5 + usize::from(last) * 19 + name.len()) % 16)
}

/// A filter for the names of an object that recognizes names that are certainly new.
#[derive(Debug, Default)]
struct Names {
    seen: u64,
    /// The filter of the object's node.
    filter: u16,
    count: u32,
    /// Whether the names must be compared at the end of the object.
    look_again: bool,
}

/// Up to this many names are compared one by one.
const FEW_NAMES: u32 = 16;

impl Names {
    /// Returns whether a name may be a repetition.
    fn add(&mut self, quoted: &[u8], escaped: bool) -> bool {
        // For the names in these payloads, the first and last byte and the length distinguish well enough.
        let (first, last) = (quoted[1], quoted[quoted.len().saturating_sub(2)]);
        let bit = 1 << ((usize::from(first) * 5 + usize::from(last) * 19 + quoted.len()) % 64);
        let known = self.seen & bit != 0;
        self.seen |= bit;
        // An escaped name has other bytes than the name that is looked up.
        self.filter |= if escaped { u16::MAX } else { filter_bit(&quoted[1..quoted.len() - 1]) };
        self.count += 1;
        // Escapes can write the same name in two ways.
        self.look_again |= escaped || known && self.count > FEW_NAMES;
        known && !self.look_again
    }
}

/// An object or an array that is still open.
#[derive(Debug)]
struct Open {
    node: usize,
    close: u8,
    names: Names,
}

struct Reader<'t, 'n> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: &'n mut Vec<Node>,
    open: &'n mut Vec<Open>,
    depth: usize,
}

impl Reader<'_, '_> {
    fn fail(&self, problem: JsonProblem) -> Problem {
        Problem { problem, byte: self.at }
    }

    fn unexpected(&self) -> Problem {
        self.fail(match self.bytes.get(self.at) {
            Some(&byte) => JsonProblem::UnexpectedByte(byte),
            None => JsonProblem::UnexpectedEnd,
        })
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.bytes.get(self.at).copied()
    }

    fn leaf(&mut self, kind: Kind, start: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node {
            kind,
            shadowed: false,
            names: 0,
            start: start as u32,
            end: self.at as u32,
            next,
        });
    }

    /// Parses a value and its children. It uses a stack of its own, so that no depth can exhaust the thread's stack.
    fn value(&mut self) -> Result<(), Problem> {
        loop {
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(b'{') => {
                    if self.open_container(Kind::Object, b'}')? {
                        continue;
                    }
                }
                Some(b'[') => {
                    if self.open_container(Kind::Array, b']')? {
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b'n') => self.word("null", Kind::Null)?,
                Some(b't') => self.word("true", Kind::True)?,
                Some(b'f') => self.word("false", Kind::False)?,
                Some(b'N') => self.word("NaN", Kind::Number)?,
                Some(b'I') => self.word("Infinity", Kind::Number)?,
                _ => return Err(self.unexpected()),
            }
            if !self.continues()? {
                return Ok(());
            }
        }
    }

    /// Opens an object or an array. Returns whether a value follows in it.
    fn open_container(&mut self, kind: Kind, close: u8) -> Result<bool, Problem> {
        if self.open.len() >= self.depth {
            return Err(self.fail(JsonProblem::Depth));
        }
        let node = self.nodes.len();
        let start = self.at;
        self.at += 1;
        self.leaf(kind, start);
        if self.peek() == Some(close) {
            self.at += 1;
            self.nodes[node].end = self.at as u32;
            return Ok(false);
        }
        self.open.push(Open { node, close, names: Names::default() });
        if kind == Kind::Object {
            self.name()?;
        }
        Ok(true)
    }

    /// Closes the containers that end after a value. Returns whether another value follows.
    fn continues(&mut self) -> Result<bool, Problem> {
        while let Some(&Open { node, close, ref names }) = self.open.last() {
            let (look_again, filter) = (names.look_again, names.filter);
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if close == b'}' {
                        self.name()?;
                    }
                    return Ok(true);
                }
                Some(byte) if byte == close => self.at += 1,
                _ => return Err(self.unexpected()),
            }
            self.open.pop();
            let next = self.nodes.len() as u32;
            self.nodes[node].end = self.at as u32;
            self.nodes[node].next = next;
            self.nodes[node].names = filter;
            if look_again {
                self.shadow(node);
            }
        }
        Ok(false)
    }

    /// Parses the name of a member and the colon after it.
    fn name(&mut self) -> Result<(), Problem> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let (start, name) = (self.at, self.nodes.len());
        self.string()?;
        let quoted = &self.bytes[start..self.at];
        if let Some(open) = self.open.last_mut()
            && open.names.add(quoted, self.nodes[name].kind == Kind::Escaped)
        {
            let mut earlier = open.node + 1;
            while earlier < name {
                let Node { start, end, .. } = self.nodes[earlier];
                if &self.bytes[start as usize..end as usize] == quoted {
                    self.nodes[earlier].shadowed = true;
                }
                earlier = self.nodes[earlier + 1].next as usize;
            }
        }
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Marks the members of an object that a later member of the same name replaces.
    fn shadow(&mut self, object: usize) {
        let mut latest = HashMap::new();
        let (mut at, end) = (object + 1, self.nodes[object].next as usize);
        while at < end {
            let Node { kind, start, end, .. } = self.nodes[at];
            let quoted = &self.text[start as usize + 1..end as usize - 1];
            if let Some(earlier) = latest.insert(decode(kind, quoted), at) {
                self.nodes[earlier].shadowed = true;
            }
            at = self.nodes[at + 1].next as usize;
        }
    }

    fn string(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let end = scan_string(self.bytes, start + 1)?;
        self.at = end.quote + 1;
        self.leaf(if end.escaped { Kind::Escaped } else { Kind::Plain }, start);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(self.fail(JsonProblem::Number)) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
            if self.bytes.get(self.at) == Some(&b'I') {
                return self.word("Infinity", Kind::Number).map(|()| {
                    // The node must include the sign.
                    if let Some(node) = self.nodes.last_mut() {
                        node.start = start as u32;
                    }
                });
            }
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.leaf(Kind::Number, start);
        Ok(())
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), Problem> {
        let start = self.at;
        for expected in word.bytes() {
            if self.bytes.get(self.at) != Some(&expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        self.leaf(kind, start);
        Ok(())
    }
}
