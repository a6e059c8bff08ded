//! The text inside JSON strings: its end, its escapes, and writing it.

use super::Problem;
use crate::error::JsonProblem;
use std::borrow::Cow;

/// The end of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StringEnd {
    /// Position of the closing quote.
    pub quote: usize,
    /// Whether there are escapes before it.
    pub escaped: bool,
}

/// Finds the end of the string whose first character, after the quote, is at `start`, and validates the string.
///
/// # Errors
/// Returns the position and the reason if it is not a valid string.
pub fn scan_string(bytes: &[u8], start: usize) -> Result<StringEnd, Problem> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += plain_prefix(&bytes[at.min(bytes.len())..]);
        match bytes.get(at) {
            Some(b'"') => return Ok(StringEnd { quote: at, escaped }),
            Some(b'\\') => {
                escaped = true;
                let length = match bytes.get(at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                    Some(b'u') => {
                        let digits = bytes.get(at + 2..).unwrap_or_default();
                        let valid =
                            digits.iter().take(4).take_while(|digit| digit.is_ascii_hexdigit()).count();
                        if valid < 4 {
                            let problem = if valid == digits.len() {
                                JsonProblem::UnexpectedEnd
                            } else {
                                JsonProblem::Escape
                            };
                            return Err(Problem { problem, byte: at + 2 + valid });
                        }
                        6
                    }
                    Some(_) => {
                        return Err(Problem { problem: JsonProblem::Escape, byte: at + 1 });
                    }
                    None => {
                        return Err(Problem { problem: JsonProblem::UnexpectedEnd, byte: at + 1 });
                    }
                };
                at += length;
            }
            Some(_) => {
                return Err(Problem { problem: JsonProblem::ControlCharacter, byte: at });
            }
            None => {
                return Err(Problem { problem: JsonProblem::UnexpectedEnd, byte: bytes.len() });
            }
        }
    }
}

/// Returns the number of bytes before a quote, a backslash or a control character.
///
/// Processes eight bytes at a time. Strings in these payloads are short, and calling a vector search costs more than it
/// saves for them (`benches/rust/json.rs` compares the two).
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(word) =
        bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map(u64::from_le_bytes)
    {
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // The lowest flagged byte is exact, because a borrow can only produce wrong flags above it.
        let found = (quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..]
        .iter()
        .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
        .unwrap_or(bytes.len() - at)
}

/// A string that grows by JSON-escaped pieces. A piece may end between the halves of a surrogate pair.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text so far.
    pub value: String,
    halves: Halves,
}

/// A decoder of UTF-16 code units from `\u` escapes. A lone surrogate becomes U+FFFD.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Halves {
    /// A high surrogate whose other half has not arrived.
    high: Option<u16>,
}

impl Halves {
    pub(crate) const NONE: Self = Self { high: None };

    /// Returns whether a half waits for the other one.
    pub(crate) const fn is_waiting(self) -> bool {
        self.high.is_some()
    }

    /// Adds one code unit, and emits the characters that are known now.
    pub(crate) fn unit(&mut self, unit: u16, mut emit: impl FnMut(char)) {
        if let (Some(high), 0xDC00..=0xDFFF) = (self.high, unit) {
            self.high = None;
            let scalar = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
            emit(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            return;
        }
        self.finish(&mut emit);
        match unit {
            0xD800..=0xDBFF => self.high = Some(unit),
            _ => emit(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    /// Ends a sequence. A half without its other half becomes U+FFFD.
    pub(crate) fn finish(&mut self, mut emit: impl FnMut(char)) {
        if self.high.take().is_some() {
            emit(char::REPLACEMENT_CHARACTER);
        }
    }
}

impl Text {
    /// Appends the text between the quotes of a valid JSON string.
    pub fn push(&mut self, quoted: &str) {
        if !quoted.is_empty() {
            unescape(quoted, &mut self.value, &mut self.halves);
        }
    }

    /// Ends the text. Half of a surrogate pair at its end becomes U+FFFD.
    pub fn finish(&mut self) {
        self.halves.finish(|character| self.value.push(character));
    }
}

fn unescape(quoted: &str, out: &mut String, halves: &mut Halves) {
    let mut rest = quoted;
    loop {
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        if plain > 0 {
            halves.finish(|character| out.push(character));
            out.push_str(&rest[..plain]);
        }
        let escape = &rest.as_bytes()[plain..];
        let Some(&kind) = escape.get(1) else { return };
        let unit = if kind == b'u' {
            rest.get(plain + 2..plain + 6)
                .and_then(|digits| u16::from_str_radix(digits, 16).ok())
                .unwrap_or(0xFFFD)
        } else {
            u16::from(match kind {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 0x08,
                b'f' => 0x0C,
                other => other,
            })
        };
        halves.unit(unit, |character| out.push(character));
        // The escape is complete, because the text comes from a string that was scanned to its end.
        rest = rest.get(plain + if kind == b'u' { 6 } else { 2 }..).unwrap_or_default();
    }
}

/// Returns a JSON text in which escapes of lone surrogates are replaced by U+FFFD.
pub(super) fn without_lone_halves(raw: &str) -> Cow<'_, str> {
    let unit = |at: usize| -> Option<u16> {
        let digits = raw.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'\\', &raw.as_bytes()[at..]) {
        at += found;
        match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str(&raw[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            (Some(_), _) => at += 6,
            (None, _) => at = (at + 2).min(raw.len()),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(raw);
    }
    out.push_str(&raw[copied..]);
    Cow::Owned(out)
}

/// Appends an object as JSON. `members` appends its members, each preceded by a comma.
pub(crate) fn write_object(out: &mut String, members: impl FnOnce(&mut String)) {
    let start = out.len();
    members(out);
    if out.len() == start {
        out.push('{');
    } else {
        out.replace_range(start..=start, "{");
    }
    out.push('}');
}

/// Appends a string as JSON, including quotes.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let plain = plain_prefix(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(&byte) = rest.as_bytes().get(plain) else {
            break;
        };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                use std::fmt::Write;
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[plain + 1..];
    }
    out.push('"');
}
