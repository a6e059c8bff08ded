//! The forms of usage objects, as a table: where each number stands, and what contains what.
//!
//! A path is `member.member`; `list[key=value].member` sums over the elements that match, `list[key=value]#` counts
//! them, and `a + b` adds. Where a field has several paths, providers spell the same number in different places and
//! the largest counts.

use super::split::{Modalities, Output, Prompt};
use super::{Reported, Segment, Unit, Unreadable, Usage};
use crate::json::{Kind, Tape, Value};
use crate::price::decimal;

/// A form of usage object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// Chat completions, and the embeddings beside them.
    Chat,
    /// Perplexity's chat completions.
    Perplexity,
    /// Responses and images.
    Responses,
    /// Realtime and transcriptions.
    Realtime,
    /// Messages.
    Anthropic,
    /// `generateContent`.
    Gemini,
    /// Bedrock's Converse.
    Converse,
    /// Cohere.
    Cohere,
    /// A length of audio.
    Duration,
    /// Pages.
    Pages,
    /// Only a charge was stated.
    Charge,
}

type Paths = &'static [&'static str];

struct Shape {
    wire: Wire,
    /// Only for these providers; empty for all.
    providers: Paths,
    /// One of these must be there.
    marks: Paths,
    whole: Paths,
    /// Whether cache reads and writes are beside `whole` instead of inside.
    additive: bool,
    /// What thresholds count, if it is not the whole prompt.
    threshold: Paths,
    read: Paths,
    write: Paths,
    write_short: Paths,
    write_hour: Paths,
    audio: Paths,
    image: Paths,
    video: Paths,
    read_audio: Paths,
    read_image: Paths,
    read_video: Paths,
    made: Paths,
    reasoning: Paths,
    /// The reasoning may be beside `made` instead of inside: the total tells.
    total: Paths,
    citations: Paths,
    made_audio: Paths,
    made_image: Paths,
    made_video: Paths,
    extra_conditions: &'static [(&'static str, Unit)],
}

const NOTHING: Shape = Shape {
    wire: Wire::Chat,
    providers: &[],
    marks: &[],
    whole: &[],
    additive: false,
    threshold: &[],
    read: &[],
    write: &[],
    write_short: &[],
    write_hour: &[],
    audio: &[],
    image: &[],
    video: &[],
    read_audio: &[],
    read_image: &[],
    read_video: &[],
    made: &[],
    reasoning: &[],
    total: &[],
    citations: &[],
    made_audio: &[],
    made_image: &[],
    made_video: &[],
    extra_conditions: &[],
};

const CHAT: Shape = Shape {
    marks: &["prompt_tokens", "completion_tokens"],
    whole: &["prompt_tokens"],
    read: &[
        "prompt_tokens_details.cached_tokens",
        "cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_prompt_text_tokens",
        "cache_read_input_tokens",
    ],
    write: &["prompt_tokens_details.cache_write_tokens", "prompt_tokens_details.cache_creation_tokens"],
    audio: &["prompt_tokens_details.audio_tokens"],
    image: &["prompt_tokens_details.image_tokens"],
    video: &["prompt_tokens_details.video_tokens"],
    made: &["completion_tokens"],
    reasoning: &["completion_tokens_details.reasoning_tokens", "reasoning_tokens"],
    total: &["total_tokens"],
    made_audio: &["completion_tokens_details.audio_tokens"],
    made_image: &["completion_tokens_details.image_tokens"],
    made_video: &["completion_tokens_details.video_tokens"],
    extra_conditions: &[("prompt_audio_seconds", Unit::InputAudioSeconds)],
    ..NOTHING
};

const SHAPES: &[Shape] = &[
    Shape {
        wire: Wire::Perplexity,
        providers: &["perplexity"],
        marks: &["prompt_tokens"],
        whole: &["prompt_tokens"],
        read: &["prompt_tokens_details.cached_tokens"],
        made: &["completion_tokens + reasoning_tokens + citation_tokens"],
        reasoning: &["reasoning_tokens"],
        citations: &["citation_tokens"],
        extra_conditions: &[("num_search_queries", Unit::WebSearch)],
        ..NOTHING
    },
    CHAT,
    Shape {
        wire: Wire::Gemini,
        marks: &["promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount"],
        // What tools read (a page behind a URL, say) is beside the prompt and charged like it.
        whole: &["promptTokenCount + toolUsePromptTokenCount"],
        threshold: &["promptTokenCount"],
        read: &["cachedContentTokenCount"],
        audio: &[
            "promptTokensDetails[modality=AUDIO].tokenCount + toolUsePromptTokensDetails[modality=AUDIO].tokenCount",
        ],
        image: &[
            "promptTokensDetails[modality=IMAGE].tokenCount + promptTokensDetails[modality=DOCUMENT].tokenCount \
             + toolUsePromptTokensDetails[modality=IMAGE].tokenCount + toolUsePromptTokensDetails[modality=DOCUMENT].tokenCount",
        ],
        video: &[
            "promptTokensDetails[modality=VIDEO].tokenCount + toolUsePromptTokensDetails[modality=VIDEO].tokenCount",
        ],
        read_audio: &["cacheTokensDetails[modality=AUDIO].tokenCount"],
        read_image: &[
            "cacheTokensDetails[modality=IMAGE].tokenCount + cacheTokensDetails[modality=DOCUMENT].tokenCount",
        ],
        read_video: &["cacheTokensDetails[modality=VIDEO].tokenCount"],
        made: &["candidatesTokenCount + thoughtsTokenCount", "responseTokenCount + thoughtsTokenCount"],
        reasoning: &["thoughtsTokenCount"],
        made_audio: &[
            "candidatesTokensDetails[modality=AUDIO].tokenCount",
            "responseTokensDetails[modality=AUDIO].tokenCount",
        ],
        made_image: &[
            "candidatesTokensDetails[modality=IMAGE].tokenCount",
            "responseTokensDetails[modality=IMAGE].tokenCount",
        ],
        made_video: &[
            "candidatesTokensDetails[modality=VIDEO].tokenCount",
            "responseTokensDetails[modality=VIDEO].tokenCount",
        ],
        ..NOTHING
    },
    Shape {
        wire: Wire::Converse,
        marks: &["inputTokens", "outputTokens"],
        whole: &["inputTokens"],
        additive: true,
        read: &["cacheReadInputTokens", "cacheReadInputTokenCount"],
        write: &["cacheWriteInputTokens", "cacheWriteInputTokenCount"],
        write_short: &["cacheDetails[ttl=5m].inputTokens"],
        write_hour: &["cacheDetails[ttl=1h].inputTokens"],
        made: &["outputTokens"],
        ..NOTHING
    },
    Shape {
        wire: Wire::Cohere,
        marks: &["billed_units"],
        whole: &["billed_units.input_tokens"],
        made: &["billed_units.output_tokens"],
        extra_conditions: &[("billed_units.search_units", Unit::Rerank)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Cohere,
        marks: &["tokens.input_tokens", "tokens.output_tokens"],
        whole: &["tokens.input_tokens"],
        made: &["tokens.output_tokens"],
        ..NOTHING
    },
    Shape {
        wire: Wire::Realtime,
        marks: &["input_token_details", "output_token_details", "billable_audio_seconds"],
        whole: &["input_tokens"],
        read: &["input_token_details.cached_tokens"],
        audio: &["input_token_details.audio_tokens"],
        image: &["input_token_details.image_tokens"],
        read_audio: &["input_token_details.cached_tokens_details.audio_tokens"],
        read_image: &["input_token_details.cached_tokens_details.image_tokens"],
        made: &["output_tokens"],
        made_audio: &["output_token_details.audio_tokens"],
        extra_conditions: &[
            ("billable_audio_seconds", Unit::AudioSeconds),
            ("input_text_messages", Unit::Message),
        ],
        ..NOTHING
    },
    Shape {
        wire: Wire::Responses,
        marks: &["input_tokens_details", "output_tokens_details.reasoning_tokens"],
        whole: &["input_tokens"],
        read: &["input_tokens_details.cached_tokens", "input_tokens_details.cache_read_input_tokens"],
        write: &[
            "input_tokens_details.cache_write_tokens",
            "input_tokens_details.cache_creation_input_tokens",
        ],
        audio: &["input_tokens_details.audio_tokens"],
        image: &["input_tokens_details.image_tokens"],
        made: &["output_tokens"],
        reasoning: &["output_tokens_details.reasoning_tokens"],
        total: &["total_tokens"],
        made_audio: &["output_tokens_details.audio_tokens"],
        made_image: &["output_tokens_details.image_tokens"],
        extra_conditions: &[
            ("tool_calls_details.search_web.invocation", Unit::WebSearch),
            ("server_side_tool_usage_details.web_search_calls", Unit::WebSearch),
            ("server_side_tool_usage_details.x_search_calls", Unit::SocialSearch),
            ("server_side_tool_usage_details.file_search_calls", Unit::FileSearch),
            ("server_side_tool_usage_details.code_interpreter_calls", Unit::CodeExecution),
        ],
        ..NOTHING
    },
    Shape {
        wire: Wire::Anthropic,
        marks: &["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"],
        whole: &["input_tokens"],
        additive: true,
        read: &["cache_read_input_tokens"],
        write: &["cache_creation_input_tokens"],
        write_short: &["cache_creation.ephemeral_5m_input_tokens"],
        write_hour: &["cache_creation.ephemeral_1h_input_tokens"],
        made: &["output_tokens"],
        reasoning: &["output_tokens_details.thinking_tokens"],
        extra_conditions: &[("server_tool_use.web_search_requests", Unit::WebSearch)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Duration,
        marks: &["seconds"],
        extra_conditions: &[("seconds", Unit::InputAudioSeconds)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Pages,
        marks: &["pages_processed"],
        extra_conditions: &[("pages_processed", Unit::Page)],
        ..NOTHING
    },
    Shape {
        // Embeddings of some providers say nothing but the total.
        providers: &["voyageai", "jina_ai", "nomic"],
        marks: &["total_tokens"],
        whole: &["total_tokens"],
        ..NOTHING
    },
];

/// Fields in which a provider states its charge: provider (any if empty), path, digits behind the point of its unit.
const CHARGES: &[(&str, &str, u32)] =
    &[("", "cost_in_usd_ticks", 10), ("openrouter", "cost", 0), ("perplexity", "cost.total_cost", 0)];

/// Providers whose chat counts reasoning beside the completion.
const BESIDE: &[&str] = &["xai"];

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
    let text = std::str::from_utf8(json).map_err(|_| Unreadable::Absent("the usage is not UTF-8".into()))?;
    let mut tape = Tape::default();
    let root = tape.read(text, DEPTH).map_err(|_| Unreadable::Absent("the usage is not JSON".into()))?;
    if root.kind() != Kind::Object {
        return Err(Unreadable::Absent("no usage was reported".into()));
    }
    let inner = ROOTS.iter().find_map(|path| follow(root, path).filter(|found| found.kind() == Kind::Object));
    let value = inner.unwrap_or(root);
    let mut usage = Usage {
        wire: Wire::Charge,
        segments: Vec::new(),
        reported: charge(provider, value)?,
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
    let Some(shape) = shape_of(provider, api, value) else {
        return if usage.reported.is_some() {
            Ok(usage)
        } else if value.members().next().is_none() {
            Err(Unreadable::Absent("the usage object is empty".into()))
        } else {
            Err(Unreadable::Absent("the usage object has no field that is known".into()))
        };
    };
    usage.wire = shape.wire;
    let runs = value
        .get("iterations")
        .filter(|list| shape.wire == Wire::Anthropic && list.elements().next().is_some());
    if let Some(runs) = runs {
        // The top level leaves out what the provider ran on its own: compaction, and advisors on other models.
        for run in runs.elements() {
            let mut segment = segment(provider, shape, run, &mut usage.notes)?;
            if let Some(model) = run.get("model").and_then(Value::as_str) {
                segment.other = Some((model.into_owned(), "advisor"));
            }
            usage.segments.push(segment);
        }
    } else {
        usage.segments.push(segment(provider, shape, value, &mut usage.notes)?);
    }
    let calls = OUTPUT_CALLS.iter().map(|call| (root, call)).filter(|_| inner.is_some());
    for (place, (path, unit)) in shape.extra_conditions.iter().map(|other| (value, other)).chain(calls) {
        let count = total(place, path)?.unwrap_or(0);
        if let Some(segment) = usage.segments.first_mut() {
            segment.add(*unit, count);
        }
    }
    if shape.wire == Wire::Cohere && value.get("billed_units").is_none() {
        usage.notes.push("no billed units: the tokens were taken".into());
    }
    Ok(usage)
}

fn shape_of(provider: &str, api: Option<&str>, value: Value<'_>) -> Option<&'static Shape> {
    let fits = |shape: &&Shape| {
        (shape.providers.is_empty() || shape.providers.contains(&provider))
            && shape.marks.iter().any(|mark| follow(value, mark).is_some_and(|found| !found.is_null()))
    };
    let found = SHAPES.iter().find(fits)?;
    // `input_tokens` alone is Responses or Messages, and the same either way but for what the parts are called.
    if found.wire == Wire::Anthropic
        && provider != "anthropic"
        && api != Some("messages")
        && ["cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "server_tool_use"]
            .iter()
            .all(|mark| value.get(mark).is_none())
    {
        return SHAPES.iter().find(|shape| shape.wire == Wire::Responses);
    }
    Some(found)
}

fn segment(
    provider: &str,
    shape: &Shape,
    value: Value<'_>,
    notes: &mut Vec<String>,
) -> Result<Segment, Unreadable> {
    let most = |paths: Paths| largest(value, paths);
    let mut segment = Segment::default();
    let (read, written) = (most(shape.read)?, most(shape.write)?);
    let (short, hour) = (most(shape.write_short)?, most(shape.write_hour)?);
    if written > 0 && short + hour > written {
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
    if made.reasoning > 0 && !shape.total.is_empty() {
        // xAI's chat leaves reasoning out of the completion; who else does is seen from the total.
        let stated = most(shape.total)?;
        segment.reasoning_beside = stated == prompt.whole + made.whole + made.reasoning
            || (shape.wire == Wire::Chat
                && BESIDE.contains(&provider)
                && stated != prompt.whole + made.whole);
        if segment.reasoning_beside {
            made.whole += made.reasoning;
        }
    }
    made.split(&mut segment)?;
    Ok(segment)
}

/// The charge that the provider states, in atto-USD.
fn charge(provider: &str, value: Value<'_>) -> Result<Option<Reported>, Unreadable> {
    for &(who, field, digits) in CHARGES {
        if !who.is_empty() && who != provider {
            continue;
        }
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

fn largest(value: Value<'_>, paths: &[&str]) -> Result<i128, Unreadable> {
    let mut most = 0;
    for path in paths {
        most = most.max(total(value, path)?.unwrap_or(0));
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
    if value.kind() != Kind::Number {
        return Ok(None);
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
