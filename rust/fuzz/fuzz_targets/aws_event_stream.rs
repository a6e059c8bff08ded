//! Fuzzes the event stream: the incremental decoder must equal the slow reference decoder, for any body and any chunks.
#![no_main]

use ferroscope_core::dialect::Format;
use ferroscope_core::{Delta, Error, Framing, Limits, Stream};
use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/rust/aws_event_stream_oracle/mod.rs"]
mod aws_event_stream_oracle;

use aws_event_stream_oracle::{cut, decode, read, string, write, write_headers};

/// The content of a message. The target adds the checksums, which a fuzzer would not find.
type Piece<'a> = (u8, &'a [u8], &'a [u8]);

fn message((kind, headers, payload): Piece<'_>) -> Vec<u8> {
    let named = |kind, name, value| write_headers(&[string(":message-type", kind), string(name, value)]);
    match kind % 5 {
        0 => payload.to_vec(),
        1 => write(headers, payload),
        2 => write(&named("exception", ":exception-type", "throttlingException"), payload),
        3 => write(&named("error", ":error-message", "failed"), payload),
        _ => write(&named("event", ":event-type", "chunk"), payload),
    }
}

/// Reads up to the first error.
fn fold<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Delta>, Option<Error>, String) {
    let mut stream = Stream::new(Format::Anthropic, Limits::default());
    stream.set_framing(Framing::AwsEventStream);
    let (mut deltas, mut error) = (Vec::new(), None);
    let mut drain = |stream: &mut Stream| {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => deltas.push(step.delta.clone()),
                Ok(None) => break,
                Err(found) => error = Some(found),
            }
        }
    };
    for piece in pieces {
        stream.feed(piece);
        drain(&mut stream);
    }
    stream.finish();
    drain(&mut stream);
    (deltas, error, stream.state().response())
}

fuzz_target!(|input: (Vec<u16>, Vec<Piece<'_>>)| {
    let (ends, pieces) = input;
    let ends: Vec<_> = ends.into_iter().map(usize::from).collect();
    let body: Vec<_> = pieces.into_iter().flat_map(message).collect();
    for limit in [usize::MAX, ends.len() + 16] {
        let expected = read(&body, limit);
        assert_eq!(decode([&body[..]], limit), expected);
        assert_eq!(decode(cut(&body, &ends), limit), expected);
        assert_eq!(decode(body.chunks(1), limit), expected);
    }
    let whole = fold([&body[..]]);
    assert_eq!(fold(cut(&body, &ends)), whole);
    assert_eq!(fold(body.chunks(1)), whole);
});
