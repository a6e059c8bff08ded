//! Arguments in single values, each with its JSON path: `{"jsonPath": "$.a[0].b", "stringValue": "x"}`.
//!
//! A string continues with the next value of the same path if its `willContinue` is true. The values arrive in the
//! order of
//! the JSON text, so the text can grow with them. If a server sends them in another order, the text stops growing until
//! all
//! have arrived.

use crate::error::{ErrorKind, Limit};
use crate::json::{MAX_DEPTH, Text, Value, write_string};
use crate::tree::{Node, Object};

/// The maximum number of list elements that may be missing before an element.
const MAX_LEFT_OUT: usize = 8;

/// The state of the arguments.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    root: Object,
    /// Strings that will continue.
    open: Vec<Path>,
    /// The current position in the text: the path of the last written value.
    last: Path,
    /// Whether the text ends inside a string.
    in_string: bool,
    /// Whether the last element extended that string, and the string will continue.
    extends: bool,
    /// Whether a value arrived out of order, so that the text cannot be extended.
    out_of_order: bool,
}

type Path = Vec<Step>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

impl Step {
    /// Returns the closing bracket of the container that the step leads into.
    fn bracket(&self) -> char {
        match self {
            Self::Name(_) => '}',
            Self::Index(_) => ']',
        }
    }
}

impl Assembly {
    /// Sets a value without a path, by its name.
    pub fn set_member(&mut self, name: &str, value: Value<'_>, text: &mut String) {
        // A name is always a valid path.
        let _ = self.set(vec![Step::Name(name.into())], Node::Raw(value.normalized().into()), text);
    }

    /// Adds an element of `partialArgs`, and extends the JSON text.
    ///
    /// # Errors
    /// Returns an error for an element of another form, or a path that contradicts the previous ones.
    pub fn add(&mut self, partial: Value<'_>, depth: usize, text: &mut String) -> Result<(), ErrorKind> {
        let shape = |path, expected| ErrorKind::Shape { path, expected };
        let path = partial.get("jsonPath").and_then(Value::as_str).and_then(|path| parse_path(&path)).ok_or(
            shape(
                "candidates[].content.parts[].functionCall.partialArgs[].jsonPath",
                "a path such as $.a[0].b",
            ),
        )?;
        let max = depth.min(MAX_DEPTH);
        if path.len() > max {
            return Err(ErrorKind::Limit { limit: Limit::Depth, max });
        }
        let value = partial
            .members()
            .find(|(key, _)| !key.is("jsonPath") && !key.is("willContinue") && key.name().ends_with("Value"));
        let will_continue = partial.get("willContinue").is_some_and(Value::is_truthy);
        let open = self.open.iter().position(|open| *open == path);
        let fits = match value {
            None => true,
            Some((key, _)) if key.is("nullValue") => self.set(path.clone(), Node::Raw("null".into()), text),
            Some((key, value)) if key.is("stringValue") && value.quoted().is_some() => {
                let quoted = value.quoted().unwrap_or_default();
                match open {
                    Some(_) => self.grow(&path, quoted, text),
                    None => self.begin_text(path.clone(), quoted, text),
                }
            }
            Some((_, value)) => self.set(path.clone(), Node::Raw(value.normalized().into()), text),
        };
        if !fits {
            return Err(shape(
                "candidates[].content.parts[].functionCall.partialArgs[].jsonPath",
                "a path that fits the values before",
            ));
        }
        self.extends = will_continue && self.in_string && !self.out_of_order && self.last == path;
        match (open, will_continue) {
            (None, true) => self.open.push(path),
            (Some(open), false) => {
                self.finish_text(&path, text);
                self.open.swap_remove(open);
            }
            (None, false) => self.finish_text(&path, text),
            (Some(_), true) => {}
        }
        Ok(())
    }

    /// Sets a value. Returns `false` if the path contradicts the previous ones.
    fn set(&mut self, path: Path, node: Node, text: &mut String) -> bool {
        let mut json = String::new();
        node.write(&mut json);
        let gap = self.gap_before(&path);
        let Some(known) = place(&mut self.root, &path) else { return false };
        *known = node;
        if let Some(gap) = gap {
            self.write_gap(gap, &path, text);
            text.push_str(&json);
            self.last = path;
        }
        true
    }

    fn begin_text(&mut self, path: Path, quoted: &str, text: &mut String) -> bool {
        let gap = self.gap_before(&path);
        let Some(known) = place(&mut self.root, &path) else { return false };
        *known = Node::Text(Text::default());
        if let Some(gap) = gap {
            self.write_gap(gap, &path, text);
            text.push('"');
            self.in_string = true;
            self.last.clone_from(&path);
        }
        self.grow(&path, quoted, text)
    }

    /// Appends to a string.
    fn grow(&mut self, path: &Path, quoted: &str, text: &mut String) -> bool {
        let Some(Node::Text(known)) = place(&mut self.root, path) else { return false };
        let from = known.value.len();
        known.push(quoted);
        let added = &known.value[from..];
        let is_last = self.in_string && self.last == *path;
        self.out_of_order |= !added.is_empty() && !is_last;
        if !self.out_of_order {
            write_inside(added, text);
        }
        true
    }

    /// Returns whether the last element extended the string that ends the text, and the string will continue.
    pub fn ends_in_text(&self) -> bool {
        self.extends
    }

    /// Appends to the string that ends the text.
    pub fn grow_last(&mut self, quoted: &str, text: &mut String) {
        let last = std::mem::take(&mut self.last);
        if let Some(Node::Text(known)) = place(&mut self.root, &last) {
            let from = known.value.len();
            known.push(quoted);
            write_inside(&known.value[from..], text);
        }
        self.last = last;
    }

    /// Ends a string.
    fn finish_text(&mut self, path: &Path, text: &mut String) {
        if let Some(Node::Text(known)) = place(&mut self.root, path) {
            let from = known.value.len();
            known.finish();
            let added = &known.value[from..];
            let is_last = self.in_string && self.last == *path;
            self.out_of_order |= !added.is_empty() && !is_last;
            if is_last && !self.out_of_order {
                write_inside(added, text);
                text.push('"');
                self.in_string = false;
            }
        }
    }

    /// Returns the gap in the text between the last value and a new one; `None` if the text cannot be extended.
    fn gap_before(&mut self, path: &Path) -> Option<Gap> {
        let common = self.last.iter().zip(path).take_while(|(last, step)| last == step).count();
        let known = path.get(..=common).and_then(|begin| look_up(&mut self.root, begin));
        let length = match (path.get(common), known) {
            (Some(Step::Name(_)), Some(Known { is_there: false, .. })) => Some(0),
            (Some(Step::Index(_)), Some(Known { is_there: false, length })) => Some(length),
            _ => None,
        };
        self.out_of_order |= length.is_none();
        if self.out_of_order { None } else { length.map(|length| Gap { common, length }) }
    }

    /// Writes the text between the last value and a new one.
    fn write_gap(&mut self, gap: Gap, path: &Path, text: &mut String) {
        if std::mem::take(&mut self.in_string) {
            text.push('"');
        }
        let closed = self.last.get(gap.common + 1..).unwrap_or_default();
        text.extend(closed.iter().rev().map(Step::bracket));
        for (position, step) in path.iter().enumerate().skip(gap.common) {
            let is_first = position > gap.common || self.last.is_empty();
            let length = if is_first { 0 } else { gap.length };
            match (step, is_first) {
                (_, false) => text.push(','),
                (Step::Name(_), true) => text.push('{'),
                (Step::Index(_), true) => text.push('['),
            }
            match step {
                Step::Name(name) => {
                    write_string(name, text);
                    text.push(':');
                }
                Step::Index(index) => (length..*index).for_each(|_| text.push_str("null,")),
            }
        }
    }

    /// Returns whether a string will continue.
    pub fn has_open_text(&self) -> bool {
        !self.open.is_empty()
    }

    /// Completes the JSON text. Returns `false` if it had to be rewritten.
    pub fn close(&mut self, text: &mut String) -> bool {
        for path in std::mem::take(&mut self.open) {
            self.finish_text(&path, text);
        }
        if self.out_of_order {
            text.clear();
            self.root.write(text);
            return false;
        }
        if std::mem::take(&mut self.in_string) {
            text.push('"');
        }
        if self.last.is_empty() {
            text.push('{');
        }
        let open = self.last.get(1..).unwrap_or_default();
        text.extend(open.iter().rev().map(Step::bracket));
        text.push('}');
        true
    }

    /// Appends the arguments so far as JSON.
    pub fn write(&self, out: &mut String) {
        self.root.write(out);
    }
}

/// The gap in the text between the last value and a new one.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// The number of common steps of the two paths.
    common: usize,
    /// The current length of the list there.
    length: usize,
}

/// The state at the last step of a path.
#[derive(Debug, Clone, Copy)]
struct Known {
    is_there: bool,
    /// The length of the list that contains it; 0 for an object.
    length: usize,
}

/// Looks up a value. Returns `None` if the path contradicts the existing values.
fn look_up(root: &mut Object, path: &[Step]) -> Option<Known> {
    let (last, before) = path.split_last()?;
    if before.is_empty() {
        return match last {
            Step::Name(name) => Some(Known { is_there: root.get_mut(name).is_some(), length: 0 }),
            Step::Index(_) => None,
        };
    }
    match (place(root, before)?, last) {
        (Node::Object(object), Step::Name(name)) => {
            Some(Known { is_there: object.get_mut(name).is_some(), length: 0 })
        }
        (Node::Array(elements), Step::Index(index)) => {
            Some(Known { is_there: *index < elements.len(), length: elements.len() })
        }
        _ => None,
    }
}

/// Returns the value at a path, which is created as `null` if it is missing; `None` if the path contradicts the
/// existing values.
fn place<'n>(root: &'n mut Object, path: &[Step]) -> Option<&'n mut Node> {
    let (Step::Name(name), rest) = path.split_first()? else { return None };
    let mut node = root.entry(name);
    for step in rest {
        if matches!(node, Node::Raw(raw) if &**raw == "null") {
            *node = match step {
                Step::Name(_) => Node::Object(Object::default()),
                Step::Index(_) => Node::Array(Vec::new()),
            };
        }
        node = match (node, step) {
            (Node::Object(object), Step::Name(name)) => object.entry(name),
            (Node::Array(elements), Step::Index(index)) => {
                if *index > elements.len() + MAX_LEFT_OUT {
                    return None;
                }
                while elements.len() <= *index {
                    elements.push(Node::Raw("null".into()));
                }
                elements.get_mut(*index)?
            }
            _ => return None,
        };
    }
    Some(node)
}

/// Appends text in its form inside a JSON string.
fn write_inside(value: &str, out: &mut String) {
    if value.is_empty() {
        return;
    }
    let begin = out.len();
    write_string(value, out);
    out.pop();
    out.remove(begin);
}

/// Parses a path of names and indices: `$.a[0]['b c']`, as in RFC 9535.
fn parse_path(text: &str) -> Option<Path> {
    let mut rest = text.strip_prefix('$')?;
    let mut path = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            path.push(Step::Name(name[..end].into()));
            rest = &name[end..];
        } else {
            let inside = rest.strip_prefix('[')?;
            let quote = inside.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            let step;
            (step, rest) = match quote {
                Some(quote) => quoted_name(&inside[1..], quote)?,
                None => {
                    let (index, rest) = inside.split_once(']')?;
                    (Step::Index(index.parse().ok()?), rest)
                }
            };
            path.push(step);
        }
    }
    matches!(path.first(), Some(Step::Name(_))).then_some(path)
}

/// Returns a name up to its quote and bracket, and the rest of the text.
fn quoted_name(text: &str, quote: char) -> Option<(Step, &str)> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => {
                let mut name = Text::default();
                name.push(&text[..at]);
                name.finish();
                return Some((Step::Name(name.value.into()), text[at + 1..].strip_prefix(']')?));
            }
            _ => {}
        }
    }
    None
}
