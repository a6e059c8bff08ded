//! Parses usage objects by the table of their forms.

use super::shapes::{Form, Paths, SHAPES, Shape, TokenCounts, Wire};
use super::split::{Modalities, Output, Prompt};
use super::{Reported, Segment, Unit, Unreadable, Usage};
use crate::json::{Kind, Tape, Value};
use crate::price::decimal;
use crate::providers::{Facts, facts};

/// The fields with the server's charge in USD, and the decimal places of the unit.
///
/// `https://openrouter.ai/docs/use-cases/usage-accounting`, `https://docs.x.ai/docs/guides/cost-tracking`.
const CHARGES: &[(&str, u32)] =
    &[("cost_in_usd_ticks", 10), ("cost", 0), ("cost.total_cost", 0), ("estimated_cost", 0)];

/// Tool calls in a complete response, which its usage omits.
const OUTPUT_CALLS: &[(&str, Unit)] = &[
    ("output[type=web_search_call]#", Unit::WebSearch),
    ("output[type=file_search_call]#", Unit::FileSearch),
];

/// The paths of the usage in a complete response.
const ROOTS: &[&str] = &["usage", "usageMetadata", "usage_metadata", "response.usage", "meta", "usage_info"];

/// A complete response may contain arbitrary tool arguments.
const DEPTH: usize = 256;

/// Parses a usage object, or a complete response with one, as JSON.
///
/// `provider` is the id in the price table; `api` is a hint for the two forms that look alike.
///
/// # Errors
/// Returns [`Unreadable`] if there is no usage, or if it contradicts itself.
pub fn parse(provider: &str, api: Option<&str>, json: &[u8]) -> Result<Usage, Unreadable> {
    let mut tape = Tape::default();
    let (root, value) = find(&mut tape, json)?;
    let mut usage = Usage {
        wire: Wire::Charge,
        segments: Vec::new(),
        reported: charge(value)?,
        tier: first_text(
            root,
            value,
            &[
                "service_tier",
                "serviceTier",
                "serviceTier.type",
                "service_tier.type",
                "trafficType",
                "traffic_type",
            ],
        ),
        speed: first_text(root, value, &["speed"]),
        geo: first_text(root, value, &["inference_geo"]),
        notes: Vec::new(),
    };
    let facts = facts(provider);
    let Some(shape) = shape_of(facts, api, value) else {
        return if usage.reported.is_some() {
            Ok(usage)
        } else if value.members().next().is_none() {
            Err(Unreadable::Absent("the usage object is empty".into()))
        } else {
            Err(Unreadable::Absent("the usage object has no known field".into()))
        };
    };
    usage.wire = shape.wire;
    match segments(facts, shape, root, value, &mut usage.notes) {
        Ok(segments) => usage.segments = segments,
        // A reported charge does not depend on the counts.
        Err(Unreadable::Inconsistent(why)) if usage.reported.is_some() => usage.notes.push(why),
        Err(why) => return Err(why),
    }
    if shape.wire == Wire::Cohere && value.get("billed_units").is_none() {
        usage.notes.push("no billed units: the token counts were used".into());
    }
    Ok(usage)
}

/// Returns the token counts of a usage object, or of a complete response with one, as JSON.
///
/// A count that is missing, null, negative, not a whole number or beyond 10^15 is `None`. The other counts remain
/// readable.
#[must_use]
pub fn token_counts(json: &[u8]) -> TokenCounts {
    let mut tape = Tape::default();
    let Ok((_, value)) = find(&mut tape, json) else { return TokenCounts::default() };
    // Providers differ in what a count includes, not in its path.
    let Some(shape) = shape_of(&Facts::default(), None, value) else { return TokenCounts::default() };
    TokenCounts::read(shape, |paths| {
        let counts = paths.iter().filter_map(|path| total(value, path).ok().flatten());
        let most = counts.max().filter(|count| count % decimal::ONE == 0)?;
        u64::try_from(most / decimal::ONE).ok()
    })
}

/// Returns the root and the usage object in it, which may be the same.
fn find<'a>(tape: &'a mut Tape, json: &'a [u8]) -> Result<(Value<'a>, Value<'a>), Unreadable> {
    let text = std::str::from_utf8(json).map_err(|_| Unreadable::Absent("the usage is not UTF-8".into()))?;
    let root = tape.read(text, DEPTH).map_err(|_| Unreadable::Absent("the usage is not JSON".into()))?;
    if root.kind() != Kind::Object {
        return Err(Unreadable::Absent("no usage was reported".into()));
    }
    let inner = ROOTS.iter().find_map(|path| follow(root, path).filter(|found| found.kind() == Kind::Object));
    Ok((root, inner.unwrap_or(root)))
}

fn shape_of(facts: &Facts, api: Option<&str>, value: Value<'_>) -> Option<&'static Shape> {
    let fits = |shape: &&Shape| {
        (shape.form.is_none() || shape.form == facts.usage)
            && shape.marks.iter().any(|mark| follow(value, mark).is_some_and(|found| !found.is_null()))
    };
    let found = SHAPES.iter().find(fits)?;
    // `input_tokens` alone may be of the Responses API or of Anthropic's messages. Only the names of the parts differ.
    if found.wire == Wire::Anthropic
        && facts.usage != Some(Form::Messages)
        && api != Some("messages")
        && ["cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "server_tool_use"]
            .iter()
            .all(|mark| value.get(mark).is_none())
    {
        return SHAPES.iter().find(|shape| shape.wire == Wire::Responses);
    }
    Some(found)
}

/// Returns the model runs in a usage object.
fn segments(
    facts: &Facts,
    shape: &Shape,
    root: Value<'_>,
    value: Value<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Segment>, Unreadable> {
    let mut found = Vec::with_capacity(1);
    let runs = value
        .get("iterations")
        .filter(|list| shape.wire == Wire::Anthropic && list.elements().next().is_some());
    if let Some(runs) = runs {
        // The top level excludes runs that the provider started itself: compaction, and advisors on other models.
        for run in runs.elements() {
            let mut segment = segment(facts, shape, run, notes)?;
            if let Some(model) = run.get("model").and_then(Value::as_str) {
                segment.other = Some((model.into_owned(), "advisor"));
            }
            found.push(segment);
        }
    } else {
        found.push(segment(facts, shape, value, notes)?);
    }
    // Tool calls are in a complete response, beside its usage object.
    let whole = value.span() != root.span();
    let calls = OUTPUT_CALLS.iter().map(|call| (root, call)).filter(|_| whole);
    for (place, (path, unit)) in shape.extra_units.iter().map(|other| (value, other)).chain(calls) {
        let count = total(place, path)?.unwrap_or(0);
        if let Some(segment) = found.first_mut() {
            segment.add(*unit, count);
        }
    }
    Ok(found)
}

fn segment(
    facts: &Facts,
    shape: &Shape,
    value: Value<'_>,
    notes: &mut Vec<String>,
) -> Result<Segment, Unreadable> {
    let most = |paths| largest(value, paths);
    let mut segment = Segment::default();
    let (read, written) = (most(shape.read)?, most(shape.write)?);
    let (short, hour) = (most(shape.write_short)?, most(shape.write_hour)?);
    // A total of zero with writes by lifetime is a contradiction; a missing total is not.
    if short + hour > written && stated(value, shape.write)? {
        return Err(Unreadable::Inconsistent("the cache writes exceed their total".into()));
    }
    if short + hour > 0 && written > short + hour {
        notes.push("cache writes without a lifetime were priced as short-lived".into());
    }
    // Without a split, every write is short-lived.
    let short = if written > 0 { written - hour } else { short };
    let beside = if shape.additive { read + short + hour } else { 0 };
    let prompt = Prompt {
        whole: most(shape.whole)? + beside,
        read,
        write: short,
        write_hour: hour,
        parts: Modalities { audio: most(shape.audio)?, image: most(shape.image)?, video: most(shape.video)? },
        read_parts: Modalities {
            audio: most(shape.read_audio)?,
            image: most(shape.read_image)?,
            video: most(shape.read_video)?,
        },
    };
    prompt.split(&mut segment)?;
    if !shape.threshold.is_empty() {
        segment.prompt = most(shape.threshold)?;
    }
    let mut made = Output {
        whole: most(shape.made)?,
        reasoning: most(shape.reasoning)?,
        citations: most(shape.citations)?,
        parts: Modalities {
            audio: most(shape.made_audio)?,
            image: most(shape.made_image)?,
            video: most(shape.made_video)?,
        },
    };
    if made.reasoning > 0 && shape.reasoning_by_total {
        // xAI's chat excludes reasoning from the completion. For other providers, the total shows it.
        let stated = most(shape.total)?;
        segment.reasoning_beside = stated == prompt.whole + made.whole + made.reasoning
            || (shape.wire == Wire::Chat && facts.reasoning_beside && stated != prompt.whole + made.whole);
        if segment.reasoning_beside {
            made.whole += made.reasoning;
        }
    }
    made.split(&mut segment)?;
    if !shape.omits_zeros {
        for (unit, paths) in [(Unit::Input, shape.whole), (Unit::Output, shape.made)] {
            if !paths.is_empty() && !stated(value, paths)? {
                segment.unreported.push(unit);
            }
        }
    }
    Ok(segment)
}

/// Returns the charge that the provider reports, in atto-USD.
fn charge(value: Value<'_>) -> Result<Option<Reported>, Unreadable> {
    for &(field, digits) in CHARGES {
        let Some(found) = follow(value, field).filter(|found| found.kind() == Kind::Number) else { continue };
        let Some(mut atto) = decimal::parse(found.raw(), decimal::ATTO - digits) else { continue };
        if atto < 0 {
            return Err(Unreadable::Inconsistent(format!("{field} is negative")));
        }
        // With the user's own key, the router charges its fee, and the upstream provider charges the rest.
        if value.get("is_byok").is_some_and(Value::is_truthy) {
            let behind = follow(value, "cost_details.upstream_inference_cost");
            atto += behind.and_then(|found| decimal::parse(found.raw(), decimal::ATTO)).unwrap_or(0);
        }
        return Ok(Some(Reported { atto, field }));
    }
    Ok(None)
}

fn first_text(root: Value<'_>, inner: Value<'_>, paths: &[&str]) -> Option<String> {
    // Most usage objects come alone, and are their own root.
    let around = (inner.span() != root.span()).then_some(root);
    paths
        .iter()
        .flat_map(|path| [follow(inner, path), around.and_then(|root| follow(root, path))])
        .flatten()
        .find_map(|found| found.as_str().map(std::borrow::Cow::into_owned))
}

/// Returns whether one of the paths has a count.
fn stated(value: Value<'_>, paths: Paths) -> Result<bool, Unreadable> {
    for path in paths {
        if total(value, path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the largest of the token counts at the paths.
fn largest(value: Value<'_>, paths: Paths) -> Result<i128, Unreadable> {
    let mut most = 0;
    for path in paths {
        let count = total(value, path)?.unwrap_or(0);
        if count % decimal::ONE != 0 {
            return Err(Unreadable::Inconsistent(format!("{path} is not a whole number")));
        }
        most = most.max(count);
    }
    Ok(most)
}

/// Returns the sum for a path, in millionths; `None` if none of its members exists.
fn total(value: Value<'_>, path: &str) -> Result<Option<i128>, Unreadable> {
    // Most paths are plain, and to search for a string costs more than to follow one.
    if memchr::memchr2(b'+', b'[', path.as_bytes()).is_none() {
        return Ok(follow(value, path).map(|found| count(found, path)).transpose()?.flatten());
    }
    let mut sum: Option<i128> = None;
    for part in path.split(" + ") {
        let mut add = |count: i128| sum = Some(sum.unwrap_or(0) + count);
        match part.split_once('[') {
            Some((list, rest)) => {
                let Some((wanted, field)) = rest.split_once(']') else { continue };
                let Some((key, expected)) = wanted.split_once('=') else { continue };
                let Some(list) = member(value, list) else { continue };
                for element in list.elements() {
                    if member(element, key).and_then(Value::as_str).as_deref() != Some(expected) {
                        continue;
                    }
                    if field == "#" {
                        add(decimal::ONE);
                    } else if let Some(found) = follow(element, field.trim_start_matches('.')) {
                        add(count(found, part)?.unwrap_or(0));
                    }
                }
            }
            None => {
                if let Some(count) =
                    follow(value, part).map(|found| count(found, part)).transpose()?.flatten()
                {
                    add(count);
                }
            }
        }
    }
    Ok(sum)
}

pub(super) fn count(value: Value<'_>, path: &str) -> Result<Option<i128>, Unreadable> {
    match value.kind() {
        Kind::Null => return Ok(None),
        Kind::Number => {}
        _ => return Err(Unreadable::Inconsistent(format!("{path} is not a number"))),
    }
    match decimal::parse(value.raw(), decimal::MICRO) {
        // A larger count would overflow in pricing, and is not a real count.
        Some(count) if (0..=LARGEST).contains(&count) => Ok(Some(count)),
        Some(count) if count < 0 => Err(Unreadable::Inconsistent(format!("{path} is negative"))),
        _ => Err(Unreadable::Inconsistent(format!("{path} is not a count"))),
    }
}

/// 10^15 units, in millionths.
pub(super) const LARGEST: i128 = 1_000_000_000_000_000 * decimal::ONE;

fn follow<'a>(value: Value<'a>, path: &str) -> Option<Value<'a>> {
    let (mut value, mut path) = (value, path);
    while let Some(end) = memchr::memchr(b'.', path.as_bytes()) {
        value = member(value, &path[..end])?;
        path = &path[end + 1..];
    }
    member(value, path)
}

/// Returns a member by its name on the wire, or by the name in Google's Python SDKs: `promptTokenCount` or
/// `prompt_token_count`.
fn member<'a>(value: Value<'a>, name: &str) -> Option<Value<'a>> {
    if value.kind() != Kind::Object {
        return None;
    }
    value.get(name).or_else(|| {
        if !name.ends_with("okenCount") && !name.ends_with("TokensDetails") {
            return None;
        }
        let mut snake = String::with_capacity(name.len() + 4);
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        value.get(&snake)
    })
}
