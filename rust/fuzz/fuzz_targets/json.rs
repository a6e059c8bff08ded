//! Fuzzes the JSON parser: it must accept, refuse and read the same texts as serde_json.
#![no_main]

use ferroscope_core::json::{Kind, Tape, Value};
use libfuzzer_sys::fuzz_target;

/// The maximum depth of serde_json.
const DEPTH: usize = 126;

fuzz_target!(|text: &str| {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    let mut tape = Tape::default();
    match (tape.read(text, DEPTH), theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, &theirs), "{text:?}"),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => {
            // Values that serde_json cannot represent, and extensions of Python.
            let error = error.to_string();
            let known = ["number out of range", "surrogate", "hex escape", "recursion limit"];
            let words = text.contains("NaN") || text.contains("Infinity");
            assert!(words || known.iter().any(|known| error.contains(known)), "{text:?}: {error}");
        }
        (Err(found), Ok(_)) => {
            assert_eq!(found.problem, ferroscope_core::error::JsonProblem::Depth, "{text:?}");
        }
    }
});

fn same(ours: Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours.kind(), theirs) {
        (Kind::Null, serde_json::Value::Null) => true,
        (Kind::True, serde_json::Value::Bool(true)) | (Kind::False, serde_json::Value::Bool(false)) => true,
        (Kind::Number, serde_json::Value::Number(number)) => {
            serde_json::from_str::<serde_json::Number>(ours.raw()).is_ok_and(|ours| ours == *number)
        }
        (Kind::Plain | Kind::Escaped, serde_json::Value::String(text)) => {
            ours.as_str().as_deref() == Some(text)
        }
        (Kind::Array, serde_json::Value::Array(elements)) => {
            ours.elements().count() == elements.len()
                && ours.elements().zip(elements).all(|(ours, theirs)| same(ours, theirs))
        }
        (Kind::Object, serde_json::Value::Object(members)) => {
            ours.members().count() == members.len()
                && ours
                    .members()
                    .all(|(key, ours)| members.get(&*key.name()).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}
