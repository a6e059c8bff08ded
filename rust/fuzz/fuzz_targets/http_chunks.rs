//! Fuzzes the joining and decoding of chunked bodies against a slow reference parser, for any body and any chunks.
#![no_main]

use ferroscope_core::framing::http_chunks::Joiner;
use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/rust/chunked_oracle/mod.rs"]
mod chunked_oracle;

use chunked_oracle::{End, join, read, read_joined};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn asked() -> Joiner {
    let mut joiner = Joiner::default();
    joiner.sent(b"POST / HTTP/1.1\r\n");
    joiner
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, body) = input;
    let pieces = || body.chunks(usize::from(size).max(1));
    let expected = read(body);

    let joined = join(&mut asked(), std::iter::once(HEAD).chain(pieces()));
    // The body may contain the same bytes that the joiner writes.
    assert_eq!(read_joined(joined.strip_prefix(HEAD).unwrap()), read_joined(body));

    let mut joiner = asked();
    joiner.feed(HEAD);
    let (mut data, mut rest) = (Vec::new(), Vec::new());
    for piece in pieces() {
        let taken = joiner.extract_data(piece);
        data.extend(taken.data);
        rest.extend(taken.rest);
    }
    assert_eq!(data, expected.data);
    if let End::Rest(behind) = expected.end {
        assert_eq!(rest, behind);
    }
});
