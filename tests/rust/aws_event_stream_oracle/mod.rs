//! A slow, obvious reader of a whole body of AWS's event stream, a writer, and what both readers are compared by.

use ferroscope_core::error::{FrameProblem, Limit};
use ferroscope_core::framing::aws_event_stream::Decoder;
use ferroscope_core::{Error, ErrorKind, Place};
use std::collections::HashSet;

/// What a reader makes of a body: its messages up to the first error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub messages: Vec<Message>,
    pub error: Option<Error>,
}

/// A message and where it begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    pub headers: Vec<Header>,
    pub payload: Vec<u8>,
    pub byte: u64,
}

/// Name, type and value.
pub type Header = (Vec<u8>, u8, Vec<u8>);

/// A header that is a string.
pub fn string(name: &str, value: &str) -> Header {
    (name.into(), 7, value.into())
}

/// The bytes of headers.
pub fn write_headers(headers: &[Header]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, value) in headers {
        bytes.push(name.len() as u8);
        bytes.extend(name);
        bytes.push(*kind);
        if matches!(kind, 6 | 7) {
            bytes.extend((value.len() as u16).to_be_bytes());
        }
        bytes.extend(value);
    }
    bytes
}

/// A message with the checksums that belong to it.
pub fn write(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = (headers.len() + payload.len() + 16) as u32;
    write_with_lengths(total, headers.len() as u32, headers, payload)
}

/// The same with any lengths.
pub fn write_with_lengths(total: u32, of_headers: u32, headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = [total.to_be_bytes(), of_headers.to_be_bytes()].concat();
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload);
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes
}

/// CRC-32 as IEEE 802.3 has it, bit by bit.
pub fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// The format, word by word, over a whole body.
pub fn read(body: &[u8], limit: usize) -> Reading {
    let mut reading = Reading::default();
    let mut byte = 0;
    while byte < body.len() {
        match read_message(&body[byte..], limit) {
            Ok((headers, payload, total)) => {
                reading.messages.push(Message { headers, payload, byte: byte as u64 });
                byte += total;
            }
            Err(kind) => {
                let at = Place { event: reading.messages.len() as u64 + 1, byte: byte as u64 };
                reading.error = Some(Error { kind, at });
                break;
            }
        }
    }
    reading
}

fn read_message(rest: &[u8], limit: usize) -> Result<(Vec<Header>, Vec<u8>, usize), ErrorKind> {
    let fail = |problem| Err(ErrorKind::Frame(problem));
    let number = |at: usize| u32::from_be_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
    if rest.len() < 12 {
        return fail(FrameProblem::Truncated);
    }
    if number(8) != checksum(&rest[..8]) {
        return fail(FrameProblem::PreludeChecksum);
    }
    let (total, of_headers) = (number(0) as usize, number(4) as usize);
    if of_headers > 128 * 1024 || of_headers + 16 > total {
        return fail(FrameProblem::Lengths);
    }
    if total > limit {
        return Err(ErrorKind::Limit { limit: Limit::EventBytes, max: limit });
    }
    if total > rest.len() {
        return fail(FrameProblem::Truncated);
    }
    if number(total - 4) != checksum(&rest[..total - 4]) {
        return fail(FrameProblem::MessageChecksum);
    }
    let Some(headers) = read_headers(&rest[12..12 + of_headers]) else {
        return fail(FrameProblem::Header);
    };
    let names: HashSet<_> = headers.iter().map(|(name, ..)| name).collect();
    if names.len() < headers.len() {
        return fail(FrameProblem::DuplicateHeader);
    }
    Ok((headers, rest[12 + of_headers..total - 4].to_vec(), total))
}

fn read_headers(bytes: &[u8]) -> Option<Vec<Header>> {
    let mut bytes = bytes.iter().copied();
    let mut next = |count: usize| {
        let taken: Vec<_> = bytes.by_ref().take(count).collect();
        (taken.len() == count).then_some(taken)
    };
    let mut headers = Vec::new();
    while let Some(length) = next(1) {
        let name = next(length[0].into())?;
        let kind = next(1)?[0];
        let length = match kind {
            6 | 7 => next(2)?.iter().fold(0, |length, &byte| length * 256 + usize::from(byte)),
            _ => *[0, 0, 1, 2, 4, 8, 0, 0, 8, 16].get(usize::from(kind))?,
        };
        headers.push((name, kind, next(length)?));
    }
    Some(headers)
}

/// What the incremental decoder makes of a body in pieces.
pub fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Reading {
    fn drain(decoder: &mut Decoder, reading: &mut Reading) {
        loop {
            match decoder.advance() {
                Ok(true) => {
                    let message = decoder.message();
                    assert_eq!(message.at.event, decoder.messages());
                    assert_eq!(message.at.event, reading.messages.len() as u64 + 1);
                    let headers = message
                        .headers()
                        .map(|header| (header.name.to_vec(), header.kind, header.value.to_vec()));
                    reading.messages.push(Message {
                        headers: headers.collect(),
                        payload: message.payload.to_vec(),
                        byte: message.at.byte,
                    });
                }
                Ok(false) => return,
                Err(error) => {
                    // An error is the last word.
                    assert_eq!(reading.error.get_or_insert_with(|| error.clone()), &error);
                    return;
                }
            }
        }
    }

    let mut decoder = Decoder::new(limit);
    let mut reading = Reading::default();
    for piece in pieces {
        decoder.feed(piece);
        drain(&mut decoder, &mut reading);
    }
    decoder.finish();
    drain(&mut decoder, &mut reading);
    reading
}

/// A body in pieces that end at these places.
pub fn cut<'a>(body: &'a [u8], ends: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<_> = ends.iter().map(|&end| end.min(body.len())).chain([0, body.len()]).collect();
    ends.sort_unstable();
    ends.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}
