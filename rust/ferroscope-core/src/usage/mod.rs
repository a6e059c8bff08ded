//! Reads the usage object of any provider into counts that do not overlap.
//!
//! Providers disagree about what contains what: cached tokens are inside the prompt at OpenAI and beside it at
//! Anthropic, reasoning is inside the output at OpenAI and beside it in Gemini. Here every token is in one place, so
//! that nothing can be charged twice, and what cannot be (a part larger than its whole) is an error, not a number.

mod shapes;
mod split;
mod unit;
mod wire;

pub(crate) use shapes::Form;
pub use shapes::{TokenCounts, Wire};
pub use unit::Unit;
pub use wire::{parse, token_counts};

use crate::providers::facts;

/// What a provider says that a call used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// In which form it was said.
    pub wire: Wire,
    /// The runs of models that make up the call: one, unless the provider ran other models for it.
    pub segments: Vec<Segment>,
    /// What the provider itself charges, in atto-USD.
    pub reported: Option<Reported>,
    /// The tier that served the call.
    pub tier: Option<String>,
    /// The speed that served the call.
    pub speed: Option<String>,
    /// Where the call ran.
    pub geo: Option<String>,
    /// What had to be assumed to read it.
    pub notes: Vec<String>,
}

/// A charge stated by the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// In atto-USD.
    pub atto: i128,
    /// The field it stands in.
    pub field: &'static str,
}

/// One run of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// Another model than the one that was called, and what it was run as.
    pub other: Option<(String, &'static str)>,
    /// Prompt tokens, cached ones included: what thresholds are about. In millionths, as all counts.
    pub prompt: i128,
    /// Counts that do not overlap, none of them zero.
    pub counts: Vec<(Unit, i128)>,
    /// Whether reasoning was counted beside the output, and added to it.
    pub reasoning_beside: bool,
    /// What was used in an unknown amount: the provider did not report its count.
    pub unreported: Vec<Unit>,
}

impl Segment {
    /// Adds to the count of a unit.
    pub fn add(&mut self, unit: Unit, count: i128) {
        if count == 0 {
            return;
        }
        match self.counts.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, known)) => *known += count,
            None => self.counts.push((unit, count)),
        }
    }
}

/// Counts that a caller gathered, without their wire form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Prompt tokens in the provider's own sense: with or without the cached ones. `None` if they are not known.
    pub input: Option<i128>,
    /// Prompt tokens read from a cache.
    pub cached: i128,
    /// Generated tokens; `None` if they are not known.
    pub output: Option<i128>,
    /// Tokens in an explicit cache, and the hours that they are kept.
    pub stored: Option<(i128, f64)>,
    /// Web searches, or groundings in them.
    pub searches: i128,
}

impl Totals {
    /// As a segment of a call to a provider (ids as in the tables). Counts are whole numbers here.
    ///
    /// # Errors
    /// [`Unreadable::Inconsistent`] if a part exceeds its whole.
    pub fn segment(&self, provider: &str, model: &str) -> Result<Segment, Unreadable> {
        let times = |count: i128| {
            let micro = count.checked_mul(1_000_000).filter(|micro| (0..=wire::LARGEST).contains(micro));
            micro.ok_or_else(|| Unreadable::Inconsistent("a count is negative or too large".into()))
        };
        let read = times(self.cached)?;
        let is_beside = facts(provider).cache_beside.is_some_and(|part| model.contains(part));
        let whole = times(self.input.unwrap_or(0))? + if is_beside { read } else { 0 };
        let mut segment = Segment { counts: Vec::with_capacity(4), ..Segment::default() };
        split::Prompt { whole, read, ..split::Prompt::default() }.split(&mut segment)?;
        segment.add(Unit::Output, times(self.output.unwrap_or(0))?);
        if let Some((tokens, hours)) = self.stored {
            segment.add(Unit::CacheStorage, times((tokens as f64 * hours).round() as i128)?);
        }
        segment.add(Unit::WebSearch, times(self.searches)?);
        for (unit, count) in [(Unit::Input, self.input), (Unit::Output, self.output)] {
            if count.is_none() {
                segment.unreported.push(unit);
            }
        }
        Ok(segment)
    }
}

/// Why a usage object has no counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is none, or none that is known.
    Absent(String),
    /// It contradicts itself.
    Inconsistent(String),
}
