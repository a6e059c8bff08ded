//! Anthropic's streams: every stream of our own, in every cut, folds into its twin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod twins;

use ferroscope_core::dialect::Format;
use ferroscope_core::{Limits, Stream};
use serde_json::json;
use twins::Wire;

const WIRE: Wire = Wire {
    format: Format::Anthropic,
    folder: "anthropic",
    extension: "sse",
    encode: |text| text.into(),
    only_streamed: &["error_event", "tool_cut_by_max_tokens"],
};

fn anthropic() -> Stream {
    WIRE.stream()
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
fn a_body_that_ends_too_early_is_an_error_behind_all_that_it_said() {
    let text = String::from_utf8(WIRE.body("tools_parallel")).unwrap();
    let (before, _) = text.split_once("event: message_delta").unwrap();
    let open = before.rsplit_once("event: content_block_stop").unwrap().0;
    WIRE.a_body_that_ends_too_early_is_an_error(&[(before.as_bytes(), 2), (open.as_bytes(), 2)]);
}

#[test]
fn a_call_is_complete_with_the_event_that_closes_its_arguments() {
    let mut stream = anthropic();
    let events = [
        (json!({"type": "message_start", "message": {"id": "m", "content": []}}), vec![]),
        (
            json!({"type": "content_block_start", "index": 0,
                   "content_block": {"type": "tool_use", "id": "a", "name": "foo", "input": {}}}),
            vec![],
        ),
        (
            json!({"type": "content_block_delta", "index": 0,
                   "delta": {"type": "input_json_delta", "partial_json": "{\"x\": "}}),
            vec![],
        ),
        (
            json!({"type": "content_block_delta", "index": 0,
                   "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
            vec![0],
        ),
        (json!({"type": "content_block_stop", "index": 0}), vec![]),
        (
            json!({"type": "content_block_start", "index": 1,
                   "content_block": {"type": "tool_use", "id": "b", "name": "bar", "input": {}}}),
            vec![],
        ),
        // The model may have been cut off in front of the arguments.
        (json!({"type": "content_block_stop", "index": 1}), vec![]),
        (
            json!({"type": "content_block_start", "index": 2,
                   "content_block": {"type": "tool_use", "id": "c", "name": "bar", "input": {}}}),
            vec![1],
        ),
        (json!({"type": "content_block_stop", "index": 2}), vec![]),
        (json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}), vec![2]),
    ];
    for (event, completed) in events {
        assert_eq!(stream.feed_event(&event.to_string()).unwrap().delta.completed, completed, "{event}");
    }
    let calls = stream.state().tool_calls();
    let calls: Vec<_> = calls.iter().map(|call| (call.id, call.name, call.arguments)).collect();
    assert_eq!(calls, [(Some("a"), "foo", "{\"x\": 1}"), (Some("b"), "bar", "{}"), (Some("c"), "bar", "{}")]);
}

#[test]
fn what_an_event_may_not_be() {
    let delta =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#;
    let cases = [
        (r#"{"type":"message_start"}"#, "message_start.message is not an object"),
        (r#"{"type":"content_block_start","index":0}"#, "content_block_start.content_block is not an object"),
        (r#"{"type":"content_block_delta","index":0}"#, "content_block_delta.delta is not an object"),
        (delta, "content_block_delta.index is not the index of an open block"),
        ("[]", "the data is not an object"),
        (r#"{"error":"no credit"}"#, "no credit"),
        (r#"{"type":"error","error":{"type":"api_error","message":"broken"}}"#, "broken"),
    ];
    for (event, message) in cases {
        assert_eq!(anthropic().feed_event(event).unwrap_err().kind.to_string(), message, "{event}");
    }
}

#[test]
fn the_number_of_tool_calls_is_limited() {
    let mut stream = Stream::new(Format::Anthropic, Limits { tool_calls: 1, ..Limits::default() });
    let begin =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b"}}"#;
    stream.feed_event(begin).unwrap();
    let error = stream.feed_event(begin).unwrap_err();
    assert_eq!(error.to_string(), "event 2 (byte 0): the number of tool calls exceeds the limit of 1");
}

#[test]
fn a_response_continues_the_text_of_an_earlier_one() {
    let start = json!({"type": "message_start", "message": {"id": "m", "content": []}});
    let text = |index: u64, text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}});
    let begin = |text: &str| json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": text}});
    let cases = [
        ("one ", vec![begin(""), text(0, "two")], vec!["", "two"], "one two"),
        (
            "one \n",
            vec![begin(" "), text(0, "\n\ttwo"), text(0, " three")],
            vec!["", "\ttwo", " three"],
            "one \n\ttwo three",
        ),
        ("one ", vec![text(0, " two")], vec!["two"], "one two"),
        ("one", vec![text(3, " two"), text(3, "")], vec![" two", ""], "one two"),
    ];
    for (before, events, added, whole) in cases {
        let mut stream = anthropic();
        assert!(stream.begin_with(before));
        assert_eq!(stream.state().message_so_far().text, before);
        stream.feed_event(&start.to_string()).unwrap();
        for (event, added) in events.iter().zip(added) {
            assert_eq!(stream.feed_event(&event.to_string()).unwrap().delta.text, added);
        }
        assert_eq!(stream.state().message_so_far().text, whole);
        let body: serde_json::Value = serde_json::from_str(&stream.state().response()).unwrap();
        assert_eq!(body["content"], json!([{"type": "text", "text": whole}]));
    }
}

#[test]
fn a_tool_call_follows_the_text_that_a_response_continues() {
    let mut stream = anthropic();
    assert!(stream.begin_with("I look it up. "));
    for event in [
        json!({"type": "message_start", "message": {"id": "m", "content": []}}),
        json!({"type": "content_block_start", "index": 0,
               "content_block": {"type": "tool_use", "id": "a", "name": "foo", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0,
               "delta": {"type": "input_json_delta", "partial_json": "{\"x\": 1}"}}),
    ] {
        stream.feed_event(&event.to_string()).unwrap();
    }
    let message = stream.state().message_so_far();
    assert_eq!((&*message.text, message.tool_calls[0].arguments), ("I look it up. ", "{\"x\": 1}"));
}
