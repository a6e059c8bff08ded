//! The exact cost of a call: item by item, with the source of every price.
//!
//! [`Book`] contains the built-in table (`prices/table.tsv`, see [`table`]) below the rows that the user registered.
//! [`Book::price`] takes counts ([`crate::usage`]) and the [`CallConditions`] of a call. Arithmetic is on integers:
//! prices
//! in nano-USD, counts in millionths, amounts in atto-USD. Each line is rounded once, and only if its price is for 3600
//! seconds. Unknown values are not guessed: the [`Status`] shows why there is no total.

mod cost;
pub mod decimal;
mod name_match;
pub mod table;
mod when;

pub use crate::providers::{provider_id, provider_of_host};
pub use cost::{Factor, Item, Status};
pub use name_match::MatchKind;
pub use table::{Model, Table};
pub use when::{CallConditions, instant};

use crate::providers::{facts, makers};
use crate::usage::{Segment, Totals, Unit, Unreadable, Usage, Wire};
use cost::Bill;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use table::{Row, USER};

/// The table that is built into the crate.
pub const BUILT_IN: &str = include_str!("prices/table.tsv");

/// A table is stale this many days after its version.
pub const TABLE_DAYS: i64 = 60;
/// A row is stale this many days after it was checked.
pub const ROW_DAYS: i64 = 180;

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

/// The model for a name.
#[derive(Debug, Clone)]
pub struct Found {
    /// The model, with the rows of all layers.
    pub model: Arc<Model>,
    /// The id of the provider that serves the model. The model may belong to a provider that it falls back to.
    pub provider: Arc<str>,
    /// The kind of match.
    pub match_kind: MatchKind,
    /// The assumption.
    pub note: Option<Arc<str>>,
}

/// The conditions of a call, from the usage and the caller.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The time of the call, in seconds since 1970.
    pub at: i64,
    /// The current time, to detect stale prices.
    pub now: i64,
    /// The tier that served the call; if `None`, that of the usage applies.
    pub tier: Option<String>,
    /// The requested tier, which applies if the serving tier is unknown.
    pub asked_tier: Option<String>,
    /// Whether the call is part of a batch.
    pub batch: bool,
    /// The speed that served the call; if `None`, that of the usage applies.
    pub speed: Option<String>,
    /// The location of the model.
    pub geo: Option<String>,
    /// The region of the endpoint.
    pub region: Option<String>,
    /// Further conditions for rows.
    pub extra_conditions: Vec<(String, String)>,
    /// Counts that the usage lacks.
    pub counts: Vec<(Unit, i128)>,
    /// Whether the counts are an estimate.
    pub estimated: bool,
    /// Other names for the model if no table has its name: a deployment, the base of a tuned model.
    pub also: Vec<String>,
    /// The assumption made to find the provider.
    pub assumed: Option<String>,
    /// The contradiction between the counts of different events. If there is one, only a reported charge gives a cost.
    pub contradiction: Option<String>,
}

/// Tiers with the standard price, by the names of any provider.
const STANDARD: &[&str] = &[
    "",
    "auto",
    "default",
    "standard",
    "standard_only",
    "on_demand",
    "on-demand",
    "regular",
    "unspecified",
    "traffic_type_unspecified",
];
/// Provider-specific names of tiers, and the table's names.
const TIERS: &[(&str, &str)] = &[("on_demand_priority", "priority"), ("on_demand_flex", "flex")];

#[derive(Debug, Default)]
struct Layers {
    /// The user's tables, the latest first.
    tables: Vec<Table>,
    aliases: HashMap<(String, String), (String, Option<String>)>,
    /// Provider, model or `*`, and factor.
    factors: Vec<(String, String, Factor)>,
    next: u16,
}

/// The tables of a process.
#[derive(Debug)]
pub struct Book {
    base: OnceLock<Table>,
    text: Cow<'static, str>,
    layers: RwLock<Layers>,
    found: RwLock<HashMap<String, HashMap<String, Option<Found>>>>,
}

impl Default for Book {
    fn default() -> Self {
        Book::new(BUILT_IN)
    }
}

/// The number of cached names per provider. Beyond it, the cache is cleared.
const REMEMBERED: usize = 4_096;

impl Book {
    /// Creates a book over a table, which is parsed on first use.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Book {
        Book { base: OnceLock::new(), text: text.into(), layers: RwLock::default(), found: RwLock::default() }
    }

    /// Returns the built-in table.
    #[must_use]
    pub fn base(&self) -> &Table {
        self.base.get_or_init(|| Table::new(self.text.clone(), USER))
    }

    /// Adds a table of the user, with precedence over all others.
    ///
    /// # Errors
    /// Returns the line that is invalid.
    pub fn load(&self, text: String) -> Result<(), String> {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        layers.next = layers.next.saturating_add(1);
        // The latest table has the smallest layer, so it is searched first.
        let table = Table::checked(text, USER.saturating_sub(layers.next).max(1))?;
        layers.tables.insert(0, table);
        drop(layers);
        self.forget();
        Ok(())
    }

    /// Registers a name, such as a deployment, as an alias of a model.
    pub fn alias(&self, provider: &str, name: &str, model: &str, region: Option<&str>) {
        let key = (provider_id(provider), name.to_ascii_lowercase());
        let target = (model.to_owned(), region.map(str::to_owned));
        self.layers.write().unwrap_or_else(PoisonError::into_inner).aliases.insert(key, target);
        self.forget();
    }

    /// Multiplies the prices of a provider, or of one of its models, by the factor of a contract.
    pub fn scale(&self, provider: &str, model: Option<&str>, factor: Factor) {
        let model = model.unwrap_or("*").to_ascii_lowercase();
        let provider = provider_id(provider);
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        layers.factors.retain(|(p, m, _)| (p, m) != (&provider, &model));
        layers.factors.push((provider, model, factor));
    }

    /// Removes everything but the built-in table.
    pub fn reset(&self) {
        *self.layers.write().unwrap_or_else(PoisonError::into_inner) = Layers::default();
        self.forget();
    }

    fn forget(&self) {
        self.found.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns the extra conditions in the rows of all tables, sorted.
    #[must_use]
    pub fn extra_conditions(&self) -> Vec<String> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let tables = layers.tables.iter().chain(std::iter::once(self.base()));
        let mut names: Vec<String> = tables.flat_map(Table::extra_conditions).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns whether any table has the provider.
    #[must_use]
    pub fn has_provider(&self, provider: &str) -> bool {
        let provider = provider_id(provider);
        self.base().has(&provider)
            || self
                .layers
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .tables
                .iter()
                .any(|table| table.has(&provider))
    }

    /// Returns the model for a provider's name. Results are cached.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str, region: Option<&str>) -> Option<Found> {
        if region.is_none() {
            let remembered = self.found.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = remembered.get(provider).and_then(|names| names.get(model)) {
                return found.clone();
            }
        }
        let found = self.search(&provider_id(provider), model, region);
        if region.is_none() {
            let mut remembered = self.found.write().unwrap_or_else(PoisonError::into_inner);
            let names = remembered.entry(provider.to_owned()).or_default();
            if names.len() >= REMEMBERED {
                names.clear();
            }
            names.insert(model.to_owned(), found.clone());
        }
        found
    }

    /// Returns the only API of a model, such as `responses`; `None` if it has several, or if they are unknown.
    #[must_use]
    pub fn only_api(&self, provider: &str, model: &str) -> Option<String> {
        let id = provider_id(provider);
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let aliased = layers.aliases.get(&(id.clone(), model.to_ascii_lowercase()));
        let candidates = name_match::candidates(&id, aliased.map_or(model, |(target, _)| target), None);
        let base = self.base();
        let providers = || std::iter::once(&id).chain(base.fallback(&id));
        let names = candidates.iter().map(|candidate| candidate.name.as_str());
        let names = names.flat_map(|name| [Some(name), name_match::undated(name)]).flatten();
        let mut tables = layers.tables.iter().chain(std::iter::once(base));
        tables.find_map(|table| {
            let mut found = names
                .clone()
                .flat_map(|name| providers().map(move |provider| table.only_api(provider, name)));
            found.find_map(|api| api.map(str::to_owned))
        })
    }

    fn find_any(&self, provider: &str, model: &str, call: &Call) -> Option<Found> {
        let region = call.region.as_deref();
        let named = std::iter::once(model).chain(call.also.iter().map(String::as_str));
        named.into_iter().find_map(|name| self.find(provider, name, region))
    }

    /// Returns the provider whose prices apply to a call, and the assumption made to find it.
    ///
    /// A client may call another vendor's server, which its host identifies. An unknown server counts as `provider`'s
    /// own. A
    /// model that `provider` lacks is then priced by the row of its maker. An open model has no price there, because
    /// many
    /// providers serve it at their own prices.
    #[must_use]
    pub fn billed_by(&self, provider: &str, host: &str, model: &str) -> (String, Option<String>) {
        let id = provider_id(provider);
        let is_known = || self.find(&id, model, None).is_some();
        if let Some(owner) = provider_of_host(host) {
            // Prices that the program registered under a name of its own remain valid.
            let registered = !self.base().has(&id) && is_known();
            return (if registered { id } else { owner.to_owned() }, None);
        }
        if host.is_empty() {
            return (id, None);
        }
        let name = model.to_ascii_lowercase();
        if facts(&id).is_open(name.rsplit('/').next().unwrap_or_default()) {
            // Return the host as the provider. No table has it, so there is no price.
            let note =
                format!("the server {host} is unknown, and other providers than {id} serve {model} too");
            return (host.to_owned(), Some(note));
        }
        if is_known() {
            return (id, None);
        }
        let makes = |maker: &&str| self.base().find(maker, &name).is_some() && !facts(maker).is_open(&name);
        let mut found = makers().filter(makes);
        match (found.next(), found.next()) {
            (Some(maker), None) => {
                let note = format!("the server {host} is unknown: priced as {maker}, which makes the model");
                (maker.to_owned(), Some(note))
            }
            _ => (id, None),
        }
    }

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
        cost::total(&found.model, &segment, &now, factor, &mut None).or_else(|| {
            // If an amount is rounded, the whole bill is needed: a line is rounded once, after its counts are added.
            let mut bill = Bill::default();
            bill.add(&found.model, &segment, Wire::Chat, &now, factor);
            if !bill.unpriced.is_empty() {
                return None;
            }
            bill.items()?.iter().try_fold(0_i128, |sum, item| sum.checked_add(item.amount))
        })
    }

    fn search(&self, provider: &str, model: &str, region: Option<&str>) -> Option<Found> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((target, at)) = layers.aliases.get(&(provider.to_owned(), model.to_ascii_lowercase())) {
            // An alias may name itself to set the region of a deployment. It is not followed twice.
            let found = self.lookup(&layers, provider, target, at.as_deref().or(region))?;
            return Some(Found { match_kind: MatchKind::Alias, ..found });
        }
        if let Some(usual) = facts(provider).routed {
            let (real, name) = model.split_once('/').unwrap_or((usual, model));
            return self.lookup(&layers, &provider_id(real), name, region);
        }
        self.lookup(&layers, provider, model, region)
    }

    fn lookup(&self, layers: &Layers, provider: &str, model: &str, region: Option<&str>) -> Option<Found> {
        let tables = || layers.tables.iter().chain(std::iter::once(self.base()));
        let candidates = name_match::candidates(provider, model, region);
        for candidate in &candidates {
            if let Some(model) = self.gather(layers, provider, &candidate.name) {
                return Some(Found {
                    model,
                    provider: provider.into(),
                    match_kind: candidate.match_kind,
                    note: None,
                });
            }
        }
        // Use the family of a dated name if it has one price. If siblings have other prices, the date matters.
        for candidate in &candidates {
            let Some(family) = name_match::undated(&candidate.name) else { continue };
            let Some(model) = self.gather(layers, provider, family) else { continue };
            let siblings = tables().flat_map(|table| table.names(provider)).filter(|(name, id)| {
                **id != *model.id && name_match::undated(name).is_some_and(|other| other == family)
            });
            let same = siblings.into_iter().all(|(name, _)| {
                self.gather(layers, provider, name).is_some_and(|other| has_same_prices(&other, &model))
            });
            if same {
                let note = format!("{model} is priced as {family}", model = candidate.name);
                return Some(Found {
                    model,
                    provider: provider.into(),
                    match_kind: MatchKind::Family,
                    note: Some(note.into()),
                });
            }
        }
        None
    }

    /// Returns the rows of a name from all layers, with the rows for all models and those of the fallback provider.
    fn gather(&self, layers: &Layers, provider: &str, name: &str) -> Option<Arc<Model>> {
        let mut found: Option<Model> = None;
        let mut take = |model: &Model| match &mut found {
            Some(known) => {
                known.merge(&model.rows);
                if known.url.is_empty() {
                    known.url = model.url.clone();
                }
            }
            None => found = Some(model.clone()),
        };
        for table in layers.tables.iter().chain(std::iter::once(self.base())) {
            if let Some(model) = table.find(provider, name) {
                take(&model);
            }
        }
        let base = self.base();
        for other in base.fallback(provider) {
            if found.as_ref().is_some_and(Model::is_priced) {
                break;
            }
            let fallback = name_match::candidates(other, name, None)
                .into_iter()
                .find_map(|candidate| base.find(other, &candidate.name));
            if let Some(model) = fallback {
                match &mut found {
                    Some(known) => known.merge(&model.rows),
                    None => found = Some((*model).clone()),
                }
            }
        }
        let mut found = found.filter(Model::is_priced)?;
        // The rows of the provider that serves the model precede those of its maker.
        let maker = Some(&*found.provider).filter(|maker| *maker != provider);
        let common: Vec<Row> = std::iter::once(provider)
            .chain(maker)
            .flat_map(|who| {
                layers.tables.iter().chain(std::iter::once(base)).map(move |table| table.common(who))
            })
            .flatten()
            .flat_map(|model| model.rows.clone())
            .collect();
        found.merge(&common);
        Some(Arc::new(found))
    }

    fn factor(&self, provider: &str, asked: &str, model: &Model) -> Option<Factor> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        if layers.factors.is_empty() {
            return None;
        }
        let mut best = None;
        for (who, what, factor) in &layers.factors {
            if *who != provider && **who != *model.provider {
                continue;
            }
            if what == "*" {
                best = best.or(Some(*factor));
            } else if **what == *model.id || what.eq_ignore_ascii_case(asked) {
                return Some(*factor);
            }
        }
        best
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
            Some(json) => crate::usage::parse(&id, api, json),
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

    /// Returns the total of [`price_json`](Self::price_json) in atto-USD without its items, and whether it is stale.
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
    ) -> Option<(i128, bool)> {
        if call.contradiction.is_some() || !call.counts.is_empty() {
            return None;
        }
        let usage = crate::usage::parse(&provider_id(provider), api, usage).ok()?;
        if usage.reported.is_some() || usage.segments.iter().any(|segment| segment.other.is_some()) {
            return None;
        }
        let found = self.find_any(provider, model, call)?;
        let factor = self.factor(&provider_id(provider), model, &found.model);
        let served = Served::new(call, usage.tier.as_deref(), usage.speed.as_deref());
        let now = served.conditions(call, usage.geo.as_deref());
        let mut total = 0_i128;
        let mut oldest = None;
        for segment in &usage.segments {
            total = total.checked_add(cost::total(&found.model, segment, &now, factor, &mut oldest)?)?;
        }
        let is_older =
            |day: &str, most: i64| instant(day).is_some_and(|then| (call.now - then) / 86_400 > most);
        let is_stale =
            oldest.is_some_and(|day| is_older(day, ROW_DAYS)) || is_older(&self.base().version, TABLE_DAYS);
        Some((total, is_stale))
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

    /// Returns the reason why a name is unknown, with similar names.
    #[must_use]
    pub fn unknown(&self, provider: &str, model: &str) -> String {
        let base = self.base();
        if !base.has(provider) {
            return format!("no table has the provider {provider:?}");
        }
        let fallback = base.fallback(provider);
        let names = std::iter::once(provider)
            .chain(fallback.iter().map(String::as_str))
            .flat_map(|who| base.names(who));
        let close = name_match::near(&model.to_ascii_lowercase(), names.map(|(name, _)| name));
        let hint =
            if close.is_empty() { String::new() } else { format!("; close names: {}", close.join(", ")) };
        format!("no price for the model {model:?} of {provider}{hint}")
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

/// The service mode of a call, in the table's terms; `None` is the standard one.
#[derive(Debug, Default)]
struct Served {
    tier: Option<String>,
    batch: bool,
    speed: Option<String>,
    /// The assumption.
    note: Option<String>,
}

impl Served {
    /// Creates it from the caller's values, or else those of the usage object. A batch may be reported as a tier.
    fn new(call: &Call, tier: Option<&str>, speed: Option<&str>) -> Served {
        let is_standard = |word: &str| STANDARD.iter().any(|known| word.eq_ignore_ascii_case(known));
        let mut served = Served { batch: call.batch, ..Served::default() };
        let speed = call.speed.as_deref().or(speed).filter(|word| !is_standard(word));
        served.speed = speed.map(str::to_owned);
        let stated = call.tier.as_deref().or(tier);
        let Some(tier) = stated.or(call.asked_tier.as_deref()).filter(|word| !is_standard(word)) else {
            return served;
        };
        if stated.is_none() {
            served.note = Some(format!(
                "the provider did not report the tier that served the call: priced as the requested tier {tier:?}"
            ));
        }
        let tier = tier.to_ascii_lowercase();
        if tier == "batch" {
            served.batch = true;
        } else {
            let word = TIERS.iter().find(|(word, _)| *word == tier).map(|(_, word)| (*word).to_owned());
            served.tier = Some(word.unwrap_or(tier));
        }
        served
    }

    fn conditions<'a>(&'a self, call: &'a Call, geo: Option<&'a str>) -> CallConditions<'a> {
        CallConditions {
            at: call.at,
            tier: self.tier.as_deref(),
            batch: self.batch,
            speed: self.speed.as_deref(),
            geo: call.geo.as_deref().or(geo),
            region: call.region.as_deref(),
            extra_conditions: &call.extra_conditions,
        }
    }
}

/// Returns whether two models have the same prices, regardless of their names.
fn has_same_prices(a: &Model, b: &Model) -> bool {
    a.rows.len() == b.rows.len()
        && a.rows.iter().zip(&b.rows).all(|(x, y)| x.when == y.when && x.rates == y.rates)
}
