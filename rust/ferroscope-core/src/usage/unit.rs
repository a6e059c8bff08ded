//! The units that providers count and charge.

use crate::price::decimal;

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $text:literal $per:literal,)*) => {
        /// A countable unit. The names are those of the price table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Unit {
            $($(#[$doc])* $name,)*
        }

        impl Unit {
            /// All units.
            pub const ALL: &[Unit] = &[$(Unit::$name),*];

            /// Returns the name in tables and in the API.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Unit::$name => $text),* }
            }

            /// Returns the number of units of a price.
            #[must_use]
            pub fn per(self) -> u32 {
                match self { $(Unit::$name => $per),* }
            }

            /// Returns the unit with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Unit> {
                match name { $($text => Some(Unit::$name),)* _ => None }
            }
        }
    };
}

units! {
    /// Prompt tokens that were neither read from nor written to a cache; text tokens, if modalities are distinguished.
    Input "input" 1_000_000,
    /// Uncached prompt tokens of audio.
    InputAudio "input_audio" 1_000_000,
    /// Uncached prompt tokens of images and documents.
    InputImage "input_image" 1_000_000,
    /// Uncached prompt tokens of video.
    InputVideo "input_video" 1_000_000,
    /// Prompt tokens read from a cache.
    CacheRead "cache_read" 1_000_000,
    /// Audio tokens read from a cache.
    CacheReadAudio "cache_read_audio" 1_000_000,
    /// Image tokens read from a cache.
    CacheReadImage "cache_read_image" 1_000_000,
    /// Video tokens read from a cache.
    CacheReadVideo "cache_read_video" 1_000_000,
    /// Prompt tokens written to a cache; for five minutes, if lifetimes are distinguished.
    CacheWrite "cache_write" 1_000_000,
    /// Prompt tokens written to a cache for an hour.
    CacheWriteHour "cache_write_1h" 1_000_000,
    /// Generated tokens, including reasoning unless it has a price of its own.
    Output "output" 1_000_000,
    /// Generated audio tokens.
    OutputAudio "output_audio" 1_000_000,
    /// Generated image tokens.
    OutputImage "output_image" 1_000_000,
    /// Generated video tokens.
    OutputVideo "output_video" 1_000_000,
    /// Generated tokens of hidden reasoning.
    OutputReasoning "output_reasoning" 1_000_000,
    /// Tokens of citations.
    OutputCitation "output_citation" 1_000_000,
    /// Tokens kept in an explicit cache, times hours.
    CacheStorage "cache_storage" 1_000_000,
    /// Characters of text for speech.
    Character "character" 1_000_000,
    /// Web searches by the provider's tool.
    WebSearch "web_search" 1_000,
    /// Searches of a social network.
    SocialSearch "social_search" 1_000,
    /// Searches of the provider's file store.
    FileSearch "file_search" 1_000,
    /// Runs of the provider's code tool.
    CodeExecution "code_execution" 1_000,
    /// Groundings in maps.
    MapsGrounding "maps_grounding" 1_000,
    /// Rerank searches.
    Rerank "rerank" 1_000,
    /// API calls.
    Request "request" 1_000,
    /// Messages of a voice session.
    Message "message" 1_000,
    /// Pages read.
    Page "page" 1_000,
    /// Pages read and annotated.
    AnnotatedPage "annotated_page" 1_000,
    /// Seconds of audio, in either direction.
    AudioSeconds "audio_seconds" 3_600,
    /// Seconds of audio sent.
    InputAudioSeconds "input_audio_seconds" 3_600,
    /// Seconds of audio received.
    OutputAudioSeconds "output_audio_seconds" 3_600,
    /// Seconds of video.
    VideoSeconds "video_seconds" 1,
    /// Pixels sent.
    Pixel "pixel" 1_000_000_000,
    /// Generated images.
    Image "image" 1,
    /// Images in the prompt.
    InputImagePiece "input_image_piece" 1,
    /// Sessions of a container.
    ContainerSession "container_session" 1,
}

impl Unit {
    /// Returns whether it counts tokens. Multipliers for a location or a batch apply only to tokens.
    #[must_use]
    pub fn is_token(self) -> bool {
        self <= Unit::OutputCitation
    }

    /// Returns the units whose price applies if it has none of its own, and the reason.
    ///
    /// The list has only documented cases. For any other unit without a price, the cost is unknown.
    #[must_use]
    pub fn fallbacks(self) -> &'static [(Unit, &'static str)] {
        const READ: &str = "no price for cache reads: the input price";
        const AUDIO: &str = "no price for audio: the price of text";
        const PART: &str = "";
        match self {
            // Providers publish one price for text, images and video, unless they publish several.
            Unit::InputImage | Unit::InputVideo => &[(Unit::Input, PART)],
            Unit::InputAudio => &[(Unit::Input, AUDIO)],
            Unit::CacheRead => &[(Unit::Input, READ)],
            Unit::CacheReadAudio => {
                &[(Unit::CacheRead, AUDIO), (Unit::InputAudio, READ), (Unit::Input, READ)]
            }
            Unit::CacheReadImage => &[(Unit::CacheRead, PART), (Unit::InputImage, READ), (Unit::Input, READ)],
            Unit::CacheReadVideo => &[(Unit::CacheRead, PART), (Unit::InputVideo, READ), (Unit::Input, READ)],
            Unit::OutputAudio => &[(Unit::Output, AUDIO)],
            Unit::OutputImage | Unit::OutputVideo | Unit::OutputReasoning | Unit::OutputCitation => {
                &[(Unit::Output, PART)]
            }
            Unit::InputAudioSeconds | Unit::OutputAudioSeconds => &[(Unit::AudioSeconds, PART)],
            Unit::AudioSeconds => &[(Unit::InputAudioSeconds, PART)],
            _ => &[],
        }
    }
}

impl Unit {
    /// Returns the unit with this name, and a count of it in millionths.
    ///
    /// # Errors
    /// Returns a message if there is no such unit, or if the text is not a count.
    pub fn count(name: &str, count: &str) -> Result<(Unit, i128), String> {
        let unit = Unit::named(name).ok_or_else(|| {
            let known: Vec<&str> = Unit::ALL.iter().map(|unit| unit.name()).collect();
            format!("unknown unit {name:?}; units are {}", known.join(", "))
        })?;
        let count = decimal::parse(count, decimal::MICRO).filter(|count| *count >= 0);
        count.map(|count| (unit, count)).ok_or_else(|| format!("the count of {name} is not a valid count"))
    }
}
