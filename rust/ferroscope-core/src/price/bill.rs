//! An exact, itemized cost from counts and rows, with integer arithmetic only.

use super::decimal;
use super::table::{Model, Row, RowRates, USER, ratio};
use super::when::CallConditions;
use crate::providers::facts;
use crate::usage::{Segment, Unit, Wire};
use std::borrow::Cow;
use std::sync::Arc;

/// The reliability of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Every count has a price.
    Exact,
    /// The provider reported its charge.
    Reported,
    /// The counts are an estimate, because the provider did not report them.
    Estimate,
    /// Something that was used has no price, so there is no total, only a lower bound.
    Partial,
    /// Nothing is charged.
    Free,
    /// No table has the model.
    UnknownModel,
    /// The provider did not report usage.
    NoUsage,
    /// The usage contradicts itself.
    InconsistentUsage,
}

impl Status {
    /// Returns the name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Exact => "exact",
            Status::Reported => "reported",
            Status::Estimate => "estimate",
            Status::Partial => "partial",
            Status::Free => "free",
            Status::UnknownModel => "unknown_model",
            Status::NoUsage => "no_usage",
            Status::InconsistentUsage => "inconsistent_usage",
        }
    }
}

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The provider's name for it.
    pub item: Cow<'static, str>,
    /// The counted unit; `None` for a charge that the provider reports.
    pub unit: Option<Unit>,
    /// The count, in millionths.
    pub count: i128,
    /// The price in atto-USD for `per` units.
    pub price: i128,
    /// The number of units of the price.
    pub per: u32,
    /// The amount in atto-USD.
    pub amount: i128,
    /// The service mode and the threshold of the price: `batch`, `priority`, `>200000`.
    pub tier: String,
    /// The reason for this price, if it is not obvious.
    pub why: String,
    /// The source of the price.
    pub source: Arc<str>,
    /// The day when the price was checked, as in the table.
    pub checked: Arc<str>,
}

/// A factor that a user registered for a provider or a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor(pub i64, pub i64);

impl Factor {
    /// Reads the factor of a contract: `11/10` or `0.78`.
    ///
    /// # Errors
    /// Returns a message if the text is not a factor.
    pub fn parse(text: &str) -> Result<Self, String> {
        ratio(text)
            .map(|(top, bottom)| Self(top, bottom))
            .ok_or_else(|| format!("{text:?} is not a factor such as \"0.78\" or \"11/10\""))
    }
}

/// A line before its amount is computed. Counts with the same price are added first, so that rounding happens once.
#[derive(Debug)]
struct Line {
    item: Cow<'static, str>,
    unit: Unit,
    count: i128,
    /// The price in nano-USD for `unit.per()` units.
    price: i64,
    /// The factor of the price.
    factor: (i128, i128),
    tier: String,
    why: String,
    source: Arc<str>,
    checked: Arc<str>,
}

/// The result of pricing one segment after the other.
#[derive(Debug, Default)]
pub(super) struct Bill {
    lines: Vec<Line>,
    /// The assumptions.
    pub notes: Vec<String>,
    /// Descriptions of what has no price.
    pub unpriced: Vec<String>,
    /// Whether a row marks the model as free.
    pub free: bool,
}

/// A step in the loop over the counts of a segment.
enum Step<'a> {
    /// A count has a price.
    Charge { found: Found<'a>, count: i128, factor: (i128, i128), user: bool, free: bool },
    /// A count has no price.
    Unpriced(Unit),
    /// A unit has a price, but its count was not reported.
    Unreported(Unit),
    /// No row covers the service mode of the call.
    Unserved(Mode),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Batch,
    Tier,
    Speed,
}

/// Visits the counts of a segment with the prices of a model.
fn walk<'a>(
    model: &'a Model,
    segment: &Segment,
    now: &CallConditions<'_>,
    user: Option<Factor>,
    step: &mut impl FnMut(Step<'a>),
) {
    let free =
        model.rows.iter().find(|row| !matches!(row.rates, RowRates::Multiplier(..)) && row.when.holds(now));
    let free = free.filter(|row| row.rates == RowRates::Free);
    let request = segment.other.is_none() && rate(model, Unit::Request, 0, now).is_some();
    let request = request.then_some((Unit::Request, decimal::ONE));
    let mut asked = false;
    for (unit, count) in segment.counts.iter().copied().chain(request) {
        let count = billed(&model.provider, unit, count);
        let found = match free {
            Some(row) => Some(Found { row, unit: whole(unit), price: 0, step: None, why: "" }),
            None => find(model, unit, segment.prompt, now),
        };
        let Some(found) = found else {
            step(Step::Unpriced(unit));
            continue;
        };
        // Without this check, a batch or tier that no row covers would be charged like the standard one.
        if unit.is_token() && free.is_none() && !asked && found.row.layer >= USER {
            asked = true;
            let stated =
                |has: &dyn Fn(&Row) -> bool| model.rows.iter().any(|row| has(row) && row.when.holds(now));
            if now.batch && !stated(&|row| row.when.batch) {
                step(Step::Unserved(Mode::Batch));
            }
            if now.tier.is_some() && !stated(&|row| row.when.tier.is_some()) {
                step(Step::Unserved(Mode::Tier));
            }
            if now.speed.is_some() && !stated(&|row| row.when.speed.is_some()) {
                step(Step::Unserved(Mode::Speed));
            }
        }
        let mut factor = (1, 1);
        for (top, bottom) in factors(model, &found, now).map(|(_, factor)| factor) {
            factor = (factor.0 * i128::from(top), factor.1 * i128::from(bottom));
        }
        let user = user.filter(|_| found.row.layer >= USER);
        if let Some(Factor(top, bottom)) = user {
            factor = (factor.0 * i128::from(top), factor.1 * i128::from(bottom));
        }
        step(Step::Charge { found, count, factor, user: user.is_some(), free: free.is_some() });
    }
    // If a model charges nothing for a unit, its count is not needed: an embedding has no output.
    for &unit in segment.unreported.iter().filter(|_| free.is_none()) {
        if find(model, unit, segment.prompt, now).is_some_and(|found| found.price > 0) {
            step(Step::Unreported(unit));
        }
    }
}

/// Returns the factors of rows for a price. A user's price is final, so discounts of the built-in table do not apply.
fn factors<'a>(
    model: &'a Model,
    found: &Found<'a>,
    now: &CallConditions<'_>,
) -> impl Iterator<Item = (&'a Row, (i64, i64))> {
    let (row, token) = (found.row, found.unit.is_token());
    let rows = model.rows.iter().filter(move |other| row.layer >= USER || other.layer < USER);
    rows.filter_map(move |other| match other.rates {
        RowRates::Multiplier(top, bottom) if token && other.when.holds(now) && !already(other, row) => {
            Some((other, (top, bottom)))
        }
        _ => None,
    })
}

/// Returns the amount of a line in atto-USD, and whether it is exact; `None` if a number overflows.
fn amount(count: i128, price: i64, per: u32, factor: (i128, i128)) -> Option<(i128, bool)> {
    // Millionths of a unit times nano-USD are 10^-15 USD, a thousand atto-USD.
    let top = count.checked_mul(i128::from(price).checked_mul(factor.0)?)?.checked_mul(1_000)?;
    let bottom = i128::from(per).checked_mul(factor.1)?;
    Some((decimal::divide(top, bottom), top % bottom == 0))
}

/// Returns only the total, without allocating; `None` if there is none, or if the total requires the whole bill.
///
/// `oldest` becomes the earliest day on which one of the prices was checked.
pub(super) fn total<'a>(
    model: &'a Model,
    segment: &Segment,
    now: &CallConditions<'_>,
    user: Option<Factor>,
    oldest: &mut Option<&'a str>,
) -> Option<i128> {
    let mut sum = Some(0_i128);
    walk(model, segment, now, user, &mut |step| {
        sum = match (sum, step) {
            (Some(sum), Step::Charge { found, count, factor, .. }) => {
                let day = &*found.row.checked;
                *oldest = Some(oldest.map_or(day, |known| known.min(day)));
                amount(count, found.price, found.unit.per(), factor)
                    .filter(|(_, exact)| *exact)
                    .and_then(|(amount, _)| sum.checked_add(amount))
            }
            _ => None,
        };
    });
    sum
}

impl Bill {
    /// Adds the counts of a segment with the prices of a model.
    pub(super) fn add(
        &mut self,
        model: &Model,
        segment: &Segment,
        wire: Wire,
        now: &CallConditions<'_>,
        user: Option<Factor>,
    ) {
        walk(model, segment, now, user, &mut |step| match step {
            Step::Unpriced(unit) => self.missing(format!("{} has no price for {}", model.id, unit.name())),
            Step::Unreported(unit) => {
                self.missing(format!("the response does not report its {} tokens", unit.name()));
            }
            Step::Unserved(mode) => self.missing(match mode {
                Mode::Batch => format!("{} has no price for a batch", model.id),
                Mode::Tier => {
                    format!("{} has no price for the tier {:?}", model.id, now.tier.unwrap_or_default())
                }
                Mode::Speed => {
                    format!("{} has no price for the speed {:?}", model.id, now.speed.unwrap_or_default())
                }
            }),
            Step::Charge { found, count, factor, user, free } => {
                self.free |= free;
                if !found.why.is_empty() && !self.notes.iter().any(|note| note == found.why) {
                    self.notes.push(found.why.to_owned());
                }
                let mut tier = vec![found.row.when.label()];
                for (row, (top, bottom)) in factors(model, &found, now) {
                    tier.push(row.when.label());
                    if row.when.modes() == 0 {
                        let times = decimal::divide(i128::from(top) * decimal::ONE, i128::from(bottom));
                        tier.push(format!("x{}", decimal::format(times, decimal::MICRO)));
                    }
                }
                tier.extend(user.then(|| "contract".to_owned()));
                tier.extend(found.step.map(str::to_owned));
                tier.retain(|part| !part.is_empty());
                tier.dedup();
                self.push(Line {
                    item: label(model, segment, wire, found.unit),
                    unit: found.unit,
                    count,
                    price: found.price,
                    factor,
                    tier: tier.join(" "),
                    why: found.why.to_owned(),
                    source: found.row.source.clone(),
                    checked: found.row.checked.clone(),
                });
            }
        });
    }

    fn missing(&mut self, what: String) {
        if !self.unpriced.contains(&what) {
            self.unpriced.push(what);
        }
    }

    fn push(&mut self, line: Line) {
        let same = self.lines.iter_mut().find(|known| {
            known.item == line.item
                && known.unit == line.unit
                && known.price == line.price
                && known.factor == line.factor
                && known.tier == line.tier
        });
        match same {
            Some(known) => known.count += line.count,
            None => self.lines.push(line),
        }
    }

    /// Returns the items with their amounts; `None` if a number overflows.
    pub(super) fn items(self) -> Option<Vec<Item>> {
        let finish = |line: Line| {
            let nano = i128::from(line.price).checked_mul(line.factor.0)?;
            let (amount, _) = amount(line.count, line.price, line.unit.per(), line.factor)?;
            Some(Item {
                item: line.item,
                unit: Some(line.unit),
                count: line.count,
                price: decimal::divide(nano.checked_mul(1_000_000_000)?, line.factor.1),
                per: line.unit.per(),
                amount,
                tier: line.tier,
                why: line.why,
                source: line.source,
                checked: line.checked,
            })
        };
        self.lines.into_iter().map(finish).collect()
    }
}

/// The price of a unit under some conditions.
struct Found<'a> {
    row: &'a Row,
    unit: Unit,
    /// The price in nano-USD.
    price: i64,
    step: Option<&'a str>,
    why: &'static str,
}

fn find<'a>(model: &'a Model, unit: Unit, prompt: i128, now: &CallConditions<'_>) -> Option<Found<'a>> {
    rate(model, unit, prompt, now).or_else(|| {
        unit.fallbacks().iter().find_map(|&(other, why)| {
            let found = rate(model, other, prompt, now)?;
            Some(Found { why, ..found })
        })
    })
}

fn rate<'a>(model: &'a Model, unit: Unit, prompt: i128, now: &CallConditions<'_>) -> Option<Found<'a>> {
    model.rows.iter().find_map(|row| {
        let rate = row.rate(unit).filter(|_| row.when.holds(now))?;
        let step = rate.steps.iter().rev().find(|step| prompt >= i128::from(step.min_tokens) * decimal::ONE);
        Some(Found {
            row,
            unit,
            price: step.map_or(rate.price, |step| step.price),
            step: step.map(|step| &*step.text),
            why: "",
        })
    })
}

/// Returns whether a rate already includes the service mode of a factor.
fn already(factor: &Row, rate: &Row) -> bool {
    (factor.when.batch && rate.when.batch)
        || (factor.when.tier.is_some() && rate.when.tier.is_some())
        || (factor.when.speed.is_some() && rate.when.speed.is_some())
}

fn billed(provider: &str, unit: Unit, count: i128) -> i128 {
    match unit {
        Unit::AudioSeconds | Unit::InputAudioSeconds => count.max(facts(provider).min_seconds * decimal::ONE),
        _ => count,
    }
}

/// Returns the unit whose count includes this one. For a free model, both cost nothing.
fn whole(unit: Unit) -> Unit {
    unit.fallbacks()
        .iter()
        .map(|(other, _)| *other)
        .find(|other| matches!(other, Unit::Input | Unit::Output))
        .unwrap_or(unit)
}

/// Returns the label of a unit for a wire format or a provider, if it differs from the general one.
fn label(model: &Model, segment: &Segment, wire: Wire, unit: Unit) -> Cow<'static, str> {
    let audio =
        || model.rows.iter().any(|row| row.rate(Unit::InputAudio).or(row.rate(Unit::OutputAudio)).is_some());
    if let Some((_, own)) = facts(&model.provider).labels.iter().find(|(known, _)| *known == unit) {
        return Cow::Borrowed(own);
    }
    let word = match (unit, wire) {
        (Unit::Output, Wire::Gemini) => "output + thoughts",
        (Unit::Output, _) if segment.reasoning_beside => "output + reasoning",
        (Unit::Input, Wire::Realtime) => "text input",
        (Unit::Output, Wire::Realtime) => "text output",
        (Unit::CacheRead, Wire::Realtime) => "cached text",
        (Unit::Input, Wire::Chat) if audio() => "text input",
        (Unit::Output, Wire::Chat) if audio() => "text output",
        (Unit::CacheRead, Wire::Chat) if audio() => "cached text",
        (Unit::CacheWrite, Wire::Anthropic) => "cache write 5m",
        (Unit::WebSearch, Wire::Anthropic) => "web searches",
        (Unit::Input, _) => "input",
        (Unit::InputAudio, _) => "audio input",
        (Unit::InputImage, _) => "image input",
        (Unit::InputVideo, _) => "video input",
        (Unit::CacheRead, _) => "cache read",
        (Unit::CacheReadAudio, _) => "cached audio",
        (Unit::CacheReadImage, _) => "cached images",
        (Unit::CacheReadVideo, _) => "cached video",
        (Unit::CacheWrite, _) => "cache write",
        (Unit::CacheWriteHour, _) => "cache write 1h",
        (Unit::Output, _) => "output",
        (Unit::OutputAudio, _) => "audio output",
        (Unit::OutputImage, _) => "image output",
        (Unit::OutputVideo, _) => "video output",
        (Unit::OutputReasoning, _) => "reasoning",
        (Unit::OutputCitation, _) => "citations",
        (Unit::WebSearch, _) => "web_search calls",
        (Unit::SocialSearch, _) => "social_search calls",
        (Unit::FileSearch, _) => "file_search calls",
        (Unit::CodeExecution, _) => "code_execution calls",
        (other, _) => other.name(),
    };
    match segment.other {
        Some((_, role)) => Cow::Owned(format!("{role} {word}")),
        None => Cow::Borrowed(word),
    }
}
