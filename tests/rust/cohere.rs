//! Cohere's streams: every stream of our own, in every cut, folds into its twin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod twins;

use ferroscope_core::dialect::Format;
use ferroscope_core::{ErrorKind, Limits, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use twins::Wire;

const WIRE: Wire = Wire {
    format: Format::Cohere,
    folder: "cohere",
    extension: "sse",
    encode: |text| text.into(),
    only_streamed: &[
        "error_event",
        "error_in_message_end",
        "tool_cut_by_max_tokens",
        "tool_cut_by_timeout",
        // Its plan stands between two thinking blocks, which a plain body cannot express.
        "tool_plan_after_thinking",
    ],
};

fn cohere() -> Stream {
    WIRE.stream()
}

/// Feeds events without framing, and returns what each completed.
fn completed(stream: &mut Stream, events: &[Value]) -> Vec<Vec<usize>> {
    events
        .iter()
        .map(|event| stream.feed_event(&event.to_string()).unwrap().delta.completed.clone())
        .collect()
}

fn start() -> Value {
    json!({"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant"}}})
}

fn call_start(index: usize, arguments: &str) -> Value {
    let function = json!({"name": "weather", "arguments": arguments});
    let call = json!({"id": format!("id{index}"), "type": "function", "function": function});
    json!({"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": call}}})
}

fn call_delta(index: usize, arguments: &str) -> Value {
    let call = json!({"function": {"arguments": arguments}});
    json!({"type": "tool-call-delta", "index": index, "delta": {"message": {"tool_calls": call}}})
}

fn call_end(index: usize) -> Value {
    json!({"type": "tool-call-end", "index": index})
}

fn end(reason: &str) -> Value {
    json!({"type": "message-end", "delta": {"finish_reason": reason}})
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
fn a_body_without_message_end_is_an_error_after_all_that_it_brought() {
    let text = String::from_utf8(WIRE.body("tools_parallel")).unwrap();
    let (before, _) = text.split_once("event: message-end").unwrap();
    let open = before.rsplit_once("event: tool-call-end").unwrap().0;
    let begun = &text[..text.find("event: tool-plan-delta").unwrap()];
    WIRE.a_body_that_ends_too_early_is_an_error(&[
        (before.as_bytes(), 2),
        (open.as_bytes(), 2),
        (begun.as_bytes(), 0),
    ]);
}

#[test]
fn a_call_is_complete_with_the_event_that_closes_its_arguments() {
    let events = [
        start(),
        call_start(0, "{\"x\":"),
        call_delta(0, "1}"),
        call_end(0),
        call_start(1, ""),
        call_end(1),
        call_start(2, "{}"),
        call_end(2),
        end("TOOL_CALL"),
    ];
    let mut stream = cohere();
    let expected: [&[usize]; 9] = [&[], &[], &[0], &[], &[], &[], &[1], &[], &[2]];
    assert_eq!(completed(&mut stream, &events), expected);
    let calls = stream.state().tool_calls();
    let calls: Vec<_> = calls.iter().map(|call| (call.id, call.name, call.arguments)).collect();
    assert_eq!(
        calls,
        [
            (Some("id0"), "weather", "{\"x\":1}"),
            (Some("id1"), "weather", "{}"),
            (Some("id2"), "weather", "{}"),
        ]
    );
}

#[test]
fn a_failed_generation_completes_no_open_call() {
    for (reason, last) in
        [("TOOL_CALL", vec![1, 2]), ("MAX_TOKENS", vec![1, 2]), ("ERROR", vec![]), ("TIMEOUT", vec![])]
    {
        let events = [
            start(),
            call_start(0, "{}"),
            call_start(1, "{\"x\":"),
            call_end(1),
            call_start(2, ""),
            end(reason),
        ];
        let mut stream = cohere();
        let mut expected = vec![vec![]; 6];
        expected[2] = vec![0];
        expected[5] = last;
        assert_eq!(completed(&mut stream, &events), expected, "{reason}");
        assert_eq!(stream.state().finish_reasons(), [reason]);
        assert!(stream.is_done());
    }
}

#[test]
fn the_plan_is_reasoning_and_never_text() {
    for (name, reasoning) in
        [("tool_plan", "I will look"), ("tool_plan_after_thinking", "Hm. I will look. Good.")]
    {
        let mut stream = cohere();
        stream.feed(&WIRE.body(name));
        let mut grown = String::new();
        while let Some(step) = stream.next_step().unwrap() {
            assert_eq!(step.delta.text, "", "{name}");
            let now = stream.state().message_so_far().reasoning.into_owned();
            grown += now.strip_prefix(&grown.clone()).unwrap();
        }
        assert_eq!(grown, reasoning, "{name}");
        assert_eq!(stream.state().message_so_far().text, "", "{name}");
    }
}

#[test]
fn citations_are_those_of_the_plain_body_and_leave_the_text_alone() {
    let body = WIRE.body("citations");
    let mut stream = cohere();
    stream.feed(&body);
    while stream.next_step().unwrap().is_some() {}
    let response: Value = serde_json::from_str(&stream.state().response()).unwrap();
    let text: Vec<char> = stream.state().message_so_far().text.chars().collect();
    for citation in response["message"]["citations"].as_array().unwrap() {
        let place = |name: &str| citation[name].as_u64().unwrap() as usize;
        let cited: String = text[place("start")..place("end")].iter().collect();
        assert_eq!(citation["text"], cited);
    }
}

#[test]
fn a_failed_generation_has_no_usage_rather_than_none_used() {
    let mut stream = cohere();
    stream.feed_event(&start().to_string()).unwrap();
    let failed = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","usage":{},"error":"no luck"}}"#;
    let error = stream.feed_event(failed).unwrap_err();
    assert_eq!(error.to_string(), "event 2 (byte 0): no luck");
    let message = stream.state().message_so_far();
    assert_eq!((message.usage, message.finish_reasons), (None, vec!["ERROR"]));
}

#[test]
fn invalid_events_and_reported_errors() {
    let cases = [
        (
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":"Hi"}}}"#,
            "delta.message.content is not an object",
        ),
        (
            r#"{"type":"tool-call-start","delta":{"message":{"tool_calls":[]}}}"#,
            "delta.message.tool_calls is not an object",
        ),
        (
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":7}}}"#,
            "message.tool_plan is not a string",
        ),
        (&call_delta(1, "{").to_string(), "tool-call-delta.index is not the index of an open tool call"),
        (r#"{"type":"message-start","delta":{"message":{"content":{}}}}"#, "message.content is not an array"),
        ("[]", "the data is not an object"),
        (r#"{"message":"too many tokens"}"#, "too many tokens"),
        (r#"{"type":"error","error":{"message":"broken"}}"#, "broken"),
    ];
    for (event, message) in cases {
        assert_eq!(cohere().feed_event(event).unwrap_err().kind.to_string(), message, "{event}");
    }
}

#[test]
fn events_without_their_parts_are_ignored() {
    let mut stream = cohere();
    for event in [
        json!({"type": "content-delta", "index": 0}),
        json!({"type": "content-start", "index": 0, "delta": {"message": {"content": null}}}),
        json!({"type": "content-end", "index": 3}),
        json!({"type": "tool-plan-delta", "delta": {}}),
        json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {}}}),
        json!({"type": "tool-call-end", "index": 3}),
        json!({"type": "citation-start"}),
        json!({"type": "citation-end", "index": 0}),
        json!({"type": "message-start"}),
        json!({"type": "season", "message": {"mood": "calm"}}),
        json!({}),
    ] {
        assert_eq!(stream.feed_event(&event.to_string()).unwrap().delta, &Default::default(), "{event}");
    }
    let response: Value = serde_json::from_str(&stream.state().response()).unwrap();
    assert_eq!(response, json!({"id": "", "message": {"role": "assistant"}, "finish_reason": null}));
}

#[test]
fn a_body_that_is_an_error_is_one() {
    let body = r#"{"id":"r1","message":"invalid api token"}"#;
    let kind = cohere().feed_body(body).unwrap_err().kind;
    let message = Some("invalid api token".to_owned());
    assert_eq!(kind, ErrorKind::Provider { message, body: body.to_owned() });
    assert_eq!(cohere().feed_body("{}").unwrap_err().kind.to_string(), "message is not an object");
}

#[test]
fn the_number_of_tool_calls_is_limited() {
    let mut stream = Stream::new(Format::Cohere, Limits { tool_calls: 1, ..Limits::default() });
    stream.feed_event(&call_start(0, "").to_string()).unwrap();
    let error = stream.feed_event(&call_start(1, "").to_string()).unwrap_err();
    assert_eq!(error.to_string(), "event 2 (byte 0): the number of tool calls exceeds the limit of 1");
    assert_eq!(stream.state().tool_calls().len(), 1);
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
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// Events of every type, in any order, most of them well formed.
fn event() -> impl Strategy<Value = String> {
    let of = |kind: &'static str, part: fn(&str) -> String| {
        (0..3_i64, quoted()).prop_map(move |(index, text)| {
            let part = part(&text);
            format!(r#"{{"type":"{kind}","index":{index},"delta":{{"message":{{{part}}}}}}}"#)
        })
    };
    prop_oneof![
        3 => of("content-delta", |text| format!(r#""content":{{"text":"{text}"}}"#)),
        1 => of("content-delta", |text| format!(r#""content":{{"thinking":"{text}"}}"#)),
        1 => of("content-delta", |text| format!(r#""content":{{"text":"{text}","style":"{text}"}}"#)),
        1 => of("content-start", |text| format!(r#""content":{{"type":"text","text":"{text}"}}"#)),
        1 => of("content-start", |text| format!(r#""content":{{"type":"sketch","svg":"{text}"}}"#)),
        1 => of("content-end", |_| String::new()),
        2 => of("tool-plan-delta", |text| format!(r#""tool_plan":"{text}""#)),
        2 => of("tool-call-start", |text| {
            format!(r#""tool_calls":{{"id":"{text}","function":{{"name":"f","arguments":"{text}"}}}}"#)
        }),
        3 => of("tool-call-delta", |text| {
            format!(r#""tool_calls":{{"function":{{"arguments":"{text}"}}}}"#)
        }),
        1 => of("tool-call-end", |_| String::new()),
        1 => of("citation-start", |text| format!(r#""citations":{{"text":"{text}"}}"#)),
        1 => Just(r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#.to_owned()),
        1 => Just(r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#.to_owned()),
        1 => "[{}\\[\\]a:,\"]{0,9}",
    ]
}

/// What a reader saw, with the error as text.
type Outcome = (String, Vec<usize>, String, Option<String>);

fn outcome<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut stream = cohere();
    let (mut text, mut completed, mut error) = (String::new(), Vec::new(), None);
    let mut drain = |stream: &mut Stream| {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => {
                    text += &step.delta.text;
                    completed.extend(&step.delta.completed);
                }
                Ok(None) => break,
                Err(found) => error = Some(found.to_string()),
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
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_fold_alike_in_any_pieces_and_one_by_one(
        events in vec(event(), 0..12),
        size in 1_usize..200,
    ) {
        let body: Vec<u8> = events.iter().flat_map(|event| format!("data: {event}\n\n").into_bytes()).collect();
        let whole = outcome([body.as_slice()]);
        prop_assert_eq!(&outcome(body.chunks(size)), &whole);
        serde_json::from_str::<Value>(&whole.2).unwrap();

        // Between two of these, no event is a variation of the one before.
        let nothing = "data: {\"type\":\"keep-alive\"}\n\n";
        let apart: String = events.iter().map(|event| format!("{nothing}data: {event}\n\n")).collect();
        let (text, completed, response, error) = outcome([apart.as_bytes()]);
        prop_assert_eq!((text, completed, response, error.is_some()), (whole.0, whole.1, whole.2, whole.3.is_some()));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..200), size in 1_usize..20) {
        prop_assert_eq!(outcome(bytes.chunks(size)), outcome([bytes.as_slice()]));
    }
}
