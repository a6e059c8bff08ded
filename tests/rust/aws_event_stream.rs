//! AWS's event stream: what the format says, however the body is cut and whatever is wrong with it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aws_event_stream_oracle;

use aws_event_stream_oracle::{
    Header, Reading, checksum, cut, decode, read, string, write, write_headers, write_with_lengths,
};
use ferroscope_core::error::{FrameProblem, Limit};
use ferroscope_core::framing::aws_event_stream::Decoder;
use ferroscope_core::{Error, ErrorKind, Place};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

const NO_LIMIT: usize = 1 << 30;

fn in_bytes(body: &[u8]) -> Vec<&[u8]> {
    body.chunks(1).collect()
}

/// Every type that a header can have.
fn every_type() -> Vec<Header> {
    let values: [&[u8]; 10] =
        [b"", b"", b"\x80", b"\x01\x02", b"\0\0\0\x04", &[5; 8], b"\0raw\xFF", b"text", &[8; 8], &[9; 16]];
    values
        .iter()
        .enumerate()
        .map(|(kind, value)| (vec![b'a' + kind as u8], kind as u8, value.to_vec()))
        .collect()
}

fn hello() -> Vec<u8> {
    write(&write_headers(&[string(":event-type", "chunk")]), b"hello")
}

#[test]
fn messages_are_read_however_they_are_cut() {
    let bodies = [
        ("nothing", vec![]),
        ("a message without headers and payload", write(b"", b"")),
        ("a payload alone", write(b"", b"\0\x01payload")),
        ("headers of every type", write(&write_headers(&every_type()), b"")),
        ("the longest name, and an empty one", {
            let names = [vec![b'n'; 255], vec![]];
            write(&write_headers(&names.map(|name| (name, 0, vec![]))), b"x")
        }),
        ("several messages", [hello(), write(b"", b""), hello(), write(b"", &[0; 40])].concat()),
    ];
    for (story, body) in bodies {
        let whole = decode([&body[..]], NO_LIMIT);
        assert_eq!(whole.error, None, "{story}");
        assert_eq!(whole, read(&body, NO_LIMIT), "{story}: oracle");
        assert_eq!(decode(in_bytes(&body), NO_LIMIT), whole, "{story}: byte by byte");
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let pieces = cut(&body, &[first, second]);
                assert_eq!(decode(pieces, NO_LIMIT), whole, "{story}: cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn the_headers_and_the_payload_are_what_was_written() {
    let body = [hello(), write(&write_headers(&every_type()), b"more")].concat();
    let mut decoder = Decoder::new(NO_LIMIT);
    decoder.feed(&body);
    assert!(decoder.advance().unwrap());
    let message = decoder.message();
    assert_eq!(message.payload, b"hello");
    assert_eq!(message.string(":event-type"), Some(&b"chunk"[..]));
    assert_eq!(message.string(":message-type"), None);
    assert_eq!(message.at, Place { event: 1, byte: 0 });
    assert!(decoder.advance().unwrap());
    let message = decoder.message();
    assert_eq!((message.payload, message.at), (&b"more"[..], Place { event: 2, byte: hello().len() as u64 }));
    let kinds: Vec<_> = message.headers().map(|header| header.kind).collect();
    assert_eq!(kinds, Vec::from_iter(0..10));
    assert_eq!((message.string("h"), message.string("g")), (Some(&b"text"[..]), None));
    assert!(!decoder.advance().unwrap());
    decoder.feed(b"");
    assert_eq!((decoder.message().payload, decoder.message().headers().count()), (&b""[..], 0));
}

/// What can be wrong with a message, and what is said of it.
fn broken() -> Vec<(&'static str, Vec<u8>, ErrorKind)> {
    use FrameProblem::{DuplicateHeader, Header, Lengths, MessageChecksum, PreludeChecksum, Truncated};
    let flipped = |at: usize| {
        let mut message = hello();
        message[at] ^= 1;
        message
    };
    let cut_to = |length: usize| hello()[..length].to_vec();
    let end = hello().len() - 1;
    let table = [
        ("another length", flipped(3), PreludeChecksum),
        ("another length of the headers", flipped(7), PreludeChecksum),
        ("another checksum of the lengths", flipped(11), PreludeChecksum),
        ("no event stream at all", b"data: {\"type\":\"ping\"}\n\n".to_vec(), PreludeChecksum),
        ("another header", flipped(14), MessageChecksum),
        ("another payload", flipped(end - 5), MessageChecksum),
        ("another checksum", flipped(end), MessageChecksum),
        ("a length of nothing", write_with_lengths(0, 0, b"", b""), Lengths),
        ("a length below the least", write_with_lengths(15, 0, b"", b""), Lengths),
        ("headers that reach into the checksum", write_with_lengths(19, 4, b"\x01a\0", b""), Lengths),
        ("headers longer than all", write_with_lengths(16, 1 << 16, b"", b""), Lengths),
        (
            "the longest headers that a number holds",
            write_with_lengths(u32::MAX, u32::MAX, b"", b""),
            Lengths,
        ),
        ("more headers than the format allows", write(&vec![0; (128 << 10) + 1], b""), Lengths),
        ("a name that reaches past the end", write(b"\x05name", b"payload"), Header),
        ("a name without a type", write(b"\x04name", b"payload"), Header),
        ("a value that reaches past the end", write(b"\x01n\x07\0\x03ab", b"payload"), Header),
        ("half a length", write(b"\x01n\x06\0", b"payload"), Header),
        ("a number that reaches past the end", write(b"\x01n\x05\0\0\0\0\0\0\0", b"payload"), Header),
        ("a type that there is not", write(b"\x01n\x0A", b"payload"), Header),
        ("a header twice", write(b"\x01n\0\x01m\0\x01n\x01", b"payload"), DuplicateHeader),
        ("one byte", cut_to(1), Truncated),
        ("half the lengths", cut_to(6), Truncated),
        ("the lengths alone", cut_to(12), Truncated),
        ("all but the last byte", cut_to(end), Truncated),
    ];
    table.into_iter().map(|(story, body, problem)| (story, body, ErrorKind::Frame(problem))).collect()
}

#[test]
fn a_broken_message_is_refused_alike_however_it_is_cut() {
    for (story, message, kind) in broken() {
        let body = [hello(), message].concat();
        let at = Place { event: 2, byte: hello().len() as u64 };
        let whole = decode([&body[..]], NO_LIMIT);
        assert_eq!(whole.error, Some(Error { kind, at }), "{story}");
        assert_eq!(whole.messages.len(), 1, "{story}: what came before stays");
        assert_eq!(whole, read(&body, NO_LIMIT), "{story}: oracle");
        assert_eq!(decode(in_bytes(&body), NO_LIMIT), whole, "{story}: byte by byte");
        for at in (0..body.len()).take(200) {
            assert_eq!(decode(cut(&body, &[at]), NO_LIMIT), whole, "{story}: cut at {at}");
        }
    }
}

#[test]
fn the_words_for_a_broken_message() {
    let words: Vec<_> = [
        FrameProblem::PreludeChecksum,
        FrameProblem::MessageChecksum,
        FrameProblem::Lengths,
        FrameProblem::Header,
        FrameProblem::DuplicateHeader,
        FrameProblem::Truncated,
    ]
    .map(|problem| Error { kind: ErrorKind::Frame(problem), at: Place { event: 2, byte: 90 } }.to_string())
    .into();
    assert_eq!(
        words,
        [
            "event 2 (byte 90): prelude checksum mismatch",
            "event 2 (byte 90): message checksum mismatch",
            "event 2 (byte 90): invalid message length",
            "event 2 (byte 90): truncated message headers",
            "event 2 (byte 90): duplicate message header",
            "event 2 (byte 90): the body ended inside a message",
        ]
    );
}

#[test]
fn a_message_that_outgrows_its_limit_is_refused_before_it_has_come() {
    let limit = hello().len();
    assert_eq!(decode([&hello()[..]], limit).error, None);
    let error = Error {
        kind: ErrorKind::Limit { limit: Limit::EventBytes, max: limit },
        at: Place { event: 2, byte: limit as u64 },
    };
    for total in [limit as u32 + 1, u32::MAX] {
        let mut decoder = Decoder::new(limit);
        decoder.feed(&[hello(), write_with_lengths(total, 0, b"", b"")[..12].to_vec()].concat());
        assert!(decoder.advance().unwrap());
        assert_eq!(decoder.advance(), Err(error.clone()));
    }
}

#[test]
fn nothing_is_read_or_kept_behind_an_error() {
    let mut decoder = Decoder::new(NO_LIMIT);
    let mut broken = hello();
    broken[20] ^= 1;
    decoder.feed(&broken);
    let error = decoder.advance().unwrap_err();
    for _ in 0..1_000 {
        decoder.feed(&vec![0; 1 << 20]);
        assert_eq!(decoder.advance(), Err(error.clone()));
    }
    decoder.finish();
    assert_eq!(decoder.advance(), Err(error));
    assert_eq!((decoder.messages(), decoder.place()), (0, Place::default()));
}

#[test]
fn very_many_headers_are_read_in_no_time() {
    let names = (0_u32..20_000).map(|number| (number.to_be_bytes()[2..].to_vec(), 0, vec![]));
    let body = write(&write_headers(&names.collect::<Vec<_>>()), b"").repeat(20);
    let reading = decode([&body[..]], NO_LIMIT);
    assert_eq!((reading.messages.len(), reading.error), (20, None));
}

#[test]
fn the_checksum_is_that_of_ieee() {
    assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
}

/// The recorded streams beside the repository, of whatever Bedrock's models and agents sent.
#[test]
fn recorded_streams() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/aws-bedrock");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: there are no recorded streams beside the repository");
        return;
    };
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path().join("response.bin");
        let Ok(body) = std::fs::read(&path) else { continue };
        let whole = decode([&body[..]], NO_LIMIT);
        assert_eq!(whole, read(&body, NO_LIMIT), "{}", path.display());
        assert_eq!(whole.error, None, "{}", path.display());
        assert!(!whole.messages.is_empty(), "{}", path.display());
        for size in [1, 7, 1369] {
            assert_eq!(decode(body.chunks(size), NO_LIMIT), whole, "{}: pieces of {size}", path.display());
        }
        count += 1;
    }
    assert!(count > 0);
    eprintln!("{count} streams");
}

fn headers() -> impl Strategy<Value = Vec<u8>> {
    let value = |kind: u8| match kind {
        6 | 7 => vec(any::<u8>(), 0..9).boxed(),
        _ => vec(any::<u8>(), [0, 0, 1, 2, 4, 8, 0, 0, 8, 16][usize::from(kind)]).boxed(),
    };
    let name = prop_oneof![9 => vec(any::<u8>(), 0..5), 1 => Just(b"twice".to_vec())];
    let header = (name, (0_u8..10).prop_flat_map(move |kind| (Just(kind), value(kind))));
    let whole = vec(header.prop_map(|(name, (kind, value))| (name, kind, value)), 0..6);
    prop_oneof![8 => whole.prop_map(|headers| write_headers(&headers)), 1 => vec(any::<u8>(), 0..12)]
}

/// Messages, most of them whole, with a byte here and there that is another.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let message =
        (headers(), vec(any::<u8>(), 0..30)).prop_map(|(headers, payload)| write(&headers, &payload));
    let lengths = (0_u32..40, 0_u32..40, vec(any::<u8>(), 0..30))
        .prop_map(|(total, headers, bytes)| write_with_lengths(total, headers, &bytes, b""));
    let piece = prop_oneof![9 => message, 1 => lengths, 1 => vec(any::<u8>(), 0..30)];
    let flips = vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    (vec(piece, 0..6), flips, any::<bool>()).prop_map(|(pieces, flips, whole)| {
        let mut body = pieces.concat();
        for (at, byte) in flips {
            if !whole && !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_in_any_pieces_reads_as_the_oracle_reads_it(
        body in bodies(),
        ends in vec(0_usize..300, 0..8),
        limit in prop_oneof![Just(NO_LIMIT), 16_usize..60],
    ) {
        let expected: Reading = read(&body, limit);
        prop_assert_eq!(&decode([&body[..]], limit), &expected);
        prop_assert_eq!(&decode(in_bytes(&body), limit), &expected);
        prop_assert_eq!(&decode(cut(&body, &ends), limit), &expected);
    }
}
