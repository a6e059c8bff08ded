//! Fuzzes HTTP/1.1 responses: the result must not depend on the chunks, and nothing may panic.
#![no_main]

use ferroscope_transport::response::{Head, Reader};
use libfuzzer_sys::fuzz_target;

type Reading = (Option<Head>, Vec<u8>, usize, bool, bool, bool);

fn read<'a>(is_head: bool, parts: impl Iterator<Item = &'a [u8]>) -> Reading {
    let (mut reader, mut head, mut data, mut used) = (Reader::new(is_head), None, Vec::new(), 0);
    let mut failed = false;
    for part in parts {
        match reader.read(part, &mut head, &mut data) {
            Ok(count) => {
                assert!(count == part.len() || reader.is_done());
                used += count;
            }
            Err(_) => {
                failed = true;
                break;
            }
        }
    }
    let (done, alive) = (reader.is_done(), reader.is_done() && reader.keeps_alive());
    // The number of bytes used before an error depends on the chunks. The data and the head do not.
    (head, data, if failed { 0 } else { used }, failed, done, alive)
}

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (is_head, size, bytes) = input;
    let whole = read(is_head, std::iter::once(bytes));
    assert_eq!(read(is_head, bytes.chunks(usize::from(size).max(1))), whole);
});
