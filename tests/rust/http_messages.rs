//! HTTP/1.1 requests and responses of the transport, without a socket.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_transport::request::{Origin, Request, Timeouts};
use ferroscope_transport::response::{Head, MAX_HEAD, Reader};
use ferroscope_transport::{Error, Kind};
use proptest::prelude::*;

/// All that is read of some bytes and the end of the connection behind them.
#[derive(Debug, PartialEq)]
struct Reading {
    status: u16,
    headers: Vec<(String, String)>,
    data: String,
    /// The bytes behind the response.
    rest: String,
    keeps_alive: bool,
    error: Option<String>,
}

fn read_in(parts: &[&[u8]], is_head: bool) -> Reading {
    let (mut reader, mut head, mut data, mut rest) =
        (Reader::new(is_head), None::<Head>, Vec::new(), Vec::new());
    let mut error = None;
    for part in parts {
        match reader.read(part, &mut head, &mut data) {
            Ok(used) => rest.extend_from_slice(&part[used..]),
            Err(found) => {
                error = Some(found);
                break;
            }
        }
    }
    let keeps_alive = reader.is_done() && reader.keeps_alive();
    if error.is_none() {
        error = reader.end(true).err();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Reading {
        status: head.as_ref().map_or(0, |head| head.status),
        headers: head
            .map(|head| head.headers.iter().map(|(name, value)| (text(name), text(value))).collect())
            .unwrap_or_default(),
        data: text(&data),
        rest: text(&rest),
        keeps_alive,
        error: error.map(|error| error.message),
    }
}

/// Reads a response whole and byte by byte, which must not differ.
fn read(bytes: &[u8]) -> Reading {
    let whole = read_in(&[bytes], false);
    let bytewise = read_in(&bytes.chunks(1).collect::<Vec<_>>(), false);
    assert_eq!(whole, bytewise, "{}", bytes.escape_ascii());
    whole
}

#[test]
fn responses_end_where_their_headers_put_it() {
    for (story, bytes, data, rest, keeps_alive) in [
        ("a length", &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP"[..], "abc", "HTTP", true),
        ("no body", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP", "", "HTTP", true),
        ("the same length twice", b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\nabc", "abc", "", true),
        ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP", "abc", "HTTP", true),
        ("trailers", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nx", "a", "x", true),
        ("until the end", b"HTTP/1.1 200 OK\r\n\r\nabc", "abc", "", false),
        ("an older version", b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", "", false),
        ("an announced end", b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 1\r\n\r\na", "a", "", false),
        ("chunks and a length", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", "", false),
        ("no content", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP", "", "HTTP", true),
        ("not modified", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\nHTTP", "", "HTTP", true),
        ("interim responses", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "a", "", true),
        ("lone line feeds", b"HTTP/1.1 200 OK\nContent-Length: 1\n\na", "a", "", true),
        ("no reason", b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", "a", "", true),
    ] {
        let found = read(bytes);
        assert_eq!((found.data.as_str(), found.rest.as_str(), found.keeps_alive, found.error), (data, rest, keeps_alive, None), "{story}");
    }
}

#[test]
fn the_response_to_a_head_request_has_no_body() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTTP";
    let found = read_in(&[bytes], true);
    assert_eq!((found.data.as_str(), found.rest.as_str(), found.keeps_alive), ("", "HTTP", true));
}

#[test]
fn headers_keep_their_spelling_and_folded_values_become_one_line() {
    let bytes = b"HTTP/1.1 200 OK\r\nX-One:  a b \r\nx-one: \xff\r\nX-Folded: a\r\n  b\r\n\tc\r\nContent-Length: 0\r\n\r\n";
    let expected = [("X-One", "a b"), ("x-one", "\u{fffd}"), ("X-Folded", "a b c"), ("Content-Length", "0")];
    assert_eq!(read(bytes).headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn responses_that_end_too_early_are_errors_with_what_was_read() {
    for (bytes, data, error) in [
        (&b""[..], "", "Server disconnected without sending a response."),
        (b"HTTP/1.1 200 O", "", "Server disconnected before the end of the response's headers."),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n",
            "",
            "Server disconnected before the end of the response's headers.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
            "abc",
            "peer closed connection without sending complete message body (received 3 bytes, expected 5)",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "abc",
            "peer closed connection without sending complete message body (incomplete chunked read)",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n",
            "a",
            "peer closed connection without sending complete message body (incomplete chunked read)",
        ),
    ] {
        let found = read(bytes);
        assert_eq!(
            (found.data.as_str(), found.error.as_deref(), found.keeps_alive),
            (data, Some(error), false)
        );
    }
}

#[test]
fn an_unclean_end_is_no_end_of_a_body_without_a_length() {
    let (mut reader, mut head, mut data) = (Reader::new(false), None, Vec::new());
    reader.read(b"HTTP/1.1 200 OK\r\n\r\nabc", &mut head, &mut data).unwrap();
    assert!(reader.end(false).unwrap_err().message.contains("close_notify"));
}

#[test]
fn ambiguous_and_invalid_responses_are_refused() {
    for (bytes, error) in [
        (&b"\r\nHTTP/1.1 200 OK\r\n\r\n"[..], "no response line received"),
        (b"HTTP/2 200 OK\r\n\r\n", "illegal response headers: invalid HTTP version"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "illegal response headers: invalid response status"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "invalid status code: 99"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "the server switched protocols without being asked to"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "illegal response headers: invalid HTTP version"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "illegal response headers: invalid header name"),
        (b"HTTP/1.1 200 OK\r\nA : c\r\n\r\n", "illegal response headers: invalid header name"),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "illegal response headers: invalid header value"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            "conflicting Content-Length headers",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\na", "conflicting Content-Length headers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\na", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\na", "bad Content-Length"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "Only Transfer-Encoding: chunked is supported",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "multiple Transfer-Encoding headers",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
            "illegal response headers: invalid header value",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX", "malformed chunk footer: X"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "malformed chunk header: x\\r\\n"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b: c\r\n\r\n",
            "malformed trailers: invalid header name",
        ),
    ] {
        let found = read(bytes);
        assert_eq!(found.error.as_deref(), Some(error), "{}", bytes.escape_ascii());
        assert!(!found.keeps_alive);
    }
}

#[test]
fn heads_and_trailers_without_an_end_are_not_buffered_for_ever() {
    let endless = vec![b'a'; 2 * MAX_HEAD];
    let many: Vec<u8> = (0..300).flat_map(|at| format!("A{at}: b\r\n").into_bytes()).collect();
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD / 20);
    for (bytes, error) in [
        ([b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &endless].concat(), "longer than"),
        ([b"HTTP/1.1 200 OK\r\n".as_slice(), &many, b"\r\n"].concat(), "too many headers"),
        (interim, "longer than"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ".as_slice(), &endless].concat(),
            "longer than",
        ),
    ] {
        let found = read_in(&bytes.chunks(1000).collect::<Vec<_>>(), false);
        assert!(found.error.as_deref().is_some_and(|found| found.contains(error)), "{:?}", found.error);
    }
}

/// Pieces of responses, valid together and not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"A: b\r\n c\r\n",
        b"\r\n",
        b"\n",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"abc",
        b"\xff\x00",
    ];
    prop::collection::vec(prop::sample::select(known), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_cut_of_a_response_reads_like_the_whole(bytes in pieces(), size in 1usize..9, is_head: bool) {
        let response = [b"HTTP/1.1 200 OK\r\n".as_slice(), &bytes].concat();
        for bytes in [bytes, response] {
            let (whole, cut) = (read_in(&[&bytes], is_head), read_in(&bytes.chunks(size).collect::<Vec<_>>(), is_head));
            // The text of an error has what arrived with the fault, and a fault ends the bytes behind a response.
            prop_assert_eq!(whole.error.is_some(), cut.error.is_some());
            prop_assert_eq!((whole.status, whole.headers, whole.data), (cut.status, cut.headers, cut.data));
            prop_assert_eq!((whole.rest, whole.keeps_alive), (cut.rest, cut.keeps_alive));
        }
    }
}

// ---- requests

fn origin() -> Origin {
    Origin { tls: false, host: "localhost".into(), port: 80, server_name: None, proxy: None }
}

fn render(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Result<Request, Error> {
    let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    Request::new(
        origin(),
        Timeouts::default(),
        method.as_bytes(),
        target.as_bytes(),
        headers,
        body.as_bytes(),
    )
}

#[test]
fn a_request_is_written_as_it_was_given() {
    let request = render(
        "POST",
        "/v1?a=b",
        &[("Host", "localhost"), ("X-Key", "a\tb"), ("Content-Length", "3")],
        "abc",
    );
    let expected = b"POST /v1?a=b HTTP/1.1\r\nHost: localhost\r\nX-Key: a\tb\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(request.unwrap().as_bytes(), expected);
}

#[test]
fn a_request_that_the_server_could_read_as_two_is_refused_without_its_values() {
    let host = ("Host", "localhost");
    for (method, target, headers, body, error) in [
        ("POST /x", "/", vec![host], "", "invalid method: POST /x"),
        ("GET", "/ HTTP/1.1\r\nX: y", vec![host], "", "the target of the request is not valid in HTTP/1.1"),
        ("GET", "", vec![host], "", "the target of the request is not valid in HTTP/1.1"),
        ("GET", "/\u{e4}", vec![host], "", "the target of the request is not valid in HTTP/1.1"),
        ("GET", "/", vec![], "", "a request needs exactly one Host header"),
        ("GET", "/", vec![host, host], "", "a request needs exactly one Host header"),
        ("GET", "/", vec![host, ("X-Key", "secret\r\nX: y")], "", "invalid value of the header X-Key"),
        ("GET", "/", vec![host, ("X-Key", "secret\n")], "", "invalid value of the header X-Key"),
        ("GET", "/", vec![host, ("X-Key", "secret\0")], "", "invalid value of the header X-Key"),
        ("GET", "/", vec![host, ("X Key", "secret")], "", "invalid header name: X Key"),
        ("GET", "/", vec![host, ("", "secret")], "", "invalid header name: "),
        (
            "GET",
            "/",
            vec![host, ("Content-Length", "4")],
            "abc",
            "the request's Content-Length is not the length of its body",
        ),
        (
            "GET",
            "/",
            vec![host, ("Content-Length", "3"), ("Content-Length", "3")],
            "abc",
            "the request's Content-Length is not the length of its body",
        ),
        (
            "GET",
            "/",
            vec![host, ("Transfer-Encoding", "chunked")],
            "abc",
            "a request with a body in memory must not have a Transfer-Encoding header",
        ),
    ] {
        let found = render(method, target, &headers, body).unwrap_err();
        assert_eq!((found.kind, found.message.as_str()), (Kind::LocalProtocol, error));
        assert!(!found.message.contains("secret"));
    }
}
