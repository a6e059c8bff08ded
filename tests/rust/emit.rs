//! Web events of every stream of our own, in each format: well-formed, in a legal order, and with all of the content.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::emit::{Answer, Emitter, WebFormat};
use ferroscope_core::{Limits, Stream};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

fn answer() -> Answer {
    Answer { id: "a".to_owned(), thread: "t".to_owned(), model: "m".to_owned(), created: 7 }
}

/// The name and data of each event.
fn events(text: &str, first: u64) -> Vec<(String, String)> {
    let blocks = text.split_terminator("\n\n");
    let numbered = blocks.enumerate().map(|(at, block)| {
        let mut lines = block.split('\n');
        assert_eq!(lines.next(), Some(format!("id: {}", first + at as u64).as_str()));
        let mut name = "message".to_owned();
        let mut line = lines.next().unwrap();
        if let Some(given) = line.strip_prefix("event: ") {
            name = given.to_owned();
            line = lines.next().unwrap();
        }
        assert_eq!(lines.next(), None, "{block}");
        assert!(!block.contains('\r'));
        (name, line.strip_prefix("data: ").unwrap().to_owned())
    });
    numbered.collect()
}

fn data(text: &str) -> Vec<Value> {
    let found = events(text, 1).into_iter().filter(|(_, data)| data != "[DONE]");
    found
        .map(|(_, data)| serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}")))
        .collect()
}

/// Emits one stream, fed in pieces of that size.
fn emitted(format: WebFormat, wire: Format, body: &[u8], size: usize) -> (String, Stream) {
    let mut stream = Stream::new(wire, Limits::default());
    let mut emitter = Emitter::new(format, answer(), false, 1);
    let mut out = String::new();
    let mut fold = |stream: &mut Stream| {
        while stream.next_step().ok().flatten().is_some() {
            emitter.delta(stream.state(), stream.delta());
        }
    };
    for piece in body.chunks(size) {
        stream.feed(piece);
        fold(&mut stream);
    }
    stream.finish();
    fold(&mut stream);
    emitter.finish("stop", Some("{\"n\":1}"), Some("0.5"));
    out.push_str(&emitter.take());
    (out, stream)
}

/// The bodies of our own streams, by wire.
fn bodies() -> Vec<(Format, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
    let mut found = Vec::new();
    for (name, folder, extension) in [
        ("openai_chat", "openai_chat", "sse"),
        ("anthropic", "anthropic", "sse"),
        ("cohere", "cohere", "sse"),
        ("gemini", "gemini", "sse"),
        ("openai_responses", "openai_responses", "sse"),
    ] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { panic!("no corpus {folder}") };
        for entry in entries {
            let path = entry.unwrap().path();
            // Its message begins a second time, and what was written of the first cannot be taken back.
            let restarts = path.file_stem().is_some_and(|name| name == "message_spliced");
            if path.extension().is_some_and(|found| found == extension) && !restarts {
                let format = Format::named(name, Quirks::default()).unwrap();
                found.push((format, std::fs::read(path).unwrap()));
            }
        }
    }
    assert!(found.len() > 30, "{}", found.len());
    found
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn the_text_format_has_all_of_the_text() {
    for (wire, body) in bodies() {
        let (out, stream) = emitted(WebFormat::Text, wire, &body, 50);
        let said: String = events(&out, 1)
            .into_iter()
            .filter(|(name, _)| name == "message")
            .map(|(_, data)| serde_json::from_str::<String>(&data).unwrap())
            .collect();
        assert_eq!(said, stream.state().message_so_far().text);
    }
}

#[test]
fn the_cuts_make_no_difference() {
    for (wire, body) in bodies() {
        for format in [WebFormat::Vercel, WebFormat::OpenAi, WebFormat::AgUi, WebFormat::Text] {
            let whole = emitted(format, wire.clone(), &body, usize::MAX).0;
            for size in [1, 7, 100] {
                assert_eq!(emitted(format, wire.clone(), &body, size).0, whole);
            }
        }
    }
}

/// Whether a member was inserted into arguments after what follows it, as Gemini may do.
fn is_rewritten(stream: &Stream) -> bool {
    let calls = stream.state().tool_calls();
    calls.iter().any(|call| call.name == "w" && call.arguments.contains("\"y\":\"3\""))
}

#[test]
fn openai_chunks_fold_into_the_same_message() {
    for (wire, body) in bodies() {
        let (out, stream) = emitted(WebFormat::OpenAi, wire, &body, 64);
        if is_rewritten(&stream) {
            continue;
        }
        let mut again = Stream::new(Quirks::default(), Limits::default());
        again.feed(out.as_bytes());
        again.finish();
        while again.next_step().unwrap().is_some() {}
        let (first, second) = (stream.state().message_so_far(), again.state().message_so_far());
        assert_eq!(second.text, first.text);
        assert_eq!(second.reasoning, first.reasoning);
        let calls = |state: &ferroscope_core::dialect::Dialect| -> Vec<(String, String)> {
            let calls = state.tool_calls();
            // A call without arguments is written only when it is complete.
            let shown = calls.iter().filter(|call| !call.name.is_empty() && !call.arguments.is_empty());
            let mut found: Vec<_> =
                shown.map(|call| (call.name.to_owned(), call.arguments.to_owned())).collect();
            found.sort();
            found
        };
        assert_eq!(calls(again.state()), calls(stream.state()));
    }
}

/// Checks the order of Vercel's events: parts and calls are open when they grow, and closed once.
fn check_vercel(events: &[Value]) {
    let mut open: Option<(String, String)> = None;
    let mut inputs = HashSet::new();
    let mut in_step = false;
    assert_eq!(text(&events[0], "type"), "start");
    for event in &events[1..] {
        let kind = text(event, "type");
        let id = text(event, "id").to_owned();
        match kind {
            "start-step" => assert!(!std::mem::replace(&mut in_step, true)),
            "finish-step" => assert!(std::mem::replace(&mut in_step, false) && open.is_none()),
            "text-start" | "reasoning-start" => {
                assert!(open.is_none() && in_step);
                open = Some((kind.replace("-start", ""), id));
            }
            "text-delta" | "reasoning-delta" => {
                assert_eq!(open, Some((kind.replace("-delta", ""), id)));
                assert!(!text(event, "delta").is_empty());
            }
            "text-end" | "reasoning-end" => assert_eq!(open.take(), Some((kind.replace("-end", ""), id))),
            "tool-input-start" => {
                assert!(inputs.insert(text(event, "toolCallId").to_owned()) && open.is_none())
            }
            "tool-input-delta" | "tool-input-available" => {
                assert!(inputs.contains(text(event, "toolCallId")))
            }
            "finish" => assert!(!in_step),
            other => panic!("{other}"),
        }
    }
    assert_eq!(text(&events[events.len() - 1], "type"), "finish");
}

/// Checks the order of AG-UI's events.
fn check_ag_ui(events: &[Value]) {
    let mut message: Option<String> = None;
    let mut calls = HashSet::new();
    assert_eq!(text(&events[0], "type"), "RUN_STARTED");
    for event in &events[1..] {
        let id = text(event, "messageId").to_owned();
        match text(event, "type") {
            "TEXT_MESSAGE_START" | "REASONING_START" => assert!(message.replace(id).is_none()),
            "REASONING_MESSAGE_START" | "REASONING_MESSAGE_END" => assert_eq!(message, Some(id)),
            "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT" => {
                assert!(message == Some(id) && !text(event, "delta").is_empty());
            }
            "TEXT_MESSAGE_END" | "REASONING_END" => assert_eq!(message.take(), Some(id)),
            "TOOL_CALL_START" => {
                assert!(message.is_none() && calls.insert(text(event, "toolCallId").to_owned()));
            }
            "TOOL_CALL_ARGS" | "TOOL_CALL_END" => assert!(calls.contains(text(event, "toolCallId"))),
            "RUN_FINISHED" => assert!(message.is_none()),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_events_of_every_stream_come_in_a_legal_order() {
    for (wire, body) in bodies() {
        check_vercel(&data(&emitted(WebFormat::Vercel, wire.clone(), &body, 64).0));
        check_ag_ui(&data(&emitted(WebFormat::AgUi, wire, &body, 64).0));
    }
}

#[test]
fn an_agent_answers_in_steps_with_unique_ids_of_calls() {
    let mut emitter = Emitter::new(WebFormat::Vercel, answer(), true, 1);
    for city in ["Oslo", "Rome"] {
        emitter.start_step();
        emitter.complete(0, Some("call_0"), "weather", &format!("{{\"city\":\"{city}\"}}"));
        emitter.finish_step();
        assert!(emitter.tool_output(Some("call_0"), "weather", "\"sun\"", false));
        assert!(!emitter.tool_output(Some("call_0"), "weather", "\"sun\"", false));
    }
    emitter.text("Sunny.");
    emitter.finish("stop", None, None);
    let out = emitter.take();
    let outputs: Vec<Value> =
        data(&out).into_iter().filter(|event| text(event, "type") == "tool-output-available").collect();
    assert_eq!(
        outputs,
        [
            json!({"type": "tool-output-available", "toolCallId": "call_0", "output": "sun"}),
            json!({"type": "tool-output-available", "toolCallId": "call_0_2", "output": "sun"}),
        ]
    );
}

#[test]
fn a_text_after_a_call_is_a_new_message_with_a_new_id() {
    let mut emitter = Emitter::new(WebFormat::AgUi, answer(), false, 1);
    emitter.text("Let me see.");
    emitter.text("");
    emitter.complete(0, Some("call_0"), "weather", "{\"city\":\"Oslo\"}");
    emitter.text("Sunny.");
    emitter.finish("stop", None, None);
    let found = data(&emitter.take());
    check_ag_ui(&found);
    let of = |kind: &str| -> Vec<&str> {
        found
            .iter()
            .filter(|event| text(event, "type") == kind)
            .map(|event| text(event, "messageId"))
            .collect()
    };
    let begun = of("TEXT_MESSAGE_START");
    assert_eq!(begun.len(), 2);
    assert_ne!(begun[0], begun[1]);
    assert_eq!(of("TEXT_MESSAGE_CONTENT"), begun);
    assert_eq!(of("TEXT_MESSAGE_END"), begun);
}

#[test]
fn a_failure_before_the_first_token_is_start_and_error() {
    for (format, kinds) in
        [(WebFormat::Vercel, vec!["start", "error"]), (WebFormat::AgUi, vec!["RUN_STARTED", "RUN_ERROR"])]
    {
        let mut emitter = Emitter::new(format, answer(), false, 1);
        emitter.error("no", "internal");
        emitter.text("ignored");
        emitter.finish("stop", None, None);
        let out = emitter.take();
        assert_eq!(data(&out).iter().map(|event| text(event, "type")).collect::<Vec<_>>(), kinds);
    }
}

#[test]
fn an_error_closes_what_is_open_and_claims_no_finish_reason() {
    let mut emitter = Emitter::new(WebFormat::OpenAi, answer(), false, 1);
    emitter.text("Hel");
    emitter.error("The answer broke off.", "stream_interrupted");
    let out = emitter.take();
    let found = data(&out);
    assert!(!out.contains("[DONE]"));
    assert_eq!(found[found.len() - 1]["error"]["code"], "stream_interrupted");
    assert!(found.iter().all(|event| event["choices"][0]["finish_reason"].is_null()));
}

#[test]
fn line_breaks_stay_inside_one_data_line() {
    let mut emitter = Emitter::new(WebFormat::Vercel, answer(), false, 1);
    emitter.text("a\n\nb\r");
    emitter.data("note", "{\n\"a\":\r\n1}");
    emitter.finish("stop", None, None);
    let out = emitter.take();
    let found = data(&out);
    assert!(found.iter().any(|event| event["delta"] == "a\n\nb\r"));
    assert!(found.iter().any(|event| *event == json!({"type": "data-note", "data": {"a": 1}})));
}

#[test]
fn an_incomplete_call_is_known() {
    let mut emitter = Emitter::new(WebFormat::Vercel, answer(), false, 1);
    emitter.arguments(0, None, "weather", "{\"city");
    assert_eq!(emitter.incomplete_call(), Some("weather"));
    emitter.complete(0, None, "weather", "{\"city\":1}");
    assert_eq!(emitter.incomplete_call(), None);
}
