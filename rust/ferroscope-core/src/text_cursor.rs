//! Reads a growing text again and again, at the cost of what was added in between.

/// A piece of a text: a number that is its own among the pieces of the text, and what it contains so far.
pub type Piece<'a> = (u64, &'a str);

/// The difference between two readings of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This was appended; empty if nothing was.
    Appended(String),
    /// The text changed before its end. This is all of it.
    Replaced(String),
}

/// The pieces of a text as of the last reading.
#[derive(Debug, Clone, Default)]
pub struct TextCursor {
    known: Vec<(u64, usize)>,
    rewrites: u64,
}

impl TextCursor {
    /// Returns the change since the last reading.
    ///
    /// A piece only grows at its end, unless `rewrites` is another number than the last time. The text has grown at
    /// its end if all pieces but the last known one are as long as they were, and new pieces follow them.
    pub fn read(&mut self, pieces: &[Piece<'_>], rewrites: u64) -> Change {
        let last = self.known.len().saturating_sub(1);
        let grew = rewrites == self.rewrites
            && pieces.len() >= self.known.len()
            && self.known.iter().zip(pieces).enumerate().all(|(at, (&(key, length), &(now, text)))| {
                key == now && if at == last { text.len() >= length } else { text.len() == length }
            });
        let change = if grew {
            let from = |at: usize| self.known.get(at).map_or(0, |&(_, length)| length);
            let added = pieces.iter().enumerate().skip(last).map(|(at, (_, text))| &text[from(at)..]);
            Change::Appended(added.collect())
        } else {
            Change::Replaced(pieces.iter().map(|(_, text)| *text).collect())
        };
        self.rewrites = rewrites;
        self.known.truncate(if grew { last } else { 0 });
        let known = self.known.len();
        self.known.extend(pieces.iter().skip(known).map(|&(key, text)| (key, text.len())));
        change
    }
}
