//! Gemini's streams: every stream of our own, in every cut and both framings, folds into its twin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ferroscope_core::dialect::Format;
use ferroscope_core::error::Limit;
use ferroscope_core::framing::sse;
use ferroscope_core::{ErrorKind, Framing, Limits, Stream};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What a reader saw of a stream, and what it has in the end.
#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    text: String,
    arguments: Vec<(usize, String)>,
    completed: Vec<usize>,
    calls: Vec<(Option<String>, String, String)>,
    reasoning: String,
    finish_reasons: Vec<String>,
    usage: Option<Value>,
    response: Value,
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/gemini");
    let mut streams: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    streams.sort();
    assert!(streams.len() > 50, "the streams of our own are missing");
    streams
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn body_of(name: &str) -> Vec<u8> {
    fs::read(corpus().into_iter().find(|path| name_of(path) == name).unwrap()).unwrap()
}

fn gemini(framing: Framing) -> Stream {
    let mut stream = Stream::new(Format::Gemini, Limits::default());
    stream.set_framing(framing);
    stream
}

/// Feeds the pieces of a body; an error of the provider becomes the member `error`.
fn read<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut stream = gemini(framing);
    let mut seen = Seen::default();
    let mut error = None;
    for piece in pieces {
        stream.feed(piece);
        error = error.or(drain(&mut stream, &mut seen));
    }
    stream.finish();
    error = error.or(drain(&mut stream, &mut seen));
    finished(&stream, seen, error)
}

fn finished(stream: &Stream, mut seen: Seen, error: Option<Value>) -> Seen {
    let message = stream.state().message_so_far();
    if error.is_none() {
        assert_eq!(message.text, seen.text);
    }
    seen.text = message.text.clone().into_owned();
    seen.reasoning = message.reasoning.into_owned();
    seen.finish_reasons = message.finish_reasons.into_iter().map(str::to_owned).collect();
    seen.usage = message.usage.map(|usage| serde_json::from_str(usage).unwrap());
    let calls = message.tool_calls.into_iter();
    seen.calls = calls
        .map(|call| (call.id.map(str::to_owned), call.name.to_owned(), call.arguments.to_owned()))
        .collect();
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
    serde_json::from_str(&fs::read_to_string(stream.with_extension("json")).unwrap()).unwrap()
}

/// The data of every event.
fn events_of(path: &Path) -> Vec<String> {
    let mut decoder = sse::Decoder::new(1 << 20);
    decoder.feed(&fs::read(path).unwrap());
    decoder.finish();
    let mut events = Vec::new();
    while decoder.advance().unwrap() {
        events.push(decoder.event().data.into_owned());
    }
    events
}

#[test]
fn every_stream_folds_into_its_twin() {
    for path in corpus() {
        let seen = read(Framing::Sse, [fs::read(&path).unwrap().as_slice()]);
        assert_eq!(without_nulls(&seen.response), without_nulls(&twin(&path)), "{}", path.display());
    }
}

#[test]
fn the_cuts_make_no_difference() {
    for path in corpus() {
        let body = fs::read(&path).unwrap();
        let whole = read(Framing::Sse, [body.as_slice()]);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(read(Framing::Sse, body.chunks(size)), whole, "{} in {size}", path.display());
        }
        for cut in (0..body.len()).step_by(3) {
            let (first, second) = body.split_at(cut);
            assert_eq!(read(Framing::Sse, [first, second]), whole, "{} at {cut}", path.display());
        }
    }
}

#[test]
fn an_array_of_the_same_events_folds_alike() {
    for path in corpus() {
        let name = name_of(&path);
        // Their error stands between the events.
        if name.ends_with("over_many_lines") {
            continue;
        }
        let whole = read(Framing::Sse, [fs::read(&path).unwrap().as_slice()]);
        let events = events_of(&path).join("\n,\r\n");
        let inside = events.strip_prefix('[').and_then(|events| events.strip_suffix(']'));
        let events = if name.contains("array") {
            inside.unwrap_or(&events).replace("[{\"error", "{\"error")
        } else {
            events
        };
        let array = format!("\u{feff}[{}]\n", events.replace("},{\"candidates\"", "},\n{\n\"candidates\""));
        for size in [1, 2, 5, 100, array.len()] {
            let seen = read(Framing::JsonLines, array.as_bytes().chunks(size));
            assert_eq!(seen, whole, "{name} in {size}");
        }
    }
}

#[test]
fn what_an_event_adds_is_the_same_with_and_without_the_one_before() {
    for path in corpus() {
        if name_of(&path).starts_with("error") {
            continue;
        }
        let (mut usual, mut slow) = (gemini(Framing::Sse), gemini(Framing::Sse));
        for event in events_of(&path) {
            let fast = usual.feed_event(&event).unwrap().delta.clone();
            // Between two events that are alike, one that says nothing: the second is read in full.
            slow.feed_event("{}").unwrap();
            assert_eq!(fast, *slow.feed_event(&event).unwrap().delta, "{} {event}", path.display());
        }
        assert_eq!(usual.state().response(), slow.state().response(), "{}", path.display());
    }
}

/// The calls that are handed out: the name of the stream, and the name and arguments of each. All others have none.
fn expected_calls() -> Vec<(&'static str, Vec<(&'static str, Value)>)> {
    let (oslo, rome) = (json!({"city": "Oslo"}), json!({"city": "Rome"}));
    let weather = vec![("get_weather", oslo.clone()), ("get_weather", rome.clone())];
    let recipe = json!({"recipe": {
        "steps": [
            {"text": "Cut the \"onion\"\n", "minutes": 0.5},
            {"text": "Fry 🧅", "hot": true, "oil": null},
        ],
        "tags": ["a", "b"], "it's a [name].x": "é", "bar": null,
    }, "matrix": [[1, 2], [3]]});
    vec![
        ("call_then_blocked", vec![]),
        ("candidates_that_take_turns", vec![("g", json!({}))]),
        ("text_empty_in_front_of_a_call", vec![("go", json!({"a": 1}))]),
        ("tool_again_without_its_signature", vec![("weather", oslo.clone())]),
        ("tool_arguments_in_a_part_of_their_own", vec![("list_dir", json!({"path": "/x"}))]),
        ("tool_between_texts", vec![("look", json!({"at": "it"}))]),
        ("tool_in_pieces", vec![("w", json!({"city": "Oslo", "n": 2}))]),
        ("tool_in_pieces_cut_by_max_tokens", vec![("v", json!({"a": 1}))]),
        ("tool_in_pieces_of_every_kind", vec![("cook", recipe)]),
        ("tool_in_pieces_out_of_order", vec![("w", json!({"a": {"x": "1", "y": "3"}, "b": "24"}))]),
        (
            "tool_in_pieces_with_elements_left_out",
            vec![("w", json!({"a": [null, null, {"x": 1}, null, false]}))],
        ),
        ("tool_in_pieces_without_arguments", vec![("w", json!({}))]),
        ("tool_in_pieces_without_the_last_piece", vec![("w", oslo.clone())]),
        (
            "tools_in_pieces_and_whole",
            vec![
                ("read_theme", json!({})),
                ("read", json!({"id": "A"})),
                ("read", json!({"id": "B"})),
                ("read", json!({"id": "C"})),
            ],
        ),
        ("tools_in_pieces_that_take_turns", vec![("w", oslo.clone()), ("w", rome.clone())]),
        ("tools_in_one_event", weather.clone()),
        ("tools_of_one_id", vec![("weather", oslo.clone()), ("weather", rome)]),
        ("tools_one_in_each_event", weather),
        ("tools_without_arguments", ["a", "b", "c", "d", "e"].map(|name| (name, json!({}))).to_vec()),
        ("tools_without_ids", vec![("weather", oslo.clone()), ("weather", oslo)]),
        ("unknown_members", vec![("f", json!({"n": 12345678901234567890u64}))]),
    ]
}

#[test]
fn calls_are_handed_out_once_and_only_when_they_are_complete() {
    let expected = expected_calls();
    for path in corpus() {
        let name = name_of(&path);
        let calls = expected.iter().find(|(known, _)| *known == name);
        let calls = calls.map(|(_, calls)| calls.clone()).unwrap_or_default();
        let seen = read(Framing::Sse, [fs::read(&path).unwrap().as_slice()]);
        let completed: Vec<(&str, Value)> = seen
            .completed
            .iter()
            .map(|&call| (seen.calls[call].1.as_str(), serde_json::from_str(&seen.calls[call].2).unwrap()))
            .collect();
        assert_eq!(completed, calls, "{name}");
        for (call, fragments) in &seen.arguments {
            // Values that come out of order are no continuation of the text.
            if name != "tool_in_pieces_out_of_order" {
                assert_eq!(fragments, &seen.calls[*call].2, "{name}");
            }
        }
    }
}

#[test]
fn a_body_without_streaming_is_its_own_response() {
    for path in corpus() {
        let name = name_of(&path);
        if name.starts_with("error") {
            continue;
        }
        let body = fs::read_to_string(path.with_extension("json")).unwrap();
        let mut stream = gemini(Framing::Sse);
        let step = stream.feed_body(&body).unwrap();
        let seen = Seen {
            text: step.delta.text.clone(),
            completed: step.delta.completed.clone(),
            ..Seen::default()
        };
        let plain = finished(&stream, seen, None);
        assert_eq!(plain.response, twin(&path), "{name}");
        let streamed = read(Framing::Sse, [fs::read(&path).unwrap().as_slice()]);
        let told = |seen: &Seen| {
            (seen.text.clone(), seen.reasoning.clone(), seen.finish_reasons.clone(), seen.usage.clone())
        };
        assert_eq!(told(&plain), told(&streamed), "{name}");
        let arguments = |seen: &Seen, calls: &[usize]| -> Vec<Value> {
            calls.iter().map(|&call| serde_json::from_str(&seen.calls[call].2).unwrap()).collect()
        };
        // A whole call that has begun in a blocked answer is no call to run; streamed, it had been handed out.
        let calls = arguments(&plain, &plain.completed);
        assert_eq!(calls, arguments(&streamed, &streamed.completed), "{name}");
    }
}

#[test]
fn what_the_model_thought_is_no_content() {
    let seen = read(Framing::Sse, [body_of("thoughts_in_turns").as_slice()]);
    assert_eq!((seen.text.as_str(), seen.reasoning.as_str()), ("ABC", "ab"));
    assert_eq!(seen.finish_reasons, ["MAX_TOKENS"]);
}

#[test]
fn why_an_answer_ended() {
    for (name, reasons) in [
        ("text", vec!["STOP"]),
        ("text_stop_in_every_event", vec!["STOP"]),
        ("blocked_prompt", vec!["PROHIBITED_CONTENT"]),
        ("blocked_by_recitation", vec!["RECITATION"]),
        ("malformed_call", vec!["MALFORMED_FUNCTION_CALL"]),
        ("finish_reason_as_a_number", vec!["MAX_TOKENS"]),
        ("candidates_in_one_event", vec!["STOP", "MAX_TOKENS"]),
        ("usage_without_finish_reason", vec![]),
    ] {
        assert_eq!(read(Framing::Sse, [body_of(name).as_slice()]).finish_reasons, reasons, "{name}");
    }
}

#[test]
fn a_call_is_complete_with_the_event_that_ends_it() {
    let part = |part: Value| json!({"candidates": [{"content": {"parts": [part]}}]});
    let call = |call: Value| part(json!({"functionCall": call}));
    let value = |path: &str, value: Value, more: bool| json!({"partialArgs": [{"jsonPath": path, "stringValue": value, "willContinue": more}], "willContinue": true});
    let mut stream = gemini(Framing::Sse);
    let events = [
        (call(json!({"name": "a", "args": {"x": 1}})), vec![0], vec![(0, r#"{"x":1}"#)]),
        (call(json!({"name": "b"})), vec![], vec![]),
        (call(json!({"name": "c", "willContinue": true})), vec![1], vec![(1, "{}")]),
        (call(value("$.p.q", json!("x"), true)), vec![], vec![(2, r#"{"p":{"q":"x"#)]),
        (call(value("$.p.q", json!("\"y"), true)), vec![], vec![(2, r#"\"y"#)]),
        (call(value("$.p.q", json!(""), false)), vec![], vec![(2, "\"")]),
        (call(json!({"willContinue": true})), vec![], vec![]),
        (call(value("$.r[0]", json!("z"), false)), vec![], vec![(2, r#"},"r":["z""#)]),
        (call(json!({})), vec![2], vec![(2, "]}")]),
        (call(json!({})), vec![], vec![]),
        (call(json!({"name": "d"})), vec![], vec![]),
        (part(json!({"text": "so"})), vec![3], vec![(3, "{}")]),
        (call(json!({"name": "e"})), vec![], vec![]),
        (json!({"candidates": [{"finishReason": "STOP"}]}), vec![4], vec![(4, "{}")]),
    ];
    for (event, completed, arguments) in events {
        let event = event.to_string();
        let step = stream.feed_event(&event).unwrap();
        assert_eq!(step.delta.completed, completed, "{event}");
        let grown: Vec<_> = step.delta.arguments.iter().map(|(call, text)| (*call, text.as_str())).collect();
        assert_eq!(grown, arguments, "{event}");
    }
}

#[test]
fn a_body_that_ends_too_early_is_an_error_behind_all_that_it_said() {
    let id = r#""responseId":"r""#;
    let usage = r#""usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1}"#;
    let text = r#""candidates":[{"content":{"parts":[{"text":"Hel"}]}}]"#;
    let call = r#""candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]"#;
    for (begin, text) in [
        (format!("{{{text}}}"), "Hel"),
        (format!("{{{text},{id}}}"), "Hel"),
        (format!("{{{text},{id},{usage}}}"), "Hel"),
        (format!(r#"{{{text},"usageMetadata":{{"promptTokenCount":8}}}}"#), "Hel"),
        (format!("{{{call},{id},{usage}}}"), ""),
    ] {
        for (framing, body) in
            [(Framing::Sse, format!("data: {begin}\n\n")), (Framing::JsonLines, format!("[{begin}"))]
        {
            let mut stream = gemini(framing);
            stream.feed(body.as_bytes());
            assert!(stream.next_step().unwrap().unwrap().delta.completed.is_empty(), "{begin}");
            stream.finish();
            assert_eq!(stream.next_step().unwrap_err().kind, ErrorKind::Unfinished, "{begin}");
            assert_eq!(stream.state().message_so_far().text, text);
            assert!(stream.next_step().unwrap().is_none());
        }
    }
}

#[test]
fn an_array_that_is_cut_inside_an_object_is_unfinished() {
    let whole = r#"[{"candidates":[{"content":{"parts":[{"text":"a]}\""}]},"finishReason":"STOP"}]},{"usage"#;
    let mut stream = gemini(Framing::JsonLines);
    for byte in whole.as_bytes() {
        stream.feed(&[*byte]);
        let _ = stream.next_step().unwrap();
    }
    stream.finish();
    let error = stream.next_step().unwrap_err();
    assert_eq!(error.to_string(), "event 2 (byte 81): the body ended before the response did");
    assert_eq!(stream.state().message_so_far().text, "a]}\"");
}

#[test]
fn what_the_body_of_an_array_may_not_be() {
    let event = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
    let cases = [
        ("<html>".to_owned(), "the body is not a stream of events; it begins with \"<html>\""),
        ("data: {}".to_owned(), "the body is not a stream of events; it begins with \"data: {}\""),
        ("\u{feff}\"a\"".to_owned(), "the body is not a stream of events; it begins with \"\\\"a\\\"\""),
        (
            format!("[{event}; {event}]"),
            "event 2 (byte 41): data is not JSON: unexpected ';' at byte 0 of \";\"",
        ),
        (
            format!("{event}\n[{event}]"),
            "event 2 (byte 41): data is not JSON: unexpected '[' at byte 0 of \"[\"",
        ),
        (
            "[{\"a\": ]}]".to_owned(),
            "event 1 (byte 1): data is not JSON: unexpected ']' at byte 6 of \"{\\\"a\\\": ]\"",
        ),
        ("[[]]".to_owned(), "event 1 (byte 1): data is not JSON: unexpected '[' at byte 0 of \"[\""),
        (
            "{\n\"error\": {\"message\": \"No quota.\",\n \"code\": 429}}".to_owned(),
            "event 1 (byte 0): No quota.",
        ),
    ];
    for (body, message) in cases {
        for size in [1, 2, body.len()] {
            let mut stream = gemini(Framing::JsonLines);
            let mut first = None;
            for piece in body.as_bytes().chunks(size) {
                stream.feed(piece);
                while first.is_none() {
                    match stream.next_step() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(error) => first = Some(error),
                    }
                }
            }
            stream.finish();
            let error = first.unwrap_or_else(|| stream.next_step().unwrap_err());
            assert_eq!(error.to_string(), message, "{body} in {size}");
        }
    }
}

#[test]
fn objects_one_after_another_are_events_too() {
    let event = |text: &str, end: &str| {
        format!("{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}}{end}}}]}}")
    };
    let body = format!("{}\n{}\r\n", event("a", ""), event("b", ",\"finishReason\":\"STOP\""));
    assert_eq!(read(Framing::JsonLines, [body.as_bytes()]).text, "ab");
}

#[test]
fn what_an_event_may_not_be() {
    let parts = |parts: &str| format!(r#"{{"candidates":[{{"content":{{"parts":{parts}}}}}]}}"#);
    let call = |call: &str| parts(&format!(r#"[{{"functionCall":{call}}}]"#));
    let path = |path: &str| {
        let value = format!(r#"{{"jsonPath":{path},"numberValue":1}}"#);
        call(&format!(r#"{{"name":"f","partialArgs":[{{"jsonPath":"$.a[0]","stringValue":"x"}},{value}]}}"#))
    };
    let no_path =
        "candidates[].content.parts[].functionCall.partialArgs[].jsonPath is not a path such as $.a[0].b";
    let other_path = "candidates[].content.parts[].functionCall.partialArgs[].jsonPath is not a path that fits the values before";
    let cases = [
        ("\"a\"".to_owned(), "the data is not an object"),
        ("[1]".to_owned(), "the data is not an object"),
        (r#"{"candidates":{}}"#.to_owned(), "candidates is not an array"),
        (r#"{"candidates":[1]}"#.to_owned(), "candidates[] is not an object"),
        (r#"{"candidates":[{"content":"a"}]}"#.to_owned(), "candidates[].content is not an object"),
        (parts("{}"), "candidates[].content.parts is not an array"),
        (parts("[\"a\"]"), "candidates[].content.parts[] is not an object"),
        (call("[]"), "candidates[].content.parts[].functionCall is not an object"),
        (
            call(r#"{"args":{"a":1}}"#),
            "candidates[].content.parts[].functionCall.name is not the name of a function, which is required because no call is open",
        ),
        (path("null"), no_path),
        (path("\"\""), no_path),
        (path("\"$\""), no_path),
        (path("\"$[0]\""), no_path),
        (path("\"$.\""), no_path),
        (path("\"$.a..b\""), no_path),
        (path("\"$.a[b]\""), no_path),
        (path("\"$.a[-1]\""), no_path),
        (path("\"$.a['b\""), no_path),
        (path("\"$.a['b'\""), no_path),
        (path("\"$.a[99999999999999999999]\""), no_path),
        (path("\"$.a.b\""), other_path),
        (path("\"$.a[0].b\""), other_path),
        (path("\"$.a[10]\""), other_path),
        (path("\"$.b[4294967295]\""), other_path),
        (r#"{"error":"no credit"}"#.to_owned(), "no credit"),
        (r#"[{"error":{"code":400,"message":"broken"}}]"#.to_owned(), "broken"),
    ];
    for (event, message) in cases {
        let error = gemini(Framing::Sse).feed_event(&event).map(|_| ()).unwrap_err();
        assert_eq!(error.kind.to_string(), message, "{event}");
    }
}

#[test]
fn every_limit_strikes() {
    let usual = Limits::default();
    let call = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}]}}]}"#;
    let deep = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"f","partialArgs":[{{"jsonPath":"$.{}","numberValue":1}}]}}}}]}}}}]}}"#,
        ["a"; 11].join(".")
    );
    let other = |index: usize| format!(r#"{{"candidates":[{{"index":{index}}}]}}"#);
    let cases = [
        (Limits { tool_calls: 1, ..usual }, vec![call.to_owned(); 2], Limit::ToolCalls, 1),
        (Limits { choices: 2, ..usual }, (0..3).map(other).collect(), Limit::Choices, 2),
        (Limits { depth: 10, ..usual }, vec![deep], Limit::Depth, 10),
        (Limits { response_bytes: 100, ..usual }, vec![call.to_owned(); 2], Limit::ResponseBytes, 100),
    ];
    for (limits, mut events, limit, max) in cases {
        let mut stream = Stream::new(Format::Gemini, limits);
        let last = events.pop().unwrap();
        for event in events {
            stream.feed_event(&event).unwrap();
        }
        let error = stream.feed_event(&last).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { limit, max });
        assert!(stream.state().tool_calls().len() <= limits.tool_calls);
    }
    for size in [1, 7, 100] {
        let body = r#"[{"a": "short"}, {"a": "this one is too long"}]"#;
        let mut stream = Stream::new(Format::Gemini, Limits { event_bytes: 20, ..usual });
        stream.set_framing(Framing::JsonLines);
        let mut first = None;
        for piece in body.as_bytes().chunks(size) {
            stream.feed(piece);
            while let Some(step) = stream.next_step().transpose() {
                if let Err(error) = step {
                    first.get_or_insert(error);
                    break;
                }
            }
        }
        let message = "event 2 (byte 17): the size of an event exceeds the limit of 20";
        assert_eq!(first.unwrap().to_string(), message, "{size}");
    }
}

/// Reads any bytes up to the first error.
fn outcome<'a>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<String>, Option<String>, String) {
    let mut stream = gemini(framing);
    let (mut steps, mut error) = (Vec::new(), None);
    let mut drain = |stream: &mut Stream| {
        while error.is_none() {
            match stream.next_step() {
                Ok(Some(step)) => steps.push(format!("{:?}", step.delta)),
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
    (steps, error, stream.state().response())
}

/// Events of all kinds, and pieces of them that make no sense.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let event = prop_oneof![
        Just(r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#),
        Just(r#"{"candidates":[{"content":{"parts":[{"text":"\ud83d"}]}}],"usageMetadata":{"a":1}}"#),
        Just(r#"{"candidates":[{"content":{"parts":[{"text":"\ude00"}]}}],"usageMetadata":{"a":23}}"#),
        Just(r#"{"candidates":[{"content":{"parts":[{"text":"","thought":true}]}}]}"#),
        Just(r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}"#),
        Just(
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"\ud83d","willContinue":true}],"willContinue":true}}]}}]}"#
        ),
        Just(
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.b[1]","stringValue":"x"}]}}]}}]}"#
        ),
        Just(r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"g","id":"1","args":{}}}]}}]}"#),
        Just(r#"{"candidates":[{"finishReason":"STOP","index":1}]}"#),
        Just(r#"{"candidates":[{"finishReason":"SAFETY"}]}"#),
        Just("{\"error\":1}"),
        Just("{"),
        Just("]}"),
        Just("\""),
        Just("\\"),
    ];
    let separator = prop_oneof![
        Just("data: "),
        Just("\n\n"),
        Just("\r\n"),
        Just(","),
        Just("["),
        Just("]"),
        Just("\u{feff}")
    ];
    let piece = prop_oneof![
        4 => event.prop_map(|event| event.as_bytes().to_vec()),
        4 => separator.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_read_alike_in_any_cut(body in anything(), sizes in prop::collection::vec(0..40usize, 0..20)) {
        for framing in [Framing::Sse, Framing::JsonLines] {
            let whole = outcome(framing, [body.as_slice()]);
            prop_assert_eq!(&outcome(framing, body.chunks(1)), &whole);
            let mut rest = body.as_slice();
            let mut pieces = Vec::new();
            for size in &sizes {
                let (piece, after) = rest.split_at(rest.len().min(*size));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(&outcome(framing, pieces), &whole);
            prop_assert!(serde_json::from_str::<Value>(&whole.2).is_ok(), "{}", whole.2);
        }
    }

    #[test]
    fn arguments_in_pieces_are_the_arguments(arguments in arguments(), size in 1..9usize) {
        let mut events = vec![json!({"name": "f", "willContinue": true})];
        let mut partial = Vec::new();
        list_values(&arguments, "$".to_owned(), size, &mut partial);
        events.extend(partial.iter().map(|partial| json!({"partialArgs": [partial], "willContinue": true})));
        events.push(json!({}));
        let mut stream = gemini(Framing::Sse);
        let mut text = String::new();
        for event in &events {
            let event = json!({"candidates": [{"content": {"parts": [{"functionCall": event}]}}]}).to_string();
            let step = stream.feed_event(&event).unwrap();
            text.extend(step.delta.arguments.iter().map(|(_, text)| text.as_str()));
        }
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &arguments);
        prop_assert_eq!(stream.state().tool_calls()[0].arguments, &text);
        let response: Value = serde_json::from_str(&stream.state().response()).unwrap();
        prop_assert_eq!(&response["candidates"][0]["content"]["parts"][0]["functionCall"]["args"], &arguments);
    }
}

/// Folds each event on its own, and returns what each added, the error, and the response.
fn folded_one_by_one(events: &[String]) -> (Vec<String>, Value) {
    let mut stream = gemini(Framing::Sse);
    let mut added = Vec::new();
    for event in events {
        match stream.feed_event(event) {
            Ok(step) => added.push(format!("{:?} {:?}", step.delta.arguments, step.delta.completed)),
            Err(error) => {
                added.push(format!("{:?}", error.kind));
                break;
            }
        }
    }
    (added, serde_json::from_str(&stream.state().response()).unwrap())
}

/// A piece of a call's arguments: in order, out of order, half a character, an end.
fn piece_of_arguments() -> impl Strategy<Value = String> {
    let path = prop_oneof![4 => Just("$.a"), 2 => Just("$.b"), 1 => Just("$.c[0].d"), 1 => Just("$.a.e")];
    let text = prop_oneof![
        3 => Just("x"),
        1 => Just(""),
        1 => Just("\\n\\\"é\\\\"),
        1 => Just("\\ud83d"),
        1 => Just("\\ude00")
    ];
    let more = prop_oneof![6 => Just(r#","willContinue":true"#), 1 => Just("")];
    let string = (path, text, more).prop_map(|(path, text, more)| {
        format!(
            r#"{{"partialArgs":[{{"jsonPath":"{path}","stringValue":"{text}"{more}}}],"willContinue":true}}"#
        )
    });
    prop_oneof![
        12 => string,
        1 => Just(r#"{"partialArgs":[{"jsonPath":"$.n","numberValue":1}],"willContinue":true}"#.to_owned()),
        1 => Just(r#"{"name":"f","willContinue":true}"#.to_owned()),
        1 => Just("{}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_arguments_fold_alike_by_the_shortcut_and_the_long_way(
        pieces in prop::collection::vec((piece_of_arguments(), 1..4usize), 0..20)
    ) {
        let mut calls = vec![r#"{"name":"f","willContinue":true}"#.to_owned()];
        calls.extend(pieces.into_iter().flat_map(|(piece, times)| std::iter::repeat_n(piece, times)));
        let event = |call: &String| {
            format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{call}}}]}}}}]}}"#)
        };
        let alike: Vec<String> = calls.iter().map(event).collect();
        // No event is a variation of one with other blanks.
        let unlike: Vec<String> =
            alike.iter().enumerate().map(|(number, event)| " ".repeat(number % 2) + event).collect();
        prop_assert_eq!(folded_one_by_one(&alike), folded_one_by_one(&unlike));
    }
}

/// Arguments without empty lists and objects, which have no values that could come.
fn arguments() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "\\PC{0,12}".prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 1..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z\"'.\\[\\]\\\\é ]{0,6}", value, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// The values of some arguments, each with its path; strings in pieces.
fn list_values(value: &Value, path: String, size: usize, out: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                list_values(member, format!("{path}[{}]", Value::from(name.as_str())), size, out);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                list_values(element, format!("{path}[{index}]"), size, out);
            }
        }
        Value::String(text) => {
            let letters: Vec<char> = text.chars().collect();
            for piece in letters.chunks(size) {
                let piece: String = piece.iter().collect();
                out.push(json!({"jsonPath": path, "stringValue": piece, "willContinue": true}));
            }
            out.push(json!({"jsonPath": path, "stringValue": ""}));
        }
        Value::Null => out.push(json!({"jsonPath": path, "nullValue": null})),
        Value::Bool(_) => out.push(json!({"jsonPath": path, "boolValue": value})),
        Value::Number(_) => out.push(json!({"jsonPath": path, "numberValue": value})),
    }
}
