//! The content of a string: escapes and UTF-8. Parsing can stop and resume at any byte.

use super::error::ErrorKind;
use crate::json::Halves;

/// The result of parsing a piece of string content.
pub(super) enum Outcome {
    /// The input ended inside the string.
    More,
    /// The index of the closing quote.
    Closed(usize),
    /// The index of an invalid byte.
    Invalid(usize, ErrorKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    No,
    Backslash,
    Unicode { digits: u8, code: u16 },
}

/// The state between two pieces of the same string.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    escape: Escape,
    halves: Halves,
    /// The first bytes of a UTF-8 sequence that was cut at the end of the last piece.
    cut: [u8; 4],
    cut_len: u8,
}

/// The bytes that end a run of plain content: quote, backslash, control characters.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        stops[byte] = true;
        byte += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};

impl Reader {
    pub(super) const fn new() -> Self {
        Self { escape: Escape::No, halves: Halves::NONE, cut: [0; 4], cut_len: 0 }
    }

    /// Reads up to the closing quote or the end of `input`, and emits whole characters as they are completed.
    pub(super) fn read(&mut self, input: &[u8], mut emit: impl FnMut(&str)) -> Outcome {
        let mut at = 0;
        while at < input.len() {
            let byte = input[at];
            match self.escape {
                Escape::Backslash => {
                    if byte == b'u' {
                        self.escape = Escape::Unicode { digits: 0, code: 0 };
                    } else {
                        let Some(text) = unescape(byte) else {
                            return Outcome::Invalid(at, ErrorKind::InvalidEscape);
                        };
                        self.finish(&mut emit);
                        emit(text);
                        self.escape = Escape::No;
                    }
                    at += 1;
                }
                Escape::Unicode { digits, code } => {
                    let Some(digit) = char::from(byte).to_digit(16) else {
                        return Outcome::Invalid(at, ErrorKind::InvalidEscape);
                    };
                    let code = (code << 4) | digit as u16;
                    if digits == 3 {
                        self.escape = Escape::No;
                        self.unit(code, &mut emit);
                    } else {
                        self.escape = Escape::Unicode { digits: digits + 1, code };
                    }
                    at += 1;
                }
                Escape::No if self.cut_len > 0 => {
                    // At most three more bytes, one by one, because a cut sequence is rare and short.
                    if !(0x80..0xc0).contains(&byte) {
                        return Outcome::Invalid(at, ErrorKind::InvalidUtf8);
                    }
                    let len = usize::from(self.cut_len);
                    self.cut[len] = byte;
                    match std::str::from_utf8(&self.cut[..=len]) {
                        Ok(text) => {
                            emit(text);
                            self.cut_len = 0;
                        }
                        Err(error) if error.error_len().is_none() => self.cut_len += 1,
                        Err(_) => return Outcome::Invalid(at, ErrorKind::InvalidUtf8),
                    }
                    at += 1;
                }
                Escape::No => {
                    let end = input[at..]
                        .iter()
                        .position(|&b| STOPS[usize::from(b)])
                        .map_or(input.len(), |n| at + n);
                    if end > at {
                        if self.halves.is_waiting() && byte >= 0x80 && !is_beginning(&[byte]) {
                            return Outcome::Invalid(at, ErrorKind::InvalidUtf8);
                        }
                        self.finish(&mut emit);
                        if let Err(invalid) = self.plain(&input[at..end], &mut emit) {
                            return Outcome::Invalid(at + invalid, ErrorKind::InvalidUtf8);
                        }
                        at = end;
                        continue;
                    }
                    match byte {
                        b'"' => {
                            self.finish(&mut emit);
                            return Outcome::Closed(at);
                        }
                        b'\\' => self.escape = Escape::Backslash,
                        control => {
                            return Outcome::Invalid(at, ErrorKind::ControlCharacter(control));
                        }
                    }
                    at += 1;
                }
            }
        }
        Outcome::More
    }

    /// Emits a run without escapes. A sequence that is cut at its end is stored; the next byte must continue it.
    fn plain(&mut self, run: &[u8], emit: &mut impl FnMut(&str)) -> Result<(), usize> {
        let valid = match std::str::from_utf8(run) {
            Ok(text) => {
                emit(text);
                return Ok(());
            }
            Err(error) => error.valid_up_to(),
        };
        if valid > 0
            && let Ok(text) = std::str::from_utf8(&run[..valid])
        {
            emit(text);
        }
        let rest = &run[valid..];
        // The invalid byte is the first one that cannot continue the sequence, regardless of the chunk boundaries.
        let good = (1..=rest.len()).find(|&n| !is_beginning(&rest[..n])).map_or(rest.len(), |n| n - 1);
        if good < rest.len() {
            return Err(valid + good);
        }
        self.cut[..rest.len()].copy_from_slice(rest);
        self.cut_len = rest.len() as u8;
        Ok(())
    }

    /// Adds one UTF-16 unit from an escape.
    fn unit(&mut self, unit: u16, emit: &mut impl FnMut(&str)) {
        self.halves.unit(unit, |character| emit(character.encode_utf8(&mut [0; 4])));
    }

    /// Ends the string. A high surrogate without its second half becomes U+FFFD.
    fn finish(&mut self, emit: &mut impl FnMut(&str)) {
        self.halves.finish(|character| emit(character.encode_utf8(&mut [0; 4])));
    }
}

/// Returns whether these bytes are an incomplete UTF-8 sequence.
fn is_beginning(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
}

const fn unescape(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'"' => "\"",
        b'\\' => "\\",
        b'/' => "/",
        b'b' => "\u{8}",
        b'f' => "\u{c}",
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        _ => return None,
    })
}
