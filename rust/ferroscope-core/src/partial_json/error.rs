//! The position of a syntax error, and its reason. The text is created only on demand.

use std::fmt;

/// The first error in a text, and its byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The offset of the byte, counted from the first byte fed.
    pub at: u64,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A byte that is not valid at its position.
    Unexpected {
        /// The byte.
        found: u8,
        /// The expected text.
        expected: Expected,
    },
    /// The text ended inside the document.
    UnexpectedEnd {
        /// The expected text.
        expected: Expected,
    },
    /// The text ended before a document began.
    NoDocument,
    /// A raw control character inside a string.
    ControlCharacter(u8),
    /// A backslash with an unknown letter, or a `\u` without four hexadecimal digits.
    InvalidEscape,
    /// Bytes in a string that are not UTF-8.
    InvalidUtf8,
    /// An invalid number, such as `01` or `1.x`.
    InvalidNumber,
    /// A word that is not `true`, `false` or `null`.
    InvalidLiteral,
    /// A number with too many digits.
    NumberTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Containers nested deeper than allowed.
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More bytes than allowed.
    TooLarge {
        /// The limit.
        limit: u64,
    },
}

/// The expected text at the position of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A value.
    Value,
    /// A value, or `]`.
    ValueOrEnd,
    /// A key.
    Key,
    /// A key, or `}`.
    KeyOrEnd,
    /// A colon.
    Colon,
    /// A comma, or `]`.
    CommaOrArrayEnd,
    /// A comma, or `}`.
    CommaOrObjectEnd,
    /// The rest of a string.
    StringEnd,
    /// The rest of a number.
    Digits,
    /// The rest of `true`, `false` or `null`.
    Letters,
    /// Nothing: the document was complete.
    Nothing,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "a value",
            Self::ValueOrEnd => "a value or ']'",
            Self::Key => "a key in double quotes",
            Self::KeyOrEnd => "a key in double quotes or '}'",
            Self::Colon => "':'",
            Self::CommaOrArrayEnd => "',' or ']'",
            Self::CommaOrObjectEnd => "',' or '}'",
            Self::StringEnd => "the rest of a string",
            Self::Digits => "the rest of a number",
            Self::Letters => "the rest of true, false or null",
            Self::Nothing => "nothing more",
        })
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, expected } if (0x20..0x7f).contains(found) => {
                write!(f, "'{}' where {expected} was expected", char::from(*found))
            }
            Self::Unexpected { found, expected } => {
                write!(f, "byte 0x{found:02x} where {expected} was expected")
            }
            Self::UnexpectedEnd { expected } => {
                write!(f, "the text ends where {expected} was expected")
            }
            Self::NoDocument => f.write_str("the text contains no JSON document"),
            Self::ControlCharacter(byte) => {
                write!(f, "raw control character 0x{byte:02x} inside a string")
            }
            Self::InvalidEscape => f.write_str("invalid escape inside a string"),
            Self::InvalidUtf8 => f.write_str("bytes inside a string that are not UTF-8"),
            Self::InvalidNumber => f.write_str("invalid number"),
            Self::InvalidLiteral => f.write_str("a word that is not true, false or null"),
            Self::NumberTooLong { limit } => write!(f, "number longer than {limit} bytes"),
            Self::TooDeep { limit } => write!(f, "containers nested deeper than {limit}"),
            Self::TooLarge { limit } => write!(f, "text longer than {limit} bytes"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.kind)
    }
}

impl std::error::Error for Error {}
