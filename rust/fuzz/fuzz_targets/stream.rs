//! Fuzzes streams: the folded response must not depend on the chunks or the shortcut, and it must be JSON.
#![no_main]

use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::{Delta, ErrorKind, Framing, Limits, Stream};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, PartialEq)]
struct Seen {
    steps: Vec<Delta>,
    error: Option<ErrorKind>,
    response: String,
}

/// Reads up to the first error.
fn read<'a>(
    format: &Format,
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Seen, Vec<String>) {
    let mut stream = Stream::new(format.clone(), Limits::default());
    stream.set_framing(framing);
    let (mut steps, mut events, mut error) = (Vec::new(), Vec::new(), None);
    let mut drain = |stream: &mut Stream| {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => {
                    events.extend(step.data.map(|data| data.into_owned()));
                    steps.push(step.delta.clone());
                }
                Ok(None) => break,
                Err(found) => error = Some(found.kind),
            }
        }
    };
    for piece in pieces {
        stream.feed(piece);
        drain(&mut stream);
    }
    stream.finish();
    drain(&mut stream);
    let text: String = steps.iter().map(|delta| delta.text.as_str()).collect();
    // In broken streams, content blocks may be interleaved, but the message has them in order. In the Responses API, a
    // complete value replaces its deltas.
    if matches!(format, Format::OpenaiChat(_) | Format::Gemini) {
        let message = stream.state().message_so_far();
        // Content beside an error in an event is in the response, although no step showed it.
        let beyond = message.text.strip_prefix(text.as_str());
        assert!(beyond == Some("") || beyond.is_some() && error.is_some(), "{text:?} {:?}", message.text);
    }
    (Seen { steps, error, response: stream.state().response() }, events)
}

/// Folds events, each after an event without content, so that the shortcut is never used.
fn fold_the_long_way(format: &Format, events: &[String], nothing: &str) -> Vec<Delta> {
    let mut stream = Stream::new(format.clone(), Limits::default());
    let fold = |data: &String| {
        stream.feed_event(nothing).unwrap();
        stream.feed_event(data).unwrap().delta.clone()
    };
    events.iter().map(fold).collect()
}

fuzz_target!(|input: (u8, u8, Vec<u16>, &[u8])| {
    let (format, framing, ends, body) = input;
    let (format, nothing) = match format % 6 {
        0 => (Format::from(Quirks::default()), "{}"),
        1 => (Format::Anthropic, r#"{"type":"ping"}"#),
        2 => (Format::Cohere, r#"{"type":"keep-alive"}"#),
        3 => (Format::Gemini, "{}"),
        4 => (Format::OpenaiResponses, "{}"),
        _ => (Format::BedrockConverse, "{}"),
    };
    let framing = match framing % 3 {
        0 => Framing::Sse,
        1 => Framing::JsonLines,
        _ => Framing::AwsEventStream,
    };
    let (whole, events) = read(&format, framing, [body]);
    let mut ends: Vec<_> =
        ends.into_iter().map(|end| usize::from(end).min(body.len())).chain([0, body.len()]).collect();
    ends.sort_unstable();
    let pieces = ends.windows(2).map(|pair| &body[pair[0]..pair[1]]);
    assert_eq!(read(&format, framing, pieces).0, whole);
    assert_eq!(read(&format, framing, body.chunks(1)).0, whole);
    let long = fold_the_long_way(&format, &events, nothing);
    assert_eq!(whole.steps[..long.len()], long);
    let python_words = whole.response.contains("NaN") || whole.response.contains("Infinity");
    if !python_words && let Err(error) = serde_json::from_str::<serde_json::Value>(&whole.response) {
        // A number that serde_json cannot represent is passed on unchanged.
        assert!(error.to_string().contains("out of range"), "{error}: {}", whole.response);
    }
});
