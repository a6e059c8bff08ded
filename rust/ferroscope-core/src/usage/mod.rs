//! Parses the usage object of any provider into counts that do not overlap.
//!
//! Providers differ in which counts include others. At OpenAI, the prompt includes cached tokens and the output
//! includes
//! reasoning; at Anthropic the prompt excludes cached tokens, and in Gemini the output excludes reasoning. Here every
//! token
//! is in one count, so that nothing is charged twice. A contradiction (a part larger than its whole) is an error.

mod common;
mod shapes;
mod split;
mod unit;
mod wire;

pub(crate) use common::parse_common;
pub(crate) use shapes::Form;
pub use shapes::{TokenCounts, Wire};
pub use unit::Unit;
pub use wire::{parse, token_counts};

use crate::providers::facts;

/// The usage of a call, as the provider reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The form of the usage object.
    pub wire: Wire,
    /// The model runs of the call: one, unless the provider ran other models for it.
    pub segments: Vec<Segment>,
    /// The provider's own charge, in atto-USD.
    pub reported: Option<Reported>,
    /// The tier that served the call.
    pub tier: Option<String>,
    /// The speed that served the call.
    pub speed: Option<String>,
    /// The location of the call.
    pub geo: Option<String>,
    /// The assumptions made to read it.
    pub notes: Vec<String>,
}

/// A charge reported by the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The charge in atto-USD.
    pub atto: i128,
    /// The field of the charge.
    pub field: &'static str,
}

/// One run of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// The other model and its role, if the provider ran a model other than the requested one.
    pub other: Option<(String, &'static str)>,
    /// Prompt tokens including cached ones, for price thresholds. Like all counts, in millionths.
    pub prompt: i128,
    /// Counts that do not overlap. None of them is zero.
    pub counts: Vec<(Unit, i128)>,
    /// Whether reasoning was reported beside the output, and was added to it.
    pub reasoning_beside: bool,
    /// Units that were used, but whose count the provider did not report.
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

/// Counts that a caller collected, without their wire form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Prompt tokens as the provider counts them, with or without cached ones; `None` if unknown.
    pub input: Option<i128>,
    /// Prompt tokens read from a cache.
    pub cached: i128,
    /// Generated tokens; `None` if unknown.
    pub output: Option<i128>,
    /// Tokens in an explicit cache, and the hours for which they are stored.
    pub stored: Option<(i128, f64)>,
    /// Web searches, or answers grounded in them.
    pub searches: i128,
}

impl Totals {
    /// Returns the counts as a segment of a call to a provider (ids as in the tables). Counts are whole numbers.
    ///
    /// # Errors
    /// Returns [`Unreadable::Inconsistent`] if a part exceeds its whole.
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

/// The reason why a usage object has no counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is no usage object, or none with known fields.
    Absent(String),
    /// The usage object contradicts itself.
    Inconsistent(String),
}
