//! Every limit strikes, with its kind, its value and its place; and what was read before it stays.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::error::Limit;
use ferroscope_core::json::MAX_DEPTH;
use ferroscope_core::{Error, ErrorKind, Framing, Limits, Place, Stream};

/// Reads a body in pieces up to its first error; gives back the text, the number of calls, and the error.
fn read(limits: Limits, body: &str, size: usize) -> (String, usize, Option<Error>) {
    let mut stream = Stream::new(Quirks::default(), limits);
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
    let message = stream.state().message_so_far();
    (message.text.into_owned(), message.tool_calls.len(), first)
}

fn say(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn call(index: usize) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"id\":\"{index}\",\"function\":{{\"name\":\"f\",\"arguments\":\"{{}}\"}}}}]}}}}]}}\n\n"
    )
}

#[test]
fn every_limit_strikes_where_it_is_passed() {
    let usual = Limits::default();
    let (a, long) = (say("a"), say(&"x".repeat(100)));
    let data = a.len() as u64 - "data: \n\n".len() as u64;
    let nested =
        |levels: usize| format!("data: {{\"x\":{}{}}}\n\n", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let choice = |index: usize| format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{}}}}]}}\n\n");
    let table: Vec<(&str, Limits, String, Limit, usize, Place, &str)> = vec![
        (
            "the size of an event",
            Limits { event_bytes: 80, ..usual },
            format!("{a}{long}"),
            Limit::EventBytes,
            80,
            Place { event: 2, byte: a.len() as u64 },
            "the size of an event",
        ),
        (
            "the size of the response",
            Limits { response_bytes: 3 * data as usize - 1, ..usual },
            a.repeat(3),
            Limit::ResponseBytes,
            3 * data as usize - 1,
            Place { event: 3, byte: 2 * a.len() as u64 + 6 },
            "the size of the response",
        ),
        (
            "the number of tool calls",
            Limits { tool_calls: 2, ..usual },
            format!("{a}{}{}{}", call(0), call(1), call(2)),
            Limit::ToolCalls,
            2,
            Place { event: 4, byte: (a.len() + 2 * call(0).len()) as u64 + 6 },
            "the number of tool calls",
        ),
        (
            "the number of choices",
            Limits { choices: 2, ..usual },
            format!("{a}{}{}", choice(1), choice(2)),
            Limit::Choices,
            2,
            Place { event: 3, byte: (a.len() + choice(1).len()) as u64 + 6 },
            "the number of choices",
        ),
        (
            "the nesting of JSON",
            Limits { depth: 6, ..usual },
            format!("{a}{}{}", nested(6), nested(7)),
            Limit::Depth,
            6,
            Place { event: 3, byte: (a.len() + nested(6).len()) as u64 + 6 },
            "the nesting of JSON",
        ),
        (
            "the nesting of JSON that nobody can lift",
            Limits { depth: usize::MAX, ..usual },
            format!("{a}{}", nested(100_000)),
            Limit::Depth,
            MAX_DEPTH,
            Place { event: 2, byte: a.len() as u64 + 6 },
            "the nesting of JSON",
        ),
    ];
    for (story, limits, body, limit, max, at, words) in table {
        for size in [1, 7, body.len()] {
            let (text, calls, error) = read(limits, &body, size);
            let error = error.unwrap_or_else(|| panic!("{story}: no error"));
            assert_eq!(error, Error { kind: ErrorKind::Limit { limit, max }, at }, "{story} in {size}");
            let Place { event, byte } = at;
            let display = format!("event {event} (byte {byte}): {words} exceeds the limit of {max}");
            assert_eq!(error.to_string(), display, "{story}");
            assert!(text.starts_with('a'), "{story}: what came before stays");
            assert!(calls <= limits.tool_calls, "{story}: the call beyond the limit is not kept");
        }
    }
}

#[test]
fn what_only_reaches_a_limit_is_read() {
    let a = say("a");
    let data = a.len() - "data: \n\n".len();
    let limits = Limits {
        event_bytes: call(0).len() - 2,
        response_bytes: data + 2 * (call(0).len() - "data: \n\n".len()),
        tool_calls: 2,
        choices: 1,
        depth: 7,
    };
    let body = format!("{a}{}{}", call(0), call(1));
    assert_eq!(read(limits, &body, body.len()), ("a".to_owned(), 2, None));
}

#[test]
fn the_defaults_are_those_that_are_documented() {
    let documented = Limits {
        event_bytes: 16 << 20,
        response_bytes: 128 << 20,
        tool_calls: 1024,
        choices: 1024,
        depth: 200,
    };
    assert_eq!(Limits::default(), documented);
}

#[test]
fn events_without_framing_have_the_same_limits() {
    let event = r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    let table = [
        (Limits { event_bytes: event.len() - 1, ..Limits::default() }, 1, Limit::EventBytes, event.len() - 1),
        (
            Limits { response_bytes: 2 * event.len(), ..Limits::default() },
            3,
            Limit::ResponseBytes,
            2 * event.len(),
        ),
        (Limits { depth: 3, ..Limits::default() }, 1, Limit::Depth, 3),
        (Limits { choices: 0, ..Limits::default() }, 1, Limit::Choices, 0),
    ];
    for (limits, number, limit, max) in table {
        let mut stream = Stream::new(Quirks::default(), limits);
        let error = (0..9).find_map(|_| stream.feed_event(event).err()).unwrap();
        assert_eq!(
            error,
            Error { kind: ErrorKind::Limit { limit, max }, at: Place { event: number, byte: 0 } }
        );
    }
}

#[test]
fn the_usual_limits_are_far_beyond_what_providers_send() {
    let usual = Limits::default();
    let calls: String = (0..usual.tool_calls + 1).map(call).collect();
    let (_, kept, error) = read(usual, &calls, 4096);
    assert_eq!(kept, 1024);
    let at = error.unwrap().at;
    assert_eq!(at.event, 1025);

    let deep = format!("data: {{\"x\":{}{}}}\n\n", "[".repeat(199), "]".repeat(199));
    assert_eq!(read(usual, &deep, 4096).2, None);
    let large = say(&"x".repeat(8 << 20));
    assert_eq!(read(usual, &large, 1 << 16).2, None);
}

#[test]
fn every_format_has_them() {
    for format in
        [Format::OpenaiChat(Quirks::default()), Format::Anthropic, Format::BedrockConverse, Format::Cohere]
    {
        let small = Limits { event_bytes: 8, ..Limits::default() };
        let mut stream = Stream::new(format.clone(), small);
        stream.set_framing(Framing::Sse);
        stream.feed(b"data: {\"type\":\"ping\"}\n\n");
        let error = stream.next_step().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { limit: Limit::EventBytes, max: 8 }, "{format:?}");

        let mut stream = Stream::new(format.clone(), Limits { depth: 1, ..Limits::default() });
        let error = stream.feed_event(r#"{"type":"ping","x":[]}"#).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { limit: Limit::Depth, max: 1 }, "{format:?}");

        let mut stream = Stream::new(format.clone(), Limits { response_bytes: 30, ..Limits::default() });
        stream.feed_event(r#"{"type":"ping"}"#).unwrap();
        stream.feed_event(r#"{"type":"ping"}"#).unwrap();
        let error = stream.feed_event(r#"{"type":"ping"}"#).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit { limit: Limit::ResponseBytes, max: 30 }, "{format:?}");
    }
}
