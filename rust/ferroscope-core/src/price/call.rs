//! The conditions of a call, from the caller and from the usage object.

use super::when::CallConditions;
use crate::usage::Unit;

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

/// The service mode of a call, in the table's terms; `None` is the standard one.
#[derive(Debug, Default)]
pub(super) struct Served {
    tier: Option<String>,
    batch: bool,
    speed: Option<String>,
    /// The assumption.
    pub note: Option<String>,
}

impl Served {
    /// Creates it from the caller's values, or else those of the usage object. A batch may be reported as a tier.
    pub fn new(call: &Call, tier: Option<&str>, speed: Option<&str>) -> Served {
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

    /// Returns the conditions that rows are matched with.
    pub fn conditions<'a>(&'a self, call: &'a Call, geo: Option<&'a str>) -> CallConditions<'a> {
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
