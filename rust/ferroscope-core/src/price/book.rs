//! The tables of a process, and the search for a model in them.

use super::BUILT_IN;
use super::bill::Factor;
use super::call::Call;
use super::name_match::{self, MatchKind};
use super::table::{Model, Row, Table, USER};
use crate::providers::{facts, makers, provider_id, provider_of_host};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

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

    /// Returns the providers of the built-in table that have a model of that name.
    #[must_use]
    pub fn providers_of(&self, model: &str) -> Vec<String> {
        let has = |provider: &&str| self.find(provider, model, None).is_some();
        self.base().providers().filter(has).map(str::to_owned).collect()
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

    pub(super) fn find_any(&self, provider: &str, model: &str, call: &Call) -> Option<Found> {
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

    pub(super) fn factor(&self, provider: &str, asked: &str, model: &Model) -> Option<Factor> {
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
}

/// Returns whether two models have the same prices, regardless of their names.
fn has_same_prices(a: &Model, b: &Model) -> bool {
    a.rows.len() == b.rows.len()
        && a.rows.iter().zip(&b.rows).all(|(x, y)| x.when == y.when && x.rates == y.rates)
}
