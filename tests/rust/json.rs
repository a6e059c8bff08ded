//! Reading JSON: the same as a reader written for another purpose, and errors where they are.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::error::JsonProblem;
use ferroscope_core::json::{Kind, MAX_DEPTH, Problem, Tape, Text, Value, write_string};
use proptest::prelude::*;
use std::path::Path;

const DEPTH: usize = 64;

/// What a value holds, and that every view of it agrees.
fn as_serde(value: Value<'_>) -> serde_json::Value {
    assert_eq!(value.raw(), &value.raw()[..value.span().len()]);
    match value.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::True => true.into(),
        Kind::False => false.into(),
        Kind::Number => serde_json::from_str(value.raw()).unwrap_or_else(|_| value.raw().into()),
        Kind::Plain | Kind::Escaped => value.as_str().unwrap().into(),
        Kind::Array => value.elements().map(as_serde).collect(),
        Kind::Object => {
            let members = value.members().map(|(key, member)| {
                assert!(key.is(&key.name()));
                assert_eq!(value.get(&key.name()).unwrap().span(), member.span());
                (key.name().into_owned(), as_serde(member))
            });
            serde_json::Value::Object(members.collect())
        }
    }
}

fn read(text: &str) -> Result<serde_json::Value, Problem> {
    Tape::default().read(text, DEPTH).map(as_serde)
}

fn problem(text: &str) -> (JsonProblem, usize) {
    let found = Tape::default().read(text, DEPTH).err();
    let found = found.unwrap_or_else(|| panic!("{text:?} was accepted"));
    (found.problem, found.byte)
}

#[test]
fn values_keep_their_text_and_know_their_place() {
    let text = " { \"a\" : [1, -0.5e+3 ,\"x\\u00e9\"] ,\"b\":{},\"c\":\"\" } ";
    let mut tape = Tape::default();
    let root = tape.read(text, DEPTH).unwrap();
    assert_eq!(root.kind(), Kind::Object);
    assert_eq!(root.raw(), text.trim());
    let array = root.get("a").unwrap();
    assert_eq!((array.raw(), array.span()), ("[1, -0.5e+3 ,\"x\\u00e9\"]", 9..32));
    let elements: Vec<_> = array.elements().map(|element| (element.kind(), element.raw())).collect();
    assert_eq!(elements, [(Kind::Number, "1"), (Kind::Number, "-0.5e+3"), (Kind::Escaped, "\"x\\u00e9\"")]);
    assert_eq!(root.get("b").unwrap().members().count(), 0);
    assert_eq!((root.get("c").unwrap().quoted(), root.get("d").map(Value::raw)), (Some(""), None));
    assert_eq!(array.members().count() + root.elements().count(), 0, "an array has no members");
}

#[test]
fn a_tape_forgets_the_text_before() {
    let mut tape = Tape::default();
    for text in ["[1,2,3]", "{}", "[", "\"x\"", "[[[]]]"] {
        let fresh = Tape::default().read(text, DEPTH).map(as_serde);
        assert_eq!(tape.read(text, DEPTH).map(as_serde), fresh, "{text}");
    }
}

#[test]
fn of_members_of_one_name_the_last_counts() {
    let table: &[(&str, &[(&str, &str)])] = &[
        (r#"{"a":1,"a":2}"#, &[("a", "2")]),
        (r#"{"a":1,"b":2,"a":3}"#, &[("b", "2"), ("a", "3")]),
        (r#"{"a":{"a":1,"a":2},"a":[]}"#, &[("a", "[]")]),
        (r#"{"a":1,"\u0061":2}"#, &[("a", "2")]),
        (r#"{"\u0061":1,"a":2}"#, &[("a", "2")]),
        (r#"{"":1,"":2,"x":3}"#, &[("", "2"), ("x", "3")]),
        (r#"{"ab":1,"bb":2,"ba":3,"aa":4,"ab":5}"#, &[("bb", "2"), ("ba", "3"), ("aa", "4"), ("ab", "5")]),
    ];
    for &(text, expected) in table {
        let mut tape = Tape::default();
        let root = tape.read(text, DEPTH).unwrap();
        let members: Vec<_> = root.members().map(|(key, value)| (key.name(), value.raw())).collect();
        let expected: Vec<_> = expected.iter().map(|&(key, value)| (key.into(), value)).collect();
        assert_eq!(members, expected, "{text}");
    }
}

#[test]
fn an_object_of_very_many_members_is_read_in_time() {
    let mut text = String::from("{");
    for n in 0..200_000 {
        text.push_str(&format!("\"{n}\":{n},"));
    }
    text.push_str("\"7\":\"last\"}");
    let mut tape = Tape::default();
    let root = tape.read(&text, DEPTH).unwrap();
    assert_eq!(root.members().count(), 200_000);
    assert_eq!(root.get("7").unwrap().raw(), "\"last\"");
}

#[test]
fn what_python_reads_is_read() {
    for text in
        ["NaN", "Infinity", "-Infinity", "[NaN]", "{\"a\":-Infinity}", "-0", "1E400", "\"\u{7f}\u{2028}\""]
    {
        assert!(Tape::default().read(text, DEPTH).is_ok(), "{text}");
    }
    let mut tape = Tape::default();
    assert_eq!(tape.read(" -Infinity", DEPTH).unwrap().raw(), "-Infinity");
}

#[test]
fn numbers_are_whole_or_they_are_not() {
    let table = [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("1.0", None),
        ("1e2", None),
        ("NaN", None),
        ("\"1\"", None),
        ("true", None),
    ];
    for (text, expected) in table {
        assert_eq!(Tape::default().read(text, DEPTH).unwrap().as_i64(), expected, "{text}");
    }
}

#[test]
fn truth_is_what_python_says() {
    let table: [(bool, &[&str]); 2] = [
        (false, &["null", "false", "0", "-0", "0.0", "0e7", "\"\"", "[]", "{}", "[ ]", "{ }"]),
        (
            true,
            &["true", "1", "-0.1", "NaN", "-Infinity", "\" \"", "\"\\u0000\"", "[0]", "[[]]", "{\"\":null}"],
        ),
    ];
    for (expected, texts) in table {
        for text in texts {
            assert_eq!(Tape::default().read(text, DEPTH).unwrap().is_truthy(), expected, "{text}");
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    use JsonProblem::*;
    let table: &[(&str, JsonProblem, usize)] = &[
        ("", UnexpectedEnd, 0),
        ("  ", UnexpectedEnd, 2),
        ("[", UnexpectedEnd, 1),
        ("[1", UnexpectedEnd, 2),
        ("[1,", UnexpectedEnd, 3),
        ("[1 2]", UnexpectedByte(b'2'), 3),
        ("[1,]", UnexpectedByte(b']'), 3),
        ("[,1]", UnexpectedByte(b','), 1),
        ("{", UnexpectedEnd, 1),
        ("{1:2}", UnexpectedByte(b'1'), 1),
        ("{\"a\"}", UnexpectedByte(b'}'), 4),
        ("{\"a\":}", UnexpectedByte(b'}'), 5),
        ("{\"a\":1,}", UnexpectedByte(b'}'), 7),
        ("{\"a\":1 \"b\":2}", UnexpectedByte(b'"'), 7),
        ("{\"a\":1]", UnexpectedByte(b']'), 6),
        ("]", UnexpectedByte(b']'), 0),
        ("nul", UnexpectedEnd, 3),
        ("nulL", UnexpectedByte(b'L'), 3),
        ("truefalse", Trailing, 4),
        ("1 1", Trailing, 2),
        ("{}x", Trailing, 2),
        ("-", Number, 1),
        ("-x", Number, 1),
        ("01", Trailing, 1),
        ("1.", Number, 2),
        ("1.e1", Number, 2),
        ("1e", Number, 2),
        ("1e+", Number, 3),
        (".5", UnexpectedByte(b'.'), 0),
        ("+1", UnexpectedByte(b'+'), 0),
        ("-Inf", UnexpectedEnd, 4),
        ("'a'", UnexpectedByte(b'\''), 0),
        ("é", UnexpectedByte(0xC3), 0),
        ("\u{feff}{}", UnexpectedByte(0xEF), 0),
        ("\"", UnexpectedEnd, 1),
        ("\"abc", UnexpectedEnd, 4),
        ("\"a\\", UnexpectedEnd, 3),
        ("\"a\\x\"", Escape, 3),
        ("\"\\u12\"", Escape, 5),
        ("\"\\u12", UnexpectedEnd, 5),
        ("\"\\u123g\"", Escape, 6),
        ("\"\\u+123\"", Escape, 3),
        ("\"a\nb\"", ControlCharacter, 2),
        ("\"12345678\u{0}\"", ControlCharacter, 9),
        ("[\"ok\", \"a\tb\"]", ControlCharacter, 9),
    ];
    for &(text, kind, byte) in table {
        assert_eq!(problem(text), (kind, byte), "{text:?}");
    }
    assert_eq!(JsonProblem::UnexpectedByte(b'}').to_string(), "unexpected '}'");
    assert_eq!(JsonProblem::UnexpectedByte(0xC3).to_string(), "unexpected byte 0xc3");
}

#[test]
fn nesting_has_a_limit_that_no_caller_can_lift() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        assert!(Tape::default().read(&nested(5), 5).is_ok());
        let found = Tape::default().read(&nested(6), 5).err();
        assert_eq!(found, Some(Problem { problem: JsonProblem::Depth, byte: open.len() * 5 }));
        // Siblings are not levels.
        let siblings = format!("[{0},{0},{0}]", nested(4));
        assert!(Tape::default().read(&siblings, 5).is_ok());

        // A stack as small as threads have them anywhere.
        let reader = std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
            assert!(Tape::default().read(&nested(MAX_DEPTH), usize::MAX).is_ok());
            let found = Tape::default().read(&nested(MAX_DEPTH + 1), usize::MAX).err();
            assert_eq!(found.map(|found| found.problem), Some(JsonProblem::Depth));
            let found = Tape::default().read(&nested(2_000_000), usize::MAX).err();
            assert_eq!(found.map(|found| found.problem), Some(JsonProblem::Depth));
        });
        reader.unwrap().join().unwrap();
    }
}

/// Where a string ends, seen one byte at a time: `Ok` with the length, or the problem.
fn scan_slowly(quoted: &[u8]) -> Result<usize, (JsonProblem, usize)> {
    let mut at = 1;
    loop {
        match quoted.get(at) {
            None => return Err((JsonProblem::UnexpectedEnd, quoted.len())),
            Some(b'"') => return Ok(at + 1),
            Some(0..0x20) => return Err((JsonProblem::ControlCharacter, at)),
            Some(b'\\') => match quoted.get(at + 1) {
                None => return Err((JsonProblem::UnexpectedEnd, at + 1)),
                Some(b'u') => {
                    for digit in at + 2..at + 6 {
                        match quoted.get(digit) {
                            None => return Err((JsonProblem::UnexpectedEnd, digit)),
                            Some(byte) if byte.is_ascii_hexdigit() => {}
                            Some(_) => return Err((JsonProblem::Escape, digit)),
                        }
                    }
                    at += 6;
                }
                Some(byte) if b"\"\\/bfnrt".contains(byte) => at += 2,
                Some(_) => return Err((JsonProblem::Escape, at + 1)),
            },
            Some(_) => at += 1,
        }
    }
}

fn scan_agrees(text: &str) {
    let found = Tape::default().read(text, DEPTH).map(|value| value.span().len());
    let found = found.map_err(|found| (found.problem, found.byte));
    let expected = scan_slowly(text.as_bytes()).and_then(|length| {
        match text[length..].trim_start_matches([' ', '\n', '\r', '\t']).len() {
            0 => Ok(length),
            rest => Err((JsonProblem::Trailing, text.len() - rest)),
        }
    });
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn strings_end_where_a_reader_of_single_bytes_sees_it() {
    for offset in 0..24 {
        for tail in 0..24 {
            let (before, after) = ("a".repeat(offset), "b".repeat(tail));
            for byte in 0..=0x7F_u8 {
                scan_agrees(&format!("\"{before}{}{after}\"", char::from(byte)));
            }
            for piece in [
                "\\\"", "\\\\", "\\n", "\\x", "\\u00e9", "\\u00g9", "\\u12", "é", "\u{80}", "😀", "\u{2028}",
                "", "\"\"",
            ] {
                scan_agrees(&format!("\"{before}{piece}{after}\""));
                scan_agrees(&format!("\"{before}{piece}{after}"));
            }
        }
    }
}

#[test]
fn neighbours_of_the_special_bytes_do_not_confuse_the_scan() {
    // A borrow between the bytes of a word must not flag a byte that is one off, nor hide one that is meant.
    let near = [b'!', b'"', b'#', b'[', b'\\', b']', 0x1F, 0x20, 0x21, 0x00, 0x7F];
    for first in near {
        for second in near {
            for offset in 0..9 {
                let mut text = vec![b'"'];
                text.extend(std::iter::repeat_n(b' ', offset));
                text.extend([first, second, b' ', b' ', b' ', b' ', b' ', b' ', b' ', b'"']);
                scan_agrees(std::str::from_utf8(&text).unwrap());
            }
        }
    }
}

#[test]
fn escapes_are_decoded_also_when_pairs_are_cut() {
    let table: &[(&[&str], &str)] = &[
        (&[r#"\"\\\/\b\f\n\r\t"#], "\"\\/\u{8}\u{c}\n\r\t"),
        (&[r"\u0041\u00e9\u20AC\u0000"], "Aé€\0"),
        (&[r"\ud83d\ude00"], "😀"),
        (&[r"\uD83D\uDE00!"], "😀!"),
        (&[r"a\ud83d", r"\ude00b"], "a😀b"),
        (&[r"\ud83d", "", r"\ude00"], "😀"),
        (&[r"\ud83d"], "\u{FFFD}"),
        (&[r"\ude00"], "\u{FFFD}"),
        (&[r"\ud83dx"], "\u{FFFD}x"),
        (&[r"\ud83d", "x"], "\u{FFFD}x"),
        (&[r"\ud83d\n"], "\u{FFFD}\n"),
        (&[r"\ud83d\ud83d\ude00"], "\u{FFFD}😀"),
        (&[r"\ude00\ud83d"], "\u{FFFD}\u{FFFD}"),
        (&[r"\ud83d", r"\u0041"], "\u{FFFD}A"),
        (&[r"\udbff\udfff", r"\ud800\udc00"], "\u{10FFFF}\u{10000}"),
        (&["é😀", "\u{2028}"], "é😀\u{2028}"),
        (&[], ""),
    ];
    for &(pieces, expected) in table {
        let mut text = Text::default();
        pieces.iter().for_each(|piece| text.push(piece));
        text.finish();
        assert_eq!(text.value, expected, "{pieces:?}");
    }
}

#[test]
fn text_that_is_no_quoted_json_does_no_harm() {
    for piece in ["\\", "\\u", "\\u1", "\\u12é", "\\é", "\\😀", "a\\ud83d\\u"] {
        let mut text = Text::default();
        text.push(piece);
        text.push("x");
        text.finish();
    }
}

/// The published suite beside the repository: what must be read is read, what must not is not.
#[test]
fn the_json_test_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/json");
    let mut seen = [0; 3];
    for part in ["test_parsing", "test_transform"] {
        let Ok(files) = std::fs::read_dir(folder.join(part)) else {
            eprintln!("skipped: there is no suite beside the repository");
            return;
        };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            let lossy = String::from_utf8_lossy(&bytes);
            let ours = Tape::default().read(&lossy, MAX_DEPTH).map(as_serde);
            // Not UTF-8, and so replaced by the framing long before.
            let is_text = std::str::from_utf8(&bytes).is_ok();
            match &name[..2] {
                "y_" => {
                    assert_eq!(
                        ours.unwrap(),
                        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap(),
                        "{name}"
                    );
                    seen[0] += 1;
                }
                "n_" if is_text => {
                    assert_eq!(ours.is_ok(), PYTHON_READS.contains(&&*name), "{name}");
                    seen[1] += 1;
                }
                _ => seen[2] += 1,
            }
        }
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
    eprintln!("{seen:?}");
}

/// Python's reader takes these words for numbers, and so do the official clients.
const PYTHON_READS: [&str; 3] =
    ["n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"];

fn documents() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        proptest::collection::vec(any::<char>(), 0..20)
            .prop_map(|chars| chars.into_iter().collect::<String>()),
        "[ -~]{0,30}",
        proptest::sample::select(vec![
            "", "a", "b", "index", "content", "\"", "\\", "\u{0}", "é", "😀", "\u{2028}"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        text.clone().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::vec((text.clone(), inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The text with every character of its strings as an escape, or with white space everywhere.
fn otherwise_written(value: &serde_json::Value) -> String {
    let escape = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
    match value {
        serde_json::Value::String(text) => format!(" \"{}\"\n", escape(text)),
        serde_json::Value::Array(elements) => {
            format!("\t[ {} ]", elements.iter().map(otherwise_written).collect::<Vec<_>>().join(" ,"))
        }
        serde_json::Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, member)| format!("\"{}\" :{}", escape(key), otherwise_written(member)));
            format!("\r\n{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document_reads_as_serde_reads_it(value in documents()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap(), otherwise_written(&value)] {
            let expected = serde_json::from_str::<serde_json::Value>(&text).unwrap();
            prop_assert_eq!(read(&text).unwrap(), expected, "{}", text);
        }
    }

    #[test]
    fn any_text_is_accepted_or_refused_as_serde_does(
        value in documents(),
        at in any::<proptest::sample::Index>(),
        cut in 0_usize..3,
        put in proptest::sample::select(vec!["", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\n", "x", "\u{1}", "é"]),
    ) {
        let text = value.to_string();
        let places: Vec<_> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
        let start = at.index(places.len());
        let end = (start + cut).min(places.len() - 1);
        let changed = [&text[..places[start]], put, &text[places[end]..]].concat();
        let expected = serde_json::from_str::<serde_json::Value>(&changed);
        match (read(&changed), expected) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(_), Err(_)) => {}
            // The one thing that serde cannot hold and JSON can.
            (Ok(_), Err(error)) if error.to_string().starts_with("number out of range") => {}
            (ours, theirs) => prop_assert!(false, "{changed}: {ours:?} {theirs:?}"),
        }
    }

    #[test]
    fn any_text_is_written_as_json_that_reads_the_same(text in proptest::collection::vec(any::<char>(), 0..40)) {
        let text: String = text.into_iter().collect();
        let mut written = String::new();
        write_string(&text, &mut written);
        prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), &*text);
        let mut tape = Tape::default();
        let value = tape.read(&written, DEPTH).unwrap();
        prop_assert_eq!(value.as_str().unwrap(), text);
    }

    #[test]
    fn any_string_scans_as_byte_by_byte(pieces in proptest::collection::vec(
        proptest::sample::select(vec!["a", "bcdefgh", "\"", "\\\"", "\\\\", "\\", "\\u00e9", "\\u", "12", "g", "\u{1}", "\u{1f}", " ", "é", "€", "😀", "!", "#", "[", "]"]),
        0..12,
    )) {
        scan_agrees(&format!("\"{}", pieces.concat()));
    }
}
