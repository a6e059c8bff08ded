//! Fuzzes server-sent events: the incremental decoder must equal the slow reference decoder, for any body and any
//! chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/rust/sse_oracle/mod.rs"]
mod sse_oracle;

use sse_oracle::{cut, decode, read};

fuzz_target!(|input: (Vec<u16>, &[u8])| {
    let (ends, body) = input;
    let ends: Vec<_> = ends.into_iter().map(usize::from).collect();
    let expected = read(body);
    assert_eq!(decode([body], usize::MAX).unwrap(), expected);
    assert_eq!(decode(cut(body, &ends), usize::MAX).unwrap(), expected);
    assert_eq!(decode(body.chunks(1), usize::MAX).unwrap(), expected);
    // A limit must fail in the same way. Below three bytes, half of a byte order mark would count.
    let limit = ends.len() + 3;
    assert_eq!(decode(cut(body, &ends), limit), decode([body], limit));
});
