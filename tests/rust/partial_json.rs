//! The incremental reader against a slow obvious one, and the rules that its documentation promises.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod partial_json_oracle;

use ferroscope_core::partial_json::{
    Document, Error, ErrorKind, Expected, Literals, Numbers, Path, Root, Rules, Slot, Strings, Trailing,
};
use partial_json_oracle::{Stop, read};
use proptest::prelude::*;

const PRESETS: [(&str, Rules); 5] = [
    ("default", Rules::DEFAULT),
    ("strict", Rules::STRICT),
    ("jiter trailing-strings", Rules::JITER_TRAILING_STRINGS),
    ("jiter on", Rules::JITER_ON),
    ("fixJson", Rules::FIX_JSON),
];

const DOCUMENTS: &[&str] = &[
    r#"{"title": "Pride and Prejudice", "year": 1813, "tags": ["novel", "classic"], "price": {"eur": 12.50}}"#,
    r#"[1, -0, 0.5, -1.25e+4, 2E8, 1e400, 12345678901234567890123, true, false, null, "", {}, []]"#,
    r#"{"a": 1, "a": 23.4, "b": {"x": "y"}, "b": null, "a": "last"}"#,
    r#"{"é": "è€😀", "esc": "\" \\ \/ \b \f \n \r \t \u00e9 \u20AC", "pair": "\ud83d\ude00"}"#,
    r#"["\ud83d", "\ude00", "\ud83d\ud83d\ude00", "\ud83dx", "\ud83d\n", "\ud83d\u0041", "\ud83dé", "\ud83d"]"#,
    " \n\t { \"a\" : [ 1 , 2 ] , \"b\" : { } }\r\n ",
    "\"a string\"",
    "12.75",
    " true ",
    r#"{"a": {"a": {"a": [[[[{"deep": "er"}]]]]}}}"#,
    "Sure, here is the [answer] to {that}:\n```json\n{\"a\": [1, 2]}\n```\nAnything else? {\"b\": 2}",
    "{ {\"a\": 1} }",
    "\u{feff}{\"bom\": true}",
    r#"{"a": 1} x"#,
    r#"[1,,2]"#,
    r#"{"a": 01}"#,
    r#"{"a": 1.x}"#,
    r#"{"a": -}"#,
    r#"{"a": 12x}"#,
    r#"{'a': 1}"#,
    r#"{"a" 1}"#,
    r#"{"a": 1,}"#,
    r#"{"a": [1}"#,
    r#"[tru e]"#,
    r#"["\x"]"#,
    r#"["\u12g4"]"#,
    r#"["\ud83d\x"]"#,
    r#"["\ud83d\u12g4"]"#,
    "[\"raw\nnewline\"]",
    "[\"\\ud83d\n\"]",
    "{\"k\": \"v\", \"a\u{1}\": 1}",
    "[[[[[[[[[[[[]]]]]]]]]]]]",
];

/// Documents whose bytes are not text.
const BYTES: &[&[u8]] = &[
    b"[\"\xff\"]",
    b"[\"\xe2\x82\"]",
    b"[\"\xe2\x28\xa1\"]",
    b"[\"\xed\xa0\x80\"]",
    b"{\"\xf0\x9f\x98\": 1}",
    b"[\"\\ud83d\xff\"]",
    b"[\"\\ud83d\xe2\x28\"]",
    b"[\"\xc0\x80\"]",
    b"\xff {\"a\": 1} \xff",
];

/// Feeds the pieces, then demands what the oracle reads from the whole.
fn check(rules: Rules, pieces: &[&[u8]]) {
    let whole = pieces.concat();
    let mut document = Document::new(rules);
    let mut fed: Result<(), Error> = Ok(());
    for piece in pieces {
        let again = document.feed(piece);
        assert!(fed.is_ok() || again == fed, "an error must stay");
        fed = again;
    }
    let (value, stop) = read(&whole, rules);
    let told = || format!("{rules:?}\n{}", String::from_utf8_lossy(&whole));
    assert_eq!(document.to_json(), value.map(|v| v.text()), "{}", told());
    assert_eq!(
        fed.err().map(|error| error.at),
        match stop {
            Err(Stop::Wrong(at)) => Some(at as u64),
            _ => None,
        },
        "{}",
        told()
    );
    if fed.is_ok() && stop == Ok(()) {
        assert!(document.parser().is_complete(), "{}", told());
        assert_eq!(document.finish(), Ok(()));
    }
}

fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut at = 0;
    let mut pieces: Vec<&[u8]> = Vec::new();
    for &size in cuts {
        let end = (at + size).min(bytes.len());
        pieces.push(&bytes[at..end]);
        at = end;
    }
    pieces.push(&bytes[at..]);
    pieces
}

#[test]
fn every_prefix_in_one_piece_or_byte_by_byte_shows_what_the_oracle_reads() {
    let texts = DOCUMENTS.iter().map(|d| d.as_bytes()).chain(BYTES.iter().copied());
    for text in texts {
        for (_, rules) in PRESETS {
            let rules = Rules { max_depth: 10, ..rules };
            for end in 0..=text.len() {
                check(rules, &[&text[..end]]);
                check(rules, &text[..end].chunks(1).collect::<Vec<_>>());
                check(rules, &text[..end].chunks(3).collect::<Vec<_>>());
            }
        }
    }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    (
        prop_oneof![Just(Strings::Growing), Just(Strings::Complete)],
        prop_oneof![Just(Numbers::Complete), Just(Numbers::WhenValid), Just(Numbers::LongestPrefix)],
        prop_oneof![Just(Literals::Complete), Just(Literals::FirstLetter)],
        prop_oneof![Just(Root::Value), Just(Root::Container), Just(Root::Object)],
        prop_oneof![Just(Trailing::Ignore), Just(Trailing::Reject)],
        1_usize..12,
    )
        .prop_map(|(strings, numbers, literals, root, trailing, max_depth)| Rules {
            strings,
            numbers,
            literals,
            root,
            trailing,
            max_depth,
            max_bytes: 1 << 20,
        })
}

/// Random documents: values as text, so that escapes, spacing and repeated keys vary too.
fn any_json() -> impl Strategy<Value = String> {
    let string = prop::collection::vec(
        prop_oneof![
            4 => "[a-c ]{1,4}",
            1 => "[é€😀\u{7f}]",
            1 => prop::sample::select(vec!["\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\uD83D", "\\uDE00", "\\ud83d\\ude00"])
                .prop_map(str::to_owned),
        ],
        0..5,
    )
    .prop_map(|parts| format!("\"{}\"", parts.concat()));
    let leaf = prop_oneof![
        string.clone(),
        prop::sample::select(vec![
            "0", "-0", "12", "-3.25", "1e5", "1E-2", "10.0e+1", "true", "false", "null"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(
                ("[ \n]{0,2}", inner.clone()).prop_map(|(s, v)| format!("{s}{v}{s}")),
                0..6
            )
            .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(
                (string.clone(), " {0,1}", inner).prop_map(|(k, s, v)| format!("{s}{k}{s}:{s}{v}")),
                0..6
            )
            .prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn random_documents_cut_anywhere_show_what_the_oracle_reads(
        rules in any_rules(), text in any_json(), end in 0.0..1.1_f64, cuts in prop::collection::vec(0_usize..9, 0..60),
    ) {
        let end = ((text.len() as f64 * end) as usize).min(text.len());
        check(rules, &cut(&text.as_bytes()[..end], &cuts));
    }

    #[test]
    fn damaged_documents_cut_anywhere_show_what_the_oracle_reads(
        rules in any_rules(), text in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        cuts in prop::collection::vec(0_usize..9, 0..60),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check(rules, &cut(&bytes, &cuts));
    }

    #[test]
    fn any_bytes_at_all_are_read_without_panic(
        rules in any_rules(), bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\u0d8e1.-tfn \xe2\x82\xff".to_vec()), 0..40),
        cuts in prop::collection::vec(0_usize..5, 0..30),
    ) {
        check(rules, &cut(&bytes, &cuts));
    }

    #[test]
    fn whole_documents_equal_what_serde_json_reads(text in any_json()) {
        // serde_json refuses lone surrogates, which we replace: leave those out.
        prop_assume!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let mut document = Document::new(Rules::STRICT);
        document.feed(text.as_bytes()).unwrap();
        document.finish().unwrap();
        let ours: serde_json::Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
        prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }
}

#[test]
fn errors_name_the_byte_and_leave_what_came_before() {
    use ErrorKind::{
        InvalidEscape, InvalidLiteral, InvalidNumber, TooDeep, TooLarge, Unexpected, UnexpectedEnd,
    };
    let small = Rules { max_depth: 3, max_bytes: 12, ..Rules::DEFAULT };
    type Row = (Rules, &'static str, ErrorKind, u64, Option<&'static str>, &'static str);
    let table: [Row; 11] = [
        (
            Rules::DEFAULT,
            r#"{"a": 1, b: 2}"#,
            Unexpected { found: b'b', expected: Expected::Key },
            9,
            Some(r#"{"a":1}"#),
            "byte 9: 'b' where a key in double quotes was expected",
        ),
        (
            Rules::DEFAULT,
            r#"{"a": [1 2]}"#,
            Unexpected { found: b'2', expected: Expected::CommaOrArrayEnd },
            9,
            Some(r#"{"a":[1]}"#),
            "byte 9: '2' where ',' or ']' was expected",
        ),
        (Rules::DEFAULT, r#"{"a": 1.2.3}"#, InvalidNumber, 9, Some("{}"), "byte 9: invalid number"),
        (
            Rules::DEFAULT,
            r#"{"a": "b\q"}"#,
            InvalidEscape,
            9,
            Some(r#"{"a":"b"}"#),
            "byte 9: invalid escape inside a string",
        ),
        (
            Rules::DEFAULT,
            r#"{"a": nil}"#,
            InvalidLiteral,
            7,
            Some("{}"),
            "byte 7: a word that is not true, false or null",
        ),
        (
            Rules::DEFAULT,
            r#"{"a": "b"#,
            UnexpectedEnd { expected: Expected::StringEnd },
            8,
            Some(r#"{"a":"b"}"#),
            "byte 8: the text ends where the rest of a string was expected",
        ),
        (
            Rules::DEFAULT,
            "I cannot do that.",
            ErrorKind::NoDocument,
            17,
            None,
            "byte 17: the text contains no JSON document",
        ),
        (
            Rules::STRICT,
            "{} x",
            Unexpected { found: b'x', expected: Expected::Nothing },
            3,
            Some("{}"),
            "byte 3: 'x' where nothing more was expected",
        ),
        (
            small,
            "[[[[1]]]]",
            TooDeep { limit: 3 },
            3,
            Some("[[[]]]"),
            "byte 3: containers nested deeper than 3",
        ),
        (
            small,
            r#"["abcdefghijklm"]"#,
            TooLarge { limit: 12 },
            12,
            Some(r#"["abcdefghij"]"#),
            "byte 12: text longer than 12 bytes",
        ),
        (
            Rules::STRICT,
            "-",
            UnexpectedEnd { expected: Expected::Digits },
            1,
            None,
            "byte 1: the text ends where the rest of a number was expected",
        ),
    ];
    for (rules, text, kind, at, value, words) in table {
        let mut document = Document::new(rules);
        let error = document.feed(text.as_bytes()).and_then(|()| document.finish()).unwrap_err();
        assert_eq!((error, document.to_json().as_deref()), (Error { kind, at }, value), "{text}");
        assert_eq!(error.to_string(), words);
        assert_eq!(document.feed(b"more"), Err(error));
    }
}

#[test]
fn a_number_of_any_length_is_read_up_to_what_python_accepts() {
    let mut document = Document::new(Rules::STRICT);
    document.feed(&[b'9'; 4300]).unwrap();
    assert_eq!(
        document.feed(b"9").unwrap_err(),
        Error { kind: ErrorKind::NumberTooLong { limit: 4300 }, at: 4300 }
    );
}

#[test]
fn the_place_of_the_document_in_the_text_is_known() {
    let text = "Sure {x}: ```json\n{\"a\": 1}\n```";
    let mut document = Document::new(Rules::DEFAULT);
    for byte in text.as_bytes().chunks(1) {
        document.feed(byte).unwrap();
    }
    let (start, end) =
        (document.parser().start().unwrap() as usize, document.parser().end().unwrap() as usize);
    assert_eq!((&text[start..end], document.parser().offset()), ("{\"a\": 1}", text.len() as u64));
}

fn dotted(path: &Path<'_, String>) -> String {
    let steps = path.iter().map(|slot| match slot {
        Slot::Index(at) => at.to_string(),
        Slot::Name(name) => name.clone(),
    });
    steps.collect::<Vec<_>>().join(".")
}

#[test]
fn changes_name_what_a_feed_touched_and_what_it_completed() {
    let mut document = Document::new(Rules::JITER_TRAILING_STRINGS);
    /// A piece, what it changed, and the open path after it.
    type Fed = (&'static str, &'static [(&'static str, bool)], &'static str);
    let steps: [Fed; 8] = [
        (r#"{"items": [{"na"#, &[("", false), ("items", false), ("items.0", false)], "items.0"),
        (r#"me": "Te"#, &[("items.0.name", false)], "items.0.name"),
        (r#"a"#, &[("items.0.name", false)], "items.0.name"),
        (r#"", "n": 1"#, &[("items.0.name", true), ("items.0.n", false)], "items.0.n"),
        (r#"2"#, &[("items.0.n", false)], "items.0.n"),
        (r#"."#, &[("items.0", false)], "items.0"),
        (
            r#"5}, {}"#,
            &[("items.0.n", true), ("items.0", true), ("items.1", false), ("items.1", true)],
            "items",
        ),
        (r#"]}"#, &[("items", true), ("", true)], ""),
    ];
    for (piece, expected, open) in steps {
        document.feed(piece.as_bytes()).unwrap();
        let changes: Vec<(String, bool)> =
            document.changes().iter().map(|(path, done)| (dotted(path), *done)).collect();
        let expected: Vec<_> = expected.iter().map(|(path, done)| ((*path).to_owned(), *done)).collect();
        assert_eq!((changes, dotted(&document.open_path())), (expected, open.to_owned()), "{piece}");
    }
}

#[test]
fn a_feed_names_what_it_changes() {
    for text in DOCUMENTS {
        for (_, rules) in PRESETS {
            let mut document = Document::new(rules);
            for byte in text.as_bytes().chunks(1) {
                let before = document.to_json();
                let fed = document.feed(byte);
                let now = document.to_json();
                let named = !document.changes().is_empty();
                assert!(named || now.is_none() || now == before, "{rules:?} {text} {before:?} {now:?}");
                if fed.is_err() {
                    break;
                }
            }
        }
    }
}

#[test]
fn an_object_with_very_many_members_keeps_the_last_of_two_equal_keys() {
    let members: Vec<_> = (0..500).map(|n| format!("\"k{}\": {n}", n % 250)).collect();
    let mut document = Document::new(Rules::STRICT);
    document.feed(format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
    let shown: Vec<_> = (0..250).map(|n| format!("\"k{n}\":{}", n + 250)).collect();
    assert_eq!(document.to_json(), Some(format!("{{{}}}", shown.join(","))));
}
