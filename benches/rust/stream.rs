//! The time per event of a stream, from the bytes of a read to the delta.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::{Framing, Limits, Stream};
use std::hint::black_box;
use std::path::Path;

const READ: usize = 16 << 10;

/// Feeds a body in reads and drains it. Returns the number of events, and the text.
fn decode(format: &Format, body: &[u8], read: usize) -> (u64, String) {
    decode_framed(Framing::Sse, format, body, read)
}

fn decode_framed(framing: Framing, format: &Format, body: &[u8], read: usize) -> (u64, String) {
    let mut stream = Stream::new(format.clone(), Limits::default());
    stream.set_framing(framing);
    let (mut events, mut text) = (0, String::new());
    for bytes in body.chunks(read) {
        stream.feed(bytes);
        while let Ok(Some(step)) = stream.next_step() {
            events += u64::from(step.data.is_some());
            text.push_str(&step.delta.text);
        }
    }
    stream.finish();
    while let Ok(Some(step)) = stream.next_step() {
        text.push_str(&step.delta.text);
    }
    assert_eq!(stream.state().message_so_far().text, text);
    (events, text)
}

/// Returns an event as OpenAI sends it, with this delta.
fn event(delta: &str, padding: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-CZm7fTq5yJ0f3nQGmX2sLk8VbRw1d\",\"object\":\"chat.completion.chunk\",\
         \"created\":1763700000,\"model\":\"gpt-5-mini-2025-08-07\",\"service_tier\":\"default\",\
         \"system_fingerprint\":null,\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
         \"finish_reason\":null}}],\"usage\":null{padding}}}\n\n"
    )
}

const WORDS: [&str; 8] =
    [" the", " quick", " brown", " fox\\n", " jumps", " over", " a \\\"lazy\\\"", " dog."];

fn expected_text() -> String {
    WORDS.join("").repeat(125).replace("\\n", "\n").replace("\\\"", "\"")
}

fn text_stream() -> Vec<u8> {
    let events = (0..1000).map(|n| event(&format!("{{\"content\":\"{}\"}}", WORDS[n % WORDS.len()]), ""));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

fn padded_stream() -> Vec<u8> {
    let padding = |n: usize| format!(",\"obfuscation\":\"{}\"", "x".repeat(n % 9));
    let events =
        (0..1000).map(|n| event(&format!("{{\"content\":\"{}\"}}", WORDS[n % WORDS.len()]), &padding(n)));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

/// The worst case for the shortcut: two forms of an event alternate.
fn alternating_stream() -> Vec<u8> {
    let of = |n: usize| if n.is_multiple_of(2) { "content" } else { "refusal" };
    let events = (0..1000).map(|n| event(&format!("{{\"{}\":\"{}\"}}", of(n), WORDS[n % WORDS.len()]), ""));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

fn tool_stream() -> Vec<u8> {
    let mut body = String::new();
    for call in 0..10 {
        let piece = |piece: &str| event(&format!("{{\"tool_calls\":[{{\"index\":{call},{piece}}}]}}"), "");
        body += &piece(&format!(
            "\"id\":\"call_{call}\",\"type\":\"function\",\"function\":{{\"name\":\"search\",\"arguments\":\"\"}}"
        ));
        body += &piece("\"function\":{\"arguments\":\"{\\\"query\\\":\\\"\"}");
        for n in 0..97 {
            body += &piece(&format!("\"function\":{{\"arguments\":\"{}\"}}", WORDS[n % 3]));
        }
        body += &piece("\"function\":{\"arguments\":\"\\\"}\"}");
    }
    (body + "data: [DONE]\n\n").into()
}

/// An event as Anthropic sends it.
fn delta(n: usize) -> String {
    format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{}"}}}}"#,
        WORDS[n % WORDS.len()]
    )
}

fn anthropic_stream() -> Vec<u8> {
    (0..1000)
        .map(|n| format!("event: content_block_delta\ndata: {}\n\n", delta(n)))
        .collect::<String>()
        .into()
}

fn cohere_stream() -> Vec<u8> {
    let event = |n: usize| {
        format!(
            r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{{"text":"{}"}}}}}}}}"#,
            WORDS[n % WORDS.len()]
        )
    };
    (0..1000).map(|n| format!("event: content-delta\ndata: {}\n\n", event(n))).collect::<String>().into()
}

/// Returns an event as the Gemini API sends it, with counts that change from event to event.
fn candidate(n: usize) -> String {
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{{"text": "{}"}}],"role": "model"}},"index": 0}}],"usageMetadata": {{"promptTokenCount": 277,"candidatesTokenCount": {n},"totalTokenCount": {},"promptTokensDetails": [{{"modality": "TEXT","tokenCount": 277}}],"thoughtsTokenCount": 570}},"modelVersion": "gemini-3-flash-preview","responseId": "_vr4aYiWEJnYodAPkujX0QM"}}"#,
        WORDS[n % WORDS.len()],
        n + 847
    )
}

/// The last event, which has only the finish reason.
const FINISH: &str = r#"{"candidates": [{"finishReason": "STOP","index": 0}]}"#;

fn gemini_stream() -> Vec<u8> {
    let events = (0..999).map(candidate).map(|event| format!("data: {event}\r\n\r\n"));
    (events.collect::<String>() + &format!("data: {FINISH}\r\n\r\n")).into()
}

/// The same events as an array, each on several lines.
fn gemini_array() -> Vec<u8> {
    let pretty = |event: &str| event.replace("{\"", "{\n      \"").replace(",\"", ",\n      \"");
    let events: Vec<_> =
        (0..999).map(candidate).chain([FINISH.to_owned()]).map(|event| pretty(&event)).collect();
    format!("[{}\n]", events.join(",\r\n")).into()
}

/// Calls whose arguments are single values, with each string in pieces.
fn gemini_calls() -> Vec<u8> {
    let event = |call: &str| {
        let event = candidate(0).replace(r#""text": " the""#, &format!("\"functionCall\": {call}"));
        format!("data: {event}\r\n\r\n")
    };
    let mut body = String::new();
    for _ in 0..10 {
        body += &event(r#"{"name": "search","willContinue": true}"#);
        for n in 0..97 {
            let (query, word) = (n / 10, WORDS[n % 3]);
            body += &event(&format!(
                r#"{{"partialArgs": [{{"jsonPath": "$.queries[{query}].text","stringValue": "{word}","willContinue": true}}],"willContinue": true}}"#
            ));
        }
        body += &event(r#"{"partialArgs": [{"jsonPath": "$.limit","numberValue": 9}],"willContinue": true}"#);
        body += &event("{}");
    }
    body.into()
}

/// Returns a message of AWS's event stream.
fn message(name: &str, payload: &str) -> Vec<u8> {
    let headers: Vec<u8> =
        [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")]
            .into_iter()
            .flat_map(|(name, value)| {
                [&[name.len() as u8], name.as_bytes(), &[7, 0, value.len() as u8], value.as_bytes()].concat()
            })
            .collect();
    let lengths = [(headers.len() + payload.len() + 16) as u32, headers.len() as u32];
    let mut message = lengths.map(u32::to_be_bytes).concat();
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend([&headers[..], payload.as_bytes()].concat());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

fn padding(n: usize) -> &'static str {
    &"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"[n % 36..]
}

/// The events of Anthropic's stream in Bedrock's frames.
fn bedrock_stream() -> Vec<u8> {
    let payload = |n| format!(r#"{{"bytes":"{}","p":"{}"}}"#, STANDARD.encode(delta(n)), padding(n));
    (0..1000).flat_map(|n| message("chunk", &payload(n))).collect()
}

fn converse_stream() -> Vec<u8> {
    let payload = |n: usize| {
        let (word, padding) = (WORDS[n % WORDS.len()], padding(n));
        format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}},"p":"{padding}"}}"#)
    };
    (0..1000).flat_map(|n| message("contentBlockDelta", &payload(n))).collect()
}

/// Events as OpenAI's Responses API sends them.
fn responses_stream() -> Vec<u8> {
    let event = |n: usize| {
        format!(
            "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
             \"sequence_number\":{n},\"item_id\":\"msg_0c4a5dd31a1b6ff20068f0a3a0a1e481a0\",\"output_index\":0,\
             \"content_index\":0,\"delta\":\"{}\",\"logprobs\":[],\"obfuscation\":\"{}\"}}\n\n",
            WORDS[n % WORDS.len()],
            "x".repeat(n % 9),
        )
    };
    let text = expected_text().replace('\n', "\\n").replace('"', "\\\"");
    let last = format!(
        r#"{{"type":"response.completed","response":{{"id":"resp_1","status":"completed","output":[{{"type":"message","id":"msg_0c4a5dd31a1b6ff20068f0a3a0a1e481a0","content":[{{"type":"output_text","text":"{text}"}}]}}]}}}}"#
    );
    ((0..1000).map(event).collect::<String>() + &format!("data: {last}\n\n")).into()
}

/// Returns the streams of the corpus with an answer, each with its number of events.
fn corpus(wire: &str, format: &Format) -> Vec<(Vec<u8>, u64)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus").join(wire);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sse"));
    paths.sort();
    let read = |path| {
        let body: Vec<u8> = std::fs::read(path).unwrap();
        let (events, _) = decode(format, &body, READ);
        (body, events)
    };
    paths.into_iter().map(read).collect()
}

fn streams(criterion: &mut Criterion) {
    let chat = Format::from(Quirks::default());
    let mut group = criterion.benchmark_group("stream");
    for (name, body, expected) in [
        ("text", text_stream(), expected_text()),
        ("text with padding", padded_stream(), expected_text()),
        ("tool arguments", tool_stream(), String::new()),
        (
            "shapes that take turns",
            alternating_stream(),
            WORDS.iter().step_by(2).copied().collect::<String>().repeat(125),
        ),
    ] {
        let expected = expected.replace("\\n", "\n").replace("\\\"", "\"");
        assert_eq!(decode(&chat, &body, READ), (1000, expected.clone()), "{name}");
        assert_eq!(decode(&chat, &body, 1), (1000, expected), "{name}");
        group.throughput(Throughput::Elements(1000));
        group.bench_with_input(BenchmarkId::new(name, "reads of 16 KiB"), &body, |bencher, body| {
            bencher.iter(|| decode(&chat, black_box(body), READ));
        });
    }
    let body = text_stream();
    let event = body.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    group.bench_with_input(BenchmarkId::new("text", "a read an event"), &body, |bencher, body| {
        bencher.iter(|| decode(&chat, black_box(body), event));
    });
    for (name, format, framing, body) in [
        ("Anthropic", Format::Anthropic, Framing::Sse, anthropic_stream()),
        ("Anthropic in Bedrock's frames", Format::Anthropic, Framing::AwsEventStream, bedrock_stream()),
        ("Bedrock's Converse", Format::BedrockConverse, Framing::AwsEventStream, converse_stream()),
        ("Cohere", Format::Cohere, Framing::Sse, cohere_stream()),
    ] {
        assert_eq!(decode_framed(framing, &format, &body, READ), (1000, expected_text()), "{name}");
        assert_eq!(decode_framed(framing, &format, &body, 1), (1000, expected_text()), "{name}");
        group.bench_with_input(BenchmarkId::new(name, "reads of 16 KiB"), &body, |bencher, body| {
            bencher.iter(|| decode_framed(framing, &format, black_box(body), READ));
        });
    }
    let all_but_the_last = expected_text().strip_suffix(" dog.").map(str::to_owned).unwrap();
    for (name, framing, body, expected) in [
        ("Gemini", Framing::Sse, gemini_stream(), all_but_the_last.as_str()),
        ("Gemini in an array", Framing::JsonLines, gemini_array(), &all_but_the_last),
        ("Gemini's arguments in pieces", Framing::Sse, gemini_calls(), ""),
    ] {
        let (format, expected) = (Format::Gemini, (1000, expected.to_owned()));
        assert_eq!(decode_framed(framing, &format, &body, READ), expected, "{name}");
        assert_eq!(decode_framed(framing, &format, &body, 1), expected, "{name}");
        group.bench_with_input(BenchmarkId::new(name, "reads of 16 KiB"), &body, |bencher, body| {
            bencher.iter(|| decode_framed(framing, &format, black_box(body), READ));
        });
    }
    let body = responses_stream();
    for read in [READ, 1] {
        assert_eq!(decode(&Format::OpenaiResponses, &body, read), (1001, expected_text()));
    }
    group.throughput(Throughput::Elements(1001));
    group.bench_with_input(
        BenchmarkId::new("OpenAI Responses", "reads of 16 KiB"),
        &body,
        |bencher, body| {
            bencher.iter(|| decode(&Format::OpenaiResponses, black_box(body), READ));
        },
    );
    for (wire, format) in [
        ("openai_chat", chat.clone()),
        ("anthropic", Format::Anthropic),
        ("cohere", Format::Cohere),
        ("gemini", Format::Gemini),
        ("openai_responses", Format::OpenaiResponses),
    ] {
        let streams = corpus(wire, &format);
        let events = streams.iter().map(|(_, events)| events).sum();
        assert!(events > 100, "{wire}");
        group.throughput(Throughput::Elements(events));
        group.bench_with_input(BenchmarkId::new("small streams", wire), &streams, |bencher, streams| {
            bencher.iter(|| {
                streams.iter().map(|(body, _)| decode(&format, black_box(body), READ).0).sum::<u64>()
            });
        });
    }
    group.finish();
}

/// Measures a custom body: `FERROSCOPE_BODY=path cargo bench --bench stream -- body`.
fn a_body(criterion: &mut Criterion) {
    let Ok(path) = std::env::var("FERROSCOPE_BODY") else { return };
    let body = std::fs::read(path).unwrap();
    let chat = Format::from(Quirks::default());
    let (events, text) = decode(&chat, &body, READ);
    assert_eq!(decode(&chat, &body, 7), (events, text));
    let mut group = criterion.benchmark_group("body");
    group.throughput(Throughput::Elements(events));
    group.bench_function("reads of 16 KiB", |bencher| {
        bencher.iter(|| decode(&chat, black_box(&body), READ));
    });
    group.finish();
}

criterion_group!(benches, streams, a_body);
criterion_main!(benches);
