//! The forms of usage objects, as a table: the path of each number, and which counts include others.
//!
//! A path is `member.member`; `list[key=value].member` sums over the matching elements, `list[key=value]#` counts them,
//! and
//! `a + b` adds. If a field has several paths, providers use different paths for the same number, and the largest value
//! applies.

use super::Unit;

/// A form of usage object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// Chat completions and embeddings.
    Chat,
    /// Chat completions with citations and reasoning beside the completion.
    Citations,
    /// Responses API, and images.
    Responses,
    /// Realtime and transcriptions.
    Realtime,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// Bedrock's Converse.
    Converse,
    /// Cohere's chat.
    Cohere,
    /// A length of audio.
    Duration,
    /// Pages.
    Pages,
    /// Only a charge was reported.
    Charge,
}

/// A form that looks like another one. `providers.tsv` lists the providers that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Chat completions with citations and reasoning beside the completion.
    Citations,
    /// Only a total, as for embeddings.
    Total,
    /// Anthropic's messages, which look like the Responses API without a count of cached tokens.
    Messages,
}

impl Form {
    /// Returns the form with this name in `providers.tsv`.
    pub(crate) fn named(name: &str) -> Option<Form> {
        match name {
            "citations" => Some(Form::Citations),
            "total" => Some(Form::Total),
            "messages" => Some(Form::Messages),
            _ => None,
        }
    }
}

pub(super) type Paths = &'static [&'static str];

/// Declares [`TokenCounts`]: each count with the paths of a [`Shape`] that report it.
macro_rules! token_counts {
    ($($(#[$doc:meta])* $name:ident: $shape:ident => $paths:expr,)*) => {
        /// Token counts exactly as reported by a provider; `None` for a count that it did not report.
        ///
        /// Whether a whole includes its parts depends on the provider. [`Segment`](super::Segment) has counts that do
        /// not
        /// overlap.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct TokenCounts {
            $($(#[$doc])* pub $name: Option<u64>,)*
        }

        impl TokenCounts {
            /// Returns every count with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            pub(super) fn read(form: &Shape, count: impl Fn(Paths) -> Option<u64>) -> Self {
                Self { $($name: { let $shape = form; count($paths) },)* }
            }
        }
    };
}

token_counts! {
    /// Prompt tokens. Whether they include cached ones depends on the provider.
    input: shape => first(shape.input, shape.whole),
    /// Prompt tokens, always with cache reads and writes.
    prompt: shape => first(shape.prompt, shape.whole),
    /// Prompt tokens read from a cache.
    cached: shape => first(shape.cached, shape.read),
    /// Generated tokens. Whether they include reasoning depends on the provider; they do if the provider counts
    /// reasoning
    /// beside the text.
    output: shape => first(shape.output, shape.made),
    /// Generated tokens of reasoning.
    reasoning: shape => shape.reasoning,
    /// Prompt tokens written to a cache.
    cache_write: shape => shape.write,
    /// All tokens of the call.
    total: shape => shape.total,
}

/// Returns the paths of a count, which may differ from those of its price.
fn first(own: Paths, priced: Paths) -> Paths {
    if own.is_empty() { priced } else { own }
}

pub(super) struct Shape {
    pub wire: Wire,
    /// The providers of this form only.
    pub form: Option<Form>,
    /// The marker paths, one of which must exist.
    pub marks: Paths,
    pub whole: Paths,
    /// Whether cache reads and writes are in addition to `whole`, instead of included.
    pub additive: bool,
    /// The count for price thresholds, if it is not the whole prompt.
    pub threshold: Paths,
    pub read: Paths,
    pub write: Paths,
    pub write_short: Paths,
    pub write_hour: Paths,
    pub audio: Paths,
    pub image: Paths,
    pub video: Paths,
    pub read_audio: Paths,
    pub read_image: Paths,
    pub read_video: Paths,
    pub made: Paths,
    pub reasoning: Paths,
    pub total: Paths,
    /// Whether reasoning may be in addition to `made`, instead of included; the total decides.
    pub reasoning_by_total: bool,
    /// Whether counts of zero are omitted.
    pub omits_zeros: bool,
    /// Prompt tokens with cache reads and writes, if `whole` excludes them.
    pub prompt: Paths,
    /// Prompt, cached and generated tokens as reported, if they differ from the priced counts.
    pub input: Paths,
    pub cached: Paths,
    pub output: Paths,
    pub citations: Paths,
    pub made_audio: Paths,
    pub made_image: Paths,
    pub made_video: Paths,
    pub extra_units: &'static [(&'static str, Unit)],
}

const NOTHING: Shape = Shape {
    wire: Wire::Chat,
    form: None,
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
    reasoning_by_total: false,
    omits_zeros: false,
    prompt: &[],
    input: &[],
    cached: &[],
    output: &[],
    citations: &[],
    made_audio: &[],
    made_image: &[],
    made_video: &[],
    extra_units: &[],
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
    reasoning_by_total: true,
    made_audio: &["completion_tokens_details.audio_tokens"],
    made_image: &["completion_tokens_details.image_tokens"],
    made_video: &["completion_tokens_details.video_tokens"],
    extra_units: &[("prompt_audio_seconds", Unit::InputAudioSeconds)],
    ..NOTHING
};

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        wire: Wire::Citations,
        form: Some(Form::Citations),
        marks: &["prompt_tokens"],
        whole: &["prompt_tokens"],
        read: &["prompt_tokens_details.cached_tokens"],
        made: &["completion_tokens + reasoning_tokens + citation_tokens"],
        output: &["completion_tokens"],
        reasoning: &["reasoning_tokens"],
        total: &["total_tokens"],
        citations: &["citation_tokens"],
        extra_units: &[("num_search_queries", Unit::WebSearch)],
        ..NOTHING
    },
    CHAT,
    Shape {
        wire: Wire::Gemini,
        marks: &["promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount"],
        // Input of tools (a page behind a URL, for example) is in addition to the prompt, and charged like it.
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
        input: &["promptTokenCount"],
        omits_zeros: true,
        reasoning: &["thoughtsTokenCount"],
        total: &["totalTokenCount"],
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
        prompt: &[
            "inputTokens + cacheReadInputTokens + cacheWriteInputTokens",
            "inputTokens + cacheReadInputTokenCount + cacheWriteInputTokenCount",
        ],
        made: &["outputTokens"],
        total: &["totalTokens"],
        ..NOTHING
    },
    Shape {
        wire: Wire::Cohere,
        marks: &["billed_units"],
        whole: &["billed_units.input_tokens"],
        made: &["billed_units.output_tokens"],
        cached: &["cached_tokens"],
        extra_units: &[("billed_units.search_units", Unit::Rerank)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Cohere,
        marks: &["tokens.input_tokens", "tokens.output_tokens"],
        whole: &["tokens.input_tokens"],
        made: &["tokens.output_tokens"],
        cached: &["cached_tokens"],
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
        total: &["total_tokens"],
        made_audio: &["output_token_details.audio_tokens"],
        extra_units: &[
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
        reasoning_by_total: true,
        made_audio: &["output_tokens_details.audio_tokens"],
        made_image: &["output_tokens_details.image_tokens"],
        extra_units: &[
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
        prompt: &["input_tokens + cache_read_input_tokens + cache_creation_input_tokens"],
        made: &["output_tokens"],
        reasoning: &["output_tokens_details.thinking_tokens"],
        extra_units: &[("server_tool_use.web_search_requests", Unit::WebSearch)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Duration,
        marks: &["seconds"],
        extra_units: &[("seconds", Unit::InputAudioSeconds)],
        ..NOTHING
    },
    Shape {
        wire: Wire::Pages,
        marks: &["pages_processed"],
        extra_units: &[("pages_processed", Unit::Page)],
        ..NOTHING
    },
    Shape {
        form: Some(Form::Total),
        marks: &["total_tokens"],
        whole: &["total_tokens"],
        total: &["total_tokens"],
        ..NOTHING
    },
];
