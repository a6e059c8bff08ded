//! The decoder of chunked bodies agrees with a slow reader of the whole body, however the body is cut.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "the part that joins chunks is for another test")]
mod chunked_oracle;

use chunked_oracle::{End, read};
use ferroscope_core::framing::chunked_body::{Decoder, Malformed};
use proptest::prelude::*;

/// Returns the data, the bytes behind the last chunk, and the error.
fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<u8>, Option<Malformed>) {
    let (mut decoder, mut data, mut rest) = (Decoder::default(), Vec::new(), Vec::new());
    for part in parts {
        match decoder.decode(part, &mut data) {
            Ok(used) => {
                assert!(used == part.len() || decoder.is_done(), "all is used up to the last chunk");
                rest.extend_from_slice(&part[used..]);
            }
            Err(error) => return (data, rest, Some(error)),
        }
    }
    (data, rest, None)
}

#[test]
fn the_data_of_all_chunks_is_returned_and_the_trailers_are_left() {
    let body = b"3\r\nabc\r\n0a;name=\"value\"\r\n0123456789\r\n1 \r\nx\r\n0\r\nDigest: 1\r\n\r\nHTTP/1.1";
    let expected = (b"abc0123456789x".to_vec(), b"Digest: 1\r\n\r\nHTTP/1.1".to_vec(), None);
    assert_eq!(decode([&body[..]]), expected);
    assert_eq!(decode(body.chunks(1)), expected);
}

#[test]
fn a_body_that_two_readers_could_end_in_two_places_is_refused() {
    for (body, data, error) in [
        (&b"3\r\nabcXX"[..], &b"abc"[..], Malformed::Footer("XX".into())),
        (b"3\r\nabc\n\r", b"abc", Malformed::Footer("\\n\\r".into())),
        (b"3\nabc", b"", Malformed::Size("3\\n".into())),
        (b"\r\n", b"", Malformed::Size("\\r\\n".into())),
        (b"-1\r\n", b"", Malformed::Size("-1\\r\\n".into())),
        (b"+3\r\nabc", b"", Malformed::Size("+3\\r\\n".into())),
        (b"0x3\r\nabc", b"", Malformed::Size("0x3\\r\\n".into())),
        (b"3 3\r\nabc", b"", Malformed::Size("3 3\\r\\n".into())),
        (b"3;a\rb\r\nabc", b"", Malformed::Size("3;a\\rb\\r\\n".into())),
        (b"10000000000000000\r\n", b"", Malformed::Size("10000000000000000\\r\\n".into())),
    ] {
        assert_eq!(decode([body]), (data.to_vec(), Vec::new(), Some(error)), "{}", body.escape_ascii());
    }
}

#[test]
fn a_size_line_without_an_end_is_not_buffered_for_ever() {
    let line = [b"1;".as_slice(), &[b'a'; 10_000]].concat();
    for parts in [line.chunks(line.len()), line.chunks(100)] {
        let (_, _, error) = decode(parts);
        assert_eq!(error, Some(Malformed::Size("the line is too long".into())));
    }
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 1..20).prop_map(|data| {
            [format!("{:x}\r\n", data.len()).as_bytes(), &data, b"\r\n"].concat()
        }),
        1 => Just(b"0\r\n".to_vec()),
        1 => prop::sample::select(vec![&b"\r\n"[..], b"5", b";", b" ", b"\n", b"g\r\n", b"2;x=y\r\nab\r\n"])
            .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_cut_of_a_body_reads_like_the_whole(body in pieces(), size in 1usize..9) {
        let (data, rest, error) = decode([&body[..]]);
        prop_assert_eq!(decode(body.chunks(size)).0, data.clone());
        let reading = read(&body);
        prop_assert_eq!(&data, &reading.data);
        match reading.end {
            End::Unfinished => prop_assert!(error.is_none() && rest.is_empty()),
            End::Malformed => prop_assert!(matches!(error, Some(Malformed::Footer(_)))),
            End::Rest(behind) if error.is_none() => prop_assert!(behind.ends_with(&rest)),
            End::Rest(_) => prop_assert!(matches!(error, Some(Malformed::Size(_)))),
        }
    }
}
