//! Reads the usage object of any provider into counts that do not overlap.
//!
//! Providers disagree about what contains what: cached tokens are inside the prompt at OpenAI and beside it at
//! Anthropic, reasoning is inside the output at OpenAI and beside it in Gemini. Here every token is in one place, so
//! that nothing can be charged twice, and what cannot be (a part larger than its whole) is an error, not a number.

mod shapes;
mod split;
mod unit;
mod wire;

pub use shapes::{TokenCounts, Wire};
pub use unit::Unit;
pub use wire::{parse, token_counts};

/// What a provider says that a call used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// In which form it was said.
    pub wire: Wire,
    /// The runs of models that make up the call: one, unless the provider ran extra_conditions for it.
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
    /// Prompt tokens in the provider's own sense: with or without the cached ones.
    pub input: i128,
    /// Prompt tokens read from a cache.
    pub cached: i128,
    /// Prompt tokens written to a cache.
    pub written: i128,
    /// Tokens that tools read beside the prompt.
    pub tools: i128,
    /// Generated tokens.
    pub output: i128,
    /// Tokens in an explicit cache, times hours.
    pub storage: i128,
    /// Web searches, or groundings in them.
    pub searches: i128,
}

/// Providers whose prompt tokens leave out the cached ones, and part of the names of the models for which they do.
const BESIDE_CACHE: &[(&str, &str)] =
    &[("anthropic", ""), ("bedrock", ""), ("azure", "claude"), ("google", "claude"), ("vertex", "claude")];

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
        let (read, write) = (times(self.cached)?, times(self.written)?);
        let beside = BESIDE_CACHE.iter().any(|(who, what)| *who == provider && model.contains(what));
        let beside = if beside { read + write } else { 0 };
        let prompt = split::Prompt {
            whole: times(self.input)? + times(self.tools)? + beside,
            read,
            write,
            ..split::Prompt::default()
        };
        let mut segment = Segment { counts: Vec::with_capacity(4), ..Segment::default() };
        prompt.split(&mut segment)?;
        segment.add(Unit::Output, times(self.output)?);
        segment.add(Unit::CacheStorage, times(self.storage)?);
        segment.add(Unit::WebSearch, times(self.searches)?);
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
