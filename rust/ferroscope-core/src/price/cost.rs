//! The cost of a call: the lines of its bill, its total and its status.

use super::bill::{self, Bill, Item, Status};
use super::book::Book;
use super::call::{Call, Served};
use super::when::instant;
use super::{ROW_DAYS, TABLE_DAYS};
use crate::providers::{facts, provider_id};
use crate::usage::{Segment, Totals, Unreadable, Usage, Wire, parse_common};
use std::borrow::Cow;
use std::sync::Arc;

/// A cost, with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The reliability of the total.
    pub status: Status,
    /// The total in atto-USD; `None` unless it is known.
    pub total: Option<i128>,
    /// The charge that the provider reports.
    pub reported: Option<i128>,
    /// The total by the table, even if the provider reports a charge.
    pub table_amount: Option<i128>,
    /// The lines of the bill.
    pub items: Vec<Item>,
    /// The provider's id in the table.
    pub provider: String,
    /// The model's id in the table.
    pub model_id: Option<Arc<str>>,
    /// The kind of match of the model's name.
    pub matched_by: Option<&'static str>,
    /// The assumptions, and what is missing.
    pub assumptions: Vec<String>,
    /// The page with the prices.
    pub url: Arc<str>,
    /// The table and its version.
    pub version: String,
    /// The reason why the prices may be out of date.
    pub stale: Option<String>,
}

/// The total of a cost, without its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The total in atto-USD.
    pub atto: i128,
    /// The provider's id in the table.
    pub provider: String,
    /// The model's id in the table.
    pub model_id: Arc<str>,
    /// Whether the prices may be out of date.
    pub is_stale: bool,
}

impl Book {
    /// Returns the total in atto-USD of counts that a caller collected; `None` if it is unknown.
    ///
    /// The call's conditions apply as in [`price`](Self::price).
    ///
    /// # Errors
    /// Returns [`UnknownProvider`] if no table has the provider.
    pub fn total(
        &self,
        provider: &str,
        model: &str,
        totals: &Totals,
        call: &Call,
    ) -> Result<Option<i128>, UnknownProvider> {
        let total = self.known_total(provider, model, totals, call);
        if total.is_none() && !self.has_provider(provider) && facts(&provider_id(provider)).routed.is_none() {
            return Err(UnknownProvider(provider.to_owned()));
        }
        Ok(total)
    }

    fn known_total(&self, provider: &str, model: &str, totals: &Totals, call: &Call) -> Option<i128> {
        if totals.input.is_none() && totals.output.is_none() {
            return None;
        }
        let found = self.find_any(provider, model, call)?;
        let segment = totals.segment(&found.provider, &found.model.id).ok()?;
        let factor = self.factor(&found.provider, model, &found.model);
        let served = Served::new(call, None, None);
        let now = served.conditions(call, None);
        bill::total(&found.model, &segment, &now, factor, &mut None).or_else(|| {
            // If an amount is rounded, the whole bill is needed: a line is rounded once, after its counts are added.
            let mut bill = Bill::default();
            bill.add(&found.model, &segment, Wire::Chat, &now, factor);
            if !bill.unpriced.is_empty() {
                return None;
            }
            bill.items()?.iter().try_fold(0_i128, |sum, item| sum.checked_add(item.amount))
        })
    }

    /// Returns the cost of a usage object as the provider sent it.
    #[must_use]
    pub fn price_json(
        &self,
        provider: &str,
        model: &str,
        api: Option<&str>,
        usage: Option<&[u8]>,
        call: &Call,
    ) -> Cost {
        let id = provider_id(provider);
        let parsed = match usage {
            Some(json) => {
                parse_common(&id, model, json).unwrap_or_else(|| crate::usage::parse(&id, api, json))
            }
            None => Err(Unreadable::Absent("no usage was reported".into())),
        };
        let contradiction = call.contradiction.as_ref();
        let parsed = match (parsed, contradiction) {
            (Ok(usage), Some(why)) if usage.reported.is_none() => Err(Unreadable::Inconsistent(why.clone())),
            (parsed, _) => parsed,
        };
        match parsed {
            Ok(usage) => self.price(provider, model, &usage, call),
            Err(why) => {
                let (status, why) = match why {
                    Unreadable::Absent(why) => (Status::NoUsage, why),
                    Unreadable::Inconsistent(why) => (Status::InconsistentUsage, why),
                };
                let mut cost = self.nothing(id, status);
                cost.assumptions.push(why);
                if let Some(found) = self.find_any(provider, model, call) {
                    cost.model_id = Some(found.model.id.clone());
                    cost.matched_by = Some(found.match_kind.text());
                }
                cost
            }
        }
    }

    /// Returns the total of [`price_json`](Self::price_json) without its items.
    ///
    /// `None` if the cost is not known or takes the whole bill to tell.
    #[must_use]
    pub fn total_json(
        &self,
        provider: &str,
        model: &str,
        api: Option<&str>,
        usage: &[u8],
        call: &Call,
    ) -> Option<Total> {
        if call.contradiction.is_some() || !call.counts.is_empty() {
            return None;
        }
        let id = provider_id(provider);
        let usage = crate::usage::parse(&id, api, usage).ok()?;
        if usage.reported.is_some() || usage.segments.iter().any(|segment| segment.other.is_some()) {
            return None;
        }
        let found = self.find_any(provider, model, call)?;
        let factor = self.factor(&id, model, &found.model);
        let served = Served::new(call, usage.tier.as_deref(), usage.speed.as_deref());
        let now = served.conditions(call, usage.geo.as_deref());
        let mut total = 0_i128;
        let mut oldest = None;
        for segment in &usage.segments {
            total = total.checked_add(bill::total(&found.model, segment, &now, factor, &mut oldest)?)?;
        }
        let is_older =
            |day: &str, most: i64| instant(day).is_some_and(|then| (call.now - then) / 86_400 > most);
        let is_stale =
            oldest.is_some_and(|day| is_older(day, ROW_DAYS)) || is_older(&self.base().version, TABLE_DAYS);
        Some(Total { atto: total, provider: id, model_id: found.model.id.clone(), is_stale })
    }

    /// Returns the cost of counts.
    #[must_use]
    pub fn price(&self, provider: &str, model: &str, usage: &Usage, call: &Call) -> Cost {
        let id = provider_id(provider);
        let mut cost = self.nothing(id, Status::Exact);
        cost.reported = usage.reported.as_ref().map(|reported| reported.atto);
        cost.assumptions.extend(call.assumed.iter().chain(&usage.notes).cloned());
        let served = Served::new(call, usage.tier.as_deref(), usage.speed.as_deref());
        cost.assumptions.extend(served.note.clone());
        let now = served.conditions(call, usage.geo.as_deref());
        let mut bill = Bill::default();
        let mut known = false;
        if let Some(found) = self.find_any(provider, model, call) {
            known = true;
            cost.model_id = Some(found.model.id.clone());
            cost.matched_by = Some(found.match_kind.text());
            cost.url = found.model.url.clone();
            cost.assumptions.extend(found.note.iter().map(|note| note.to_string()));
            let added = Segment { counts: call.counts.clone(), ..Segment::default() };
            let added = std::iter::once(&added).filter(|added| !added.counts.is_empty());
            for segment in usage.segments.iter().chain(added) {
                let other = segment
                    .other
                    .as_ref()
                    .map(|(name, _)| (name, self.find(provider, name, call.region.as_deref())));
                match other {
                    None => {
                        let factor = self.factor(&cost.provider, model, &found.model);
                        bill.add(&found.model, segment, usage.wire, &now, factor);
                    }
                    Some((name, Some(other))) => {
                        let factor = self.factor(&cost.provider, name, &other.model);
                        bill.add(&other.model, segment, usage.wire, &now, factor);
                    }
                    Some((name, None)) => {
                        bill.unpriced.push(format!("no price for {name}, which ran for this call"))
                    }
                }
            }
        } else {
            cost.assumptions.push(self.unknown(&cost.provider, model));
        }
        self.finish(cost, bill, known, call)
    }

    fn finish(&self, mut cost: Cost, bill: Bill, known: bool, call: &Call) -> Cost {
        let (unpriced, free) = (bill.unpriced.clone(), bill.free);
        cost.assumptions.extend(bill.notes.iter().cloned());
        let complete = known && unpriced.is_empty();
        cost.assumptions.extend(unpriced);
        let Some(items) = bill.items() else {
            cost.status = Status::InconsistentUsage;
            cost.assumptions.push("a count is too large".into());
            return cost;
        };
        let sum = items.iter().try_fold(0_i128, |sum, item| sum.checked_add(item.amount));
        cost.stale = self.stale(&items, call.now);
        cost.items = items;
        cost.table_amount = if complete { sum } else { None };
        cost.total = cost.table_amount;
        cost.status = match (known, complete, free) {
            (false, ..) => Status::UnknownModel,
            (_, false, _) => Status::Partial,
            (_, _, true) if sum == Some(0) => Status::Free,
            _ if call.estimated => Status::Estimate,
            _ => Status::Exact,
        };
        if let Some(reported) = cost.reported {
            cost.total = Some(reported);
            cost.status = Status::Reported;
            cost.items = vec![Item {
                item: Cow::Borrowed("as reported by the provider"),
                unit: None,
                count: 0,
                price: 0,
                per: 0,
                amount: reported,
                tier: String::new(),
                why: String::new(),
                source: cost.provider.as_str().into(),
                checked: "".into(),
            }];
        }
        cost
    }

    fn nothing(&self, provider: String, status: Status) -> Cost {
        Cost {
            status,
            total: None,
            reported: None,
            table_amount: None,
            items: Vec::new(),
            provider,
            model_id: None,
            matched_by: None,
            assumptions: Vec::new(),
            url: "".into(),
            version: self.base().version.clone(),
            stale: None,
        }
    }

    fn stale(&self, items: &[Item], now: i64) -> Option<String> {
        let age = |day: &str| instant(day).map(|then| (now - then) / 86_400);
        let row = items
            .iter()
            .filter_map(|item| age(&item.checked).map(|days| (days, item)))
            .min_by_key(|(days, _)| -days);
        if let Some((days, item)) = row.filter(|(days, _)| *days > ROW_DAYS) {
            return Some(format!("the price of {} was checked {days} days ago", item.item));
        }
        let days = age(&self.base().version).filter(|days| *days > TABLE_DAYS)?;
        Some(format!("the price table is {days} days old"))
    }
}

/// The error for a provider that no table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProvider(pub String);

impl std::fmt::Display for UnknownProvider {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "no price table has the provider {:?}; register rows for it or check the name", self.0)
    }
}

impl std::error::Error for UnknownProvider {}
