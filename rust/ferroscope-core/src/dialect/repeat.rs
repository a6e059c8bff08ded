//! The shortcut for the events that make up almost every stream: the last event again, with other text.
//!
//! An event whose bytes equal the last one's up to the inside of a string, and again behind it, says the same
//! but for that string. So a member that is merely replaced needs no second look, and the strings that grow
//! are found by comparing bytes instead of reading JSON. That this equals the long way is by construction;
//! the tests compare both all the same.

use crate::json::scan_string;
use std::ops::Range;

/// A string, or a whole number, in an event that the next event may have otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole<T> {
    /// The text between its quotes, or the digits of the number.
    pub span: Range<usize>,
    /// What it means.
    pub target: T,
}

/// The last event, if the next one may be a variation of it.
#[derive(Debug)]
pub struct RepeatDetector<T> {
    data: Vec<u8>,
    holes: Vec<Hole<T>>,
    /// What follows the last hole without its spaces, if it is only a quote and brackets: Anthropic pads every
    /// event there with a random number of spaces.
    tail: Vec<u8>,
}

impl<T> Default for RepeatDetector<T> {
    fn default() -> Self {
        Self { data: Vec::new(), holes: Vec::new(), tail: Vec::new() }
    }
}

/// More holes than this are no variation of one text.
const MAX_HOLES: usize = 4;

impl<T: Copy + Default> RepeatDetector<T> {
    /// Remembers an event and its holes, or forgets the last one.
    pub fn set(&mut self, data: Option<&str>, holes: &mut Vec<Hole<T>>) {
        self.data.clear();
        self.holes.clear();
        self.tail.clear();
        if let Some(data) = data
            && holes.len() <= MAX_HOLES
        {
            holes.sort_by_key(|hole| hole.span.start);
            self.data.extend_from_slice(data.as_bytes());
            self.holes.append(holes);
            let rest = &self.data[self.holes.last().map_or(0, |hole| hole.span.end)..];
            if let Some((b'"', brackets)) = rest.split_first()
                && brackets.iter().all(|byte| matches!(byte, b'}' | b']') || is_space(byte))
            {
                self.tail.extend(rest.iter().copied().filter(|byte| !is_space(byte)));
            }
        }
        holes.clear();
    }

    /// The strings and numbers of an event that varies the last one, each with its target.
    pub fn vary<'d>(&self, data: &'d str) -> Option<Variation<'d, T>> {
        let bytes = data.as_bytes();
        let mut found = Variation { texts: [""; MAX_HOLES], targets: [T::default(); MAX_HOLES], count: 0 };
        let (mut known, mut at) = (0, 0);
        for hole in &self.holes {
            let fixed = &self.data[known..hole.span.start];
            if !bytes.get(at..)?.starts_with(fixed) {
                return None;
            }
            at += fixed.len();
            let end = match fixed.last() {
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

    /// Whether that may follow the last hole.
    fn ends_with(&self, known: usize, rest: &[u8]) -> bool {
        self.data[known..] == *rest
            || !self.tail.is_empty() && rest.iter().filter(|byte| !is_space(byte)).eq(self.tail.iter())
    }
}

/// Finds the end of the whole number without a sign that begins at `start`; None if there is none.
fn scan_whole_number(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = bytes.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = digits > 1 && bytes[start] == b'0';
    (digits > 0 && !leading_zero).then_some(start + digits)
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The strings of an event that varies the last one.
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
