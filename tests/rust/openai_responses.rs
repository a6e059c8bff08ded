//! OpenAI's Responses API: every stream of the corpus, in every cut, folds into its twin; and what no stream of
//! the corpus has.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::dialect::{Dialect, Format};
use ferroscope_core::error::Limit;
use ferroscope_core::{Delta, ErrorKind, Limits, Stream};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What a reader sees of a stream step by step, and what it has in the end.
#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    /// The deltas that added something.
    steps: Vec<Delta>,
    response: Value,
    errors: Vec<ErrorKind>,
    sequence_number: Option<u64>,
}

impl Seen {
    fn text(&self) -> String {
        self.steps.iter().map(|delta| delta.text.as_str()).collect()
    }

    fn completed(&self) -> Vec<usize> {
        self.steps.iter().flat_map(|delta| delta.completed.clone()).collect()
    }

    fn arguments(&self, call: usize) -> String {
        let fragments = self.steps.iter().flat_map(|delta| &delta.arguments);
        fragments.filter(|(position, _)| *position == call).map(|(_, text)| text.as_str()).collect()
    }

    /// The response, with the error that the provider reported as a member.
    fn with_error(&self) -> Value {
        let mut response = self.response.clone();
        for error in &self.errors {
            match error {
                ErrorKind::Provider { body, .. } => response["error"] = serde_json::from_str(body).unwrap(),
                other => panic!("{other}"),
            }
        }
        without_nulls(&response)
    }
}

fn stream() -> Stream {
    Stream::new(Format::OpenaiResponses, Limits::default())
}

fn state(stream: &Stream) -> &ferroscope_core::dialect::openai_responses::State {
    match stream.state() {
        Dialect::OpenaiResponses(state) => state,
        other => panic!("{other:?}"),
    }
}

fn drain(stream: &mut Stream, seen: &mut Seen) {
    loop {
        match stream.next_step() {
            Ok(Some(step)) => {
                if *step.delta != Delta::default() {
                    seen.steps.push(step.delta.clone());
                }
            }
            Ok(None) => break,
            Err(error) => seen.errors.push(error.kind),
        }
    }
}

fn end(mut stream: Stream, mut seen: Seen) -> Seen {
    stream.finish();
    drain(&mut stream, &mut seen);
    seen.response = serde_json::from_str(&stream.state().response()).unwrap();
    seen.sequence_number = state(&stream).sequence_number();
    seen
}

/// Reads a body in pieces.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let (mut stream, mut seen) = (stream(), Seen::default());
    for piece in pieces {
        stream.feed(piece);
        drain(&mut stream, &mut seen);
    }
    end(stream, seen)
}

/// Folds the data of events. If `forced`, an event that adds nothing comes before each: no event is then compared
/// with the one before it.
fn fold(events: &[String], forced: bool) -> Seen {
    let (mut stream, mut seen) = (stream(), Seen::default());
    for data in events {
        for data in ["{}", data].into_iter().skip(usize::from(!forced)) {
            match stream.feed_event(data).map(|step| step.delta.clone()) {
                Ok(delta) if delta == Delta::default() => {}
                Ok(delta) => seen.steps.push(delta),
                Err(error) => seen.errors.push(error.kind),
            }
        }
    }
    end(stream, seen)
}

fn events(body: &[u8]) -> Vec<String> {
    let mut decoder = ferroscope_core::framing::sse::Decoder::new(usize::MAX);
    decoder.feed(body);
    decoder.finish();
    let mut events = Vec::new();
    while decoder.advance().unwrap() && decoder.event().data != "[DONE]" {
        events.push(decoder.event().data.into_owned());
    }
    events
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/openai_responses");
    let mut streams: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    streams.sort();
    assert!(streams.len() > 30, "the streams are missing");
    streams
}

fn body(name: &str) -> Vec<u8> {
    fs::read(corpus().into_iter().find(|path| path.file_stem().unwrap() == name).unwrap()).unwrap()
}

fn twin(stream: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(stream.with_extension("json")).unwrap()).unwrap()
}

/// A null member means what a missing one means.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let given = members.iter().filter(|(_, member)| !member.is_null());
            Value::Object(given.map(|(name, member)| (name.clone(), without_nulls(member))).collect())
        }
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_stream_folds_into_its_twin() {
    for path in corpus() {
        let seen = read([fs::read(&path).unwrap().as_slice()]);
        assert_eq!(seen.with_error(), without_nulls(&twin(&path)), "{}", name(&path));
    }
}

#[test]
fn the_deltas_add_up_to_the_message() {
    for path in corpus() {
        let mut stream = stream();
        let mut seen = Seen::default();
        stream.feed(&fs::read(&path).unwrap());
        drain(&mut stream, &mut seen);
        let message = stream.state().message_so_far();
        assert_eq!(seen.text(), message.text, "{}", name(&path));
        for (position, call) in message.tool_calls.iter().enumerate() {
            assert_eq!(seen.arguments(position), call.arguments, "{}", name(&path));
        }
    }
}

#[test]
fn the_cuts_make_no_difference() {
    for path in corpus() {
        let body = fs::read(&path).unwrap();
        let whole = read([body.as_slice()]);
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(read(body.chunks(size)), whole, "{} in {size}", name(&path));
        }
    }
}

#[test]
fn comparing_an_event_with_the_one_before_makes_no_difference() {
    for path in corpus() {
        let events = events(&fs::read(&path).unwrap());
        assert_eq!(fold(&events, false), fold(&events, true), "{}", name(&path));
    }
}

/// Events of every kind, in any order and about any items: most make no sense together.
fn any_event() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "output_text",
        "refusal",
        "reasoning_text",
        "reasoning_summary_text",
        "function_call_arguments",
        "custom_tool_call_input",
        "mcp_call_arguments",
        "code_interpreter_call_code",
        "apply_patch_call_operation_diff",
        "shell_call_command",
        "shell_call_output_content",
        "content_part",
        "reasoning_summary_part",
        "output_item",
        "web_search_call",
    ]);
    let last = prop::sample::select(vec![
        "added",
        "delta",
        "delta",
        "delta",
        "done",
        "searching",
        "completed",
        "annotation.added",
    ]);
    let item = prop::sample::select(vec![
        json!({"type": "message", "content": [{"type": "output_text", "text": "ab"}]}),
        json!({"type": "message", "content": []}),
        json!({"type": "message", "content": null}),
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "why"}], "content": "text"}),
        json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}),
        json!({"type": "function_call", "arguments": "{\"a\":1}", "status": "incomplete"}),
        json!({"type": "shell_call", "action": {"commands": ["l"]}}),
        json!({"type": "web_search_call", "status": "in_progress"}),
    ]);
    let id = prop::sample::select(vec![Value::Null, json!("a"), json!("b"), json!("")]);
    let index =
        prop::sample::select(vec![Value::Null, json!(0), json!(1), json!(5), json!(-1), json!(1 << 20)]);
    let text = prop::sample::select(vec!["", "a", "ab", "ab\u{1f600}", "{\"a\":1}", "\\"]);
    (name, last, item, (id, index.clone(), index), text, any::<u16>()).prop_map(
        |(name, last, item, (id, output_index, index), text, number)| {
            let kind = match number % 32 {
                0 => "response.completed".to_owned(),
                1 => "response.incomplete".to_owned(),
                2 => "response.created".to_owned(),
                _ => format!("response.{name}.{last}"),
            };
            let mut item = item;
            item["id"] = id.clone();
            let part = item["content"][0].clone();
            let whole = format!("a{text}");
            let response =
                json!({"id": "r", "output": if number % 2 == 0 { json!([item]) } else { json!([]) }});
            let mut event = json!({"type": kind, "item_id": id, "output_index": output_index,
                "content_index": index, "summary_index": index, "command_index": index, "delta": text,
                "text": whole, "arguments": whole, "item": item, "part": part, "annotation": {"a": 1},
                "response": response, "sequence_number": number});
            event.as_object_mut().unwrap().retain(|_, member| !member.is_null());
            event.to_string()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn events_in_any_order_fold_alike_in_any_way(
        events in prop::collection::vec(any_event(), 0..40),
        size in 1usize..400,
    ) {
        let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let whole = read([body.as_bytes()]);
        prop_assert_eq!(&read(body.as_bytes().chunks(size)), &whole);
        let mut completed = whole.completed();
        completed.sort_unstable();
        completed.dedup();
        prop_assert_eq!(completed.len(), whole.completed().len(), "each call is handed out once");
        if whole.errors.is_empty() {
            prop_assert_eq!(&fold(&events, false), &whole);
            prop_assert_eq!(&fold(&events, true), &whole);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_cuts_make_no_difference(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let path = which.get(&corpus()).clone();
        let body = fs::read(&path).unwrap();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        ends.extend([0, body.len()]);
        ends.sort_unstable();
        prop_assert_eq!(
            read(ends.windows(2).map(|pair| &body[pair[0]..pair[1]])),
            read([body.as_slice()])
        );
    }

    #[test]
    fn any_message_comes_back_as_it_was_sent(
        pieces in prop::collection::vec("\\PC{0,8}", 0..12),
        padding in "[a-z]{0,6}",
        start in 0u64..200,
        size in 1usize..300,
    ) {
        let event = |(count, piece): (usize, &String)| json!({
            "type": "response.output_text.delta", "sequence_number": start + count as u64, "item_id": "m",
            "output_index": 0, "content_index": 0, "delta": piece,
            "obfuscation": padding[..padding.len() - count % (padding.len() + 1)],
        });
        let text = pieces.concat();
        let last = json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [
            {"id": "m", "type": "message", "content": [{"type": "output_text", "text": text}]}]}});
        let body: String = pieces.iter().enumerate().map(event).chain([last])
            .map(|event| format!("data: {event}\n\n")).collect();
        let seen = read(body.as_bytes().chunks(size));
        prop_assert_eq!(seen.text(), text.clone());
        prop_assert_eq!(&seen.response["output"][0]["content"][0]["text"], &json!(text));
        prop_assert_eq!(seen.sequence_number, (start + pieces.len() as u64).checked_sub(1).filter(|_| !pieces.is_empty()));
    }
}

#[test]
fn a_stream_has_what_its_twin_has_as_a_plain_body() {
    for path in corpus() {
        let name = name(&path);
        // No plain body: an error event, a response that has not ended, one that leaves out what it had before.
        if name.starts_with("error_event")
            || ["hosted_tools_unfinished", "deltas_only_empty_output"].contains(&&*name)
        {
            continue;
        }
        // The values that the message has as JSON text are spaced as in the streams.
        let text = fs::read_to_string(path.with_extension("json")).unwrap();
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let text =
            lines.join(" ").replace("{ ", "{").replace(" }", "}").replace("[ ", "[").replace(" ]", "]");
        let mut plain = stream();
        let failed = plain.feed_body(&text).is_err();
        assert_eq!(failed, name == "failed", "{name}");
        let mut streamed = stream();
        let mut seen = Seen::default();
        streamed.feed(&fs::read(&path).unwrap());
        streamed.finish();
        drain(&mut streamed, &mut seen);
        let (plain, streamed) = (plain.state(), streamed.state());
        assert_eq!(plain.message_so_far(), streamed.message_so_far(), "{name}");
        let response: Value = serde_json::from_str(&plain.response()).unwrap();
        assert_eq!(without_nulls(&response), without_nulls(&twin(&path)), "{name}");
    }
}

#[test]
fn a_plain_body_is_handed_out_in_one_step() {
    let body = json!({"id": "r", "model": "m", "status": "completed", "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "d", "name": "g", "arguments": "{\"a\":1}", "status": "incomplete"}]});
    let mut stream = stream();
    let delta = stream.feed_body(&body.to_string()).unwrap().delta.clone();
    assert_eq!(delta.text, "Hi");
    assert_eq!(delta.completed, [0]);
    assert_eq!(delta.arguments, [(0, "{}".to_owned()), (1, "{\"a\":1}".to_owned())]);
}

#[test]
fn a_background_run_that_has_not_ended_has_no_finish_reason() {
    let body = json!({"id": "r", "status": "in_progress", "output": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{", "status": "in_progress"}]});
    let mut stream = stream();
    let delta = stream.feed_body(&body.to_string()).unwrap().delta.clone();
    assert!(delta.completed.is_empty());
    assert!(stream.state().finish_reasons().is_empty());
    let response: Value = serde_json::from_str(&stream.state().response()).unwrap();
    assert_eq!(response["output"], body["output"]);
}

#[test]
fn a_call_is_complete_with_its_item_and_not_with_its_arguments() {
    let seen = read([body("tools_interleaved").as_slice()]);
    let completed: Vec<_> = seen.steps.iter().map(|delta| delta.completed.clone()).collect();
    assert_eq!(completed, [vec![], vec![], vec![], vec![], vec![0], vec![1]]);
    let mut stream = stream();
    stream.feed(&body("tools_interleaved"));
    drain(&mut stream, &mut Seen::default());
    let calls = stream.state().tool_calls();
    let calls: Vec<_> = calls.iter().map(|call| (call.id, call.name, call.arguments)).collect();
    assert_eq!(calls, [(Some("call_1"), "first", "{\"a\":1}"), (Some("call_2"), "second", "{\"b\":2}")]);
}

#[test]
fn a_call_that_was_cut_off_is_not_handed_out_though_its_arguments_are_json() {
    let seen = read([body("incomplete_tool").as_slice()]);
    assert!(seen.completed().is_empty());
    assert_eq!(seen.arguments(0), "{\"a\":1}");
}

#[test]
fn calls_that_no_item_event_completed_are_complete_with_the_response() {
    for name in ["deltas_without_done", "completed_event_only"] {
        assert_eq!(read([body(name).as_slice()]).completed(), [0], "{name}");
    }
}

#[test]
fn finish_reasons_and_usage_are_those_of_the_last_event() {
    for (name, reason) in [
        ("text", "completed"),
        ("incomplete_text", "max_output_tokens"),
        ("incomplete_content_filter", "content_filter"),
        ("failed", "failed"),
    ] {
        let mut stream = stream();
        stream.feed(&body(name));
        drain(&mut stream, &mut Seen::default());
        assert_eq!(stream.state().finish_reasons(), [reason], "{name}");
        let usage: Value = serde_json::from_str(stream.state().usage().unwrap()).unwrap();
        assert_eq!(usage["total_tokens"], 21, "{name}");
        assert!(stream.is_done(), "{name}");
    }
}

#[test]
fn reasoning_and_refusals_are_apart_from_the_text() {
    for (name, text, reasoning, refusal) in [
        ("reasoning_summaries", "Four.", "**Plan**\n\nCount.\n\n**Check**", None),
        ("reasoning_text", "Four.", "Two and two.", None),
        ("reasoning_without_summary", "Four.", "", None),
        ("refusal", "", "", Some("I cannot.")),
    ] {
        let mut stream = stream();
        stream.feed(&body(name));
        drain(&mut stream, &mut Seen::default());
        let message = stream.state().message_so_far();
        assert_eq!(
            (&*message.text, &*message.reasoning, message.refusal),
            (text, reasoning, refusal),
            "{name}"
        );
    }
}

#[test]
fn a_body_that_ends_too_early_is_an_error_after_all_that_it_had() {
    let text = String::from_utf8(body("tools_interleaved")).unwrap();
    let (before, _) = text.split_once("event: response.completed").unwrap();
    let open = before.rsplit_once("event: response.output_item.done").unwrap().0;
    for (cut, calls) in [(before, 2), (open, 1)] {
        let mut seen = read([cut.as_bytes()]);
        assert_eq!(seen.errors.pop(), Some(ErrorKind::Unfinished));
        assert_eq!(seen.completed().len(), calls, "a call that is open is not handed out");
        assert_eq!(seen.response["output"][1]["arguments"], "{\"b\":2}");
    }
}

#[test]
fn what_a_failed_response_had_stays() {
    let mut stream = stream();
    stream.feed(&body("failed"));
    let mut seen = Seen::default();
    drain(&mut stream, &mut seen);
    let error = json!({"code": "server_error", "message": "The server had an error."});
    assert_eq!(
        seen.errors,
        [ErrorKind::Provider {
            message: Some("The server had an error.".to_owned()),
            body: error.to_string().replace("\":\"", "\": \"").replace(",\"", ", \""),
        }]
    );
    assert_eq!(stream.state().message_so_far().text, "Hel");
}

#[test]
fn what_an_event_may_not_be() {
    let cases = [
        (r#"{"type":"response.output_item.added"}"#, "response.output_item.added.item is not an object"),
        (
            r#"{"type":"response.output_item.done","item":[]}"#,
            "response.output_item.done.item is not an object",
        ),
        (r#"{"type":"response.content_part.added"}"#, "part is not an object"),
        (r#"{"type":"response.output_text.delta","delta":1}"#, "delta is not a string"),
        (
            r#"{"type":"response.output_text.delta","delta":"a","content_index":9999999999}"#,
            "content_index is not the position of an open part",
        ),
        (r#"{"type":"response.completed","response":{"output":{}}}"#, "response.output is not an array"),
        ("[]", "the data is not an object"),
        (r#"{"error":"no credit"}"#, "no credit"),
        (r#"{"type":"error","code":"c","message":"broken"}"#, "broken"),
        (r#"{"type":"error","error":{"code":"c","message":"broken"}}"#, "broken"),
        (
            r#"{"type":"response.failed","response":{"status":"failed"}}"#,
            "an error occurred during streaming",
        ),
    ];
    for (event, message) in cases {
        assert_eq!(stream().feed_event(event).unwrap_err().kind.to_string(), message, "{event}");
    }
}

#[test]
fn events_without_their_usual_members_are_taken_as_they_are() {
    for event in [
        "{}",
        r#"{"type":null}"#,
        r#"{"type":"response.completed"}"#,
        r#"{"type":"response.completed","response":{"output":null}}"#,
        r#"{"type":"response.completed","response":{"output":[1,null,"x",[]]}}"#,
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_text.delta","delta":null}"#,
        r#"{"type":"response.output_text.done"}"#,
        r#"{"type":"response.output_text.delta","delta":{"a":"b"}}"#,
        r#"{"type":"response.shell_call_output_content.delta","delta":"text"}"#,
        r#"{"type":"response.content_part.done","part":{"type":"summary_text"},"content_index":-1}"#,
        r#"{"type":"response.output_text.annotation.added","annotation":{}}"#,
        r#"{"type":"response.web_search_call.searching"}"#,
        r#"{"type":"response.output_item.added","item":{}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"message","content":[null,1,{"type":"output_text"}]}}"#,
    ] {
        let mut stream = stream();
        stream.feed_event(event).unwrap();
        serde_json::from_str::<Value>(&stream.state().response()).unwrap();
    }
}

#[test]
fn the_number_of_tool_calls_is_limited() {
    let begin = |id: &str| {
        json!({"type": "response.output_item.added", "item": {"type": "function_call", "id": id, "name": "f"}})
            .to_string()
    };
    let mut stream = Stream::new(Format::OpenaiResponses, Limits { tool_calls: 1, ..Limits::default() });
    stream.feed_event(&begin("a")).unwrap();
    let error = stream.feed_event(&begin("b")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: Limit::ToolCalls, max: 1 });
    assert_eq!(stream.state().tool_calls().len(), 1);
}

#[test]
fn the_size_of_the_response_is_limited() {
    let mut stream =
        Stream::new(Format::OpenaiResponses, Limits { response_bytes: 200, ..Limits::default() });
    let event = r#"{"type":"response.output_text.delta","item_id":"m","delta":"abcdef"}"#;
    stream.feed_event(event).unwrap();
    stream.feed_event(event).unwrap();
    let error = stream.feed_event(event).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit { limit: Limit::ResponseBytes, max: 200 });
    assert_eq!(stream.state().message_so_far().text, "abcdefabcdef");
}

#[test]
fn a_stream_that_broke_anywhere_goes_on_without_gaps_and_repeats() {
    for name in ["text_padded", "tools_interleaved", "hosted_tools", "reasoning_summaries"] {
        let body = body(name);
        let whole = read([body.as_slice()]);
        for cut in (0..body.len()).step_by(97) {
            let (mut stream, mut seen) = (stream(), Seen::default());
            stream.feed(&body[..cut]);
            drain(&mut stream, &mut seen);
            if stream.is_done() {
                continue;
            }
            // The server sends all events again.
            stream.resume();
            stream.feed(&body);
            drain(&mut stream, &mut seen);
            assert_eq!(end(stream, seen), whole, "{name} at {cut}");
        }
    }
}

#[test]
fn a_stream_that_broke_in_its_end_goes_on_too() {
    let (mut stream, mut seen) = (stream(), Seen::default());
    let body = body("text");
    let half = String::from_utf8_lossy(&body).find("event: response.output_text.done").unwrap();
    stream.feed(&body[..half]);
    stream.finish();
    drain(&mut stream, &mut seen);
    assert_eq!(seen.errors, [ErrorKind::Unfinished]);
    seen.errors.clear();
    stream.resume();
    stream.feed(&body);
    drain(&mut stream, &mut seen);
    assert_eq!(end(stream, seen), read([body.as_slice()]));
}

#[test]
fn an_event_without_a_sequence_number_does_not_move_the_cursor() {
    let mut stream = stream();
    for (event, expected) in [
        (r#"{"type":"response.in_progress","sequence_number":7,"response":{}}"#, Some(7)),
        (r#"{"type":"response.brand.new"}"#, Some(7)),
        (r#"{"type":"response.output_text.delta","item_id":"m","delta":"a","sequence_number":8}"#, Some(8)),
        (r#"{"type":"response.output_text.delta","item_id":"m","delta":"a","sequence_number":11}"#, Some(11)),
        (r#"{"type":"response.output_text.delta","item_id":"m","delta":"a","sequence_number":-1}"#, Some(11)),
    ] {
        stream.feed_event(event).unwrap();
        assert_eq!(state(&stream).sequence_number(), expected, "{event}");
    }
}
