//! OpenAI's chat completions: every stream of our own, in every cut, folds into its twin; and what no stream
//! of the corpus has.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::{Error, ErrorKind, Limits, Stream};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a reader saw of a stream step by step, and what it has in the end.
#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    /// Text, arguments that grew, and calls that were completed, of every step that added something.
    steps: Vec<Added>,
    response: Value,
    errors: Vec<Error>,
}

type Added = (String, Vec<(usize, String)>, Vec<usize>);

impl Seen {
    fn text(&self) -> String {
        self.steps.iter().map(|(text, ..)| text.as_str()).collect()
    }

    fn completed(&self) -> Vec<usize> {
        self.steps.iter().flat_map(|(_, _, completed)| completed.clone()).collect()
    }

    fn arguments(&self, call: usize) -> String {
        let fragments = self.steps.iter().flat_map(|(_, fragments, _)| fragments);
        fragments.filter(|(position, _)| *position == call).map(|(_, text)| text.as_str()).collect()
    }

    /// The response, with the error that the provider reported as a member.
    fn with_error(&self) -> Value {
        let mut response = self.response.clone();
        for error in &self.errors {
            match &error.kind {
                ErrorKind::Provider { body, .. } => response["error"] = serde_json::from_str(body).unwrap(),
                other => panic!("{other}"),
            }
        }
        without_nulls(&response)
    }
}

/// A stream that reads Groq's usage too.
fn stream() -> Stream {
    let quirks = Quirks { usage_in: Some("x_groq".to_owned()), reports_end: false, ..Quirks::default() };
    Stream::new(quirks, Limits::default())
}

fn drain(stream: &mut Stream, seen: &mut Seen) {
    loop {
        match stream.next_step() {
            Ok(Some(step)) => {
                let delta = step.delta.clone();
                if delta != Default::default() {
                    seen.steps.push((delta.text, delta.arguments, delta.completed));
                }
            }
            Ok(None) => break,
            Err(error) => seen.errors.push(error),
        }
    }
}

fn end(mut stream: Stream, mut seen: Seen) -> Seen {
    stream.finish();
    drain(&mut stream, &mut seen);
    seen.response = serde_json::from_str(&stream.state().response()).unwrap();

    // Whatever came: what was said step by step is what stands there in the end.
    let message = stream.state().message_so_far();
    assert_eq!(message.text, seen.text());
    for (position, call) in message.tool_calls.iter().enumerate() {
        assert_eq!(call.arguments, seen.arguments(position));
    }
    let mut completed = seen.completed();
    completed.sort_unstable();
    assert_eq!(completed, (0..message.tool_calls.len()).collect::<Vec<_>>(), "each call is handed out once");
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

/// Folds the data of events, and before each of them, if that is `forced` the long way, an event that says
/// nothing: it takes the place of the last one, which the next would otherwise be compared with.
fn fold<'a>(events: impl IntoIterator<Item = &'a str>, forced: bool) -> Seen {
    let (mut stream, mut seen) = (stream(), Seen::default());
    for data in events {
        for data in ["{}", data].into_iter().skip(usize::from(!forced)) {
            match stream.feed_event(data).map(|step| step.delta.clone()) {
                Ok(delta) if delta == Default::default() => {}
                Ok(delta) => seen.steps.push((delta.text, delta.arguments, delta.completed)),
                Err(error) => seen.errors.push(error),
            }
        }
    }
    end(stream, seen)
}

fn as_body(events: &[&str]) -> Vec<u8> {
    events
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect::<String>()
        .into()
}

/// The data of the events of a body, up to its terminator.
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

/// A null member says what a missing one says.
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

fn corpus() -> Vec<(String, Vec<u8>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/openai_chat");
    let mut streams: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    streams.retain(|path| path.extension().is_some_and(|extension| extension == "sse"));
    streams.sort();
    assert!(streams.len() > 50, "the streams of our own are missing");
    let read = |path: PathBuf| {
        let twin = fs::read_to_string(path.with_extension("json")).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read(&path).unwrap(), without_nulls(&serde_json::from_str(&twin).unwrap()))
    };
    streams.into_iter().map(read).collect()
}

#[test]
fn every_stream_folds_into_its_twin() {
    for (name, body, twin) in corpus() {
        assert_eq!(read([&body[..]]).with_error(), twin, "{name}");
    }
}

#[test]
fn the_cuts_make_no_difference() {
    for (name, body, _) in corpus() {
        let whole = read([&body[..]]);
        for size in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(read(body.chunks(size)), whole, "{name} in {size}");
        }
        for cut in (0..body.len()).step_by(body.len() / 300 + 1) {
            let (first, second) = body.split_at(cut);
            assert_eq!(read([first, second]), whole, "{name} at {cut}");
        }
    }
}

#[test]
fn events_without_framing_fold_alike() {
    for (name, body, _) in corpus() {
        let (framed, events) = (read([&body[..]]), events(&body));
        let fed = fold(events.iter().map(String::as_str), false);
        assert_eq!((&fed.steps, &fed.response), (&framed.steps, &framed.response), "{name}");
        let kinds = |seen: &Seen| seen.errors.iter().map(|error| error.kind.clone()).collect::<Vec<_>>();
        assert_eq!(kinds(&fed), kinds(&framed), "{name}");
    }
}

#[test]
fn the_shortcut_for_variations_folds_as_the_long_way_does() {
    for (name, body, _) in corpus() {
        let events = events(&body);
        let (short, long) =
            [false, true].map(|forced| fold(events.iter().map(String::as_str), forced)).into();
        assert_eq!((short.steps, short.response), (long.steps, long.response), "{name}");
    }
}

#[test]
fn a_twin_read_as_a_plain_body_is_itself() {
    for (name, body, twin) in corpus() {
        let mut stream = stream();
        let text = twin.to_string();
        match (stream.feed_body(&text).map(|step| step.delta.clone()), twin.get("error")) {
            (Ok(delta), None) => {
                let streamed = read([&body[..]]);
                assert_eq!(delta.text, streamed.text(), "{name}");
                assert_eq!(delta.completed.len(), streamed.completed().len(), "{name}");
                let response = serde_json::from_str(&stream.state().response()).unwrap();
                assert_eq!(without_nulls(&response), twin, "{name}");
            }
            (Err(Error { kind: ErrorKind::Provider { .. }, .. }), Some(_)) => {}
            (found, error) => panic!("{name}: {found:?} {error:?}"),
        }
    }
}

/// An answer of one choice.
fn answer(message: Value) -> Value {
    response(json!([{"index": 0, "message": message}]))
}

fn response(choices: Value) -> Value {
    json!({"id": "", "object": "chat.completion", "created": 0, "model": "", "choices": choices})
}

fn tools(calls: Value) -> Value {
    answer(json!({"role": "assistant", "tool_calls": calls}))
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

/// An event with this delta of the first choice.
fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)
}

/// An event with this piece of a tool call.
fn piece(piece: &str) -> String {
    delta(&format!(r#"{{"tool_calls":[{piece}]}}"#))
}

/// Folds events in all ways there are: all of them agree.
fn folded(story: &str, events: &[String]) -> Seen {
    let events: Vec<_> = events.iter().map(String::as_str).collect();
    let body = as_body(&events);
    let seen = read([&body[..]]);
    assert_eq!(read(body.chunks(1)), seen, "{story}: byte by byte");
    assert_eq!(read(body.chunks(5)), seen, "{story}: in fives");
    for forced in [false, true] {
        let fed = fold(events.iter().copied(), forced);
        assert_eq!((&fed.steps, &fed.response), (&seen.steps, &seen.response), "{story}: forced {forced}");
    }
    seen
}

#[test]
fn texts() {
    let say = |text: &str| delta(&format!(r#"{{"content":{text}}}"#));
    let said = |text: &str| answer(json!({"role": "assistant", "content": text}));
    let table: Vec<(&str, Vec<String>, Value)> = vec![
        ("nothing at all", vec![], response(json!([]))),
        ("half a pair at the end", vec![say(r#""a""#), say(r#""\ud83d""#)], said("a\u{FFFD}")),
        ("half a pair before text", vec![say(r#""\ud83d""#), say(r#""a""#)], said("\u{FFFD}a")),
        (
            "half a pair before an empty delta",
            vec![say(r#""\ud83d""#), say(r#""""#), say(r#""\ude00""#)],
            said("😀"),
        ),
        ("the other half alone", vec![say(r#""a""#), say(r#""\ude00""#)], said("a\u{FFFD}")),
        (
            "a pair and a half",
            vec![say(r#""\ud83d\ud83d""#), say(r#""\ude00\ude00""#)],
            said("\u{FFFD}😀\u{FFFD}"),
        ),
        (
            "raw line separators",
            vec![say("\"a\u{2028}\""), say("\"\u{2029}b\u{85}\"")],
            said("a\u{2028}\u{2029}b\u{85}"),
        ),
        (
            "escapes in variations",
            vec![say(r#""a\n""#), say(r#""\"b\"""#), say(r#""\\""#), say(r#""c""#)],
            said("a\n\"b\"\\c"),
        ),
        ("braces in text", vec![say(r#""}]}""#), say(r#""{\"choices\":[]}""#)], said("}]}{\"choices\":[]}")),
        (
            "the last of two contents",
            vec![delta(r#"{"content":"a","content":"b"}"#), say(r#""c""#)],
            said("bc"),
        ),
        (
            "the last of two deltas",
            vec![r#"{"choices":[{"delta":{"content":"a"},"delta":{"content":"b"}}]}"#.to_owned()],
            said("b"),
        ),
        (
            "names with escapes",
            vec![r#"{"\u0063hoices":[{"d\u0065lta":{"cont\u0065nt":"a"}}]}"#.to_owned(), say(r#""b""#)],
            said("ab"),
        ),
        (
            "a message instead of a delta",
            vec![r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"a"}}]}"#.to_owned()],
            said("a"),
        ),
        (
            "a message beside a delta",
            vec![
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"message":{"content":"a so far"}}]}"#
                    .to_owned(),
            ],
            said("a"),
        ),
        (
            "a delta of null beside a message",
            vec![r#"{"choices":[{"index":0,"delta":null,"message":{"content":"a"}}]}"#.to_owned()],
            said("a"),
        ),
        ("an empty list for an empty delta", vec![delta("[]"), say(r#""a""#)], said("a")),
        (
            "no index",
            vec![r#"{"choices":[{"delta":{"content":"a"}}]}"#.to_owned(), say(r#""b""#)],
            said("ab"),
        ),
        ("choices of null", vec![r#"{"choices":null}"#.to_owned(), say(r#""a""#)], said("a")),
        (
            "white space around everything",
            vec![
                " { \"choices\" : [ { \"index\" : 0 , \"delta\" : { \"content\" : \"a\" } } ] } ".to_owned();
                2
            ],
            said("aa"),
        ),
        (
            "typed parts and strings",
            vec![
                say(r#"[{"type":"text","text":"a"}]"#),
                say(r#""b""#),
                say(r#"[{"type":"text","text":"c"}]"#),
            ],
            answer(json!({"role": "assistant", "content": [{"type": "text", "text": "abc"}]})),
        ),
        (
            "two parts of one delta",
            vec![say(r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#), say(r#""c""#)],
            answer(
                json!({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "bc"}]}),
            ),
        ),
        (
            "parts that nobody knows",
            vec![
                say(r#"[{"type":"text","text":"a"}]"#),
                say(r#"[{"type":"reference","reference_ids":[1]}]"#),
                say(r#""b""#),
            ],
            answer(json!({"role": "assistant", "content": [
                {"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "b"}]})),
        ),
        (
            "thinking with a signature",
            vec![
                say(r#"[{"type":"thinking","thinking":[{"type":"text","text":"h"}]}]"#),
                say(
                    r#"[{"type":"thinking","thinking":[{"type":"text","text":"m"},{"type":"reference","reference_ids":[2]}],"signature":"s","closed":true}]"#,
                ),
                say(r#"[{"type":"thinking","thinking":[{"type":"text","text":"again"}]}]"#),
                say(r#""a""#),
            ],
            answer(json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}, {"type": "reference", "reference_ids": [2]}], "signature": "s", "closed": true},
                {"type": "thinking", "thinking": [{"type": "text", "text": "again"}]},
                {"type": "text", "text": "a"}]})),
        ),
    ];
    for (story, events, expected) in table {
        let seen = folded(story, &events);
        assert_eq!(seen.errors, [], "{story}");
        assert_eq!(without_nulls(&seen.response), expected, "{story}");
    }
}

#[test]
fn members_beside_the_text() {
    let say = delta(r#"{"content":"a"}"#);
    let with = |members: &str| format!("{},{members}}}", say.strip_suffix('}').unwrap());
    let table: Vec<(&str, Vec<String>, &str, Value)> = vec![
        (
            "the first id counts",
            vec![with(r#""id":"""#), with(r#""id":"x""#), with(r#""id":"y""#)],
            "id",
            json!("x"),
        ),
        ("a number as an id", vec![with(r#""id":123"#)], "id", json!("123")),
        (
            "the first time counts",
            vec![with(r#""created":0"#), with(r#""created":7"#), with(r#""created":8"#)],
            "created",
            json!(7),
        ),
        (
            "null after usage",
            vec![with(r#""usage":{"total_tokens":3}"#), with(r#""usage":null"#), with(r#""usage":{}"#)],
            "usage",
            json!({"total_tokens": 3}),
        ),
        (
            "usage is replaced, not merged",
            vec![with(r#""usage":{"a":1,"b":2}"#), with(r#""usage":{"a":3}"#)],
            "usage",
            json!({"a": 3}),
        ),
        (
            "usage of Groq, for want of another",
            vec![with(r#""x_groq":{"usage":{"a":1}}"#)],
            "usage",
            json!({"a": 1}),
        ),
        (
            "usage of Groq beside the usual",
            vec![with(r#""usage":{"a":2}"#), with(r#""x_groq":{"usage":{"a":1}}"#)],
            "usage",
            json!({"a": 2}),
        ),
        (
            "objects are merged",
            vec![with(r#""x":{"a":1,"b":{"c":1}}"#), with(r#""x":{"b":{"d":2},"a":null}"#)],
            "x",
            json!({"a": 1, "b": {"c": 1, "d": 2}}),
        ),
        (
            "what a filter found in a prompt stays found",
            vec![
                with(r#""prompt_filter_results":[{"prompt_index":0,"x":true}]"#),
                with(
                    r#""prompt_filter_results":[{"prompt_index":1,"x":false},{"prompt_index":0,"x":false}]"#,
                ),
            ],
            "prompt_filter_results",
            json!([{"prompt_index": 0, "x": true}, {"prompt_index": 1, "x": false}]),
        ),
        (
            "and what it found in an answer",
            vec![
                say.replace(r#""delta""#, r#""content_filter_results":{"hate":{"severity":"low"}},"delta""#),
                say.replace(r#""delta""#, r#""content_filter_results":{"hate":{"severity":"safe"}},"delta""#),
            ],
            "choices",
            json!([{
                "index": 0,
                "message": {"role": "assistant", "content": "aa"},
                "finish_reason": null,
                "content_filter_results": {"hate": {"severity": "low"}},
            }]),
        ),
        ("lists are replaced", vec![with(r#""x":[1,2]"#), with(r#""x":[3]"#)], "x", json!([3])),
        (
            "big numbers keep their digits",
            vec![with(r#""x":123456789012345678901234567890.5e3"#)],
            "x",
            serde_json::from_str("123456789012345678901234567890.5e3").unwrap(),
        ),
        (
            "no error is no error",
            vec![with(r#""error":null"#), with(r#""error":"""#), with(r#""error":{}"#)],
            "error",
            json!({}),
        ),
        (
            "padding goes",
            vec![with(r#""obfuscation":"abc""#), with(r#""obfuscation":"defgh","p":"x""#)],
            "obfuscation",
            json!(null),
        ),
        ("a name with escapes and quotes", vec![with(r#""\"\u00e9\n":1"#)], "\"é\n", json!(1)),
    ];
    for (story, events, member, expected) in table {
        let seen = folded(story, &events);
        assert_eq!((seen.errors.len(), seen.text()), (0, "a".repeat(events.len())), "{story}");
        assert_eq!(seen.response[member], expected, "{story}");
    }
}

#[test]
fn what_is_no_json_for_others_is_handed_on() {
    let mut stream = stream();
    stream.feed_event(r#"{"x":NaN,"y":[-Infinity],"usage":{"a":Infinity}}"#).unwrap();
    assert_eq!(
        stream.state().response(),
        r#"{"id":"","object":"chat.completion","created":0,"model":"","choices":[],"usage":{"a":Infinity},"x":NaN,"y":[-Infinity]}"#
    );
}

#[test]
fn half_characters_in_members_that_are_kept_do_not_spoil_the_response() {
    let half = r#"{"t":"\ud83d","k\ud83d":["\ude00","\ud83d\ude00","\\ud83d"]}"#;
    let whole = json!({"t": "\u{FFFD}", "k\u{FFFD}": ["\u{FFFD}", "😀", "\\ud83d"]});
    let event = format!(
        r#"{{"usage":{half},"x":{half},"list":[{half}],"choices":[{{"index":0,"y":{half},"logprobs":{{"content":[{half}]}},"delta":{{"z":{half},"content":[{half}],"tool_calls":[{{"id":"a","function":{{"name":"f","arguments":{half}}}}}]}}}}]}}"#
    );
    let seen = folded("halves", &[event]);
    let choice = &seen.response["choices"][0];
    for (member, found) in [
        ("usage", &seen.response["usage"]),
        ("x", &seen.response["x"]),
        ("list", &seen.response["list"][0]),
        ("y", &choice["y"]),
        ("logprobs", &choice["logprobs"]["content"][0]),
        ("z", &choice["message"]["z"]),
        ("content", &choice["message"]["content"][0]),
    ] {
        assert_eq!(found, &whole, "{member}");
    }
    assert_eq!(serde_json::from_str::<Value>(&seen.arguments(0)).unwrap(), whole);
}

#[test]
fn messages() {
    let table: Vec<(&str, Vec<String>, Value)> = vec![
        (
            "the first role counts",
            vec![
                delta(r#"{"role":""}"#),
                delta(r#"{"role":null}"#),
                delta(r#"{"role":"tool"}"#),
                delta(r#"{"role":"assistant"}"#),
            ],
            json!({"role": "tool"}),
        ),
        (
            "reasoning under two names",
            vec![
                delta(r#"{"reasoning":"a","reasoning_content":"b"}"#),
                delta(r#"{"reasoning":"c","reasoning_content":"d"}"#),
            ],
            json!({"role": "assistant", "reasoning": "ac", "reasoning_content": "bd"}),
        ),
        (
            "the last of two reasonings",
            vec![delta(r#"{"reasoning":"a","reasoning":"b"}"#), delta(r#"{"reasoning":"c"}"#)],
            json!({"role": "assistant", "reasoning": "bc"}),
        ),
        (
            "reasoning after null",
            vec![
                delta(r#"{"reasoning":null}"#),
                delta(r#"{"reasoning":"a"}"#),
                delta(r#"{"reasoning":null}"#),
                delta(r#"{"reasoning":"b"}"#),
            ],
            json!({"role": "assistant", "reasoning": "ab"}),
        ),
        (
            "half a character of reasoning",
            vec![delta(r#"{"reasoning":"a\ud83d"}"#)],
            json!({"role": "assistant", "reasoning": "a\u{FFFD}"}),
        ),
        (
            "half a character of a refusal",
            vec![delta(r#"{"refusal":"no\ud83d"}"#)],
            json!({"role": "assistant", "refusal": "no\u{FFFD}"}),
        ),
        (
            "a refusal in pieces",
            vec![delta(r#"{"refusal":"I "}"#), delta(r#"{"refusal":null}"#), delta(r#"{"refusal":"can't"}"#)],
            json!({"role": "assistant", "refusal": "I can't"}),
        ),
        (
            "an old function call",
            vec![
                delta(r#"{"function_call":{"name":"f","arguments":""}}"#),
                delta(r#"{"function_call":{"arguments":"{}"}}"#),
            ],
            json!({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}),
        ),
        (
            "audio of null",
            vec![
                delta(r#"{"audio":{"id":"x","data":null}}"#),
                delta(r#"{"audio":{"data":"YQ==","transcript":"a"}}"#),
                delta(r#"{"audio":{"data":"Yg==","transcript":"\ud83d"}}"#),
            ],
            json!({"role": "assistant", "audio": {"id": "x", "data": "YWI=", "transcript": "a\u{FFFD}"}}),
        ),
        (
            "audio that is no base64",
            vec![delta(r#"{"audio":{"data":"?="}}"#), delta(r#"{"audio":{"data":"!"}}"#)],
            json!({"role": "assistant", "audio": {"data": "?=!"}}),
        ),
        (
            "lists of indexed objects grow",
            vec![
                delta(r#"{"details":[{"index":0,"type":"t","text":"a","n":1}]}"#),
                delta(
                    r#"{"details":[{"index":1,"type":"t","summary":"x"},{"index":0,"type":"t","text":"b","n":2}]}"#,
                ),
                delta(r#"{"details":[{"index":1,"type":"t","summary":"y"},{"text":"none"}]}"#),
            ],
            json!({"role": "assistant", "details": [{"index": 0, "type": "t", "text": "ab", "n": 2}, {"index": 1, "type": "t", "summary": "xy"}, {"text": "none"}]}),
        ),
        (
            "unknown strings are replaced",
            vec![delta(r#"{"channel":"a"}"#), delta(r#"{"channel":"b"}"#)],
            json!({"role": "assistant", "channel": "b"}),
        ),
    ];
    for (story, events, message) in table {
        let seen = folded(story, &events);
        assert_eq!(seen.errors, [], "{story}");
        assert_eq!(without_nulls(&seen.response), answer(message), "{story}");
    }
}

#[test]
fn tool_calls() {
    let table: Vec<(&str, Vec<String>, Value)> = vec![
        (
            "a number as an id",
            vec![
                piece(r#"{"index":0,"id":7,"function":{"name":"f","arguments":"{"}}"#),
                piece(r#"{"index":0,"id":7,"function":{"arguments":"}"}}"#),
            ],
            json!([call("7", "f", "{}")]),
        ),
        (
            "arguments as an object",
            vec![piece(r#"{"id":"a","function":{"name":"f","arguments":{"x": "\"é"}}}"#)],
            json!([call("a", "f", r#"{"x": "\"é"}"#)]),
        ),
        (
            "arguments as an empty object",
            vec![piece(r#"{"id":"a","function":{"name":"f","arguments":{}}}"#)],
            json!([call("a", "f", "{}")]),
        ),
        (
            "a name in pieces",
            vec![
                piece(r#"{"index":0,"id":"a","function":{"name":"get_"}}"#),
                piece(r#"{"index":0,"function":{"name":"weather"}}"#),
                piece(r#"{"index":0,"function":{"arguments":"{}"}}"#),
            ],
            json!([call("a", "get_weather", "{}")]),
        ),
        (
            "a late id",
            vec![
                piece(r#"{"index":0,"function":{"name":"f","arguments":"{"}}"#),
                piece(r#"{"index":0,"id":"a","function":{"arguments":"}"}}"#),
            ],
            json!([call("a", "f", "{}")]),
        ),
        (
            "an id after the end",
            vec![
                piece(r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#),
                piece(r#"{"index":0,"id":"a"}"#),
                piece(r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}"#),
            ],
            json!([call("a", "f", "{}"), call("b", "g", "{}")]),
        ),
        (
            "another id with every piece",
            vec![
                piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#),
                piece(r#"{"index":0,"id":"b","function":{"arguments":"\"x\""}}"#),
                piece(r#"{"index":0,"id":"c","function":{"arguments":":1}"}}"#),
                piece(r#"{"index":0,"id":"d","function":{"name":"g","arguments":"{}"}}"#),
            ],
            json!([call("a", "f", r#"{"x":1}"#), call("d", "g", "{}")]),
        ),
        (
            "an id of one call in another",
            vec![
                piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#),
                piece(r#"{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}"#),
            ],
            json!([call("a", "f", "{}"), call("a", "g", "{}")]),
        ),
        (
            "the word null for an id",
            vec![
                piece(r#"{"id":"null","function":{"name":"f","arguments":"{}"}}"#),
                piece(r#"{"id":"null","function":{"name":"g","arguments":"{}"}}"#),
            ],
            json!([call("", "f", "{}"), call("", "g", "{}")]),
        ),
        (
            "after the finish",
            vec![
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":null}]}"#.to_owned(),
                piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#),
            ],
            json!([call("a", "f", "{}")]),
        ),
        (
            "one call instead of a list",
            vec![delta(r#"{"tool_calls":{"id":"a","function":{"name":"f","arguments":"{}"}}}"#)],
            json!([call("a", "f", "{}")]),
        ),
        (
            "null in the list",
            vec![
                delta(
                    r#"{"tool_calls":[null,{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},null]}"#,
                ),
                delta(r#"{"tool_calls":null}"#),
                delta(r#"{"tool_calls":""}"#),
            ],
            json!([call("a", "f", "{}")]),
        ),
        (
            "an index below zero",
            vec![
                piece(r#"{"index":-1,"id":"a","function":{"name":"f","arguments":"{"}}"#),
                piece(r#"{"index":-1,"function":{"arguments":"}"}}"#),
            ],
            json!([call("a", "f", "{}")]),
        ),
        (
            "an index beyond all numbers",
            vec![
                piece(
                    r#"{"index":99999999999999999999999,"id":"a","function":{"name":"f","arguments":"{"}}"#,
                ),
                piece(r#"{"index":99999999999999999999999,"id":"a","function":{"arguments":"}"}}"#),
            ],
            json!([call("a", "f", "{}")]),
        ),
        (
            "half a character at the end of arguments",
            vec![piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"\"\ud83d"}}"#)],
            json!([call("a", "f", "\"\u{FFFD}")]),
        ),
        (
            "a pair of halves over fragments",
            vec![
                piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"[\"\ud83d"}}"#),
                piece(r#"{"index":0,"function":{"arguments":"\ude00\"]"}}"#),
            ],
            json!([call("a", "f", "[\"😀\"]")]),
        ),
        (
            "members that nobody knows",
            vec![
                piece(r#"{"index":0,"id":"a","x":1,"function":{"name":"f","arguments":"{","y":1}}"#),
                piece(r#"{"index":0,"x":2,"function":{"arguments":"}","y":2}}"#),
            ],
            json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}", "y": 2}, "x": 2}]),
        ),
        (
            "a custom call without its type",
            vec![
                piece(r#"{"index":0,"id":"a","custom":{"name":"f","input":"a"}}"#),
                piece(r#"{"index":0,"custom":{"input":"b"}}"#),
            ],
            json!([{"id": "a", "type": "custom", "custom": {"name": "f", "input": "ab"}}]),
        ),
    ];
    for (story, events, calls) in table {
        let seen = folded(story, &events);
        assert_eq!(seen.errors, [], "{story}");
        assert_eq!(without_nulls(&seen.response), tools(calls), "{story}");
    }
}

#[test]
fn log_probabilities_are_kept_whatever_they_are() {
    let with =
        |logprobs: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{}},"logprobs":{logprobs}}}]}}"#);
    let table = [
        (
            vec![r#"{"content":[1]}"#, "null", r#"{"content":[2],"refusal":null}"#],
            json!({"content": [1, 2], "refusal": null}),
        ),
        (
            vec![r#"{"refusal":[]}"#, r#"{"refusal":[3],"x":[4]}"#, r#"{"x":[5]}"#],
            json!({"content": null, "refusal": [3], "x": [4, 5]}),
        ),
        (vec!["-1.5", "-2.5"], json!(-2.5)),
        (vec!["-1.5", r#"{"content":[1]}"#], json!({"content": [1], "refusal": null})),
    ];
    for (pieces, expected) in table {
        let seen = folded("logprobs", &pieces.iter().map(|piece| with(piece)).collect::<Vec<_>>());
        assert_eq!(seen.response["choices"][0]["logprobs"], expected, "{pieces:?}");
    }
}

#[test]
fn a_plain_body_keeps_the_index_of_its_calls() {
    let mut body = tools(json!([call("a", "f", "{}"), call("a", "f", "{}")]));
    body["choices"][0]["message"]["tool_calls"][0]["index"] = json!(0);
    body["choices"][0]["message"]["tool_calls"][1]["index"] = json!(1);
    let mut stream = stream();
    stream.feed_body(&body.to_string()).unwrap();
    assert_eq!(without_nulls(&serde_json::from_str(&stream.state().response()).unwrap()), body);
}

#[test]
fn a_call_is_handed_out_with_the_event_that_completes_it() {
    let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#.to_owned();
    let begin = |index: u8, arguments: &str| {
        piece(&format!(
            r#"{{"index":{index},"id":"{index}","function":{{"name":"f","arguments":"{arguments}"}}}}"#
        ))
    };
    let go_on = |index: u8, arguments: &str| {
        piece(&format!(r#"{{"index":{index},"function":{{"arguments":"{arguments}"}}}}"#))
    };
    /// Calls, and the number of the event that handed each out.
    type Completed = Vec<(usize, usize)>;
    let table: Vec<(&str, Vec<String>, Completed)> = vec![
        ("closed arguments", vec![begin(0, "{\\\"a\\\":"), go_on(0, "1}"), finish.clone()], vec![(0, 1)]),
        ("whole", vec![begin(0, "{\\\"a\\\":1}"), finish.clone()], vec![(0, 0)]),
        ("an empty object at the finish", vec![begin(0, "{ }"), finish.clone()], vec![(0, 1)]),
        ("an empty object before text", vec![begin(0, "{}"), delta(r#"{"content":"a"}"#)], vec![(0, 1)]),
        ("an empty object before a call", vec![begin(0, "{}"), begin(1, "")], vec![(0, 1), (1, 2)]),
        ("an empty object, then more", vec![begin(0, "{}"), go_on(0, "{\\\"a\\\":1}")], vec![(0, 1)]),
        (
            "two interleaved",
            vec![begin(0, "{"), begin(1, "["), go_on(0, "1}"), go_on(1, "]"), finish.clone()],
            vec![(0, 2), (1, 3)],
        ),
        (
            "the second first",
            vec![begin(0, "{"), begin(1, "{1}"), go_on(0, "1}"), finish.clone()],
            vec![(1, 1), (0, 2)],
        ),
        (
            "without arguments at the finish",
            vec![begin(0, ""), begin(1, ""), finish.clone()],
            vec![(0, 2), (1, 2)],
        ),
        ("cut arguments at the end of the stream", vec![begin(0, "{\\\"a"), finish.clone()], vec![(0, 2)]),
        ("a scalar at the end of the stream", vec![begin(0, "null"), finish.clone()], vec![(0, 2)]),
        ("white space is no arguments", vec![begin(0, " \\n"), finish.clone()], vec![(0, 1)]),
        ("after the finish", vec![finish.clone(), begin(0, "{1}")], vec![(0, 1)]),
        (
            "cut after the finish, then more",
            vec![begin(0, "{"), finish.clone(), go_on(0, "1}")],
            vec![(0, 2)],
        ),
        ("without a finish", vec![begin(0, "")], vec![(0, 1)]),
    ];
    for (story, events, expected) in table {
        let mut stream = stream();
        let mut completed = Vec::new();
        for (number, data) in events.iter().enumerate() {
            let step = stream.feed_event(data).unwrap();
            completed.extend(step.delta.completed.iter().map(|&call| (call, number)));
        }
        stream.finish();
        if let Some(step) = stream.next_step().unwrap() {
            completed.extend(step.delta.completed.iter().map(|&call| (call, events.len())));
        }
        assert_eq!(completed, expected, "{story}");
    }
}

#[test]
fn only_the_first_choice_speaks_but_all_are_kept() {
    let events = [
        r#"{"choices":[{"index":1,"delta":{"content":"one","tool_calls":[{"index":0,"id":"x","function":{"name":"g","arguments":"{}"}}]}},{"index":0,"delta":{"content":"zero"}}]}"#,
        r#"{"choices":[{"index":-1,"delta":{"content":"minus"},"finish_reason":"length"},{"index":1,"delta":{"content":"!"},"finish_reason":"stop"}]}"#,
    ];
    let seen = folded("choices", &events.map(str::to_owned));
    assert_eq!((seen.text(), seen.completed()), ("zero".to_owned(), vec![]));
    let message = |text: &str| json!({"role": "assistant", "content": text});
    let mut one = message("one!");
    one["tool_calls"] = json!([call("x", "g", "{}")]);
    let choices = json!([
        {"index": -1, "message": message("minus"), "finish_reason": "length"},
        {"index": 0, "message": message("zero")},
        {"index": 1, "message": one, "finish_reason": "stop"},
    ]);
    assert_eq!(without_nulls(&seen.response), response(choices));
}

#[test]
fn finish_reasons() {
    let finish =
        |reason: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":{reason}}}]}}"#);
    let table = [
        (vec!["null", "\"stop\"", "null", "\"\""], json!("stop")),
        (vec!["\"tool_calls\"", "\"stop\""], json!("stop")),
        (vec!["\"eos\""], json!("eos")),
        (vec!["null"], json!(null)),
    ];
    for (reasons, expected) in table {
        let seen = folded("finish", &reasons.iter().map(|reason| finish(reason)).collect::<Vec<_>>());
        assert_eq!(seen.response["choices"][0]["finish_reason"], expected, "{reasons:?}");
    }
}

#[test]
fn data_of_another_shape_is_an_error_that_says_where() {
    let table: &[(&str, &str)] = &[
        ("[]", "event 2 (byte 37): the data is not an object"),
        ("1", "event 2 (byte 37): the data is not an object"),
        ("null", "event 2 (byte 37): the data is not an object"),
        ("\"[DONE]\"", "event 2 (byte 37): the data is not an object"),
        ("{", "event 2 (byte 37): data is not JSON: unexpected end at byte 1 of \"{\""),
        ("{\"a\":}", "event 2 (byte 37): data is not JSON: unexpected '}' at byte 5 of \"{\\\"a\\\":}\""),
        ("{} {}", "event 2 (byte 37): data is not JSON: trailing characters at byte 3 of \"{} {}\""),
        (r#"{"choices":{}}"#, "event 2 (byte 37): choices is not an array"),
        (r#"{"choices":"x"}"#, "event 2 (byte 37): choices is not an array"),
        (r#"{"choices":[1]}"#, "event 2 (byte 37): choices[] is not an object"),
        (r#"{"choices":[{"delta":"x"}]}"#, "event 2 (byte 37): choices[].delta is not an object"),
        (
            r#"{"choices":[{"delta":{"content":1}}]}"#,
            "event 2 (byte 37): choices[].delta.content is not a string or a list of parts",
        ),
        (
            r#"{"choices":[{"delta":{"tool_calls":"x"}}]}"#,
            "event 2 (byte 37): choices[].delta.tool_calls is not a list",
        ),
        (
            r#"{"choices":[{"delta":{"tool_calls":[1]}}]}"#,
            "event 2 (byte 37): choices[].delta.tool_calls[] is not an object",
        ),
    ];
    for &(data, expected) in table {
        let body = format!(
            "data: {{\"choices\":[],\"id\":\"x\"}}\n\ndata: {data}\n\ndata: {}\n\n",
            delta(r#"{"content":"on"}"#)
        );
        for size in [1, 7, 1000] {
            let seen = read(body.as_bytes().chunks(size));
            assert_eq!(seen.errors.iter().map(Error::to_string).collect::<Vec<_>>(), [expected], "{data}");
            assert_eq!(seen.text(), "on", "what follows can still be read: {data}");
        }
    }
}

/// Bodies and the error that they report: message, body, number of the event, byte.
type Reports = &'static [(&'static str, &'static str, &'static str, &'static str, u64, u64)];

const ERRORS: Reports = &[
    (
        "an object",
        "data: {\"error\":{\"message\":\"Overloaded\",\"code\":529}}\n\n",
        "event 1 (byte 6): Overloaded",
        r#"{"message":"Overloaded","code":529}"#,
        1,
        6,
    ),
    (
        "a string",
        "data: {\"error\":\"Overloaded\"}\n\n",
        "event 1 (byte 6): Overloaded",
        "\"Overloaded\"",
        1,
        6,
    ),
    (
        "without a message",
        "data: {\"error\":{\"code\":1}}\n\n",
        "event 1 (byte 6): an error occurred during streaming",
        r#"{"code":1}"#,
        1,
        6,
    ),
    (
        "an empty message",
        "data: {\"error\":{\"message\":\"\"}}\n\n",
        "event 1 (byte 6): an error occurred during streaming",
        r#"{"message":""}"#,
        1,
        6,
    ),
    (
        "a flag",
        "data: {\"error\":true}\n\n",
        "event 1 (byte 6): an error occurred during streaming",
        "true",
        1,
        6,
    ),
    (
        "an event of that name",
        "event: error\ndata: {\"error\":{\"message\":\"Bad\"}}\n\n",
        "event 1 (byte 19): Bad",
        r#"{"message":"Bad"}"#,
        1,
        19,
    ),
    (
        "an event of that name without the member",
        "event: error\ndata: {\"message\":\"Bad\",\"code\":4}\n\n",
        "event 1 (byte 19): Bad",
        r#"{"message":"Bad","code":4}"#,
        1,
        19,
    ),
    (
        "an event of that name that is a string",
        "event: error\ndata: \"Bad\"\n\n",
        "event 1 (byte 19): Bad",
        "\"Bad\"",
        1,
        19,
    ),
    (
        "an event of that name that is no JSON",
        "event: error\ndata: too \"many\"\n\n",
        "event 1 (byte 19): too \"many\"",
        r#""too \"many\"""#,
        1,
        19,
    ),
    (
        "a field of that name",
        "error: {\"message\":\"failed to decode\"}\n\n",
        "failed to decode",
        r#"{"message":"failed to decode"}"#,
        0,
        39,
    ),
    (
        "a plain body",
        "{\"error\":{\"message\":\"No such model\"}}",
        "No such model",
        r#"{"message":"No such model"}"#,
        0,
        37,
    ),
    (
        "a pretty plain body",
        "{\n  \"error\": {\n    \"message\": \"No such model\"\n  }\n}\n",
        "No such model",
        "{\n    \"message\": \"No such model\"\n  }",
        0,
        52,
    ),
];

#[test]
fn errors_that_the_provider_reports() {
    for &(story, body, display, reported, event, byte) in ERRORS {
        for size in [1, 7, 1000] {
            let seen = read(body.as_bytes().chunks(size));
            let [error] = &seen.errors[..] else { panic!("{story}: {:?}", seen.errors) };
            let ErrorKind::Provider { body, .. } = &error.kind else { panic!("{story}: {error}") };
            assert_eq!((error.to_string().as_str(), body.as_str()), (display, reported), "{story}");
            assert_eq!((error.at.event, error.at.byte), (event, byte), "{story}");
            assert_eq!(
                seen.response,
                json!({"id": "", "object": "chat.completion", "created": 0, "model": "", "choices": [], "usage": null}),
                "{story}"
            );
        }
    }
}

#[test]
fn an_error_after_text_leaves_the_text() {
    let text = delta(r#"{"content":"so far"}"#);
    for report in [
        "data: {\"error\":{\"message\":\"cut\"}}\n\n",
        "data: {\"error\":{\"message\":\"cut\"},\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n",
        "event: error\ndata: {\"message\":\"cut\"}\n\n",
        "error: {\"message\":\"cut\"}\n\n",
        "{\n\"error\": {\"message\":\"cut\"}\n}\n",
    ] {
        let seen = read([format!("data: {text}\n\n{report}").as_bytes()]);
        assert_eq!(seen.text(), "so far", "{report}");
        assert_eq!(seen.errors.len(), 1, "{report}");
        assert!(seen.errors[0].to_string().ends_with("cut"), "{report}: {}", seen.errors[0]);
    }
}

#[test]
fn a_body_that_is_no_stream_of_events_is_shown() {
    let table = [
        (
            "<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n",
            "the body is not a stream of events; it begins with \"<!DOCTYPE html>\\n<html><body>502 Bad Gateway</body></html>\"",
        ),
        (
            "upstream connect error",
            "the body is not a stream of events; it begins with \"upstream connect error\"",
        ),
        ("{\"detail\":\"Not Found\"}", "Not Found"),
        ("{\"error\":null}", "the body is not a stream of events; it begins with \"{\\\"error\\\":null}\""),
        (
            "{\"error\":{\"message\":",
            "the body is not a stream of events; it begins with \"{\\\"error\\\":{\\\"message\\\":\"",
        ),
    ];
    for (body, expected) in table {
        let errors = read(body.as_bytes().chunks(3)).errors;
        assert_eq!(errors.iter().map(Error::to_string).collect::<Vec<_>>(), [expected]);
    }
    let long = "é".repeat(1000);
    assert!(read([long.as_bytes()]).errors[0].to_string().ends_with("é…\""));
    for silent in ["", "\n\n", ": keep-alive\n\n", "data:\n\n", "event: ping\n\n", "\u{feff}"] {
        let mut stream = Stream::new(Quirks::default(), Limits::default());
        stream.feed(silent.as_bytes());
        stream.finish();
        assert_eq!(stream.next_step().unwrap_err().kind, ErrorKind::Unfinished, "{silent:?}");
        assert!(stream.next_step().unwrap().is_none());
    }
    assert_eq!(read([&b"data: [DONE]\n\n"[..]]).errors, []);
}

#[test]
fn nothing_counts_after_the_terminator() {
    let text = delta(r#"{"content":"a"}"#);
    for done in ["data: [DONE]\n\n", "data:[DONE]\r\n\r\n", "data: [DONE] \n\n", "data: [DONE]\ndata: x\n\n"]
    {
        let body = format!(
            "data: {text}\n\n{done}data: {text}\n\ndata: {{\"error\":\"late\"}}\n\nerror: {{\"message\":\"late\"}}\n\n<html>\n"
        );
        let (mut stream, mut seen) = (stream(), Seen::default());
        stream.feed(format!("data: {text}\n\n").as_bytes());
        drain(&mut stream, &mut seen);
        assert!(!stream.is_done());
        stream.feed(&body.as_bytes()[text.len() + 8..]);
        drain(&mut stream, &mut seen);
        assert!(stream.is_done());
        let seen = end(stream, seen);
        assert_eq!((seen.text(), seen.errors), ("a".to_owned(), vec![]), "{done:?}");
    }
}

/// Events that differ from one another in few places, as those of a stream do.
fn similar_events() -> impl Strategy<Value = Vec<String>> {
    let text = proptest::sample::select(vec![
        "",
        "a",
        "Hello",
        r"\n",
        r"\ud83d",
        r"\ude00",
        r"\\",
        r#"\""#,
        "{",
        "}",
        "é",
        "null",
        r"{\",
        r#"\"content\":\"x"#,
    ]);
    let shape = proptest::sample::select(vec![
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"@"}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"@"},"logprobs":null,"finish_reason":null}],"obfuscation":"@"}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"@","content":"@"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"@","content":null}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning":"@","reasoning_content":"@","content":"@"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"@"}},{"index":1,"delta":{"content":"@"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"@","function":{"name":"f","arguments":"@"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}},{"index":1,"function":{"arguments":"@"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":"@"}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"@"},"logprobs":{"content":[{"token":"@"}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"refusal":"@","role":"@"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"@","x":["@"],"y":{"z":"@"}}}],"usage":{"a":"@"},"x":["@"]}"#,
        r#"{"choices":[{"index":0,"delta":{"audio":{"data":"@","transcript":"@"}}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"function_call":{"name":"f","arguments":"@"}}}]}"#,
        r#"{"choices":[{"index":0,"message":{"content":"@"},"delta":{"content":"@"}}]}"#,
        r#"{"choices":[],"usage":{"total_tokens":"@"},"error":"@"}"#,
        r#"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"@"}]}}]}"#,
    ]);
    let run = (shape, proptest::collection::vec(proptest::collection::vec(text, 4), 1..6)).prop_map(
        |(shape, fills)| {
            let fill = |texts: Vec<&str>| {
                let mut out = String::new();
                let mut texts = texts.into_iter().cycle();
                for (place, fixed) in shape.split('@').enumerate() {
                    let text = if place > 0 { texts.next().unwrap_or_default() } else { "" };
                    // Two pieces that end alike are no valid text together in every shape; the readers see to that.
                    write!(out, "{text}{fixed}").unwrap();
                }
                out
            };
            fills.into_iter().map(fill).collect::<Vec<_>>()
        },
    );
    proptest::collection::vec(run, 1..6).prop_map(|runs| runs.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_fold_alike_by_the_shortcut_and_the_long_way(events in similar_events()) {
        let [short, long] = [false, true].map(|forced| fold(events.iter().map(String::as_str), forced));
        prop_assert_eq!(short.steps, long.steps);
        prop_assert_eq!(short.response, long.response);
        let kinds = |errors: Vec<Error>| errors.into_iter().map(|error| error.kind).collect::<Vec<_>>();
        prop_assert_eq!(kinds(short.errors), kinds(long.errors));
    }

    #[test]
    fn any_events_fold_alike_in_any_pieces(
        events in similar_events(),
        ends in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        let body = as_body(&events);
        let whole = read([&body[..]]);
        let mut ends: Vec<_> = ends.iter().map(|end| end.index(body.len() + 1)).chain([0, body.len()]).collect();
        ends.sort_unstable();
        prop_assert_eq!(&read(ends.windows(2).map(|pair| &body[pair[0]..pair[1]])), &whole);
        let fed = fold(events.iter().copied(), false);
        prop_assert_eq!((fed.steps, fed.response), (whole.steps, whole.response));
    }
}

#[test]
fn a_stream_reports_its_end_in_one_of_three_ways() {
    let say = delta(r#"{"content":"Hel"}"#);
    let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#.to_owned();
    let usage = r#"{"choices":[],"usage":{"total_tokens":1}}"#.to_owned();
    for (events, end, expected) in [
        (vec![&say], "", vec![ErrorKind::Unfinished]),
        (vec![&say], "data: [DONE]\n\n", vec![]),
        (vec![&say, &finish], "", vec![]),
        (vec![&say, &usage], "", vec![]),
    ] {
        let mut stream = Stream::new(Quirks::default(), Limits::default());
        for event in events {
            stream.feed(format!("data: {event}\n\n").as_bytes());
        }
        stream.feed(end.as_bytes());
        let mut seen = Seen::default();
        drain(&mut stream, &mut seen);
        stream.finish();
        drain(&mut stream, &mut seen);
        assert_eq!(seen.errors.into_iter().map(|error| error.kind).collect::<Vec<_>>(), expected);
        assert_eq!(stream.state().message_so_far().text, "Hel");
    }
    // A client hands out events, and keeps the terminator to itself.
    let mut stream = Stream::new(Quirks::default(), Limits::default());
    stream.set_framed(false);
    stream.feed_event(&say).unwrap();
    stream.finish();
    assert!(stream.next_step().unwrap().is_none());
}

#[test]
fn errors_in_place_of_events() {
    for (event, expected) in [
        (r#"{"detail":"Overloaded"}"#, "Overloaded"),
        (r#"{"detail":[{"msg":"bad"}]}"#, r#"[{"msg":"bad"}]"#),
        (r#"{"object":"error","message":"Overloaded"}"#, "Overloaded"),
        (r#"{"choices":[{"index":0,"delta":{},"error":{"message":"lost"}}]}"#, "lost"),
        (r#"{"choices":[],"x_groq":{"error":"lost"}}"#, "lost"),
    ] {
        let errors = fold([event], false).errors;
        assert_eq!(errors.iter().map(|error| error.kind.to_string()).collect::<Vec<_>>(), [expected]);
    }
    let detail = r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"detail":"a"}"#;
    assert_eq!(fold([detail], false).errors, [], "beside choices it is a member as any other");
}
