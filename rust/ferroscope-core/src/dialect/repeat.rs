//! A shortcut for the most common events: the previous event again, with other text.
//!
//! If an event has the same bytes as the previous one before and after the content of a string, only that string
//! differs.
//! Members that are only replaced need not be read again, and the strings that grow are found by comparing bytes
//! instead of
//! parsing JSON. By construction, the result is the same as without the shortcut; tests compare both.

use crate::json::scan_string;
use std::ops::Range;

/// A string, or a whole number, that may differ in the next event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole<T> {
    /// The text between its quotes, or the digits of the number.
    pub span: Range<usize>,
    /// The meaning of the hole.
    pub target: T,
}

/// A detector of events that vary the previous one.
#[derive(Debug)]
pub struct RepeatDetector<T> {
    data: Vec<u8>,
    holes: Vec<Hole<T>>,
    /// The bytes after the last hole without its spaces, if they are only a quote and brackets. Anthropic pads every
    /// event
    /// there with a random number of spaces.
    tail: Vec<u8>,
    /// Which holes are JSON whose numbers may differ, instead of strings; one bit each.
    counted: u8,
}

impl<T> Default for RepeatDetector<T> {
    fn default() -> Self {
        Self { data: Vec::new(), holes: Vec::new(), tail: Vec::new(), counted: 0 }
    }
}

/// The maximum number of holes in an event.
const MAX_HOLES: usize = 4;

impl<T: Copy + Default> RepeatDetector<T> {
    /// Stores an event and its holes, or clears the stored one.
    pub fn set(&mut self, data: Option<&str>, holes: &mut Vec<Hole<T>>) {
        self.set_counted(data, holes, |_| false);
    }

    /// Stores an event and its holes, some of which are JSON whose numbers may differ (token counts), instead of
    /// strings.
    pub fn set_counted(
        &mut self,
        data: Option<&str>,
        holes: &mut Vec<Hole<T>>,
        is_counted: impl Fn(T) -> bool,
    ) {
        self.counted = 0;
        self.data.clear();
        self.holes.clear();
        self.tail.clear();
        // After a backslash, digits are not a number.
        let is_escaped =
            |data: &str, hole: &Hole<T>| is_counted(hole.target) && data[hole.span.clone()].contains('\\');
        if let Some(data) = data
            && holes.len() <= MAX_HOLES
            && !holes.iter().any(|hole| is_escaped(data, hole))
        {
            holes.sort_by_key(|hole| hole.span.start);
            self.data.extend_from_slice(data.as_bytes());
            self.holes.append(holes);
            for (position, hole) in self.holes.iter().enumerate() {
                self.counted |= u8::from(is_counted(hole.target)) << position;
            }
            let rest = &self.data[self.holes.last().map_or(0, |hole| hole.span.end)..];
            if let Some((b'"', brackets)) = rest.split_first()
                && brackets.iter().all(|byte| matches!(byte, b'}' | b']') || is_space(byte))
            {
                self.tail.extend(rest.iter().copied().filter(|byte| !is_space(byte)));
            }
        }
        holes.clear();
    }

    /// Returns the strings and numbers of an event that varies the previous one, each with its target.
    pub fn vary<'d>(&self, data: &'d str) -> Option<Variation<'d, T>> {
        let bytes = data.as_bytes();
        let mut found = Variation { texts: [""; MAX_HOLES], targets: [T::default(); MAX_HOLES], count: 0 };
        let (mut known, mut at) = (0, 0);
        for (position, hole) in self.holes.iter().enumerate() {
            let fixed = &self.data[known..hole.span.start];
            if !bytes.get(at..)?.starts_with(fixed) {
                return None;
            }
            at += fixed.len();
            let end = match fixed.last() {
                _ if self.counted & (1 << position) != 0 => {
                    at + match_counts(&self.data[hole.span.clone()], &bytes[at..])?
                }
                Some(b'"') => scan_string(bytes, at).ok()?.quote,
                _ => scan_whole_number(bytes, at)?,
            };
            found.texts[found.count] = &data[at..end];
            found.targets[found.count] = hole.target;
            found.count += 1;
            (known, at) = (hole.span.end, end);
        }
        (found.count > 0 && self.ends_with(known, &bytes[at..])).then_some(found)
    }

    /// Returns whether these bytes may follow the last hole.
    fn ends_with(&self, known: usize, rest: &[u8]) -> bool {
        self.data[known..] == *rest
            || !self.tail.is_empty() && rest.iter().filter(|byte| !is_space(byte)).eq(self.tail.iter())
    }
}

/// Returns the end of the whole number without a sign that begins at `start`; `None` if there is none.
fn scan_whole_number(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = count_digits(bytes.get(start..)?);
    let leading_zero = digits > 1 && bytes[start] == b'0';
    (digits > 0 && !leading_zero).then_some(start + digits)
}

/// Returns the length of the prefix of `given` that is `known` JSON without escapes, with other whole numbers in it.
fn match_counts(known: &[u8], given: &[u8]) -> Option<usize> {
    const WORD: usize = 8;
    let (mut at, mut found) = (0, 0);
    while let Some(&byte) = known.get(at) {
        let word = known.get(at..at + WORD);
        if word.is_some() && word == given.get(found..found + WORD) {
            at += WORD;
            found += WORD;
        } else if byte.is_ascii_digit() {
            let (digits, others) = (count_digits(&known[at..]), count_digits(&given[found..]));
            // JSON does not allow `07`.
            let padded = |run: usize, first: u8| run > 1 && first == b'0';
            if others == 0 || padded(others, given[found]) && !padded(digits, byte) {
                return None;
            }
            at += digits;
            found += others;
        } else if given.get(found) == Some(&byte) {
            at += 1;
            found += 1;
        } else {
            return None;
        }
    }
    Some(found)
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The strings of an event that varies the previous one.
pub struct Variation<'d, T> {
    texts: [&'d str; MAX_HOLES],
    targets: [T; MAX_HOLES],
    count: usize,
}

impl<'d, T> IntoIterator for Variation<'d, T> {
    type Item = (T, &'d str);
    type IntoIter = std::iter::Take<
        std::iter::Zip<std::array::IntoIter<T, MAX_HOLES>, std::array::IntoIter<&'d str, MAX_HOLES>>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.targets.into_iter().zip(self.texts).take(self.count)
    }
}
