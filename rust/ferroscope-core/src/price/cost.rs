//! An exact, itemised cost from counts and rows. Integers only.

use super::decimal;
use super::table::{Model, Row, RowRates, USER};
use super::when::CallConditions;
use crate::providers::facts;
use crate::usage::{Segment, Unit, Wire};
use std::borrow::Cow;
use std::sync::Arc;

/// What a total is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Every count has a price.
    Exact,
    /// The provider stated what it charges.
    Reported,
    /// The counts were estimated, because the provider could not say them.
    Estimate,
    /// Something that was used has no price: there is no total, only a lower bound.
    Partial,
    /// Nothing is charged.
    Free,
    /// No table has the model.
    UnknownModel,
    /// The provider said nothing about usage.
    NoUsage,
    /// The usage contradicts itself.
    InconsistentUsage,
}

impl Status {
    /// The name in the API.
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
    /// What it is called with this provider.
    pub item: Cow<'static, str>,
    /// What was counted; `None` for a charge that the provider states.
    pub unit: Option<Unit>,
    /// In millionths.
    pub count: i128,
    /// In atto-USD for `per` units.
    pub price: i128,
    /// How many units the price is for.
    pub per: u32,
    /// In atto-USD.
    pub amount: i128,
    /// The way of serving and the threshold that made the price: `batch`, `priority`, `>200000`.
    pub tier: String,
    /// Why it is this price, where that is not plain.
    pub why: String,
    /// The source of the price, and the day it was checked.
    pub source: Arc<str>,
    /// As written in the table.
    pub checked: Arc<str>,
}

/// A factor that a user puts on a provider or a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor(pub i64, pub i64);

/// A line before its amount is worked out: counts of one price are added first, so that nothing is rounded twice.
#[derive(Debug)]
struct Line {
    item: Cow<'static, str>,
    unit: Unit,
    count: i128,
    /// In nano-USD for `unit.per()`.
    price: i64,
    /// What the price is multiplied with.
    factor: (i128, i128),
    tier: String,
    why: String,
    source: Arc<str>,
    checked: Arc<str>,
}

/// What pricing one segment after the other collects.
#[derive(Debug, Default)]
pub(super) struct Bill {
    lines: Vec<Line>,
    /// What had to be assumed.
    pub notes: Vec<String>,
    /// What has no price, in words.
    pub unpriced: Vec<String>,
    /// Whether a row says that nothing is charged.
    pub free: bool,
}

/// What happens on the way through the counts of a segment.
enum Step<'a> {
    /// A count has a price.
    Charge { found: Found<'a>, count: i128, factor: (i128, i128), user: bool, free: bool },
    /// A count has none.
    Unpriced(Unit),
    /// A unit has a price, and its count was not reported.
    Unreported(Unit),
    /// No row speaks of the way in which the call was served.
    Unserved(Mode),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Batch,
    Tier,
    Speed,
}

/// Goes through the counts of a segment at the prices of a model.
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
        // A batch or a tier that no row speaks of would silently be charged as the standard one.
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
    // A model that charges nothing for a unit needs no count of it: an embedding has no output.
    for &unit in segment.unreported.iter().filter(|_| free.is_none()) {
        if find(model, unit, segment.prompt, now).is_some_and(|found| found.price > 0) {
            step(Step::Unreported(unit));
        }
    }
}

/// The factors of rows on a price. What a user wrote is the price, whatever the built-in table knows of discounts.
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

/// The amount of a line in atto-USD, and whether nothing was rounded; `None` if a number does not fit.
fn amount(count: i128, price: i64, per: u32, factor: (i128, i128)) -> Option<(i128, bool)> {
    // Millionths of a unit times nano-USD are 10^-15 USD, a thousand atto-USD.
    let top = count.checked_mul(i128::from(price).checked_mul(factor.0)?)?.checked_mul(1_000)?;
    let bottom = i128::from(per).checked_mul(factor.1)?;
    Some((decimal::divide(top, bottom), top % bottom == 0))
}

/// The total alone, without allocating; `None` if there is none or if it takes the whole bill to tell.
pub(super) fn total(
    model: &Model,
    segment: &Segment,
    now: &CallConditions<'_>,
    user: Option<Factor>,
) -> Option<i128> {
    let mut sum = Some(0_i128);
    walk(model, segment, now, user, &mut |step| {
        sum = match (sum, step) {
            (Some(sum), Step::Charge { found, count, factor, .. }) => {
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
    /// Adds the counts of a segment at the prices of a model.
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

    /// The items with their amounts; `None` if a number does not fit.
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

/// The price of a unit in a situation.
struct Found<'a> {
    row: &'a Row,
    unit: Unit,
    /// In nano-USD.
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

/// Whether a rate is already the one of the way of serving that a factor is for.
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

/// The part of a whole that a free model need not tell apart.
fn whole(unit: Unit) -> Unit {
    unit.fallbacks()
        .iter()
        .map(|(other, _)| *other)
        .find(|other| matches!(other, Unit::Input | Unit::Output))
        .unwrap_or(unit)
}

/// What the unit is called with a wire format or a provider, where that differs from the plain word.
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
