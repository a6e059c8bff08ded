//! What shows of an unfinished document: choices as data.

/// When a string value shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// From its opening quote, growing.
    Growing,
    /// When its closing quote has arrived.
    Complete,
}

/// When a number shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// When something that ends it has arrived: it never changes after it showed.
    Complete,
    /// Whenever the text so far is a number: `1`, `12`; `12.` hides it until the next digit.
    WhenValid,
    /// The longest beginning that is a number: `12.` shows 12.
    LongestPrefix,
}

/// When `true`, `false` and `null` show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    /// At the last letter.
    Complete,
    /// At the first letter, which already decides.
    FirstLetter,
}

/// Where the document begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// At once (after whitespace), with a value of any kind.
    Value,
    /// At the first `{` or `[` that can begin a document; text before it is skipped.
    Container,
    /// At the first `{` that can begin a document; text before it is skipped.
    Object,
}

/// What may follow the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// Anything; it is not looked at.
    Ignore,
    /// Whitespace only.
    Reject,
}

/// All choices together; the presets name whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// When a string value shows.
    pub strings: Strings,
    /// When a number shows.
    pub numbers: Numbers,
    /// When `true`, `false` and `null` show.
    pub literals: Literals,
    /// Where the document begins.
    pub root: Root,
    /// What may follow it.
    pub trailing: Trailing,
    /// Containers inside one another, at most.
    pub max_depth: usize,
    /// Bytes fed, text around the document included, at most.
    pub max_bytes: u64,
}

impl Rules {
    /// For streams: strings grow, everything else shows when it is final; prose and fences around are passed over.
    pub const DEFAULT: Self = Self {
        strings: Strings::Growing,
        numbers: Numbers::Complete,
        literals: Literals::Complete,
        root: Root::Container,
        trailing: Trailing::Ignore,
        max_depth: 200,
        max_bytes: 256 * 1024 * 1024,
    };

    /// RFC 8259: one whole document, whitespace around it and nothing else.
    pub const STRICT: Self = Self { root: Root::Value, trailing: Trailing::Reject, ..Self::DEFAULT };

    /// jiter's `partial_mode="trailing-strings"`, which is what Mirascope v1 shows.
    pub const JITER_TRAILING_STRINGS: Self =
        Self { numbers: Numbers::WhenValid, root: Root::Value, ..Self::DEFAULT };

    /// jiter's `partial_mode="on"`.
    pub const JITER_ON: Self = Self { strings: Strings::Complete, ..Self::JITER_TRAILING_STRINGS };

    /// Vercel's `fixJson`: whatever can be guessed shows.
    pub const FIX_JSON: Self = Self {
        numbers: Numbers::LongestPrefix,
        literals: Literals::FirstLetter,
        root: Root::Value,
        ..Self::DEFAULT
    };
}

impl Default for Rules {
    fn default() -> Self {
        Self::DEFAULT
    }
}
