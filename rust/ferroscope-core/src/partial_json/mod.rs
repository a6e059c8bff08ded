//! Reads a JSON document while it is still being written, at the cost of what is new.
//!
//! A model sends an object a few characters at a time. Every peer parses the whole text again for every delta;
//! here a delta is fed to a state machine that never looks back, so the thousandth costs what the first did.
//!
//! [`Parser`] is the machine, [`Sink`] receives what becomes visible, [`Builder`] builds the value in a [`Store`] (of
//! Python objects, say), [`Document`] is a builder with a store of its own:
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
//! # What shows, and when
//!
//! The value after a feed depends on the bytes received so far and on nothing else: any chunking gives the same.
//!
//! | part | shows |
//! |---|---|
//! | object, array | from its opening bracket |
//! | member | when its key is complete **and** its value shows; a key alone never does |
//! | string | from its opening quote, and grows ([`Strings::Growing`]); or only when closed ([`Strings::Complete`]) |
//! | number | when the byte after it has arrived ([`Numbers::Complete`]: a price of 1200 is never seen as 12); or as it stands ([`Numbers::WhenValid`], [`Numbers::LongestPrefix`]) |
//! | `true`, `false`, `null` | at the last letter; or at the first ([`Literals::FirstLetter`]) |
//!
//! - Cuts fall anywhere: inside a UTF-8 sequence the whole character appears with its last byte, inside an escape
//!   with its last digit, inside a surrogate pair with its second half.
//! - A lone surrogate escape becomes U+FFFD: a Rust or UTF-8 string cannot hold one.
//! - Duplicate keys: the last wins and the member keeps its first place, as in Python. The earlier value stays
//!   visible until the later one shows.
//! - Numbers are kept as text; who reads them chooses the type.
//! - `NaN`, `Infinity`, comments, single quotes and trailing commas are errors: they are not JSON.
//!
//! # Around the document
//!
//! With [`Root::Container`] (the default) everything before the first `{` or `[` is skipped, with [`Root::Object`]
//! everything before the first `{`: an introduction, a Markdown fence, a byte order mark. A bracket counts only if
//! what follows could begin its content, so `{braces}` in prose are passed over (until that byte is here the value
//! shows as empty; it is withdrawn if the bracket was prose). [`Root::Value`] expects the document at once, of any
//! kind. What follows the document is ignored, or an error ([`Trailing`]).
//!
//! # Errors
//!
//! An [`Error`] names the byte where the text stopped being JSON. What was received before that byte stays
//! readable, exactly as if the feed had ended there, and every later feed returns the same error. Nesting and size
//! have limits ([`Rules::max_depth`], [`Rules::max_bytes`]).
//!
//! # Whose rules
//!
//! | preset | matches |
//! |---|---|
//! | [`Rules::DEFAULT`] | our own, for streams |
//! | [`Rules::STRICT`] | RFC 8259: a whole document and nothing else |
//! | [`Rules::JITER_TRAILING_STRINGS`] | jiter `partial_mode="trailing-strings"`, what Mirascope v1 shows |
//! | [`Rules::JITER_ON`] | jiter `partial_mode="on"` |
//! | [`Rules::FIX_JSON`] | Vercel's `fixJson`; partial-json-parser's `ALL`, but for its lone surrogates and its infinities |
//!
//! The difference that stays in all of them: a lone surrogate is U+FFFD where jiter raises an error, and malformed
//! text gives an error *and* the value before it where the others give one of the two.

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
