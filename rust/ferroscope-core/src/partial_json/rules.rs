//! The rules for showing an incomplete document, as data.

/// The time when a string value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// From its opening quote, growing.
    Growing,
    /// When its closing quote has arrived.
    Complete,
}

/// The time when a number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// When the byte after it has arrived. It then never changes.
    Complete,
    /// When the text so far is a number: `1`, `12`; `12.` hides it until the next digit.
    WhenValid,
    /// The longest prefix that is a number: `12.` is shown as 12.
    LongestPrefix,
}

/// The time when `true`, `false` and `null` are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    /// At the last letter.
    Complete,
    /// At the first letter, which is unambiguous.
    FirstLetter,
}

/// The beginning of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// Immediately (after whitespace), with a value of any type.
    Value,
    /// At the first `{` or `[` that can begin a document. Text before it is skipped.
    Container,
    /// At the first `{` that can begin a document. Text before it is skipped.
    Object,
}

/// The text that may follow the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// Any text, which is ignored.
    Ignore,
    /// Whitespace only.
    Reject,
}

/// All rules of a parser. The presets match known parsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The time when a string value is shown.
    pub strings: Strings,
    /// The time when a number is shown.
    pub numbers: Numbers,
    /// The time when `true`, `false` and `null` are shown.
    pub literals: Literals,
    /// The beginning of the document.
    pub root: Root,
    /// The text that may follow the document.
    pub trailing: Trailing,
    /// The maximum nesting depth of containers.
    pub max_depth: usize,
    /// The maximum number of bytes, including text around the document.
    pub max_bytes: u64,
}

impl Rules {
    /// Returns the rules with a name, for a document that begins with `root`; by default, as the rules have it.
    ///
    /// # Errors
    /// Returns a message with the valid names.
    pub fn named(mode: &str, root: Option<&str>) -> Result<Self, String> {
        let rules = match mode {
            "default" => Self::DEFAULT,
            "trailing-strings" => Self::JITER_TRAILING_STRINGS,
            other => return Err(format!("mode must be 'default' or 'trailing-strings', got {other:?}")),
        };
        let root = match root {
            None => rules.root,
            Some("value") => Root::Value,
            Some("container") => Root::Container,
            Some("object") => Root::Object,
            Some(other) => {
                return Err(format!("root must be 'value', 'container' or 'object', got {other:?}"));
            }
        };
        Ok(Self { root, ..rules })
    }

    /// For streams: strings grow, other values are shown when final, and prose and fences around the document are
    /// skipped.
    pub const DEFAULT: Self = Self {
        strings: Strings::Growing,
        numbers: Numbers::Complete,
        literals: Literals::Complete,
        root: Root::Container,
        trailing: Trailing::Ignore,
        max_depth: 200,
        max_bytes: 256 * 1024 * 1024,
    };

    /// RFC 8259: one complete document with only whitespace around it.
    pub const STRICT: Self = Self { root: Root::Value, trailing: Trailing::Reject, ..Self::DEFAULT };

    /// jiter's `partial_mode="trailing-strings"`, as in Mirascope v1.
    pub const JITER_TRAILING_STRINGS: Self =
        Self { numbers: Numbers::WhenValid, root: Root::Value, ..Self::DEFAULT };

    /// jiter's `partial_mode="on"`.
    pub const JITER_ON: Self = Self { strings: Strings::Complete, ..Self::JITER_TRAILING_STRINGS };

    /// Vercel's `fixJson`: everything that can be guessed is shown.
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
