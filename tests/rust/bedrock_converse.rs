//! Bedrock's Converse streams: every stream of our own, in every cut, folds into its twin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "only the writer is needed here")]
mod aws_event_stream_oracle;
mod twins;

use aws_event_stream_oracle::{string, write, write_headers};
use ferroscope_core::dialect::Format;
use ferroscope_core::error::{FrameProblem, JsonProblem, Limit};
use ferroscope_core::{Error, ErrorKind, Framing, Limits, Place, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use twins::Wire;

const WIRE: Wire = Wire {
    format: Format::BedrockConverse,
    folder: "bedrock_converse",
    extension: "jsonl",
    encode,
    only_streamed: &[
        "exception_of_the_model",
        "exception_throttling",
        "guardrail",
        "tool_cut_by_max_tokens",
        "tool_malformed",
    ],
};

fn converse() -> Stream {
    WIRE.stream()
}

fn message(message_type: &str, named: &str, name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        string(named, name),
        string(":content-type", "application/json"),
        string(":message-type", message_type),
    ];
    write(&write_headers(&headers), payload.as_bytes())
}

/// The message for an event in the form in which AWS's SDKs return it.
fn frame(event: &str) -> Vec<u8> {
    let (name, payload) = event.trim().strip_prefix("{\"").unwrap().split_once("\":").unwrap();
    let payload = payload.strip_suffix('}').unwrap();
    if name.ends_with("Exception") {
        message("exception", ":exception-type", name, payload)
    } else {
        message("event", ":event-type", name, payload)
    }
}

/// A body with an event in each line.
fn encode(lines: &str) -> Vec<u8> {
    lines.lines().flat_map(frame).collect()
}

fn lines(name: &str) -> String {
    let corpus = WIRE.corpus();
    let (path, ..) = corpus.iter().find(|(_, known, _)| known == name).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn text(index: i64, text: &str) -> Value {
    json!({"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": text}, "p": "abc"}})
}

fn tool(index: i64, start: Value) -> Value {
    json!({"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": start}}})
}

fn input(index: i64, input: &str) -> Value {
    json!({"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": {"input": input}}}})
}

fn block_stop(index: i64) -> Value {
    json!({"contentBlockStop": {"contentBlockIndex": index}})
}

fn stop(reason: &str) -> Value {
    json!({"messageStop": {"stopReason": reason}})
}

fn metadata() -> Value {
    json!({"metadata": {"usage": {"inputTokens": 1}}})
}

/// Feeds events without framing, and returns what each completed.
fn completed(stream: &mut Stream, events: &[Value]) -> Vec<Vec<usize>> {
    events
        .iter()
        .map(|event| stream.feed_event(&event.to_string()).unwrap().delta.completed.clone())
        .collect()
}

#[test]
fn every_stream_folds_into_its_twin() {
    WIRE.every_stream_folds_into_its_twin();
}

#[test]
fn the_cuts_make_no_difference() {
    WIRE.the_cuts_make_no_difference();
}

#[test]
fn a_plain_body_reads_as_its_stream() {
    WIRE.a_plain_body_reads_as_its_stream();
}

#[test]
fn events_without_framing_fold_alike() {
    for (path, name, body) in WIRE.corpus() {
        let mut framed = converse();
        framed.feed(&body);
        let mut stream = converse();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let expected = framed.next_step();
            let found = stream.feed_event(line);
            match (&found, &expected) {
                (Ok(found), Ok(Some(step))) => assert_eq!(found.delta, step.delta, "{name}: {line}"),
                // Nothing is read behind the end of a body, and nothing folded.
                (Ok(found), Ok(None)) => assert_eq!(found.delta, &Default::default(), "{name}: {line}"),
                (Err(found), Err(error)) => assert_eq!(found.kind, error.kind, "{name}: {line}"),
                other => panic!("{name}: {other:?}"),
            }
            assert_eq!(stream.state().response(), framed.state().response(), "{name}: {line}");
        }
    }
}

#[test]
fn a_body_without_message_stop_is_an_error_after_all_that_it_brought() {
    let lines = lines("tools_parallel");
    let up_to = |end: &str| encode(&lines[..lines.find(end).unwrap()]);
    let open = "{\"contentBlockStop\":{\"contentBlockIndex\":4";
    WIRE.a_body_that_ends_too_early_is_an_error(&[
        (&up_to("{\"messageStop\""), 3),
        (&up_to(open), 3),
        (&up_to("{\"contentBlockDelta\""), 0),
    ]);
}

#[test]
fn a_call_is_complete_with_the_event_that_closes_its_input() {
    let events = [
        tool(0, json!({"toolUseId": "a", "name": "f"})),
        input(0, "{\"x\":"),
        input(0, "1}"),
        block_stop(0),
        tool(1, json!({"toolUseId": "b", "name": "g"})),
        block_stop(1),
        tool(2, json!({"toolUseId": "s", "name": "search", "type": "server_tool_use"})),
        input(2, "{}"),
        block_stop(2),
        tool(3, json!({"toolUseId": "c", "name": "h", "type": "tool_use"})),
        input(3, "{}"),
        stop("tool_use"),
    ];
    let mut stream = converse();
    let expected: [&[usize]; 12] = [&[], &[], &[0], &[], &[], &[], &[1], &[], &[], &[], &[], &[2]];
    assert_eq!(completed(&mut stream, &events), expected);
    let calls = stream.state().tool_calls();
    let calls: Vec<_> = calls.iter().map(|call| (call.id, call.name, call.arguments)).collect();
    assert_eq!(calls, [(Some("a"), "f", "{\"x\":1}"), (Some("b"), "g", "{}"), (Some("c"), "h", "{}")]);
    let response: Value = serde_json::from_str(&stream.state().response()).unwrap();
    assert_eq!(
        response["output"]["message"]["content"][2],
        json!({"toolUse": {"toolUseId": "s", "name": "search", "input": {}, "type": "server_tool_use"}})
    );
}

#[test]
fn a_blocked_or_malformed_message_completes_no_open_call() {
    for (reason, last) in [
        ("tool_use", vec![1, 2]),
        ("end_turn", vec![1, 2]),
        ("max_tokens", vec![1, 2]),
        ("model_context_window_exceeded", vec![1, 2]),
        ("malformed_tool_use", vec![]),
        ("malformed_model_output", vec![]),
        ("guardrail_intervened", vec![]),
        ("content_filtered", vec![]),
    ] {
        let events = [
            tool(0, json!({"name": "f"})),
            input(0, "{}"),
            tool(1, json!({"name": "g"})),
            input(1, "{\"x\":"),
            block_stop(1),
            tool(2, json!({"name": "h"})),
            stop(reason),
        ];
        let mut stream = converse();
        let mut expected = vec![vec![]; 7];
        expected[2] = vec![0];
        expected[6] = last;
        assert_eq!(completed(&mut stream, &events), expected, "{reason}");
        assert_eq!(stream.state().finish_reasons(), [reason]);
    }
}

#[test]
fn the_response_is_complete_with_both_of_its_ends() {
    for ends in [[stop("end_turn"), metadata()], [metadata(), stop("end_turn")]] {
        let mut stream = converse();
        stream.feed(&frame(&text(0, "Hi").to_string()));
        for (number, end) in ends.iter().enumerate() {
            assert!(!stream.is_done(), "{end}");
            stream.feed(&frame(&end.to_string()));
            while stream.next_step().unwrap().is_some() {}
            assert_eq!(stream.is_done(), number == 1);
        }
        let message = stream.state().message_so_far();
        assert_eq!((message.usage, message.finish_reasons), (Some(r#"{"inputTokens":1}"#), vec!["end_turn"]));
    }
}

#[test]
fn the_usage_is_unknown_without_metadata() {
    let mut stream = converse();
    stream.feed(&WIRE.body("metadata_missing"));
    stream.finish();
    while stream.next_step().unwrap().is_some() {}
    assert!(stream.is_done());
    let message = stream.state().message_so_far();
    assert_eq!((message.usage, message.finish_reasons), (None, vec!["end_turn"]));
}

#[test]
fn a_prompt_router_names_the_model() {
    let mut stream = converse();
    assert_eq!(stream.framing(), Framing::AwsEventStream);
    stream.feed(&WIRE.body("prompt_router"));
    while stream.next_step().unwrap().is_some() {}
    assert_eq!(stream.state().model(), "arn:aws:bedrock:us-east-1::foundation-model/some.model-v1:0");
}

#[test]
fn a_step_has_the_event_under_its_name_and_the_place_of_its_message() {
    let first = frame(r#"{"messageStart":{"role":"assistant"}}"#);
    let second = message("event", ":event-type", "contentBlockStop", "");
    let mut stream = converse();
    stream.feed(&[&first[..], &second].concat());
    let step = stream.next_step().unwrap().unwrap();
    assert_eq!(step.data.unwrap(), r#"{"messageStart":{"role":"assistant"}}"#);
    assert_eq!(step.at, Place { event: 1, byte: 0 });
    let step = stream.next_step().unwrap().unwrap();
    assert_eq!(step.data.unwrap(), r#"{"contentBlockStop":{}}"#);
    assert_eq!(step.at, Place { event: 2, byte: first.len() as u64 });
}

fn provider(message: &str, body: Value) -> ErrorKind {
    ErrorKind::Provider { message: Some(message.to_owned()), body: body.to_string() }
}

#[test]
fn an_error_ends_the_stream_and_keeps_what_came_before_it() {
    let of =
        |name: &str, message: &str| json!({"type": "error", "error": {"type": name, "message": message}});
    let mut cases = vec![
        (
            "an error",
            {
                let headers = [
                    string(":message-type", "error"),
                    string(":error-code", "InternalFailure"),
                    string(":error-message", "An internal failure"),
                ];
                write(&write_headers(&headers), b"")
            },
            provider("InternalFailure: An internal failure", of("InternalFailure", "An internal failure")),
        ),
        (
            "a message with another checksum",
            {
                let mut bytes = frame(&text(0, "there").to_string());
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                bytes
            },
            ErrorKind::Frame(FrameProblem::MessageChecksum),
        ),
        (
            "a prelude with another checksum",
            {
                let mut bytes = frame(&text(0, "there").to_string());
                bytes[9] ^= 1;
                bytes
            },
            ErrorKind::Frame(FrameProblem::PreludeChecksum),
        ),
        (
            "a cut message",
            {
                let bytes = frame(&text(0, "there").to_string());
                bytes[..bytes.len() - 1].to_vec()
            },
            ErrorKind::Frame(FrameProblem::Truncated),
        ),
        (
            "a payload that is no JSON",
            message("event", ":event-type", "contentBlockDelta", "{\"delta\":"),
            ErrorKind::Json {
                problem: JsonProblem::UnexpectedByte(b'}'),
                byte: 30,
                excerpt: "{\"contentBlockDelta\":{\"delta\":}".to_owned(),
            },
        ),
    ];
    for name in [
        "throttlingException",
        "modelStreamErrorException",
        "validationException",
        "internalServerException",
        "serviceUnavailableException",
        "unheardOfException",
    ] {
        cases.push((
            name,
            frame(&json!({name: {"message": "Not now"}}).to_string()),
            provider(&format!("{name}: Not now"), of(name, "Not now")),
        ));
    }
    for (story, message, kind) in cases {
        let begun = frame(&text(0, "Hi").to_string());
        let body = [&begun[..], &message].concat();
        let expected = Error { kind, at: Place { event: 2, byte: begun.len() as u64 } };
        for size in [1, 7, body.len()] {
            let mut stream = converse();
            let mut error = None;
            for piece in body.chunks(size) {
                stream.feed(piece);
                while error.is_none() {
                    match stream.next_step() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(found) => error = Some(found),
                    }
                }
            }
            stream.finish();
            let error = error.or_else(|| stream.next_step().err());
            assert_eq!(error, Some(expected.clone()), "{story}: pieces of {size}");
            assert_eq!(stream.state().message_so_far().text, "Hi", "{story}");
        }
    }
}

#[test]
fn messages_that_are_no_events_are_skipped() {
    let mut stream = converse();
    for bytes in [
        message("event", ":event-type", "initial-response", ""),
        message("event", ":other-type", "contentBlockDelta", "{"),
        write(b"", b""),
        frame(&text(0, "Hi").to_string()),
    ] {
        stream.feed(&bytes);
        while stream.next_step().unwrap().is_some() {}
    }
    assert_eq!((stream.state().message_so_far().text.as_ref(), stream.events()), ("Hi", 4));
}

#[test]
fn invalid_events() {
    let cases = [
        (r#"{"contentBlockStart":{"start":7}}"#.to_owned(), "contentBlockStart.start is not an object"),
        (r#"{"contentBlockDelta":{}}"#.to_owned(), "contentBlockDelta.delta is not an object"),
        (
            input(0, "{").to_string(),
            "contentBlockDelta.contentBlockIndex is not the index of an open tool use",
        ),
        ("[]".to_owned(), "the data is not an object"),
        (r#"{"error":{"message":"broken"}}"#.to_owned(), "broken"),
    ];
    for (event, message) in cases {
        assert_eq!(converse().feed_event(&event).unwrap_err().kind.to_string(), message, "{event}");
    }
    let bodies = [
        (r#"{"message":"The model is retired."}"#, "The model is retired."),
        (r#"{"Message":"Denied"}"#, "Denied"),
        (r#"{"error":"broken"}"#, "broken"),
        ("{}", "output is not an object"),
        (r#"{"output":{}}"#, "output.message is not an object"),
        (r#"{"output":{"message":{"content":{}}}}"#, "output.message.content is not an array"),
    ];
    for (body, message) in bodies {
        assert_eq!(converse().feed_body(body).unwrap_err().kind.to_string(), message, "{body}");
    }
}

#[test]
fn the_limits_hold() {
    let call = tool(0, json!({"name": "f"})).to_string();
    let mut stream = Stream::new(Format::BedrockConverse, Limits { tool_calls: 1, ..Limits::default() });
    stream.feed_event(&call).unwrap();
    let error = stream.feed_event(&call).unwrap_err();
    assert_eq!(error.to_string(), "event 2 (byte 0): the number of tool calls exceeds the limit of 1");
    assert_eq!(stream.state().tool_calls().len(), 1);

    let long = frame(&text(0, &"x".repeat(99)).to_string());
    let limits = Limits { event_bytes: long.len() - 1, ..Limits::default() };
    let mut stream = Stream::new(Format::BedrockConverse, limits);
    stream.feed(&long);
    let kind = ErrorKind::Limit { limit: Limit::EventBytes, max: long.len() - 1 };
    assert_eq!(stream.next_step().unwrap_err(), Error { kind, at: Place { event: 1, byte: 0 } });
}

/// Strings of JSON, as written between quotes.
fn quoted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z {}\\[\\]:,é🎉]{0,6}",
        Just("\\\"".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\n".to_owned()),
        Just("\\ud83d".to_owned()),
        Just("\\ude00".to_owned()),
        Just("aGk=".to_owned()),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// Events of every type, in any order, most of them well formed.
fn event() -> impl Strategy<Value = String> {
    let of = |kind: &'static str, part: fn(&str) -> String| {
        (0..3_i64, quoted(), "[a-z]{0,5}").prop_map(move |(index, text, padding)| {
            let part = part(&text);
            format!(r#"{{"{kind}":{{"contentBlockIndex":{index},{part},"p":"{padding}"}}}}"#)
        })
    };
    let delta = |part: fn(&str) -> String| of("contentBlockDelta", part);
    prop_oneof![
        4 => delta(|text| format!(r#""delta":{{"text":"{text}"}}"#)),
        3 => delta(|text| format!(r#""delta":{{"toolUse":{{"input":"{text}"}}}}"#)),
        2 => delta(|text| format!(r#""delta":{{"reasoningContent":{{"text":"{text}"}}}}"#)),
        1 => delta(|text| format!(r#""delta":{{"reasoningContent":{{"signature":"{text}"}}}}"#)),
        1 => delta(|text| format!(r#""delta":{{"reasoningContent":{{"redactedContent":"{text}","a":1}}}}"#)),
        1 => delta(|text| format!(r#""delta":{{"citation":{{"title":"{text}"}}}}"#)),
        1 => delta(|text| format!(r#""delta":{{"image":{{"source":{{"bytes":"{text}"}}}}}}"#)),
        1 => delta(|text| format!(r#""delta":{{"text":"{text}","sketch":["{text}"]}}"#)),
        2 => of("contentBlockStart", |text| {
            format!(r#""start":{{"toolUse":{{"toolUseId":"{text}","name":"f"}}}}"#)
        }),
        1 => of("contentBlockStart", |text| format!(r#""start":{{"text":"{text}"}}"#)),
        1 => of("contentBlockStart", |text| format!(r#""start":{{"sketch":{{"svg":"{text}"}}}}"#)),
        1 => of("contentBlockStop", |_| r#""a":1"#.to_owned()),
        1 => Just(stop("end_turn").to_string()),
        1 => Just(stop("malformed_tool_use").to_string()),
        1 => Just(metadata().to_string()),
        1 => "\\{\"contentBlockDelta\":[{}\\[\\]a:,\"]{1,9}\\}",
    ]
}

/// What a reader saw, with the error as text.
type Outcome = (String, Vec<usize>, String, Option<String>);

fn outcome<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut stream = converse();
    stream.set_framing(framing);
    let (mut text, mut completed, mut error) = (String::new(), Vec::new(), None);
    let mut drain = |stream: &mut Stream| {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => {
                    text += &step.delta.text;
                    completed.extend(&step.delta.completed);
                }
                Ok(None) => break,
                Err(found) => error = Some(found.kind.to_string()),
            }
        }
    };
    for piece in pieces {
        stream.feed(piece);
        drain(&mut stream);
    }
    stream.finish();
    drain(&mut stream);
    (text, completed, stream.state().response(), error)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_fold_alike_in_any_pieces_and_in_any_framing(
        events in vec(event(), 0..12),
        size in 1_usize..200,
    ) {
        let body: Vec<u8> = events.iter().flat_map(|event| frame(event)).collect();
        let whole = outcome(Framing::AwsEventStream, [body.as_slice()]);
        prop_assert_eq!(&outcome(Framing::AwsEventStream, body.chunks(size)), &whole);
        serde_json::from_str::<Value>(&whole.2).unwrap();

        let plain: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        prop_assert_eq!(&outcome(Framing::Sse, [plain.as_bytes()]), &whole);

        // Between two of these, no event is a variation of the one before.
        let apart: String = events.iter().map(|event| format!("data: {{}}\n\ndata: {event}\n\n")).collect();
        prop_assert_eq!(&outcome(Framing::Sse, [apart.as_bytes()]), &whole);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in vec(any::<u8>(), 0..200),
        payload in vec(any::<u8>(), 0..60),
        name in "[a-zA-Z\"{}:]{0,12}",
        size in 1_usize..20,
    ) {
        let headers = [string(":event-type", &name), string(":message-type", "event")];
        let framed = [&write(&write_headers(&headers), &payload)[..], &bytes].concat();
        let whole = outcome(Framing::AwsEventStream, [framed.as_slice()]);
        prop_assert_eq!(outcome(Framing::AwsEventStream, framed.chunks(size)), whole);
    }
}
