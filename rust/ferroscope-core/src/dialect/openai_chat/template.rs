//! The shortcut for the events that make up almost every stream: the last event again, with other text.
//!
//! An event whose bytes equal the last one's up to the inside of a string, and again behind it, says the same
//! but for that string. So a member that is merely replaced needs no second look, and the strings that grow
//! are found by comparing bytes instead of reading JSON. That this equals the long way is by construction;
//! the tests compare both all the same.

use crate::json::scan_string;
use std::ops::Range;

/// A string in an event that the next event may have otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The text between its quotes.
    pub span: Range<usize>,
    /// What it means.
    pub target: Target,
}

/// What a string adds to, the choice given by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing: padding.
    Nowhere,
    /// The text of the message.
    Content(usize),
    /// The reasoning field of that rank.
    Reasoning(usize, usize),
    /// The arguments of the tool call at that position.
    Arguments(usize, usize),
}

/// The last event, if the next one may be a variation of it.
#[derive(Debug, Default)]
pub struct Template {
    data: Vec<u8>,
    holes: Vec<Hole>,
}

/// More holes than this are no variation of one text.
const MAX_HOLES: usize = 4;

impl Template {
    /// Remembers an event and its holes, or forgets the last one.
    pub fn set(&mut self, data: Option<&str>, holes: &mut Vec<Hole>) {
        self.data.clear();
        self.holes.clear();
        if let Some(data) = data
            && holes.len() <= MAX_HOLES
        {
            holes.sort_by_key(|hole| hole.span.start);
            self.data.extend_from_slice(data.as_bytes());
            self.holes.append(holes);
        }
        holes.clear();
    }

    /// The strings of an event that varies the last one, each with its target.
    pub fn vary<'d>(&self, data: &'d str) -> Option<Variation<'d>> {
        let bytes = data.as_bytes();
        let mut found = Variation { texts: [""; MAX_HOLES], targets: [Target::Nowhere; MAX_HOLES], count: 0 };
        let (mut known, mut at) = (0, 0);
        for hole in &self.holes {
            let fixed = &self.data[known..hole.span.start];
            if !bytes.get(at..)?.starts_with(fixed) {
                return None;
            }
            at += fixed.len();
            let end = scan_string(bytes, at).ok()?.quote;
            found.texts[found.count] = &data[at..end];
            found.targets[found.count] = hole.target;
            found.count += 1;
            (known, at) = (hole.span.end, end);
        }
        (found.count > 0 && self.data[known..] == bytes[at..]).then_some(found)
    }
}

/// The strings of an event that varies the last one.
pub struct Variation<'d> {
    texts: [&'d str; MAX_HOLES],
    targets: [Target; MAX_HOLES],
    count: usize,
}

impl<'d> IntoIterator for Variation<'d> {
    type Item = (Target, &'d str);
    type IntoIter = std::iter::Take<
        std::iter::Zip<std::array::IntoIter<Target, MAX_HOLES>, std::array::IntoIter<&'d str, MAX_HOLES>>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.targets.into_iter().zip(self.texts).take(self.count)
    }
}
