//! A slow, obvious reader of a whole body of server-sent events, and what both readers are compared by.

use ferroscope_core::Error;
use ferroscope_core::framing::sse::Decoder;

/// What a reader makes of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub events: Vec<Event>,
    pub last_event_id: String,
    pub reconnection_time: Option<u64>,
}

/// An event and where its data begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    pub name: String,
    pub data: String,
    pub id: String,
    pub retry: Option<u64>,
    pub byte: usize,
}

/// The standard, word by word, over a whole body, and the last event even if its blank line is missing.
pub fn read(body: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut event = Event::default();
    let mut data: Option<Vec<u8>> = None;
    let mut deliver = |event: &mut Event, data: &mut Option<Vec<u8>>, id: &str| {
        let finished = std::mem::take(event);
        if let Some(data) = data.take() {
            let data = String::from_utf8_lossy(&data).into_owned();
            reading.events.push(Event { data, id: id.to_owned(), ..finished });
        }
    };
    let mut id = String::new();
    let mut time = None;
    for (start, line) in lines(body) {
        if line.is_empty() {
            deliver(&mut event, &mut data, &id);
            continue;
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let mut value = colon + 1;
        if line.get(value) == Some(&b' ') {
            value += 1;
        }
        let text = line.get(value..).unwrap_or_default();
        match &line[..colon] {
            b"data" => match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(text);
                }
                None => {
                    event.byte = start + value.min(line.len());
                    data = Some(text.to_vec());
                }
            },
            b"event" => event.name = String::from_utf8_lossy(text).into_owned(),
            b"id" if !text.contains(&0) => id = String::from_utf8_lossy(text).into_owned(),
            b"retry" if text.iter().all(u8::is_ascii_digit) => {
                if let Ok(given) = String::from_utf8_lossy(text).parse() {
                    event.retry = Some(given);
                    time = Some(given);
                }
            }
            _ => {}
        }
    }
    deliver(&mut event, &mut data, &id);
    reading.last_event_id = id;
    reading.reconnection_time = time;
    reading
}

/// The lines of a body and where they begin, without a byte order mark.
fn lines(body: &[u8]) -> Vec<(usize, &[u8])> {
    let mut lines = Vec::new();
    let mut start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut at = start;
    while at < body.len() {
        let end = at;
        match body[at] {
            b'\n' => at += 1,
            b'\r' if body.get(at + 1) == Some(&b'\n') => at += 2,
            b'\r' => at += 1,
            _ => {
                at += 1;
                continue;
            }
        }
        lines.push((start, &body[start..end]));
        start = at;
    }
    if start < body.len() {
        lines.push((start, &body[start..]));
    }
    lines
}

/// The same by the incremental decoder, fed in these pieces.
pub fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, max_event: usize) -> Result<Reading, Error> {
    fn drain(decoder: &mut Decoder, events: &mut Vec<Event>) -> Result<(), Error> {
        while decoder.advance()? {
            let event = decoder.event();
            assert_eq!(event.data, String::from_utf8_lossy(decoder.data()));
            assert_eq!(event.at.event, decoder.events());
            events.push(Event {
                name: event.name.to_owned(),
                data: event.data.into_owned(),
                id: event.id.to_owned(),
                retry: event.retry,
                byte: usize::try_from(event.at.byte).unwrap(),
            });
            assert_eq!(events.len() as u64, event.at.event, "events are numbered from 1");
        }
        Ok(())
    }
    let mut decoder = Decoder::new(max_event);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        drain(&mut decoder, &mut events)?;
    }
    decoder.finish();
    drain(&mut decoder, &mut events)?;
    Ok(Reading {
        events,
        last_event_id: decoder.last_event_id().to_owned(),
        reconnection_time: decoder.reconnection_time(),
    })
}

/// A body in pieces that end at these places.
pub fn cut<'a>(body: &'a [u8], ends: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<_> = ends.iter().map(|&end| end.min(body.len())).chain([0, body.len()]).collect();
    ends.sort_unstable();
    ends.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}
