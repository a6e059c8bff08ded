//! The time per event of a stream, from the bytes of a read to the delta.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod bodies;

use bodies::{
    READ, WORDS, alternating_stream, anthropic_stream, bedrock_stream, cohere_stream, converse_stream,
    decode, decode_framed, expected_text, gemini_array, gemini_calls, gemini_stream, padded_stream,
    responses_stream, text_stream, tool_stream,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferroscope_core::Framing;
use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use std::hint::black_box;
use std::path::Path;

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
