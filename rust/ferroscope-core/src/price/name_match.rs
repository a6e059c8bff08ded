//! From the name of a model in a call or a response to the names that it may have in a table.

use super::when;
use crate::providers::{Facts, facts, provider_id};

/// A candidate name, and its kind of match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The name in lower case.
    pub name: String,
    /// The kind, shown as `matched_by`.
    pub match_kind: MatchKind,
}

/// The kind of match of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchKind {
    /// The given name.
    Exact,
    /// The name without a resource path, a provider's name or a version.
    Normalized,
    /// The base model of a fine-tuned one.
    FineTuned,
    /// The family of a dated name.
    Family,
    /// An alias that the user registered.
    Alias,
}

impl MatchKind {
    /// Returns a description.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            MatchKind::Exact => "exact name",
            MatchKind::Normalized => "normalized name",
            MatchKind::FineTuned => "fine-tuned base model",
            MatchKind::Family => "family of a dated name",
            MatchKind::Alias => "alias",
        }
    }
}

const GEOGRAPHIES: &[&str] =
    &["us-gov.", "us.", "eu.", "apac.", "jp.", "au.", "in.", "ca.", "global.", "sa.", "me.", "af."];

/// Returns the candidate names, best first. Dates stay, because removing one requires a check of the family
/// ([`undated`]).
#[must_use]
pub fn candidates(provider: &str, model: &str, region: Option<&str>) -> Vec<Candidate> {
    let given = model.trim().to_ascii_lowercase();
    let mut found: Vec<Candidate> = Vec::with_capacity(4);
    let mut push = |name: &str, match_kind: MatchKind| {
        if !name.is_empty() && found.iter().all(|known| known.name != name) {
            found.push(Candidate { name: name.to_owned(), match_kind });
        }
    };
    let facts = facts(provider);
    if let Some(region) = region.filter(|_| facts.region_in_front) {
        push(&format!("{}/{given}", region.to_ascii_lowercase()), MatchKind::Exact);
    }
    push(&given, MatchKind::Exact);
    let name = unwrapped(provider, facts, &given);
    push(name, MatchKind::Normalized);
    if facts.arn_names {
        let name = unversioned(name);
        push(name, MatchKind::Normalized);
        if let Some(plain) = GEOGRAPHIES.iter().find_map(|geo| name.strip_prefix(geo)) {
            push(plain, MatchKind::Normalized);
        }
    }
    if let Some(rest) = name.strip_prefix("ft:") {
        // ft:base:organisation:suffix:id
        let base = rest.split(':').next().unwrap_or(rest);
        push(&format!("ft:{base}"), MatchKind::FineTuned);
    }
    if let Some((base, _)) = name.split_once(".ft-") {
        push(&format!("ft:{base}"), MatchKind::FineTuned);
    }
    if let Some((base, version)) = name.split_once('@') {
        push(&format!("{base}-{version}"), MatchKind::Normalized);
        if matches!(version, "default" | "latest" | "001") {
            push(base, MatchKind::Normalized);
        }
    }
    found
}

/// Returns a name without the parts that describe a location and not a model.
fn unwrapped<'a>(provider: &str, facts: &Facts, name: &'a str) -> &'a str {
    if let Some(arn) = name.strip_prefix("arn:").filter(|_| facts.arn_names) {
        // Only a system profile names its model. Profiles of an account are opaque.
        return arn
            .rsplit_once(":inference-profile/")
            .or_else(|| arn.rsplit_once("foundation-model/"))
            .map_or("", |(_, model)| model);
    }
    if !facts.prefix.is_empty() {
        return name.strip_prefix(facts.prefix).unwrap_or(name);
    }
    if name.starts_with("projects/") || name.starts_with("publishers/") || name.starts_with("models/") {
        return name.rsplit_once("models/").map_or("", |(_, model)| model);
    }
    let prefix = name.split('/').next().unwrap_or_default();
    if prefix.len() < name.len() && provider_id(prefix) == provider {
        return &name[prefix.len() + 1..];
    }
    name
}

/// Returns a Bedrock id without `-v1:0` and similar suffixes.
fn unversioned(name: &str) -> &str {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let size = |text: &str| text == "mm" || text.strip_suffix('k').is_some_and(number);
    let mut name = name;
    if let Some((rest, tail)) = name.rsplit_once(':')
        && size(tail)
    {
        name = rest;
    }
    if let Some((rest, tail)) = name.rsplit_once(':')
        && number(tail)
    {
        name = rest;
    }
    if let Some((rest, tail)) = name.rsplit_once("-v")
        && number(tail)
    {
        name = rest;
    }
    name
}

/// Returns the family of a name that ends in a valid calendar date.
#[must_use]
pub fn undated(name: &str) -> Option<&str> {
    let tail = |length: usize| name.len().checked_sub(length).filter(|at| name.is_char_boundary(*at));
    if let Some(at) = tail(11)
        && at > 0
        && name.as_bytes()[at] == b'-'
        && when::date_parts(&name[at + 1..]).is_some_and(|(year, _, _)| (2018..2100).contains(&year))
    {
        return Some(&name[..at]);
    }
    if let Some(at) = tail(9)
        && at > 0
        && matches!(name.as_bytes()[at], b'-' | b'@')
        && name[at + 1..].is_ascii()
        && when::real_date(&name[at + 1..at + 5], &name[at + 5..at + 7], &name[at + 7..])
            .is_some_and(|(year, _, _)| (2018..2100).contains(&year))
    {
        return Some(&name[..at]);
    }
    None
}

/// Returns similar names, closest first, for the error message about an unknown name.
#[must_use]
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut close: Vec<(usize, &str)> = known
        .filter(|other| *other != "*" && other.len().abs_diff(name.len()) <= 6)
        .map(|other| (distance(name, other), other))
        .filter(|(far, other)| *far <= ((other.len() + 1) / 3).clamp(1, 4))
        .collect();
    close.sort_unstable();
    close.into_iter().take(3).map(|(_, other)| other.to_owned()).collect()
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let change = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(provider: &str, model: &str) -> Vec<String> {
        candidates(provider, model, None).into_iter().map(|candidate| candidate.name).collect()
    }

    #[test]
    fn a_name_loses_what_only_says_where_it_stands() {
        for (provider, model, expected) in [
            ("google", "models/Gemini-2.5-pro", vec!["models/gemini-2.5-pro", "gemini-2.5-pro"]),
            (
                "vertex",
                "projects/p/locations/us/publishers/google/models/gemini-2.5-pro",
                vec!["projects/p/locations/us/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"],
            ),
            ("google", "tunedModels/my-tune", vec!["tunedmodels/my-tune"]),
            ("vertex", "projects/p/locations/l/endpoints/123", vec!["projects/p/locations/l/endpoints/123"]),
            ("openai", "openai/gpt-5", vec!["openai/gpt-5", "gpt-5"]),
            ("groq", "openai/gpt-oss-120b", vec!["openai/gpt-oss-120b"]),
            (
                "openai",
                "ft:gpt-4o-2024-08-06:acme::abc",
                vec!["ft:gpt-4o-2024-08-06:acme::abc", "ft:gpt-4o-2024-08-06"],
            ),
            (
                "vertex",
                "claude-sonnet-4-5@20250929",
                vec!["claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"],
            ),
            (
                "bedrock",
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                vec![
                    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                    "us.anthropic.claude-haiku-4-5-20251001",
                    "anthropic.claude-haiku-4-5-20251001",
                ],
            ),
        ] {
            assert_eq!(names(provider, model), expected);
        }
    }

    #[test]
    fn the_profile_of_an_account_names_no_model() {
        let opaque = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abcd";
        assert_eq!(names("bedrock", opaque), [opaque]);
        let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0";
        assert_eq!(
            names("bedrock", arn),
            [arn, "us.amazon.nova-pro-v1:0", "us.amazon.nova-pro", "amazon.nova-pro"]
        );
    }

    #[test]
    fn only_a_real_date_is_cut_off() {
        for (name, expected) in [
            ("gpt-5-2025-08-07", Some("gpt-5")),
            ("claude-opus-5-20260115", Some("claude-opus-5")),
            ("claude-opus-5@20260115", Some("claude-opus-5")),
            ("model-20261340", None),
            ("model-2026-02-30", None),
            ("model-0125", None),
            ("model-70b", None),
            ("-20260115", None),
            ("modell\u{e4}-12345678", None),
        ] {
            assert_eq!(undated(name), expected, "{name}");
        }
    }

    #[test]
    fn near_misses_are_few_and_close() {
        let known = ["gpt-5", "gpt-5-mini", "gpt-4o", "claude-opus-5"];
        assert_eq!(near("gtp-5", known.into_iter()), ["gpt-5"]);
        assert_eq!(near("gpt-5-mimi", known.into_iter()), ["gpt-5-mini"]);
    }
}
