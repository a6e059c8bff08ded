//! The functions of `_core` for prices. They convert arguments, call the book of the process, and convert the result.

use ferroscope_core::price::{Book, Call, Cost, Factor, Item, decimal, provider_id};
use ferroscope_core::usage::{TokenCounts, Totals, Unit};
use pyo3::exceptions::{PyLookupError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

static BOOK: LazyLock<Book> = LazyLock::new(Book::default);

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Returns the cost of a usage object (JSON), as plain values for the records of `ferroscope.prices`.
#[pyfunction]
#[pyo3(signature = (provider, model, usage, api, call))]
pub(crate) fn price_usage<'py>(
    py: Python<'py>,
    provider: &str,
    model: &str,
    usage: Option<&[u8]>,
    api: Option<&str>,
    call: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let call = read_call(call)?;
    let cost = py.detach(|| BOOK.price_json(provider, model, api, usage, &call));
    write_cost(py, &cost)
}

/// Returns the total of a call; None if it takes the itemised cost to find out.
///
/// The total consists of the nearest double and the exact decimal in USD, the provider and the model in the table, and
/// whether its prices are stale.
///
/// `host` is the host that the request went to; empty if that is not known or the prices were named explicitly.
#[pyfunction]
#[pyo3(signature = (provider, host, model, usage, at, tier, asked_tier))]
pub(crate) fn price_total(
    provider: &str,
    host: &str,
    model: &str,
    usage: &[u8],
    at: Option<f64>,
    tier: Option<String>,
    asked_tier: Option<String>,
) -> Option<(f64, String, String, String, bool)> {
    let now = now();
    let call = Call { at: at.map_or(now, |at| at as i64), now, tier, asked_tier, ..Call::default() };
    let billed_by = (!host.is_empty()).then(|| BOOK.billed_by(provider, host, model).0);
    let total = BOOK.total_json(billed_by.as_deref().unwrap_or(provider), model, None, usage, &call)?;
    let exact = decimal::format(total.atto, decimal::ATTO);
    Some((decimal::nearest(total.atto), exact, total.provider, total.model_id.to_string(), total.is_stale))
}

/// Returns the token counts of a usage object (JSON) by name; `None` for a count that the provider did not report.
#[pyfunction]
#[pyo3(signature = (usage))]
pub(crate) fn token_counts<'py>(py: Python<'py>, usage: Option<&[u8]>) -> PyResult<Bound<'py, PyDict>> {
    let counts = usage.map_or_else(TokenCounts::default, ferroscope_core::usage::token_counts);
    let named = PyDict::new(py);
    for (name, count) in counts.named() {
        named.set_item(PyString::intern(py, name), count)?;
    }
    Ok(named)
}

fn read_call(given: &Bound<'_, PyDict>) -> PyResult<Call> {
    fn take<'py, T: FromPyObjectOwned<'py>>(given: &Bound<'py, PyDict>, key: &str) -> PyResult<Option<T>> {
        match given.get_item(key)? {
            Some(value) if !value.is_none() => Ok(Some(value.extract().map_err(Into::into)?)),
            _ => Ok(None),
        }
    }
    let now = now();
    let mut counts = Vec::new();
    for (name, count) in take::<Vec<(String, String)>>(given, "counts")?.unwrap_or_default() {
        counts.push(Unit::count(&name, &count).map_err(PyValueError::new_err)?);
    }
    Ok(Call {
        at: take(given, "at")?.unwrap_or(now),
        now,
        tier: take(given, "tier")?,
        asked_tier: take(given, "asked_tier")?,
        batch: take(given, "batch")?.unwrap_or(false),
        speed: take(given, "speed")?,
        geo: take(given, "geo")?,
        region: take(given, "region")?,
        extra_conditions: take(given, "extra_conditions")?.unwrap_or_default(),
        counts,
        estimated: take(given, "estimated")?.unwrap_or(false),
        also: take(given, "also")?.unwrap_or_default(),
        assumed: take(given, "assumed")?,
        contradiction: take(given, "contradiction")?,
    })
}

fn write_cost<'py>(py: Python<'py>, cost: &Cost) -> PyResult<Bound<'py, PyDict>> {
    let amount = |atto: Option<i128>| atto.map(|atto| decimal::format(atto, decimal::ATTO));
    let answer = PyDict::new(py);
    answer.set_item(intern!(py, "status"), cost.status.name())?;
    answer.set_item(intern!(py, "total"), amount(cost.total))?;
    answer.set_item(intern!(py, "atto"), cost.total)?;
    answer.set_item(intern!(py, "usd"), cost.total.map(decimal::nearest))?;
    answer.set_item(intern!(py, "reported"), amount(cost.reported))?;
    answer.set_item(intern!(py, "table_amount"), amount(cost.table_amount))?;
    answer.set_item(intern!(py, "provider"), &cost.provider)?;
    answer.set_item(intern!(py, "model_id"), cost.model_id.as_deref())?;
    answer.set_item(intern!(py, "matched_by"), cost.matched_by)?;
    answer.set_item(intern!(py, "assumptions"), PyTuple::new(py, &cost.assumptions)?)?;
    answer.set_item(intern!(py, "url"), &*cost.url)?;
    answer.set_item(intern!(py, "version"), &cost.version)?;
    answer.set_item(intern!(py, "stale"), cost.stale.as_deref())?;
    let items = cost.items.iter().map(|item| write_item(py, item)).collect::<PyResult<Vec<_>>>()?;
    answer.set_item(intern!(py, "items"), PyTuple::new(py, items)?)?;
    Ok(answer)
}

/// item, unit, count, price, per, amount, tier, why, source, checked
fn write_item<'py>(py: Python<'py>, item: &Item) -> PyResult<Bound<'py, PyTuple>> {
    let counted = item.unit.map(|unit| {
        let count = decimal::format(item.count, decimal::MICRO);
        (unit.name(), count, decimal::format(item.price, decimal::ATTO), item.per)
    });
    let (unit, count, price, per) = match counted {
        Some((unit, count, price, per)) => (Some(unit), Some(count), Some(price), Some(per)),
        None => (None, None, None, None),
    };
    (
        &*item.item,
        unit,
        count,
        price,
        per,
        decimal::format(item.amount, decimal::ATTO),
        &item.tier,
        &item.why,
        &*item.source,
        &*item.checked,
    )
        .into_pyobject(py)
}

/// The attributes of a record, read from its `__dict__`, which is twice as fast as reading each attribute.
struct Fields<'py>(Bound<'py, PyDict>);

impl<'py> Fields<'py> {
    fn get<T: FromPyObjectOwned<'py>>(&self, name: &Bound<'py, PyString>) -> PyResult<Option<T>> {
        match self.0.get_item(name)?.filter(|value| !value.is_none()) {
            Some(value) => Ok(Some(value.extract().map_err(Into::into)?)),
            None => Ok(None),
        }
    }

    fn count(&self, name: &Bound<'py, PyString>) -> PyResult<Option<i128>> {
        let Some(value) = self.get::<Bound<'py, PyAny>>(name)? else { return Ok(None) };
        match value.extract::<i64>() {
            Ok(count) => Ok(Some(i128::from(count))),
            Err(_) => Ok(Some(value.extract::<f64>()?.round() as i128)),
        }
    }
}

/// Returns the cost of collected counts in USD; `None` if it is unknown. `metadata` has the attributes of
/// `CostMetadata`.
#[pyfunction]
#[pyo3(signature = (provider, model, metadata))]
pub(crate) fn calculate_cost(
    provider: &str,
    model: &str,
    metadata: &Bound<'_, PyAny>,
) -> PyResult<Option<f64>> {
    let py = metadata.py();
    let fields = Fields(metadata.getattr(intern!(py, "__dict__"))?.cast_into()?);
    let tokens = fields.count(intern!(py, "context_cache_tokens"))?;
    let google: Option<Bound<'_, PyAny>> = fields.get(intern!(py, "google"))?;
    let searches: Option<i64> = match google {
        Some(google) => google.getattr(intern!(py, "grounding_requests"))?.extract()?,
        None => None,
    };
    let totals = Totals {
        input: fields.count(intern!(py, "input_tokens"))?,
        cached: fields.count(intern!(py, "cached_tokens"))?.unwrap_or(0),
        output: fields.count(intern!(py, "output_tokens"))?,
        stored: tokens.zip(fields.get(intern!(py, "context_cache_hours"))?),
        searches: searches.map_or(0, i128::from),
    };
    let call = Call {
        at: now(),
        tier: fields.get(intern!(py, "tier"))?,
        batch: fields.get(intern!(py, "batch_mode"))?.unwrap_or(false),
        region: fields.get(intern!(py, "region"))?,
        ..Call::default()
    };
    let total = BOOK.total(provider, model, &totals, &call);
    Ok(total.map_err(|error| PyValueError::new_err(error.to_string()))?.map(decimal::nearest))
}

/// Adds rows, in the text form of the table, with precedence over all others.
#[pyfunction]
pub(crate) fn prices_load(text: String) -> PyResult<()> {
    BOOK.load(text).map_err(PyValueError::new_err)
}

/// Registers a name as an alias of a provider's model.
#[pyfunction]
#[pyo3(signature = (provider, name, model, region))]
pub(crate) fn prices_alias(provider: &str, name: &str, model: &str, region: Option<&str>) {
    BOOK.alias(provider, name, model, region);
}

/// Multiplies prices by the factor of a contract, such as `11/10` or `0.78`.
#[pyfunction]
#[pyo3(signature = (provider, model, factor))]
pub(crate) fn prices_scale(provider: &str, model: Option<&str>, factor: &str) -> PyResult<()> {
    BOOK.scale(provider, model, Factor::parse(factor).map_err(PyValueError::new_err)?);
    Ok(())
}

/// Removes everything that was registered.
#[pyfunction]
pub(crate) fn prices_reset() {
    BOOK.reset();
}

/// Returns the canonical id of a provider, and whether a table has it.
#[pyfunction]
pub(crate) fn prices_provider(provider: &str) -> (String, bool) {
    (provider_id(provider), BOOK.has_provider(provider))
}

/// Returns the provider whose prices apply to a call to a host, and the assumption made to find it.
#[pyfunction]
pub(crate) fn prices_billed_by(provider: &str, host: &str, model: &str) -> (String, Option<String>) {
    BOOK.billed_by(provider, host, model)
}

/// Returns the names of the extra conditions in the rows of all tables.
#[pyfunction]
pub(crate) fn prices_conditions() -> Vec<String> {
    BOOK.extra_conditions()
}

/// Returns whether a provider's name refers to a model with a price.
#[pyfunction]
pub(crate) fn prices_known(provider: &str, model: &str) -> bool {
    BOOK.find(provider, model, None).is_some()
}

/// Returns the only API of a model; `None` if it has several, or if they are unknown.
#[pyfunction]
pub(crate) fn prices_only_api(provider: &str, model: &str) -> Option<String> {
    BOOK.only_api(provider, model)
}

/// Returns version, sources, providers, and numbers of models and rows of the built-in table.
#[pyfunction]
pub(crate) fn prices_info(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let base = BOOK.base();
    let sources: Vec<(String, String)> =
        base.sources.iter().map(|(key, text)| (key.to_string(), text.clone())).collect();
    let (models, rows) = base.size();
    let providers: Vec<String> = base.providers().map(str::to_owned).collect();
    (&base.version, sources, providers, models, rows).into_pyobject(py)
}

/// Returns the rows of a model, best match first: provider, id, match kind, page, rows.
#[pyfunction]
pub(crate) fn prices_rows<'py>(
    py: Python<'py>,
    provider: &str,
    model: &str,
) -> PyResult<Bound<'py, PyTuple>> {
    let found = BOOK
        .find(provider, model, None)
        .ok_or_else(|| PyLookupError::new_err(BOOK.unknown(&provider_id(provider), model)))?;
    let rows = PyList::empty(py);
    for row in &found.model.rows {
        rows.append((&*row.when_text, row.rates.texts(), &*row.source, &*row.checked))?;
    }
    (&*found.model.provider, &*found.model.id, found.match_kind.text(), &*found.model.url, rows)
        .into_pyobject(py)
}

/// Returns the providers that have a model of that name.
#[pyfunction]
pub(crate) fn prices_where(model: &str) -> Vec<String> {
    BOOK.providers_of(model)
}
