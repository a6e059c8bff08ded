//! Runs one case so many times, for `tools/count_instructions.py`: `instructions CASE TIMES`.
//!
//! Without arguments it prints the cases, each with the number of its elements.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod bodies;

use bodies::{
    READ, alternating_stream, anthropic_stream, cohere_stream, converse_stream, decode_framed, event,
    expected_text, gemini_calls, gemini_stream, responses_stream, text_stream, tool_stream,
};
use ferroscope_core::Framing;
use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::partial_json::{Document, Rules};
use ferroscope_core::price::{Book, Call};
use std::hint::black_box;

/// A case: its name, the number of its elements, and what runs it once.
type Case = (&'static str, u64, Box<dyn Fn()>);

fn stream(name: &'static str, framing: Framing, format: Format, body: Vec<u8>, read: usize) -> Case {
    let (events, _) = decode_framed(framing, &format, &body, read);
    assert!(events >= 1000, "{name}: {events} events");
    (name, events, Box::new(move || drop(black_box(decode_framed(framing, &format, black_box(&body), read)))))
}

fn cases() -> Vec<Case> {
    let chat = || Format::from(Quirks::default());
    let alone = event("{\"content\":\" the\"}", "").len();
    assert_eq!(decode_framed(Framing::Sse, &chat(), &text_stream(), READ), (1000, expected_text()));
    vec![
        stream("OpenAI, text", Framing::Sse, chat(), text_stream(), READ),
        stream("OpenAI, text, about an event per read", Framing::Sse, chat(), text_stream(), alone),
        stream("OpenAI, tool arguments", Framing::Sse, chat(), tool_stream(), READ),
        stream("OpenAI, two shapes of an event", Framing::Sse, chat(), alternating_stream(), READ),
        stream("OpenAI Responses", Framing::Sse, Format::OpenaiResponses, responses_stream(), READ),
        stream("Anthropic", Framing::Sse, Format::Anthropic, anthropic_stream(), READ),
        stream("Cohere", Framing::Sse, Format::Cohere, cohere_stream(), READ),
        stream("Gemini", Framing::Sse, Format::Gemini, gemini_stream(), READ),
        stream("Gemini, arguments in pieces", Framing::Sse, Format::Gemini, gemini_calls(), READ),
        stream("Bedrock", Framing::AwsEventStream, Format::BedrockConverse, converse_stream(), READ),
        ("partial JSON, deltas of 8 bytes", 2000, Box::new(partial_json)),
        ("price of a usage object", 100, prices()),
    ]
}

fn partial_json() {
    let item = r#"{"name": "item number 7", "price": 7.5, "tags": ["a", "b"], "ok": true}, "#;
    let mut text = String::from("{\"items\": [") + &item.repeat(16_000 / item.len() + 1);
    text.truncate(16_000);
    let mut document = Document::new(Rules::DEFAULT);
    for delta in text.as_bytes().chunks(8) {
        document.feed(delta).unwrap();
        black_box(document.changes());
    }
}

fn prices() -> Box<dyn Fn()> {
    let usage =
        br#"{"prompt_tokens":1200,"completion_tokens":300,"prompt_tokens_details":{"cached_tokens":400}}"#;
    let (book, call) = (Book::default(), Call { at: 1_763_700_000, now: 1_763_700_000, ..Call::default() });
    Box::new(move || {
        for _ in 0..100 {
            let total = book.total_json("openai", black_box("gpt-4o"), None, black_box(usage), &call);
            assert!(black_box(total).is_some());
        }
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let cases = cases();
    if let [wanted, times] = &arguments[..] {
        let (.., run) = cases.iter().find(|(name, ..)| name == wanted).unwrap();
        (0..times.parse::<u64>().unwrap()).for_each(|_| run());
    } else {
        cases.iter().for_each(|(name, elements, _)| println!("{elements}\t{name}"));
    }
}
