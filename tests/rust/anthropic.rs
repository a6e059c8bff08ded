//! Anthropic's streams: every stream of our own, in every cut, folds into its twin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ferroscope_core::dialect::Format;
use ferroscope_core::{ErrorKind, Limits, Stream};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What a reader saw of a stream, and what it has in the end.
#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    text: String,
    arguments: Vec<(usize, String)>,
    completed: Vec<usize>,
    response: Value,
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/anthropic");
    let mut streams: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    streams.sort();
    assert!(streams.len() > 20, "the streams of our own are missing");
    streams
}

fn anthropic() -> Stream {
    Stream::new(Format::Anthropic, Limits::default())
}

/// Feeds the pieces of a body; an error of the provider becomes the member `error`.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut stream = anthropic();
    let mut seen = Seen::default();
    let mut error = None;
    for piece in pieces {
        stream.feed(piece);
        error = error.or(drain(&mut stream, &mut seen));
    }
    stream.finish();
    error = error.or(drain(&mut stream, &mut seen));
    assert_eq!(stream.state().message_so_far().text, seen.text);
    seen.response = serde_json::from_str(&stream.state().response()).unwrap();
    if let Some(error) = error {
        seen.response["error"] = error;
    }
    seen
}

fn drain(stream: &mut Stream, seen: &mut Seen) -> Option<Value> {
    loop {
        match stream.next_step() {
            Ok(Some(step)) => {
                seen.text += &step.delta.text;
                for (position, fragment) in &step.delta.arguments {
                    match seen.arguments.iter_mut().find(|(known, _)| known == position) {
                        Some((_, text)) => text.push_str(fragment),
                        None => seen.arguments.push((*position, fragment.clone())),
                    }
                }
                seen.completed.extend(&step.delta.completed);
            }
            Ok(None) => return None,
            Err(error) => match error.kind {
                ErrorKind::Provider { body, .. } => return Some(serde_json::from_str(&body).unwrap()),
                other => panic!("{other}"),
            },
        }
    }
}

/// A null member says what a missing one says.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name.clone(), without_nulls(member)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn twin(stream: &Path) -> Value {
    without_nulls(&serde_json::from_str(&fs::read_to_string(stream.with_extension("json")).unwrap()).unwrap())
}

#[test]
fn every_stream_folds_into_its_twin() {
    for path in corpus() {
        let seen = read([fs::read(&path).unwrap().as_slice()]);
        assert_eq!(without_nulls(&seen.response), twin(&path), "{}", path.display());
    }
}

#[test]
fn a_body_that_ends_too_early_is_an_error_behind_all_that_it_said() {
    let body =
        fs::read(corpus().into_iter().find(|path| path.ends_with("tools_parallel.sse")).unwrap()).unwrap();
    let text = String::from_utf8(body).unwrap();
    let (before, _) = text.split_once("event: message_delta").unwrap();
    let open = before.rsplit_once("event: content_block_stop").unwrap().0;
    for (cut, calls) in [(before, 3), (open, 2)] {
        let mut stream = anthropic();
        stream.feed(cut.as_bytes());
        let mut completed = 0;
        while let Some(step) = stream.next_step().unwrap() {
            completed += step.delta.completed.len();
        }
        stream.finish();
        let error = stream.next_step().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unfinished);
        assert_eq!(completed, calls, "what is open is no call");
        assert!(stream.next_step().unwrap().is_none());
    }
}

#[test]
fn the_cuts_make_no_difference() {
    for path in corpus() {
        let body = fs::read(&path).unwrap();
        let whole = read([body.as_slice()]);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(read(body.chunks(size)), whole, "{} in {size}", path.display());
        }
        for cut in 0..body.len() {
            let (first, second) = body.split_at(cut);
            assert_eq!(read([first, second]), whole, "{} at {cut}", path.display());
        }
    }
}

#[test]
fn a_stream_says_what_its_twin_says_as_a_plain_body() {
    for path in corpus() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        // The two that have no plain body: an error is no message, and what was cut off is not sent.
        if name == "error_event" || name == "tool_cut_by_max_tokens" {
            continue;
        }
        let body = fs::read_to_string(path.with_extension("json")).unwrap();
        let mut plain = anthropic();
        let text = plain.feed_body(&body).unwrap().delta.text.clone();
        let mut streamed = anthropic();
        streamed.feed(&fs::read(&path).unwrap());
        streamed.finish();
        let mut completed = 0;
        while let Some(step) = streamed.next_step().unwrap() {
            completed += step.delta.completed.len();
        }
        let (plain, streamed) = (plain.state(), streamed.state());
        assert_eq!(text, streamed.message_so_far().text, "{name}");
        assert_eq!(plain.message_so_far().reasoning, streamed.message_so_far().reasoning, "{name}");
        assert_eq!(plain.finish_reasons(), streamed.finish_reasons(), "{name}");
        assert_eq!(completed, plain.tool_calls().len(), "{name}");
        assert_eq!(without_nulls(&serde_json::from_str(&plain.response()).unwrap()), twin(&path), "{name}");
        let arguments = |state: &ferroscope_core::dialect::Dialect| -> Vec<Value> {
            state.tool_calls().iter().map(|call| serde_json::from_str(call.arguments).unwrap()).collect()
        };
        assert_eq!(arguments(plain), arguments(streamed), "{name}");
    }
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
        (json!({"type": "content_block_stop", "index": 1}), vec![1]),
    ];
    for (event, completed) in events {
        assert_eq!(stream.feed_event(&event.to_string()).unwrap().delta.completed, completed, "{event}");
    }
    let calls = stream.state().tool_calls();
    let calls: Vec<_> = calls.iter().map(|call| (call.id, call.name, call.arguments)).collect();
    assert_eq!(calls, [(Some("a"), "foo", "{\"x\": 1}"), (Some("b"), "bar", "{}")]);
}

#[test]
fn what_an_event_may_not_be() {
    let delta =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#;
    let cases = [
        (r#"{"type":"message_start"}"#, "message_start.message is not an object"),
        (r#"{"type":"content_block_start","index":0}"#, "content_block_start.content_block is not an object"),
        (r#"{"type":"content_block_delta","index":0}"#, "content_block_delta.delta is not an object"),
        (delta, "content_block_delta.index is not the index of a block that has begun"),
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
    assert_eq!(error.to_string(), "event 2 (byte 0): the number of tool calls passed the limit of 1");
}
