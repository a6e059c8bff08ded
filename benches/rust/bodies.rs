//! Bodies of streams as providers send them, each of about a thousand events.
#![allow(dead_code, reason = "each bench uses some of them")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferroscope_core::dialect::Format;
use ferroscope_core::{Framing, Limits, Stream};

pub const READ: usize = 16 << 10;

/// Feeds a body in reads and drains it. Returns the number of events, and the text.
pub fn decode(format: &Format, body: &[u8], read: usize) -> (u64, String) {
    decode_framed(Framing::Sse, format, body, read)
}

pub fn decode_framed(framing: Framing, format: &Format, body: &[u8], read: usize) -> (u64, String) {
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
pub fn event(delta: &str, padding: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-CZm7fTq5yJ0f3nQGmX2sLk8VbRw1d\",\"object\":\"chat.completion.chunk\",\
         \"created\":1763700000,\"model\":\"gpt-5-mini-2025-08-07\",\"service_tier\":\"default\",\
         \"system_fingerprint\":null,\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
         \"finish_reason\":null}}],\"usage\":null{padding}}}\n\n"
    )
}

pub const WORDS: [&str; 8] =
    [" the", " quick", " brown", " fox\\n", " jumps", " over", " a \\\"lazy\\\"", " dog."];

pub fn expected_text() -> String {
    WORDS.join("").repeat(125).replace("\\n", "\n").replace("\\\"", "\"")
}

pub fn text_stream() -> Vec<u8> {
    let events = (0..1000).map(|n| event(&format!("{{\"content\":\"{}\"}}", WORDS[n % WORDS.len()]), ""));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

pub fn padded_stream() -> Vec<u8> {
    let padding = |n: usize| format!(",\"obfuscation\":\"{}\"", "x".repeat(n % 9));
    let events =
        (0..1000).map(|n| event(&format!("{{\"content\":\"{}\"}}", WORDS[n % WORDS.len()]), &padding(n)));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

/// The worst case for the shortcut: two forms of an event alternate.
pub fn alternating_stream() -> Vec<u8> {
    let of = |n: usize| if n.is_multiple_of(2) { "content" } else { "refusal" };
    let events = (0..1000).map(|n| event(&format!("{{\"{}\":\"{}\"}}", of(n), WORDS[n % WORDS.len()]), ""));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

pub fn tool_stream() -> Vec<u8> {
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
pub fn delta(n: usize) -> String {
    format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{}"}}}}"#,
        WORDS[n % WORDS.len()]
    )
}

pub fn anthropic_stream() -> Vec<u8> {
    (0..1000)
        .map(|n| format!("event: content_block_delta\ndata: {}\n\n", delta(n)))
        .collect::<String>()
        .into()
}

pub fn cohere_stream() -> Vec<u8> {
    let event = |n: usize| {
        format!(
            r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{{"text":"{}"}}}}}}}}"#,
            WORDS[n % WORDS.len()]
        )
    };
    (0..1000).map(|n| format!("event: content-delta\ndata: {}\n\n", event(n))).collect::<String>().into()
}

/// Returns an event as the Gemini API sends it, with counts that change from event to event.
pub fn candidate(n: usize) -> String {
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{{"text": "{}"}}],"role": "model"}},"index": 0}}],"usageMetadata": {{"promptTokenCount": 277,"candidatesTokenCount": {n},"totalTokenCount": {},"promptTokensDetails": [{{"modality": "TEXT","tokenCount": 277}}],"thoughtsTokenCount": 570}},"modelVersion": "gemini-3-flash-preview","responseId": "_vr4aYiWEJnYodAPkujX0QM"}}"#,
        WORDS[n % WORDS.len()],
        n + 847
    )
}

/// The last event, which has only the finish reason.
pub const FINISH: &str = r#"{"candidates": [{"finishReason": "STOP","index": 0}]}"#;

pub fn gemini_stream() -> Vec<u8> {
    let events = (0..999).map(candidate).map(|event| format!("data: {event}\r\n\r\n"));
    (events.collect::<String>() + &format!("data: {FINISH}\r\n\r\n")).into()
}

/// The same events as an array, each on several lines.
pub fn gemini_array() -> Vec<u8> {
    let pretty = |event: &str| event.replace("{\"", "{\n      \"").replace(",\"", ",\n      \"");
    let events: Vec<_> =
        (0..999).map(candidate).chain([FINISH.to_owned()]).map(|event| pretty(&event)).collect();
    format!("[{}\n]", events.join(",\r\n")).into()
}

/// Calls whose arguments are single values, with each string in pieces.
pub fn gemini_calls() -> Vec<u8> {
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
pub fn message(name: &str, payload: &str) -> Vec<u8> {
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

pub fn padding(n: usize) -> &'static str {
    &"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"[n % 36..]
}

/// The events of Anthropic's stream in Bedrock's frames.
pub fn bedrock_stream() -> Vec<u8> {
    let payload = |n| format!(r#"{{"bytes":"{}","p":"{}"}}"#, STANDARD.encode(delta(n)), padding(n));
    (0..1000).flat_map(|n| message("chunk", &payload(n))).collect()
}

pub fn converse_stream() -> Vec<u8> {
    let payload = |n: usize| {
        let (word, padding) = (WORDS[n % WORDS.len()], padding(n));
        format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}},"p":"{padding}"}}"#)
    };
    (0..1000).flat_map(|n| message("contentBlockDelta", &payload(n))).collect()
}

/// Events as OpenAI's Responses API sends them.
pub fn responses_stream() -> Vec<u8> {
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
