//! A text that is read again and again is what the message has, and the readings together copy it about once.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking")]

use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::dialect::{Dialect, Format};
use ferroscope_core::text_cursor::{Change, TextCursor};
use ferroscope_core::{Framing, Limits, Stream};
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Reads the texts of a message by cursors.
#[derive(Default)]
struct Reader {
    content: (TextCursor, String),
    reasoning: (TextCursor, String),
    copied: usize,
}

impl Reader {
    fn read(&mut self, state: &Dialect) {
        let pieces =
            [(&mut self.content, state.text_pieces()), (&mut self.reasoning, state.reasoning_pieces())];
        for ((cursor, text), pieces) in pieces {
            match cursor.read(&pieces, state.rewrites()) {
                Change::Appended(added) => {
                    self.copied += added.len();
                    text.push_str(&added);
                }
                Change::Replaced(all) => {
                    self.copied += all.len();
                    *text = all;
                }
            }
        }
        let message = state.message_so_far();
        assert_eq!(self.content.1, message.text);
        assert_eq!(self.reasoning.1, message.reasoning);
    }
}

fn formats() -> [(Format, &'static str, Framing); 5] {
    [
        (Format::OpenaiChat(Quirks::default()), "openai_chat", Framing::Sse),
        (Format::Anthropic, "anthropic", Framing::Sse),
        (Format::Cohere, "cohere", Framing::Sse),
        (Format::Gemini, "gemini", Framing::Sse),
        (Format::OpenaiResponses, "openai_responses", Framing::Sse),
    ]
}

#[test]
fn every_reading_of_a_recorded_stream_is_the_text_of_the_message() {
    for (format, folder, framing) in formats() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus").join(folder);
        let mut streams = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "sse") {
                continue;
            }
            streams += 1;
            for every in [1, 2, 5] {
                let mut stream = Stream::new(format.clone(), Limits::default());
                stream.set_framing(framing);
                stream.feed(&fs::read(&path).unwrap());
                stream.finish();
                let mut reader = Reader::default();
                for step in 0.. {
                    match stream.next_step() {
                        Ok(Some(_)) | Err(_) if step % every == 0 => reader.read(stream.state()),
                        Ok(Some(_)) | Err(_) => {}
                        Ok(None) => break,
                    }
                }
                reader.read(stream.state());
            }
        }
        assert!(streams > 10, "the streams are missing");
    }
}

#[test]
fn reading_after_every_event_copies_each_character_once() {
    let mut stream = Stream::new(Format::OpenaiChat(Quirks::default()), Limits::default());
    let mut reader = Reader::default();
    for number in 0..1000 {
        let delta = json!({"content": format!("word {number} "), "reasoning": format!("thought {number} ")});
        stream.feed_event(&json!({"choices": [{"index": 0, "delta": delta}]}).to_string()).unwrap();
        reader.read(stream.state());
        reader.read(stream.state());
    }
    assert_eq!(reader.copied, reader.content.1.len() + reader.reasoning.1.len());
}

/// Events of blocks that take turns, which only a broken server sends.
fn anthropic_event() -> impl Strategy<Value = serde_json::Value> {
    let delta = prop_oneof![
        "[a-c]{0,2}".prop_map(|text| json!({"type": "text_delta", "text": text})),
        "[a-c]{0,2}".prop_map(|text| json!({"type": "thinking_delta", "thinking": text})),
    ];
    (0..3usize, delta)
        .prop_map(|(index, delta)| json!({"type": "content_block_delta", "index": index, "delta": delta}))
}

/// Events of items that take turns, and whole values that differ from what their deltas made.
fn responses_event() -> impl Strategy<Value = serde_json::Value> {
    let text = "[a-c]{0,2}";
    prop_oneof![
        (0..3usize, text).prop_map(|(item, text)| {
            json!({"type": "response.output_text.delta", "output_index": item * 2, "content_index": 0, "delta": text})
        }),
        (0..3usize, text).prop_map(|(item, text)| {
            json!({"type": "response.output_text.done", "output_index": item * 2, "content_index": 0, "text": text})
        }),
        (0..2usize, text).prop_map(|(index, text)| {
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 1, "summary_index": index, "delta": text})
        }),
        (0..3usize, text).prop_map(|(item, text)| {
            let part = json!({"type": "output_text", "text": text});
            let message = json!({"type": "message", "content": [part]});
            json!({"type": "response.output_item.done", "output_index": item * 2, "item": message})
        }),
    ]
}

/// Reasoning in two members, and values in them that are no strings.
fn chat_event() -> impl Strategy<Value = serde_json::Value> {
    let value = prop_oneof![4 => "[a-c]{0,2}".prop_map(serde_json::Value::from), 1 => Just(json!({"a": 1}))];
    (prop::sample::select(vec!["content", "reasoning", "reasoning_content"]), value).prop_map(
        |(name, value)| {
            let value = if name == "content" && !value.is_string() { json!(null) } else { value };
            json!({"choices": [{"index": 0, "delta": {name: value}}]})
        },
    )
}

fn read_at_times(format: Format, events: &[(serde_json::Value, bool)]) {
    let mut stream = Stream::new(format, Limits::default());
    let mut reader = Reader::default();
    for (event, is_read) in events {
        stream.feed_event(&event.to_string()).unwrap();
        if *is_read {
            reader.read(stream.state());
        }
    }
    reader.read(stream.state());
}

proptest! {
    #[test]
    fn blocks_in_any_order(events in prop::collection::vec((anthropic_event(), any::<bool>()), 0..20)) {
        read_at_times(Format::Anthropic, &events);
    }

    #[test]
    fn items_in_any_order(events in prop::collection::vec((responses_event(), any::<bool>()), 0..20)) {
        read_at_times(Format::OpenaiResponses, &events);
    }

    #[test]
    fn members_in_any_order(events in prop::collection::vec((chat_event(), any::<bool>()), 0..20)) {
        read_at_times(Format::OpenaiChat(Quirks::default()), &events);
    }
}
