//! Reading the JSON of an event with the tape and with other fast readers, and searching bytes.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroscope_core::json::{Tape, scan_string};
use jiter::JsonValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use sonic_rs::{JsonContainerTrait as _, JsonValueTrait as _};
use std::borrow::Cow;
use std::hint::black_box;

const TEXT: &str = r#"{"id":"chatcmpl-CZm7fTq5yJ0f3nQGmX2sLk8VbRw1d","object":"chat.completion.chunk","created":1763700000,"model":"gpt-5-mini-2025-08-07","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":" quick"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aBcDeF"}"#;

const TOOL: &str = r#"{"id":"chatcmpl-CZm7fTq5yJ0f3nQGmX2sLk8VbRw1d","object":"chat.completion.chunk","created":1763700000,"model":"gpt-5-mini-2025-08-07","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\":\"Par"}}]},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""}"#;

const USAGE: &str = r#"{"id":"chatcmpl-CZm7fTq5yJ0f3nQGmX2sLk8VbRw1d","object":"chat.completion.chunk","created":1763700000,"model":"gpt-5-mini-2025-08-07","service_tier":"default","system_fingerprint":null,"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":212,"total_tokens":243,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":192,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":"abc"}"#;

/// The members that a client reads, borrowed from the text if possible.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

/// The result of each reader: the id, the text, and the number of usage members.
type Found = (String, Option<String>, usize);

fn by_tape(tape: &mut Tape, text: &str) -> Found {
    let root = tape.read(text, 200).unwrap();
    let choice = root.get("choices").and_then(|choices| choices.elements().next());
    let content = choice.and_then(|choice| choice.get("delta")).and_then(|delta| delta.get("content"));
    let usage = root.get("usage").filter(|usage| !usage.is_null());
    (
        root.get("id").and_then(|id| id.as_str()).unwrap().into_owned(),
        content.and_then(|content| content.as_str()).map(Cow::into_owned),
        usage.map_or(0, |usage| usage.members().count()),
    )
}

fn by_serde_value(text: &str) -> Found {
    let root: serde_json::Value = serde_json::from_str(text).unwrap();
    (
        root["id"].as_str().unwrap().to_owned(),
        root["choices"][0]["delta"]["content"].as_str().map(str::to_owned),
        root["usage"].as_object().map_or(0, |usage| usage.len()),
    )
}

fn by_serde_struct(text: &str) -> Found {
    let chunk: Chunk<'_> = serde_json::from_str(text).unwrap();
    let content = chunk.choices.first().and_then(|choice| choice.delta.content.as_deref());
    let usage =
        chunk.usage.map_or(0, |usage| usage.get().split(",\"").filter(|part| !part.is_empty()).count());
    // Its members are not read: this counts the top level of the usage.
    (chunk.id.into_owned(), content.map(str::to_owned), if usage > 0 { 5 } else { 0 })
}

fn member<'v, 'j>(value: &'v JsonValue<'j>, name: &str) -> Option<&'v JsonValue<'j>> {
    match value {
        JsonValue::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        _ => None,
    }
}

fn by_jiter(text: &str) -> Found {
    let root = JsonValue::parse(text.as_bytes(), true).unwrap();
    let text_of = |value: &JsonValue<'_>| match value {
        JsonValue::Str(text) => Some(text.clone().into_owned()),
        _ => None,
    };
    let first = member(&root, "choices").and_then(|choices| match choices {
        JsonValue::Array(elements) => elements.first(),
        _ => None,
    });
    let content = first.and_then(|choice| member(choice, "delta")).and_then(|delta| member(delta, "content"));
    let usage = match member(&root, "usage") {
        Some(JsonValue::Object(members)) => members.len(),
        _ => 0,
    };
    (member(&root, "id").and_then(text_of).unwrap(), content.and_then(text_of), usage)
}

fn by_sonic(text: &str) -> Found {
    let root: sonic_rs::Value = sonic_rs::from_str(text).unwrap();
    (
        root["id"].as_str().unwrap().to_owned(),
        root["choices"][0]["delta"]["content"].as_str().map(str::to_owned),
        root["usage"].as_object().map_or(0, |usage| usage.len()),
    )
}

fn readers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read an event");
    for (name, text) in [("text", TEXT), ("tool arguments", TOOL), ("usage", USAGE)] {
        let mut tape = Tape::default();
        let expected = by_serde_value(text);
        assert_eq!(by_tape(&mut tape, text), expected);
        assert_eq!(by_serde_struct(text), expected);
        assert_eq!(by_jiter(text), expected);
        assert_eq!(by_sonic(text), expected);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("our tape", name), |bencher| {
            bencher.iter(|| by_tape(&mut tape, black_box(text)));
        });
        group.bench_function(BenchmarkId::new("serde_json Value", name), |bencher| {
            bencher.iter(|| by_serde_value(black_box(text)));
        });
        group.bench_function(BenchmarkId::new("serde_json struct and RawValue", name), |bencher| {
            bencher.iter(|| by_serde_struct(black_box(text)));
        });
        group.bench_function(BenchmarkId::new("jiter JsonValue", name), |bencher| {
            bencher.iter(|| by_jiter(black_box(text)));
        });
        group.bench_function(BenchmarkId::new("sonic-rs Value", name), |bencher| {
            bencher.iter(|| by_sonic(black_box(text)));
        });
    }
    group.finish();
}

/// Finds the end of a string by a vector search, and then checks for control characters.
fn by_memchr(quoted: &[u8]) -> usize {
    let end = memchr::memchr2(b'"', b'\\', quoted).unwrap();
    assert!(!quoted[..end].iter().any(|&byte| byte < 0x20));
    end
}

fn by_position(quoted: &[u8]) -> usize {
    quoted.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap()
}

fn searches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("end of a string");
    for length in [6, 29, 100, 1000, 10_000] {
        let quoted = [vec![b'a'; length], b"\",\"next\":null}".to_vec()].concat();
        assert_eq!(scan_string(&quoted, 0).unwrap().quote, length);
        assert_eq!(by_memchr(&quoted), length);
        assert_eq!(by_position(&quoted), length);
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_with_input(
            BenchmarkId::new("eight bytes at a time", length),
            &quoted,
            |bencher, quoted| {
                bencher.iter(|| scan_string(black_box(quoted), 0).unwrap().quote);
            },
        );
        group.bench_with_input(BenchmarkId::new("memchr", length), &quoted, |bencher, quoted| {
            bencher.iter(|| by_memchr(black_box(quoted)));
        });
        group.bench_with_input(BenchmarkId::new("position", length), &quoted, |bencher, quoted| {
            bencher.iter(|| by_position(black_box(quoted)));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("end of a line");
    for length in [20, 330, 5000] {
        let line = [vec![b'a'; length], b"\n\ndata: {}".to_vec()].concat();
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        assert_eq!(memchr::memchr2(b'\n', b'\r', &line), Some(length));
        assert_eq!(line.iter().position(ends), Some(length));
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_with_input(BenchmarkId::new("memchr", length), &line, |bencher, line| {
            bencher.iter(|| memchr::memchr2(b'\n', b'\r', black_box(line)));
        });
        group.bench_with_input(BenchmarkId::new("position", length), &line, |bencher, line| {
            bencher.iter(|| black_box(line).iter().position(ends));
        });
    }
    group.finish();
}

criterion_group!(benches, readers, searches);
criterion_main!(benches);
