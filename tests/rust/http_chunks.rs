//! Joined chunks: the same response, whatever is sent and however it is cut.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chunked_oracle;

use chunked_oracle::{End, join, read, read_joined};
use ferroscope_core::framing::http_chunks::Joiner;
use proptest::prelude::*;

const REQUEST: &[u8] = b"POST /v1/messages HTTP/1.1\r\n";
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

fn asked() -> Joiner {
    let mut joiner = Joiner::default();
    joiner.sent(REQUEST);
    joiner
}

fn joined(bytes: &[u8]) -> Vec<u8> {
    join(&mut asked(), [bytes])
}

#[test]
fn what_arrives_together_becomes_one_chunk() {
    let mut joiner = asked();
    assert_eq!(joiner.feed(HEAD).unwrap(), HEAD);
    assert_eq!(joiner.feed(b"3\r\nabc\r\n2\r\nde\r\n").unwrap(), b"0000000000000005\r\nabcde\r\n");
    assert_eq!(joiner.feed(b"1").unwrap(), b"", "the beginning of a size is nothing yet");
    assert_eq!(joiner.feed(b"0;a=b\r\n01234567").unwrap(), b"0000000000000008\r\n01234567\r\n");
    assert_eq!(joiner.feed(b"89abcdef\r").unwrap(), b"0000000000000008\r\n89abcdef\r\n");
    assert_eq!(joiner.feed(b"\n0\r\nX: y\r\n").unwrap(), b"0\r\nX: y\r\n", "the end and its trailers stay");
    assert_eq!(joiner.feed(b"\r\n"), None, "what follows is not looked at");
}

#[test]
fn an_extension_need_not_be_text() {
    let body = b"1;\xff=\xfe\r\na\r\n1;a=\"\x80\"\r\nb\r\n";
    let read = read(body);
    assert_eq!((read.data.as_slice(), &read.end), (&b"ab"[..], &End::Unfinished));
    assert_eq!(joined(&[HEAD, body].concat()), [HEAD, b"0000000000000002\r\nab\r\n"].concat());
}

#[test]
fn the_next_response_is_joined_too() {
    let mut joiner = asked();
    for _ in 0..3 {
        joiner.sent(REQUEST);
        joiner.sent(b"{\"model\": \"m\"}");
        let response = [HEAD, b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"].concat();
        let expected = [HEAD, b"0000000000000002\r\nab\r\n0\r\n\r\n"].concat();
        assert_eq!(joiner.feed(&response).unwrap(), expected);
    }
}

#[test]
fn the_response_behind_an_interim_one_is_joined() {
    let interim: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let expected = [interim, HEAD, b"0000000000000002\r\nab\r\n"].concat();
    assert_eq!(joined(&[interim, HEAD, b"1\r\na\r\n1\r\nb\r\n"].concat()), expected);
}

/// Heads behind which nothing is to be taken for a chunk.
const OTHER_HEADS: &[(&str, &[u8])] = &[
    ("a length", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
    ("until the end", b"HTTP/1.1 200 OK\r\n\r\n"),
    ("an older version", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("no version", b"HTTP 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("no status", b"HTTP/1.1 2000 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("no body", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("not modified", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("another coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    ("twice", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("lone line feeds", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"),
    ("one lone line feed", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\nA: b\r\n\r\n"),
    ("a folded line", b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"),
    ("a space before the colon", b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n"),
    ("an empty line first", b"\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
];

#[test]
fn what_is_not_plainly_chunked_stays_as_it_is() {
    for &(story, head) in OTHER_HEADS {
        let response = [head, b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"].concat();
        assert_eq!(joined(&response), response, "{story}");
        assert_eq!(join(&mut asked(), response.chunks(1)), response, "{story}: byte by byte");
    }
}

#[test]
fn spelling_does_not_matter() {
    let head: &[u8] = b"HTTP/1.1 200\r\nTRANSFER-ENCODING:\t Chunked \r\n\r\n";
    assert_eq!(
        joined(&[head, b"0A \t\r\n0123456789\r\n00\r\n\r\n"].concat()),
        [head, b"000000000000000a\r\n0123456789\r\n00\r\n\r\n"].concat()
    );
}

#[test]
fn only_requests_whose_response_has_a_body_are_waited_for() {
    let response = [HEAD, b"1\r\na\r\n1\r\nb\r\n"].concat();
    for sent in [
        &b"HEAD / HTTP/1.1\r\n"[..],
        b"CONNECT host:443 HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\x05\x01\x00",
        b"POST",
        b"post / HTTP/1.1",
        b" / HTTP/1.1",
        b"",
    ] {
        let mut joiner = Joiner::default();
        joiner.sent(sent);
        assert_eq!(joiner.feed(&response), None, "{}", sent.escape_ascii());
    }
}

#[test]
fn a_request_in_the_middle_of_a_response_ends_all_joining() {
    let mut joiner = asked();
    joiner.feed(&[HEAD, b"5\r\nab"].concat());
    joiner.sent(REQUEST);
    assert_eq!(joiner.feed(b"cde\r\n"), None);
    joiner.sent(REQUEST);
    assert_eq!(joiner.feed(HEAD), None);
}

#[test]
fn nothing_is_held_without_a_bound() {
    // A head, and a line with a size, that never end: both are handed on, and no more looked at.
    let endless = vec![b'a'; 1 << 20];
    for begun in [&b""[..], HEAD, b"HTTP/1.1 200 OK\r\n"] {
        let response = [begun, &endless].concat();
        assert_eq!(join(&mut asked(), response.chunks(1000)), response);
    }
    let line = [HEAD, b"5;", &endless[..8000]].concat();
    assert_eq!(join(&mut asked(), line.chunks(100)), line);
}

/// Bodies behind a chunked head, and how they end.
fn bodies() -> Vec<(&'static str, &'static [u8], &'static [u8], End)> {
    let rest = |bytes: &[u8]| End::Rest(bytes.to_vec());
    vec![
        ("two chunks", b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc", rest(b"0\r\n\r\n")),
        ("cut in the data", b"3\r\na", b"a", End::Unfinished),
        ("cut in a size", b"1\r\na\r\n1", b"a", End::Unfinished),
        ("cut in a footer", b"1\r\na\r", b"a", End::Unfinished),
        ("no footer", b"1\r\nab\r\n1\r\nc\r\n", b"a", End::Malformed),
        ("a footer of its own", b"1\r\na\n1\r\nc\r\n", b"a", End::Malformed),
        ("half a footer", b"1\r\na\r1\r\nc\r\n", b"a", End::Malformed),
        ("no footer but a size", b"1\r\na1\r\nc\r\n0\r\n\r\n", b"a", End::Malformed),
        ("no size", b"1\r\na\r\nxyz\r\n", b"a", rest(b"xyz\r\n")),
        ("an empty size", b"1\r\na\r\n\r\n1\r\nb\r\n", b"a", rest(b"\r\n1\r\nb\r\n")),
        ("a size with a sign", b"1\r\na\r\n+1\r\nb\r\n", b"a", rest(b"+1\r\nb\r\n")),
        ("a size as in C", b"1\r\na\r\n0x1\r\nb\r\n", b"a", rest(b"0x1\r\nb\r\n")),
        ("a size in halves", b"1\r\na\r\n1 1\r\nb\r\n", b"a", rest(b"1 1\r\nb\r\n")),
        ("a lone line feed", b"1\r\na\r\n1\nb\r\n", b"a", rest(b"1\nb\r\n")),
        ("a return in an extension", b"1\r\na\r\n1;\rb\r\nb\r\n", b"a", rest(b"1;\rb\r\nb\r\n")),
        ("zeros before a size", b"0000000000000001\r\na\r\n0\r\n\r\n", b"a", rest(b"0\r\n\r\n")),
        ("more zeros than we know", b"00000000000000001\r\na\r\n", b"", rest(b"00000000000000001\r\na\r\n")),
        ("the largest size", b"ffffffffffffffff\r\nab", b"ab", End::Unfinished),
        ("an extension", b"1;name=\"va;lue\"\r\na\r\n0;x\r\n\r\n", b"a", rest(b"0;x\r\n\r\n")),
        ("something behind the end", b"1\r\na\r\n0\r\n\r\n1\r\nb\r\n", b"a", rest(b"0\r\n\r\n1\r\nb\r\n")),
    ]
}

#[test]
fn bodies_stay_what_they_are_however_they_are_cut() {
    for (story, body, data, end) in bodies() {
        let expected = read(body);
        assert_eq!((expected.data.as_slice(), &expected.end), (data, &end), "{story}: oracle");
        let response = [HEAD, body].concat();
        for first in HEAD.len() - 2..=response.len() {
            for second in first..=response.len() {
                let pieces = [&response[..first], &response[first..second], &response[second..]];
                let found = join(&mut asked(), pieces);
                let behind = found.strip_prefix(HEAD).expect(story);
                assert_eq!(read_joined(behind), expected, "{story}: cut at {first} and {second}");
            }
        }
        let found = join(&mut asked(), response.chunks(1));
        assert_eq!(read_joined(&found[HEAD.len()..]), expected, "{story}: byte by byte");
    }
}

/// What is taken from pieces: the data, and what is to be read behind it.
fn taken(body: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let mut joiner = asked();
    joiner.feed(HEAD);
    let (mut data, mut rest) = (Vec::new(), Vec::new());
    for two in cuts.windows(2) {
        assert_eq!(joiner.is_in_body(), rest.is_empty());
        let found = joiner.extract_data(&body[two[0]..two[1]]);
        assert!(rest.is_empty() || found.data.is_empty(), "no data comes behind the rest");
        data.extend_from_slice(&found.data);
        rest.extend_from_slice(&found.rest);
    }
    (data, rest)
}

fn check_taken(body: &[u8], cuts: &[usize]) {
    let (data, rest) = taken(body, cuts);
    let expected = read(body);
    assert_eq!(data, expected.data);
    match expected.end {
        End::Unfinished => assert_eq!(rest, b""),
        End::Malformed => assert!(rest.starts_with(b"malformed chunk footer: ")),
        End::Rest(behind) => assert_eq!(rest, behind),
    }
}

#[test]
fn data_is_taken_out_of_bodies_however_they_are_cut() {
    for (_, body, ..) in bodies() {
        for first in 0..=body.len() {
            check_taken(body, &[0, first, body.len()]);
        }
        check_taken(body, &(0..=body.len()).collect::<Vec<_>>());
    }
}

/// A body of chunks, most of them whole.
fn chunks() -> impl Strategy<Value = Vec<u8>> {
    let whole = prop::collection::vec(any::<u8>(), 1..40).prop_map(|data| {
        let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
        chunk.extend_from_slice(&data);
        chunk.extend_from_slice(b"\r\n");
        chunk
    });
    let stray = prop::collection::vec(
        prop::sample::select(&[b'\r', b'\n', b'0', b'1', b'a', b'f', b';', b' ', b'x'][..]),
        0..4,
    );
    let part = prop_oneof![20 => whole, 1 => Just(b"0\r\n\r\n".to_vec()), 1 => stray];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_body_stays_what_it_is(body in chunks(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let response = [HEAD, &body].concat();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(response.len() + 1)).collect();
        cuts.extend([0, response.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|two| &response[two[0]..two[1]]).filter(|piece| !piece.is_empty()).collect();
        let found = join(&mut asked(), pieces);
        prop_assert_eq!(read_joined(found.strip_prefix(HEAD).unwrap()), read(&body));
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.saturating_sub(HEAD.len())).collect();
        check_taken(&body, &cuts);
    }

    #[test]
    fn any_bytes_can_come(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
        let mut joiner = asked();
        // What is no head of a response is handed on to the byte.
        prop_assert_eq!(join(&mut joiner, [first, second]), bytes.clone());
    }
}
