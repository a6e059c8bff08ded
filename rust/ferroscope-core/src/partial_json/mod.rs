//! Incremental parsing of a JSON document. Each piece costs only its own length.
//!
//! A model sends an object in pieces of a few characters. Other parsers read the whole text again for every delta. This
//! one
//! is a state machine that never goes back, so the thousandth delta costs as much as the first.
//!
//! [`Parser`] is the state machine, [`Sink`] receives its output, [`Builder`] builds the value in a [`Store`] (of
//! Python
//! objects, for example), and [`Document`] is a builder with a store of its own:
//!
//! ```
//! use ferroscope_core::partial_json::{Document, Rules};
//!
//! let mut document = Document::new(Rules::DEFAULT);
//! document.feed(br#"Sure: ```json {"title": "Pride and Pre"#)?;
//! assert_eq!(document.to_json().as_deref(), Some(r#"{"title":"Pride and Pre"}"#));
//! document.feed(br#"judice", "year": 1813}"#)?;
//! document.finish()?;
//! assert_eq!(document.to_json().as_deref(), Some(r#"{"title":"Pride and Prejudice","year":1813}"#));
//! # Ok::<(), ferroscope_core::partial_json::Error>(())
//! ```
//!
//! # The value of incomplete text
//!
//! The value after a feed depends only on the bytes received so far. The chunk boundaries make no difference.
//!
//! | part | shown |
//! |---|---|
//! | object, array | from its opening bracket |
//! | member | when its key is complete **and** its value is shown; never a key alone |
//! | string | from its opening quote, and grows ([`Strings::Growing`]); or only when closed ([`Strings::Complete`]) |
//! | number | when the byte after it has arrived ([`Numbers::Complete`]: 1200 is never shown as 12); or as far as it has arrived ([`Numbers::WhenValid`], [`Numbers::LongestPrefix`]) |
//! | `true`, `false`, `null` | at the last letter; or at the first ([`Literals::FirstLetter`]) |
//!
//! - A chunk may end anywhere. A UTF-8 character appears with its last byte, an escape with its last digit, a surrogate
//!   pair with its second half.
//! - A lone surrogate escape becomes U+FFFD, because a Rust or UTF-8 string cannot contain one.
//! - Of duplicate keys, the last wins, and the member keeps its first position, as in Python. The earlier value remains
//!   visible until the later one is shown.
//! - Numbers are stored as text. The reader chooses their type.
//! - `NaN`, `Infinity`, comments, single quotes and trailing commas are errors, because they are not JSON.
//!
//! # Text around the document
//!
//! With [`Root::Container`] (the default) everything before the first `{` or `[` is skipped, with [`Root::Object`]
//! everything before the first `{`: an introduction, a Markdown fence, a byte order mark. A bracket counts only if its
//! content can begin with the next byte, so `{braces}` in prose are skipped. (Until that byte arrives, the value is an
//! empty container, which is withdrawn if the bracket was prose.) [`Root::Value`] expects the document immediately, of
//! any
//! type. Text after the document is ignored, or an error ([`Trailing`]).
//!
//! # Errors
//!
//! An [`Error`] has the offset of the byte where the text is not JSON. Everything before that byte remains readable,
//! exactly as if the feed had ended there, and every later feed returns the same error. Nesting and size have limits
//! ([`Rules::max_depth`], [`Rules::max_bytes`]).
//!
//! # Presets
//!
//! | preset | matches |
//! |---|---|
//! | [`Rules::DEFAULT`] | this crate's rules for streams |
//! | [`Rules::STRICT`] | RFC 8259: one complete document without other text |
//! | [`Rules::JITER_TRAILING_STRINGS`] | jiter `partial_mode="trailing-strings"`, as in Mirascope v1 |
//! | [`Rules::JITER_ON`] | jiter `partial_mode="on"` |
//! | [`Rules::FIX_JSON`] | Vercel's `fixJson`; partial-json-parser's `ALL`, except for its lone surrogates and its infinities |
//!
//! One difference remains in all presets: a lone surrogate is U+FFFD, but an error in jiter. Malformed text gives an
//! error
//! *and* the value before it, while the others give only one of the two.

mod builder;
mod error;
mod parser;
mod rules;
mod string;
mod tree;

pub use builder::{Builder, Code, Edit, Failure, Path, Place, Slot, Store};
pub use error::{Error, ErrorKind, Expected};
pub use parser::{Parser, Scalar, Sink};
pub use rules::{Literals, Numbers, Root, Rules, Strings, Trailing};
pub use tree::Document;
