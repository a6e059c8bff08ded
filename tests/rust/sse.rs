//! Server-sent events: what the standard says, however the body is cut.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sse_oracle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferroscope_core::framing::sse::Decoder;
use ferroscope_core::{Error, ErrorKind, Place, error::Limit};
use proptest::prelude::*;
use serde_json::Value;
use sse_oracle::{Event, Reading, cut, decode, read};
use std::path::Path;

const NO_LIMIT: usize = 1 << 30;

/// Bodies, and the events in them as `(name, data, id)`.
type Table =
    &'static [(&'static str, &'static [u8], &'static [(&'static str, &'static str, &'static str)])];

const TABLE: Table = &[
    ("one event", b"data: hello\n\n", &[("", "hello", "")]),
    (
        "one space after the colon goes, more stay",
        b"data:  two\n\ndata:none\n\n",
        &[("", " two", ""), ("", "none", "")],
    ),
    ("lines are joined by line feeds", b"data: a\ndata: b\r\ndata: c\rdata:d\n\n", &[("", "a\nb\nc\nd", "")]),
    ("CR alone ends lines", b"data: a\rdata: b\r\rdata: c\r\r", &[("", "a\nb", ""), ("", "c", "")]),
    (
        "CRLF ends one line, not two",
        b"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n",
        &[("", "a\nb", ""), ("", "c", "")],
    ),
    ("LF CR are two line ends", b"data: a\n\rdata: b\n\r", &[("", "a", ""), ("", "b", "")]),
    ("CR CRLF are two line ends", b"data: a\r\r\ndata: b\n\n", &[("", "a", ""), ("", "b", "")]),
    ("a byte order mark goes", b"\xEF\xBB\xBFdata: a\n\n", &[("", "a", "")]),
    (
        "only the first byte order mark goes",
        b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\ndata: b\n\n",
        &[("", "b", "")],
    ),
    ("a byte order mark later is a part of a name", b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &[("", "a", "")]),
    ("a byte order mark and nothing", b"\xEF\xBB\xBF", &[]),
    ("half a byte order mark is no mark", b"\xEF\xBBdata: a\n\ndata: b\n\n", &[("", "b", "")]),
    (
        "comments are skipped",
        b": ping\n:\n\n:data: x\ndata: a\n: in between\ndata: b\n\n",
        &[("", "a\nb", "")],
    ),
    ("data without a colon is an empty line", b"data\n\ndata\ndata\n\n", &[("", "", ""), ("", "\n", "")]),
    ("empty data is an event", b"data:\n\ndata: \n\n", &[("", "", ""), ("", "", "")]),
    ("without data there is no event", b"event: a\nid: 7\n\ndata: b\n\n", &[("", "b", "7")]),
    ("a name holds for one event", b"event: a\ndata: 1\n\ndata: 2\n\n", &[("a", "1", ""), ("", "2", "")]),
    ("the last name counts", b"event: a\nevent: b\ndata: 1\nevent:c\n\n", &[("c", "1", "")]),
    ("an empty name is no name", b"event: a\nevent\ndata: 1\n\n", &[("", "1", "")]),
    (
        "an id stays",
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        &[("", "a", "1"), ("", "b", "1"), ("", "c", "")],
    ),
    (
        "an id with NUL is ignored",
        b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
        &[("", "a", "1"), ("", "b", "1")],
    ),
    (
        "names of fields are exact",
        b"Data: a\n data: b\ndata : c\ndatax: d\ndat: e\ndata: f\n\n",
        &[("", "f", "")],
    ),
    (
        "only line feeds and returns end lines",
        b"data: a\x0Bb\x0Cc\xC2\x85d\xE2\x80\xA8e\xE2\x80\xA9f\n\n",
        &[("", "a\x0Bb\x0Cc\u{85}d\u{2028}e\u{2029}f", "")],
    ),
    ("NUL is a character", b"data: a\0b\n\n", &[("", "a\0b", "")]),
    (
        "invalid UTF-8 is replaced",
        b"data: a\xFFb\xE2\x82\ndata: \xF0\x9F\x98\n\n",
        &[("", "a\u{FFFD}b\u{FFFD}\n\u{FFFD}", "")],
    ),
    (
        "names and ids are replaced too",
        b"event: \xFF\nid: \xFE\ndata: a\n\n",
        &[("\u{FFFD}", "a", "\u{FFFD}")],
    ),
    ("the last event needs no blank line", b"data: a\n\ndata: b\n", &[("", "a", ""), ("", "b", "")]),
    ("the last line needs no end", b"event: x\ndata: a", &[("x", "a", "")]),
    ("the last line may end in half a CRLF", b"data: a\r\n\r\ndata: b\r", &[("", "a", ""), ("", "b", "")]),
    ("nothing", b"", &[]),
    ("only line ends", b"\n\r\n\r\n\n\r", &[]),
];

fn in_bytes(body: &[u8]) -> Vec<&[u8]> {
    body.chunks(1).collect()
}

#[test]
fn bodies_are_read_by_the_standard_however_they_are_cut() {
    for &(story, body, expected) in TABLE {
        let whole = decode([body], NO_LIMIT).unwrap();
        let events: Vec<_> = whole
            .events
            .iter()
            .map(|event| (event.name.as_str(), event.data.as_str(), event.id.as_str()))
            .collect();
        assert_eq!(events, expected, "{story}");
        assert_eq!(whole, read(body), "{story}: oracle");
        assert_eq!(decode(in_bytes(body), NO_LIMIT).unwrap(), whole, "{story}: byte by byte");
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let pieces = cut(body, &[first, second]);
                assert_eq!(decode(pieces, NO_LIMIT).unwrap(), whole, "{story}: cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn a_time_is_of_digits_only_and_comes_with_the_event_that_sets_it() {
    let body = b"retry: 10\ndata: a\n\ndata: b\n\nretry: 20\n\nretry: 1x\nretry: -1\nretry:\nretry\nretry: \xD9\xA1\n\
                 data: c\n\nretry: 007\nretry: 99999999999999999999999999\ndata: d\n\n";
    let reading = decode(in_bytes(body), NO_LIMIT).unwrap();
    let times: Vec<_> = reading.events.iter().map(|event| event.retry).collect();
    assert_eq!(times, [Some(10), None, None, Some(7)]);
    assert_eq!(reading.reconnection_time, Some(7));
}

#[test]
fn every_event_knows_where_its_data_begins() {
    let body = b"\xEF\xBB\xBF: hi\r\n\r\nevent: a\r\ndata: one\r\n\r\ndata:two\ndata: three\n\ndata\n\n";
    let reading = decode([&body[..]], NO_LIMIT).unwrap();
    let rest: Vec<_> = reading.events.iter().map(|event| &body[event.byte..]).collect();
    let expected: [&[u8]; 3] =
        [b"one\r\n\r\ndata:two\ndata: three\n\ndata\n\n", b"two\ndata: three\n\ndata\n\n", b"\n\n"];
    assert_eq!(rest, expected);
}

#[test]
fn lines_that_are_no_field_are_kept_for_error_messages() {
    let mut decoder = Decoder::new(NO_LIMIT);
    decoder.feed(b"data: a\n\nerror: {\"x\": 1}\n{\n  \"more\": true\n}\n: comment\nid: 1\n");
    while decoder.advance().unwrap() {}
    assert_eq!(decoder.stray(), "error: {\"x\": 1}\n{\n  \"more\": true\n}");

    let mut decoder = Decoder::new(NO_LIMIT);
    for _ in 0..10_000 {
        decoder.feed(b"0123456789\n");
        assert!(!decoder.advance().unwrap());
    }
    assert_eq!(decoder.stray().len(), 64 * 1024);
}

/// Number of the event and byte where a limit strikes, if it does.
type Strike = Option<(u64, u64)>;

/// Bodies, and where they pass a limit of 16 bytes.
const LIMITS: &[(&str, &[u8], Strike)] = &[
    ("a line as long as the limit", b"data: 0123456789\n\n", None),
    ("a longer line", b"data: 01234567890\n\n", Some((1, 0))),
    ("a longer line without an end", b"data: 01234567890", Some((1, 0))),
    ("a longer line behind a byte order mark", b"\xEF\xBB\xBFdata: 01234567890\n\n", Some((1, 3))),
    ("a byte order mark does not count", b"\xEF\xBB\xBFdata: 0123456789\n\n", None),
    ("a second event", b"data: a\n\ndata: 01234567890\n\n", Some((2, 9))),
    ("a comment", b"data: a\n\n:012345678901234\ndata: b\n\n", None),
    ("a longer comment", b"data: a\n\n:01234567890123456\n\n", Some((2, 9))),
    ("a longer comment inside an event", b"data: a\n:01234567890123456\n\n", Some((1, 6))),
    ("lines that together are as long", b"data: 01234567\ndata: 9012345\n\n", None),
    ("lines that together are longer", b"data: 01234567\ndata: 90123456\n\n", Some((1, 6))),
    ("many empty lines", b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", Some((1, 4))),
    ("many events", b"data: 0123456\n\ndata: 0123456\n\ndata: 0123456\n\n", None),
];

#[test]
fn an_event_that_outgrows_its_limit_is_refused_alike_however_it_is_cut() {
    for &(story, body, place) in LIMITS {
        let expected = place.map(|(event, byte)| Error {
            kind: ErrorKind::Limit { limit: Limit::EventBytes, max: 16 },
            at: Place { event, byte },
        });
        assert_eq!(decode([body], 16).err(), expected, "{story}");
        assert_eq!(decode(in_bytes(body), 16).err(), expected, "{story}: byte by byte");
        for at in 0..body.len() {
            assert_eq!(decode(cut(body, &[at]), 16).err(), expected, "{story}: cut at {at}");
        }
    }
}

#[test]
fn comments_behind_a_data_line_do_not_pile_up() {
    let mut decoder = Decoder::new(1024);
    decoder.feed(b"data: a\n");
    assert!(!decoder.advance().unwrap());
    for _ in 0..1_000_000 {
        decoder.feed(b": still thinking, still thinking, still thinking, still thinking\n");
        assert!(!decoder.advance().unwrap());
    }
    decoder.feed(b"data: b\n\n");
    assert!(decoder.advance().unwrap());
    assert_eq!(decoder.event().data, "a\nb");
    assert_eq!(decoder.event().at, Place { event: 1, byte: 6 });
}

/// The conformance cases beside the repository, each as its input is, byte by byte and in its own pieces.
#[test]
fn conformance_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/sse_cases.jsonl");
    let Ok(cases) = std::fs::read_to_string(path) else {
        eprintln!("skipped: there are no cases beside the repository");
        return;
    };
    let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let mut count = 0;
    for case in cases.lines() {
        let case: Value = serde_json::from_str(case).unwrap();
        let name = case["name"].as_str().unwrap();
        let body = bytes(&case["input"]);
        let whole = decode([&body[..]], NO_LIMIT).unwrap();
        assert_eq!(decode(in_bytes(&body), NO_LIMIT).unwrap(), whole, "{name}: byte by byte");
        if let Some(chunks) = case["chunks"].as_array() {
            let chunks: Vec<_> = chunks.iter().map(bytes).collect();
            assert_eq!(chunks.concat(), body, "{name}: its pieces are its input");
            assert_eq!(
                decode(chunks.iter().map(Vec::as_slice), NO_LIMIT).unwrap(),
                whole,
                "{name}: its pieces"
            );
        }
        assert_eq!(whole, read(&body), "{name}: oracle");

        let expected: Vec<_> = case["expected"].as_array().unwrap().iter().map(expected_event).collect();
        let found: Vec<_> = whole.events.iter().map(as_a_browser_says).collect();
        let unfinished = !body.is_empty() && found.len() == expected.len() + 1;
        assert_eq!(&found[..expected.len()], expected, "{name}");
        if unfinished {
            // Our one leniency: without its blank line the standard drops the last event.
            assert!(!ends_in_a_blank_line(&body), "{name}: more events than expected");
        } else {
            assert_eq!(found.len(), expected.len(), "{name}");
            assert_eq!(whole.last_event_id, case["final_last_event_id"].as_str().unwrap(), "{name}");
        }
        assert_eq!(whole.reconnection_time, case["final_retry"].as_u64(), "{name}");
        count += 1;
    }
    assert!(count > 0);
    eprintln!("{count} cases");
}

fn expected_event(event: &Value) -> Event {
    let text = |member: &str| event[member].as_str().unwrap().to_owned();
    Event { name: text("event"), data: text("data"), id: text("id"), retry: event["retry"].as_u64(), byte: 0 }
}

/// An event without a name is a `message`.
fn as_a_browser_says(event: &Event) -> Event {
    let name = if event.name.is_empty() { "message".to_owned() } else { event.name.clone() };
    Event { name, byte: 0, ..event.clone() }
}

fn ends_in_a_blank_line(body: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\r", b"\n\r", b"\r\n\r\n"].iter().any(|end| body.ends_with(end))
}

/// Bodies made of what the format is made of, so that odd neighbours meet often.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"data",
        b"data:",
        b"data: ",
        b"event: ",
        b"id: ",
        b"id:",
        b"retry: ",
        b"retry:",
        b":",
        b" ",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\xEF\xBB\xBF",
        b"\0",
        b"1",
        b"23",
        b"x",
        b"hello",
        b"\xE2\x80\xA8",
        b"\xF0\x9F\x98\x80",
        b"\xF0\x9F",
        b"\xFF",
        b"99999999999999999999999",
        b"error: {}",
        b"{\"a\": 1}",
        b"[DONE]",
    ];
    let piece = prop_oneof![
        9 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_in_any_pieces_reads_as_the_oracle_reads_it(
        body in bodies(),
        ends in proptest::collection::vec(0_usize..200, 0..8),
    ) {
        let expected: Reading = read(&body);
        prop_assert_eq!(&decode([&body[..]], NO_LIMIT).unwrap(), &expected);
        prop_assert_eq!(&decode(in_bytes(&body), NO_LIMIT).unwrap(), &expected);
        prop_assert_eq!(&decode(cut(&body, &ends), NO_LIMIT).unwrap(), &expected);
    }

    #[test]
    fn a_limit_strikes_alike_in_any_pieces(
        body in bodies(),
        ends in proptest::collection::vec(0_usize..200, 0..8),
        limit in 3_usize..30, // below, half a byte order mark counts
    ) {
        let whole = decode([&body[..]], limit);
        prop_assert_eq!(&decode(in_bytes(&body), limit), &whole);
        prop_assert_eq!(&decode(cut(&body, &ends), limit), &whole);
    }
}
