//! Bedrock's invoke stream: the events inside fold as they do without it, and errors come out of it as errors.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "only the writer is needed here")]
mod aws_event_stream_oracle;

use aws_event_stream_oracle::{string, write, write_headers};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferroscope_core::dialect::Format;
use ferroscope_core::error::{FrameProblem, JsonProblem, Limit};
use ferroscope_core::framing::sse;
use ferroscope_core::{Delta, Error, ErrorKind, Framing, Limits, Place, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;

/// What was seen of a stream up to its first error.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    steps: Vec<(Option<String>, Delta)>,
    error: Option<ErrorKind>,
    response: String,
}

fn read_with<'a>(
    framing: Framing,
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Seen, Option<Error>) {
    fn drain(stream: &mut Stream, seen: &mut Seen, error: &mut Option<Error>) {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => {
                    seen.steps.push((step.data.map(|data| data.into_owned()), step.delta.clone()));
                }
                Ok(None) => break,
                Err(found) => *error = Some(found),
            }
        }
    }

    let mut stream = Stream::new(Format::Anthropic, limits);
    stream.set_framing(framing);
    let (mut seen, mut error) = (Seen::default(), None);
    for piece in pieces {
        stream.feed(piece);
        drain(&mut stream, &mut seen, &mut error);
    }
    stream.finish();
    drain(&mut stream, &mut seen, &mut error);
    seen.error = error.as_ref().map(|error| error.kind.clone());
    seen.response = stream.state().response();
    (seen, error)
}

fn read<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    read_with(framing, Limits::default(), pieces).0
}

fn message(message_type: &str, named: &str, name: &str, payload: &[u8]) -> Vec<u8> {
    let headers = [
        string(named, name),
        string(":content-type", "application/json"),
        string(":message-type", message_type),
    ];
    write(&write_headers(&headers), payload)
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    message("event", ":event-type", name, payload.as_bytes())
}

fn chunk(data: impl AsRef<[u8]>) -> Vec<u8> {
    event("chunk", &format!("{{\"bytes\":\"{}\",\"p\":\"abcdefg\"}}", STANDARD.encode(data)))
}

fn say(text: &str) -> String {
    format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#)
}

/// The bodies of our own corpus, each with its events in Bedrock's frames.
fn corpus() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/anthropic");
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sse") {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        let mut events = sse::Decoder::new(usize::MAX);
        events.feed(&body);
        events.finish();
        let mut framed = Vec::new();
        while events.advance().unwrap() {
            framed.extend(chunk(events.data()));
        }
        bodies.push((path.display().to_string(), body, framed));
    }
    assert!(bodies.len() > 20, "the streams of our own are missing");
    bodies
}

#[test]
fn a_stream_folds_alike_in_both_framings_however_it_is_cut() {
    for (name, body, framed) in corpus() {
        let whole = read(Framing::AwsEventStream, [&framed[..]]);
        assert_eq!(whole, read(Framing::Sse, [&body[..]]), "{name}");
        for size in [1, 7, 300] {
            assert_eq!(read(Framing::AwsEventStream, framed.chunks(size)), whole, "{name}: pieces of {size}");
        }
    }
}

#[test]
fn what_is_no_event_of_the_model_says_nothing() {
    let nothing = [
        event("initial-response", "{}"),
        event("metadata", "no JSON"),
        event("chunk", "{}"),
        event("chunk", r#"{"p":"abc"}"#),
        message("event", ":other-type", "chunk", b"{}"),
        write(b"", b""),
        message("question", ":event-type", "unknown", b""),
    ];
    let (first, second) = (chunk(say("Hello")), chunk(say(" there")));
    let body = [&first[..], &nothing.concat(), &second].concat();
    let seen = read(Framing::AwsEventStream, [&body[..]]);
    let texts: Vec<_> = seen.steps.iter().map(|(_, delta)| delta.text.as_str()).collect();
    assert_eq!((texts, seen.error), (vec!["Hello", " there"], None));

    let mut stream = Stream::new(Format::Anthropic, Limits::default());
    stream.set_framing(Framing::AwsEventStream);
    stream.feed(&body);
    while stream.next_step().unwrap().is_some() {}
    assert_eq!(stream.events(), 9);
}

#[test]
fn a_step_has_the_events_own_data_and_the_place_of_its_message() {
    let body = [event("initial-response", "{}"), chunk(say("Hi"))].concat();
    let mut stream = Stream::new(Format::Anthropic, Limits::default());
    stream.set_framing(Framing::AwsEventStream);
    stream.feed(&body);
    let step = stream.next_step().unwrap().unwrap();
    assert_eq!(step.data.unwrap(), say("Hi"));
    assert_eq!(step.at, Place { event: 2, byte: event("initial-response", "{}").len() as u64 });
}

#[test]
fn nothing_follows_the_last_event_of_the_message() {
    let stop =
        chunk(r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"invocationLatency":604}}"#);
    let body = [chunk(say("Hi")), stop, chunk(say("!")), event("metadata", "{}")].concat();
    let mut stream = Stream::new(Format::Anthropic, Limits::default());
    stream.set_framing(Framing::AwsEventStream);
    stream.feed(&body);
    while stream.next_step().unwrap().is_some() {}
    assert!(stream.is_done());
    assert_eq!(stream.state().message_so_far().text, "Hi");
    assert!(
        stream.state().response().contains(r#""amazon-bedrock-invocationMetrics":{"invocationLatency":604}"#)
    );
}

fn provider(message: &str, body: &str) -> ErrorKind {
    ErrorKind::Provider {
        message: (!message.is_empty()).then(|| message.to_owned()),
        body: format!(r#"{{"type":"error","error":{body}}}"#),
    }
}

/// What ends a stream, and as what error.
fn errors() -> Vec<(&'static str, Vec<u8>, ErrorKind)> {
    let exception =
        |payload: &str| message("exception", ":exception-type", "throttlingException", payload.as_bytes());
    let failure = |payload: &[u8]| {
        let headers = [
            string(":message-type", "error"),
            string(":error-code", "InternalFailure"),
            string(":error-message", "An \"internal\" failure"),
        ];
        write(&write_headers(&headers), payload)
    };
    vec![
        (
            "an exception",
            exception(r#"{"message":"Too many tokens"}"#),
            provider(
                "throttlingException: Too many tokens",
                r#"{"type":"throttlingException","message":"Too many tokens"}"#,
            ),
        ),
        (
            "an exception that says more",
            exception(
                r#"{"originalStatusCode":424,"type":"other","Message":"No \"model\"","originalMessage":null}"#,
            ),
            provider(
                "throttlingException: No \"model\"",
                r#"{"type":"throttlingException","message":"No \"model\"","originalStatusCode":424,"originalMessage":null}"#,
            ),
        ),
        (
            "an exception without words",
            exception("{}"),
            provider("throttlingException", r#"{"type":"throttlingException","message":""}"#),
        ),
        (
            "an exception whose payload is no object",
            exception("[1]"),
            provider("throttlingException", r#"{"type":"throttlingException","message":""}"#),
        ),
        (
            "an exception whose payload is no JSON",
            exception("\u{0}"),
            provider("throttlingException", r#"{"type":"throttlingException","message":""}"#),
        ),
        (
            "an exception without a name",
            write(&write_headers(&[string(":message-type", "exception")]), b""),
            provider("", r#"{"type":"","message":""}"#),
        ),
        (
            "an error",
            failure(b""),
            provider(
                "InternalFailure: An \"internal\" failure",
                r#"{"type":"InternalFailure","message":"An \"internal\" failure"}"#,
            ),
        ),
        (
            "an error with a payload",
            failure(br#"{"message":"another","status":500}"#),
            provider(
                "InternalFailure: An \"internal\" failure",
                r#"{"type":"InternalFailure","message":"An \"internal\" failure","status":500}"#,
            ),
        ),
        (
            "an error of the model's own stream",
            chunk(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            provider("Overloaded", r#"{"type":"overloaded_error","message":"Overloaded"}"#),
        ),
        (
            "a payload that is no JSON",
            event("chunk", "{\"bytes\":"),
            ErrorKind::Json {
                problem: JsonProblem::UnexpectedEnd,
                byte: 9,
                excerpt: "{\"bytes\":".to_owned(),
            },
        ),
        (
            "bytes that are no base64",
            event("chunk", r#"{"bytes":"e30"}"#),
            ErrorKind::Shape { path: "bytes", expected: "base64" },
        ),
        (
            "bytes that are no text",
            event("chunk", r#"{"bytes":7}"#),
            ErrorKind::Shape { path: "bytes", expected: "base64" },
        ),
        (
            "an event that is no JSON",
            chunk("Hello"),
            ErrorKind::Json {
                problem: JsonProblem::UnexpectedByte(b'H'),
                byte: 0,
                excerpt: "Hello".to_owned(),
            },
        ),
        ("a broken message", vec![0; 16], ErrorKind::Frame(FrameProblem::PreludeChecksum)),
        ("half a message", chunk("{}")[..20].to_vec(), ErrorKind::Frame(FrameProblem::Truncated)),
    ]
}

#[test]
fn an_error_ends_the_stream_and_keeps_what_came_before_it() {
    for (story, message, kind) in errors() {
        let begun = chunk(say("Hi"));
        let body = [&begun[..], &message].concat();
        let expected = Error { kind, at: Place { event: 2, byte: begun.len() as u64 } };
        for size in [1, 7, body.len()] {
            let (seen, error) = read_with(Framing::AwsEventStream, Limits::default(), body.chunks(size));
            assert_eq!(error, Some(expected.clone()), "{story}: pieces of {size}");
            assert!(seen.response.contains("Hi"), "{story}");
        }
    }
}

#[test]
fn an_event_is_held_to_the_limit_in_its_frame() {
    let body = [chunk(say("Hi")), chunk(say(&"x".repeat(99)))].concat();
    let limits = Limits { event_bytes: chunk(say("Hi")).len(), ..Limits::default() };
    let (seen, error) = read_with(Framing::AwsEventStream, limits, [&body[..]]);
    let kind = ErrorKind::Limit { limit: Limit::EventBytes, max: limits.event_bytes };
    assert_eq!(error, Some(Error { kind, at: Place { event: 2, byte: limits.event_bytes as u64 } }));
    assert_eq!(seen.steps.len(), 1);
}

#[test]
fn a_body_without_a_message_is_unfinished() {
    let error = read(Framing::AwsEventStream, []).error.unwrap();
    assert_eq!(error, ErrorKind::Unfinished);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_in_any_pieces_fold_as_they_do_without_frames(
        events in vec(prop_oneof![
            vec(any::<u8>(), 0..20),
            "[a-z\"\\\\ü]{0,9}".prop_map(|text| say(&text).into_bytes()),
            Just(br#"{"type":"message_stop"}"#.to_vec()),
        ], 0..8),
        size in 1_usize..400,
    ) {
        // Line ends have a meaning in the other framing.
        let events: Vec<Vec<u8>> =
            events.into_iter().map(|event| event.into_iter().filter(|byte| !b"\r\n".contains(byte)).collect()).collect();
        let plain: Vec<u8> = events.iter().flat_map(|event| [b"data: ", &event[..], b"\n\n"].concat()).collect();
        let framed: Vec<u8> = events.iter().flat_map(chunk).collect();
        let expected = read(Framing::Sse, [&plain[..]]);
        prop_assert_eq!(&read(Framing::AwsEventStream, [&framed[..]]), &expected);
        prop_assert_eq!(&read(Framing::AwsEventStream, framed.chunks(size)), &expected);
    }
}
