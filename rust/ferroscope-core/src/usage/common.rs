//! The common usage of all providers: input, cached, output and total tokens, as the providers count them.

use super::wire::{LARGEST, count};
use super::{Segment, Totals, Unreadable, Usage, Wire};
use crate::json::{Kind, Tape};
use crate::price::decimal;
use crate::providers::facts;

const MEMBERS: [&str; 4] = ["input_tokens", "cached_tokens", "output_tokens", "total_tokens"];

/// Reads a usage object with exactly the members of the common usage; `None` for every other one.
///
/// The common usage does not show whether its input includes the cached tokens. That depends on the provider and, for
/// some providers, on the vendor of the model.
pub(crate) fn parse_common(provider: &str, model: &str, json: &[u8]) -> Option<Result<Usage, Unreadable>> {
    let mut tape = Tape::default();
    let root = tape.read(std::str::from_utf8(json).ok()?, 8).ok()?;
    let is_common = root.kind() == Kind::Object
        && root.members().count() == MEMBERS.len()
        && MEMBERS.iter().all(|name| root.get(name).is_some());
    if !is_common {
        return None;
    }
    let tokens = |name: &str| -> Result<Option<i128>, Unreadable> {
        let Some(value) = root.get(name) else { return Ok(None) };
        let Some(micro) = count(value, name)? else { return Ok(None) };
        if micro % decimal::ONE != 0 || micro > LARGEST {
            return Err(Unreadable::Inconsistent(format!("{name} is not a whole number")));
        }
        Ok(Some(micro / decimal::ONE))
    };
    let segment = || -> Result<Segment, Unreadable> {
        Totals {
            input: tokens("input_tokens")?,
            cached: tokens("cached_tokens")?.unwrap_or(0),
            output: tokens("output_tokens")?,
            ..Totals::default()
        }
        .segment(provider, model)
    };
    let mut notes = Vec::new();
    if facts(provider).cache_beside.is_some_and(|part| model.contains(part)) {
        notes.push("the common usage has no cache writes: none were priced".into());
    }
    Some(segment().map(|segment| Usage {
        wire: Wire::Chat,
        segments: vec![segment],
        reported: None,
        tier: None,
        speed: None,
        geo: None,
        notes,
    }))
}
