//! The text of a price table, indexed per provider on first use.
//!
//! ```text
//! # comment
//! !version <TAB> 2026-11-20
//! !source <TAB> own <TAB> what it is
//! [provider] <TAB> providers to fall back to, or - <TAB> page with the prices
//! model <TAB> = <TAB> another name <TAB> another name ...
//! model <TAB> api <TAB> the only API <TAB> source <TAB> day it was checked <TAB> name with that API only ...
//! model <TAB> conditions, or - <TAB> rates <TAB> source <TAB> day it was checked
//! ```
//!
//! A rate is `unit=price`, in USD for [`Unit::per`] units, or `unit=price,>200000:price` if the price differs for a
//! longer
//! prompt. `*=11/10` multiplies every token rate, and `free` means that the price is zero. The model `*` means all
//! models
//! of the provider. `Row::rank` defines the order in which rows are tried, not the file.

use super::decimal;
use super::when::When;
use crate::usage::Unit;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The prices of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The price in nano-USD.
    pub price: i64,
    /// The prices for longer prompts, by the shortest prompt in tokens.
    pub steps: Vec<Step>,
}

/// A price for prompts from a certain length on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The shortest such prompt, in tokens.
    pub min_tokens: i64,
    /// The price in nano-USD.
    pub price: i64,
    /// The threshold as written: `>200000`.
    pub text: Box<str>,
}

/// The content of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRates {
    /// Prices.
    Rates(Vec<(Unit, Rate)>),
    /// A factor for every token rate.
    Multiplier(i64, i64),
    /// Nothing is charged.
    Free,
}

/// The unit, the price, the number of units that it is for, and pairs of threshold and price for longer prompts.
pub type RateText = (String, String, u32, Vec<(String, String)>);

impl RowRates {
    /// Returns the rates as text. A factor has the unit `*`, and nothing the unit `free`.
    #[must_use]
    pub fn texts(&self) -> Vec<RateText> {
        let nano = |price: i64| decimal::format(i128::from(price), decimal::NANO);
        let rate = |(unit, rate): &(Unit, Rate)| {
            let steps = rate.steps.iter().map(|step| (step.text.to_string(), nano(step.price))).collect();
            (unit.name().to_owned(), nano(rate.price), unit.per(), steps)
        };
        match self {
            Self::Rates(rates) => rates.iter().map(rate).collect(),
            Self::Multiplier(top, bottom) => {
                vec![("*".to_owned(), format!("{top}/{bottom}"), 1, Vec::new())]
            }
            Self::Free => vec![("free".to_owned(), "0".to_owned(), 1, Vec::new())],
        }
    }
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The conditions of the row.
    pub when: When,
    /// The conditions as written.
    pub when_text: Box<str>,
    /// The prices.
    pub rates: RowRates,
    /// The source of the prices.
    pub source: Arc<str>,
    /// The day when they were checked, as written.
    pub checked: Arc<str>,
    /// The layer; smaller is better. Tables of the user come first, then the sources in the order of the table's head.
    pub layer: u16,
}

impl Row {
    /// Returns the order in which rows are tried: rows of the user first, then by service mode, source, conditions of
    /// time
    /// and location, and date.
    fn rank(&self, user: bool) -> impl Ord + use<> {
        let modes = std::cmp::Reverse(self.when.modes());
        let layer = if user { (self.layer, modes, 0) } else { (USER, modes, self.layer) };
        (
            layer,
            std::cmp::Reverse(self.when.specific()),
            std::cmp::Reverse(self.when.from.unwrap_or(i64::MIN)),
        )
    }

    /// Returns the price of a unit.
    #[must_use]
    pub fn rate(&self, unit: Unit) -> Option<&Rate> {
        match &self.rates {
            RowRates::Rates(rates) => rates.iter().find(|(known, _)| *known == unit).map(|(_, rate)| rate),
            _ => None,
        }
    }
}

/// Layers below this one belong to the user.
pub const USER: u16 = 1 << 15;

/// A model with its rows, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The provider.
    pub provider: Arc<str>,
    /// The id in the table.
    pub id: Arc<str>,
    /// The rows in the order in which they are tried.
    pub rows: Vec<Row>,
    /// The page with the prices.
    pub url: Arc<str>,
}

impl Model {
    /// Merges rows of other tables.
    pub fn merge(&mut self, rows: &[Row]) {
        self.rows.extend_from_slice(rows);
        self.rows.sort_by_key(|row| row.rank(row.layer < USER));
    }

    /// Returns whether the model has a price, and not only a factor.
    #[must_use]
    pub fn is_priced(&self) -> bool {
        self.rows.iter().any(|row| !matches!(row.rates, RowRates::Multiplier(..)))
    }
}

/// A price table.
#[derive(Debug)]
pub struct Table {
    text: Cow<'static, str>,
    /// The version, which is a date in the built-in table.
    pub version: String,
    /// The sources, best first: key and description.
    pub sources: Vec<(Arc<str>, String)>,
    sections: BTreeMap<String, Section>,
    layer: u16,
}

#[derive(Debug)]
struct Section {
    lines: Range<usize>,
    fallback: Vec<String>,
    url: Arc<str>,
    index: OnceLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    names: HashMap<Box<str>, u32>,
    /// The only API of a name without another API.
    only_api: HashMap<Box<str>, Box<str>>,
    models: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: Box<str>,
    lines: Range<usize>,
    model: OnceLock<Arc<Model>>,
}

impl Table {
    /// Parses the head and the sections of a table, without the models.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>, layer: u16) -> Table {
        let text = text.into();
        let mut table = Table {
            text: Cow::Borrowed(""),
            version: String::new(),
            sources: Vec::new(),
            sections: BTreeMap::new(),
            layer,
        };
        let mut open: Option<(String, usize, Vec<String>, Arc<str>)> = None;
        let mut at = 0;
        while at < text.len() {
            // The many models are parsed later, so skip to the next line that starts with a bracket.
            if open.is_some() && !text[at..].starts_with('[') {
                at = memchr::memmem::find(&text.as_bytes()[at..], b"\n[")
                    .map_or(text.len(), |found| at + found + 1);
                continue;
            }
            let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found);
            let line = &text[at..end];
            let next = (end + 1).min(text.len());
            let mut fields = line.split('\t');
            match fields.next() {
                Some("!version") => table.version = fields.next().unwrap_or_default().into(),
                Some("!source") => {
                    table.sources.push((
                        fields.next().unwrap_or_default().into(),
                        fields.next().unwrap_or_default().into(),
                    ));
                }
                Some(head) if head.starts_with('[') => {
                    if let Some((name, start, fallback, url)) = open.take() {
                        table.sections.insert(
                            name,
                            Section { lines: start..at, fallback, url, index: OnceLock::new() },
                        );
                    }
                    let fallback = fields
                        .next()
                        .unwrap_or("-")
                        .split(',')
                        .filter(|name| *name != "-")
                        .map(Into::into)
                        .collect();
                    let url = fields.next().filter(|url| *url != "-").unwrap_or_default();
                    open = Some((head.trim_matches(['[', ']']).into(), next, fallback, url.into()));
                }
                _ => {}
            }
            at = next;
        }
        if let Some((name, start, fallback, url)) = open {
            table
                .sections
                .insert(name, Section { lines: start..text.len(), fallback, url, index: OnceLock::new() });
        }
        table.text = text;
        table
    }

    /// Parses every line, for tables written by people.
    ///
    /// # Errors
    /// Returns the invalid line, and the reason.
    pub fn checked(text: String, layer: u16) -> Result<Table, String> {
        let table = Table::new(text, layer);
        let models = table
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '!', '[']));
        for (number, line) in models {
            let fields: Vec<&str> = line.split('\t').collect();
            if matches!(fields.get(1), Some(&"=" | &"api")) {
                continue;
            }
            table.row(line).map_err(|why| format!("line {}: {why}", number + 1))?;
        }
        Ok(table)
    }

    /// Returns the providers of the table, in order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// Returns whether the table has the provider.
    #[must_use]
    pub fn has(&self, provider: &str) -> bool {
        self.sections.contains_key(provider)
    }

    /// Returns the providers whose prices apply if a provider has none of its own.
    #[must_use]
    pub fn fallback(&self, provider: &str) -> &[String] {
        self.sections.get(provider).map_or(&[], |section| &section.fallback)
    }

    /// Returns the model with this name, which is in lower case.
    #[must_use]
    pub fn find(&self, provider: &str, name: &str) -> Option<Arc<Model>> {
        let section = self.sections.get(provider)?;
        let index = self.index(section);
        let entry = &index.models[*index.names.get(name)? as usize];
        Some(self.model(provider, section, entry))
    }

    /// Returns the only API of a model, by a name in lower case; `None` if it has several, or if they are unknown.
    #[must_use]
    pub fn only_api(&self, provider: &str, name: &str) -> Option<&str> {
        self.index(self.sections.get(provider)?).only_api.get(name).map(|api| &**api)
    }

    /// Returns the rows for all models of a provider.
    #[must_use]
    pub fn common(&self, provider: &str) -> Option<Arc<Model>> {
        self.find(provider, "*")
    }

    /// Returns every name of a provider with the id of its model, sorted by name.
    #[must_use]
    pub fn names(&self, provider: &str) -> Vec<(&str, &str)> {
        let Some(section) = self.sections.get(provider) else { return Vec::new() };
        let index = self.index(section);
        let mut names: Vec<(&str, &str)> =
            index.names.iter().map(|(name, at)| (&**name, &*index.models[*at as usize].id)).collect();
        names.sort_unstable();
        names
    }

    /// Returns the extra conditions in the rows of the table. Parses every line.
    pub fn extra_conditions(&self) -> impl Iterator<Item = String> {
        let lines = self.text.lines().filter(|line| !line.starts_with(['#', '!', '[']));
        let conditions = lines.filter_map(|line| line.split('\t').nth(1)).filter(|when| when.contains('='));
        let whens = conditions.filter_map(|when| When::parse(when).ok());
        whens.flat_map(When::into_extra_conditions)
    }

    /// Returns the number of models and rows.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let lines = self.text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '!', '[']));
        let (mut models, mut rows) = (0, 0);
        for line in lines {
            match line.split('\t').nth(1) {
                Some("=") => models += 1,
                Some("api") => {}
                _ => rows += 1,
            }
        }
        (models, rows)
    }

    fn index<'a>(&'a self, section: &'a Section) -> &'a Index {
        section.index.get_or_init(|| {
            let mut index = Index::default();
            let mut at = section.lines.start;
            for line in self.text[section.lines.clone()].split_inclusive('\n') {
                let range = at..at + line.len();
                at = range.end;
                let line = line.trim_end_matches('\n');
                let Some((id, rest)) = line.split_once('\t') else { continue };
                if line.starts_with(['#', '!']) {
                    continue;
                }
                let known = index.models.last().is_some_and(|last: &Entry| *last.id == *id);
                if known {
                    if let Some(last) = index.models.last_mut() {
                        last.lines.end = range.end;
                    }
                } else {
                    let number = u32::try_from(index.models.len()).unwrap_or(u32::MAX);
                    index.names.insert(id.into(), number);
                    index.models.push(Entry { id: id.into(), lines: range, model: OnceLock::new() });
                }
                if let Some(only) = rest.strip_prefix("api\t") {
                    let mut fields = only.split('\t');
                    let api: Box<str> = fields.next().unwrap_or_default().into();
                    index.only_api.extend(fields.skip(2).map(|name| (name.into(), api.clone())));
                }
                if let Some(names) = rest.strip_prefix("=\t") {
                    let number = u32::try_from(index.models.len() - 1).unwrap_or(u32::MAX);
                    for name in names.split('\t') {
                        index.names.insert(name.into(), number);
                    }
                }
            }
            index
        })
    }

    fn model(&self, provider: &str, section: &Section, entry: &Entry) -> Arc<Model> {
        let read = || {
            let lines = self.text[entry.lines.clone()].lines();
            let rows = lines.filter(|line| !matches!(line.split('\t').nth(1), Some("=" | "api")));
            // Skip invalid lines; tables of users were checked before.
            let rows: Vec<Row> = rows.filter_map(|line| self.row(line).ok()).collect();
            let mut model = Model {
                provider: provider.into(),
                id: (*entry.id).into(),
                rows: Vec::new(),
                url: section.url.clone(),
            };
            model.merge(&rows);
            Arc::new(model)
        };
        entry.model.get_or_init(read).clone()
    }

    fn row(&self, line: &str) -> Result<Row, String> {
        let mut fields = line.split('\t');
        let (Some(_), Some(when), Some(rates)) = (fields.next(), fields.next(), fields.next()) else {
            return Err("a row must have the fields model, conditions, rates, source, date".into());
        };
        let source = fields.next().unwrap_or_default();
        let position = self.sources.iter().position(|(key, _)| **key == *source).unwrap_or(0);
        let source = self
            .sources
            .get(position)
            .filter(|(key, _)| **key == *source)
            .map_or_else(|| source.into(), |(key, _)| key.clone());
        Ok(Row {
            when: When::parse(when)?,
            when_text: when.into(),
            rates: row_rates(rates)?,
            source,
            checked: fields.next().unwrap_or_default().into(),
            layer: if self.layer < USER {
                self.layer
            } else {
                self.layer + u16::try_from(position).unwrap_or(0)
            },
        })
    }
}

fn row_rates(text: &str) -> Result<RowRates, String> {
    if text == "free" {
        return Ok(RowRates::Free);
    }
    if let Some(factor) = text.strip_prefix("*=") {
        let (top, bottom) = ratio(factor).ok_or_else(|| format!("invalid factor {factor:?}"))?;
        return Ok(RowRates::Multiplier(top, bottom));
    }
    let mut rates = Vec::new();
    for item in text.split_ascii_whitespace() {
        let bad = || format!("invalid rate {item:?}");
        let (name, prices) = item.split_once('=').ok_or_else(bad)?;
        let unit = Unit::named(name).ok_or_else(|| format!("unknown unit {name:?}"))?;
        let mut parts = prices.split(',');
        let price = parts.next().and_then(price).ok_or_else(bad)?;
        let mut steps = Vec::new();
        for part in parts {
            let (limit, step) = part.split_once(':').ok_or_else(bad)?;
            let min_tokens: i64 = match limit.strip_prefix(">=") {
                Some(min) => min.parse().map_err(|_| bad())?,
                None => limit
                    .strip_prefix('>')
                    .and_then(|over| over.parse::<i64>().ok())
                    .ok_or_else(bad)?
                    .saturating_add(1),
            };
            steps.push(Step { min_tokens, price: price_or(step, &bad)?, text: limit.into() });
        }
        steps.sort_by_key(|step| step.min_tokens);
        rates.push((unit, Rate { price, steps }));
    }
    if rates.is_empty() { Err("a row needs a rate".into()) } else { Ok(RowRates::Rates(rates)) }
}

fn price_or(text: &str, bad: &dyn Fn() -> String) -> Result<i64, String> {
    price(text).ok_or_else(bad)
}

fn price(text: &str) -> Option<i64> {
    let value = decimal::parse_exact(text, decimal::NANO)?;
    i64::try_from(value).ok().filter(|price| *price >= 0)
}

/// Parses a factor: `11/10`, `2` or `0.78`.
#[must_use]
pub fn ratio(text: &str) -> Option<(i64, i64)> {
    let whole = |text: &str| text.parse::<i64>().ok();
    let (top, bottom) = match text.split_once('/') {
        Some((top, bottom)) => (whole(top)?, whole(bottom)?),
        None => {
            let micro = i64::try_from(decimal::parse_exact(text, decimal::MICRO)?).ok()?;
            let common = gcd(micro, 1_000_000);
            (micro / common, 1_000_000 / common)
        }
    };
    (top >= 0 && bottom > 0 && top <= 1_000_000_000 && bottom <= 1_000_000_000).then_some((top, bottom))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}
