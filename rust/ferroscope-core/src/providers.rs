//! Facts about providers, from `providers.tsv`. Code asks for a fact and never compares a provider's name.

use crate::usage::{Form, Unit};
use std::collections::HashMap;
use std::sync::OnceLock;

const TEXT: &str = include_str!("providers.tsv");

/// The facts about one provider; by default none.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Whether its row prices a model of exactly that name if the server is unknown.
    pub maker: bool,
    /// The prefixes of the names of its models that other providers serve too.
    pub open: Vec<&'static str>,
    /// The form of its usage objects, if they look like another form.
    pub usage: Option<Form>,
    /// A part of the names of the models whose prompt tokens exclude cached ones.
    pub cache_beside: Option<&'static str>,
    /// Whether completion tokens exclude reasoning.
    pub reasoning_beside: bool,
    /// For a router with names of the form `provider/model`: the provider of a name without a provider.
    pub routed: Option<&'static str>,
    /// A prefix of model names that is not part of a model's id.
    pub prefix: &'static str,
    /// Whether model names are Amazon's, with ARNs, versions and geographies.
    pub arn_names: bool,
    /// Whether a model name may begin with the region of the call.
    pub region_in_front: bool,
    /// The minimum billed length of audio, in seconds.
    pub min_seconds: i128,
    /// Its own names for units.
    pub labels: Vec<(Unit, &'static str)>,
}

#[derive(Debug, Default)]
struct Providers {
    facts: HashMap<&'static str, Facts>,
    names: HashMap<&'static str, &'static str>,
    hosts: HashMap<&'static str, &'static str>,
    /// The hosts of a provider with a variable part: the text before it and after it, and the provider.
    host_patterns: Vec<(&'static str, &'static str, &'static str)>,
}

fn providers() -> &'static Providers {
    static PROVIDERS: OnceLock<Providers> = OnceLock::new();
    // A test checks every line of the file.
    PROVIDERS.get_or_init(|| read(TEXT).unwrap_or_default())
}

fn read(text: &'static str) -> Result<Providers, String> {
    let mut all = Providers::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let (Some(provider), Some(fact)) = (fields.next(), fields.next()) else {
            return Err(format!("a line must have the fields provider, fact, values; found {line:?}"));
        };
        let values: Vec<&'static str> = fields.collect();
        let facts = all.facts.entry(provider).or_default();
        match (fact, &*values) {
            ("name", names) => all.names.extend(names.iter().map(|name| (*name, provider))),
            ("host", hosts) => {
                for host in hosts {
                    match host.split_once('*') {
                        Some((start, end)) => all.host_patterns.push((start, end, provider)),
                        None => _ = all.hosts.insert(host, provider),
                    }
                }
            }
            ("maker", []) => facts.maker = true,
            ("open", names) => facts.open.extend(names),
            ("usage", [form]) => {
                facts.usage = Some(Form::named(form).ok_or_else(|| format!("unknown usage form {form:?}"))?);
            }
            ("cache", ["beside"]) => facts.cache_beside = Some(""),
            ("cache", ["beside", part]) => facts.cache_beside = Some(part),
            ("reasoning", ["beside"]) => facts.reasoning_beside = true,
            ("routed", [usual]) => facts.routed = Some(usual),
            ("prefix", [prefix]) => facts.prefix = prefix,
            ("names", ["arn"]) => facts.arn_names = true,
            ("names", ["region"]) => facts.region_in_front = true,
            ("min_seconds", [seconds]) => {
                facts.min_seconds = seconds.parse().map_err(|_| format!("{seconds:?} is not a number"))?;
            }
            ("label", [unit, word]) => {
                let unit = Unit::named(unit).ok_or_else(|| format!("unknown unit {unit:?}"))?;
                facts.labels.push((unit, word));
            }
            _ => return Err(format!("unknown fact {fact:?} of {provider}: {line:?}")),
        }
    }
    Ok(all)
}

/// Returns the facts about a provider, by its id.
pub(crate) fn facts(id: &str) -> &'static Facts {
    static NONE: OnceLock<Facts> = OnceLock::new();
    providers().facts.get(id).unwrap_or_else(|| NONE.get_or_init(Facts::default))
}

impl Facts {
    /// Returns whether others serve a model of this name too. The name is in lower case.
    pub(crate) fn is_open(&self, model: &str) -> bool {
        self.open.iter().any(|start| model.starts_with(start))
    }
}

/// Returns the ids of the providers that make models.
pub(crate) fn makers() -> impl Iterator<Item = &'static str> {
    providers().facts.iter().filter(|(_, facts)| facts.maker).map(|(id, _)| *id)
}

/// Returns the id of a provider in the tables.
#[must_use]
pub fn provider_id(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match providers().names.get(&*name) {
        Some(id) => (*id).to_owned(),
        None => name,
    }
}

/// Returns the id of the provider that a host belongs to.
#[must_use]
pub fn provider_of_host(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let all = providers();
    let is_host = |start: &str, end: &str| {
        host.len() > start.len() + end.len() && host.starts_with(start) && host.ends_with(end)
    };
    let by_pattern =
        || all.host_patterns.iter().find(|(start, end, _)| is_host(start, end)).map(|(.., id)| *id);
    all.hosts.get(&*host).copied().or_else(by_pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_understood() {
        let all = read(TEXT).unwrap();
        assert!(all.facts.len() > 30 && all.names.len() > 30 && all.hosts.len() > 30);
        let mut lines: Vec<&str> = TEXT.lines().filter(|line| !line.starts_with('#')).collect();
        let written = lines.clone();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(written, lines, "the lines are sorted, and no two are alike");
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        for line in ["acme", "acme\tshape\tround", "acme\tusage\tround", "acme\tlabel\tteleports\tjumps"] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_host_belongs_to_one_provider() {
        for (host, expected) in [
            ("api.deepseek.com", Some("deepseek")),
            ("API.DeepSeek.com.", Some("deepseek")),
            ("api.deepseek.com.evil.example", None),
            ("eu.api.openai.com", Some("openai")),
            ("acme.openai.azure.com", Some("azure")),
            (".openai.azure.com", None),
            ("us-central1-aiplatform.googleapis.com", Some("vertex")),
            ("bedrock-runtime.us-east-1.amazonaws.com", Some("bedrock")),
            ("127.0.0.1", None),
            ("", None),
        ] {
            assert_eq!(provider_of_host(host), expected, "{host}");
        }
    }
}
