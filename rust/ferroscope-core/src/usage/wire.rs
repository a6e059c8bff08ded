//! Reads usage objects by the table of their forms.

use super::shapes::{Form, Paths, SHAPES, Shape, TokenCounts, Wire};
use super::split::{Modalities, Output, Prompt};
use super::{Reported, Segment, Unit, Unreadable, Usage};
use crate::json::{Kind, Tape, Value};
use crate::price::decimal;
use crate::providers::{Facts, facts};

/// Fields in which a server states its charge in USD, and the digits that the unit is behind the point.
///
/// `https://openrouter.ai/docs/use-cases/usage-accounting`, `https://docs.x.ai/docs/guides/cost-tracking`.
const CHARGES: &[(&str, u32)] =
    &[("cost_in_usd_ticks", 10), ("cost", 0), ("cost.total_cost", 0), ("estimated_cost", 0)];

/// Tool calls of a whole response, which its usage leaves out.
const OUTPUT_CALLS: &[(&str, Unit)] = &[
    ("output[type=web_search_call]#", Unit::WebSearch),
    ("output[type=file_search_call]#", Unit::FileSearch),
];

/// Where the usage stands in a whole response.
const ROOTS: &[&str] = &["usage", "usageMetadata", "usage_metadata", "response.usage", "meta", "usage_info"];

/// A whole response may hold whatever a tool was called with.
const DEPTH: usize = 256;

/// Reads a usage object, or a whole response that has one, as JSON.
///
/// `provider` is the id of the price table; `api` a hint for the two forms that look alike.
///
/// # Errors
/// [`Unreadable`] if there is no usage, or one that contradicts itself.
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
            Err(Unreadable::Absent("the usage object has no field that is known".into()))
        };
    };
    usage.wire = shape.wire;
    match segments(facts, shape, root, value, &mut usage.notes) {
        Ok(segments) => usage.segments = segments,
        // A stated charge does not depend on the counts.
        Err(Unreadable::Inconsistent(why)) if usage.reported.is_some() => usage.notes.push(why),
        Err(why) => return Err(why),
    }
    if shape.wire == Wire::Cohere && value.get("billed_units").is_none() {
        usage.notes.push("no billed units: the tokens were taken".into());
    }
    Ok(usage)
}

/// Reads the token counts of a usage object, or of a whole response that has one, as JSON.
///
/// A count that is missing, null, negative, no whole number or beyond 10^15 is `None`; it does not hide the others.
#[must_use]
pub fn token_counts(json: &[u8]) -> TokenCounts {
    let mut tape = Tape::default();
    let Ok((_, value)) = find(&mut tape, json) else { return TokenCounts::default() };
    // Providers differ in what a count includes, not in where it stands.
    let Some(shape) = shape_of(&Facts::default(), None, value) else { return TokenCounts::default() };
    TokenCounts::read(shape, |paths| {
        let counts = paths.iter().filter_map(|path| total(value, path).ok().flatten());
        let most = counts.max().filter(|count| count % decimal::ONE == 0)?;
        u64::try_from(most / decimal::ONE).ok()
    })
}

/// The whole text and the usage object in it, which may be the same.
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
    // `input_tokens` alone is Responses or Messages, and the same either way but for what the parts are called.
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

/// The runs of models that a usage object reports.
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
        // The top level leaves out what the provider ran on its own: compaction, and advisors on other models.
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
    // The calls of tools stand in a whole response, beside its usage object.
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
    // A total of zero beside writes by lifetime is a contradiction; a total that is missing is none.
    if short + hour > written && stated(value, shape.write)? {
        return Err(Unreadable::Inconsistent("the cache writes exceed their total".into()));
    }
    if short + hour > 0 && written > short + hour {
        notes.push("cache writes without a lifetime were taken as the short one".into());
    }
    // Without a split every write is a short one.
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
        // xAI's chat leaves reasoning out of the completion; who else does is seen from the total.
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

/// The charge that the provider states, in atto-USD.
fn charge(value: Value<'_>) -> Result<Option<Reported>, Unreadable> {
    for &(field, digits) in CHARGES {
        let Some(found) = follow(value, field).filter(|found| found.kind() == Kind::Number) else { continue };
        let Some(mut atto) = decimal::parse(found.raw(), decimal::ATTO - digits) else { continue };
        if atto < 0 {
            return Err(Unreadable::Inconsistent(format!("{field} is negative")));
        }
        // With one's own key the router charges its fee, and the provider behind it the rest.
        if value.get("is_byok").is_some_and(Value::is_truthy) {
            let behind = follow(value, "cost_details.upstream_inference_cost");
            atto += behind.and_then(|found| decimal::parse(found.raw(), decimal::ATTO)).unwrap_or(0);
        }
        return Ok(Some(Reported { atto, field }));
    }
    Ok(None)
}

fn first_text(root: Value<'_>, inner: Value<'_>, paths: &[&str]) -> Option<String> {
    paths
        .iter()
        .flat_map(|path| [follow(inner, path), follow(root, path)])
        .flatten()
        .find_map(|found| found.as_str().map(std::borrow::Cow::into_owned))
}

/// Whether one of the paths has a count.
fn stated(value: Value<'_>, paths: Paths) -> Result<bool, Unreadable> {
    for path in paths {
        if total(value, path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The largest of the token counts at the paths.
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

/// The sum that a path stands for, in millionths; `None` if none of its members is there.
fn total(value: Value<'_>, path: &str) -> Result<Option<i128>, Unreadable> {
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

fn count(value: Value<'_>, path: &str) -> Result<Option<i128>, Unreadable> {
    match value.kind() {
        Kind::Null => return Ok(None),
        Kind::Number => {}
        _ => return Err(Unreadable::Inconsistent(format!("{path} is not a number"))),
    }
    match decimal::parse(value.raw(), decimal::MICRO) {
        // A count beyond this cannot be priced without overflow, and was never a count.
        Some(count) if (0..=LARGEST).contains(&count) => Ok(Some(count)),
        Some(count) if count < 0 => Err(Unreadable::Inconsistent(format!("{path} is negative"))),
        _ => Err(Unreadable::Inconsistent(format!("{path} is not a count"))),
    }
}

/// 10^15 of anything, in millionths.
pub(super) const LARGEST: i128 = 1_000_000_000_000_000 * decimal::ONE;

fn follow<'a>(value: Value<'a>, path: &str) -> Option<Value<'a>> {
    path.split('.').try_fold(value, member)
}

/// A member by its name on the wire, or by the one that Google's Python SDKs give it: `promptTokenCount` or
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
