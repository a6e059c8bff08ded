//! The slow obvious reader: parses a whole prefix from its beginning, by recursive descent.
//!
//! It states the rules of `partial_json` once more, in the plainest way; the tests compare the two.

use std::fmt::Write;

use ferroscope_core::partial_json::{Literals, Numbers, Root, Rules, Strings, Trailing};

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Literal(&'static str),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(&self) -> String {
        match self {
            Json::Literal(word) => (*word).to_owned(),
            Json::Number(text) => text.clone(),
            Json::String(text) => quote(text),
            Json::Array(items) => format!("[{}]", items.iter().map(Json::text).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(k, v)| format!("{}:{}", quote(k), v.text())).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => write!(out, "\\u{:04x}", c as u32).unwrap(),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Why the reading stopped before the end of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The prefix ends here.
    Cut,
    /// This byte is wrong.
    Wrong(usize),
}

/// What a prefix shows, and whether its end, or which byte, stopped the reading.
pub fn read(prefix: &[u8], rules: Rules) -> (Option<Json>, Result<(), Stop>) {
    if rules.root == Root::Value {
        return document(prefix, 0, rules);
    }
    for at in 0..prefix.len() {
        let opens = prefix[at] == b'{' || (prefix[at] == b'[' && rules.root == Root::Container);
        let Some(next) = prefix[at + 1..].iter().find(|b| !b" \n\r\t".contains(b)) else {
            if opens {
                return document(prefix, at, rules);
            }
            continue;
        };
        let starts: &[u8] = if prefix[at] == b'{' { b"\"}" } else { b"\"{[]-0123456789tfn" };
        if opens && starts.contains(next) {
            return document(prefix, at, rules);
        }
    }
    (None, Err(Stop::Cut))
}

fn document(prefix: &[u8], start: usize, rules: Rules) -> (Option<Json>, Result<(), Stop>) {
    let mut reader = Reader { text: prefix, at: start, rules, depth: 0 };
    reader.space();
    let (value, stop) = reader.value();
    if stop.is_err() || rules.trailing == Trailing::Ignore {
        return (value, stop);
    }
    reader.space();
    (value, if reader.at == prefix.len() { Ok(()) } else { Err(Stop::Wrong(reader.at)) })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    rules: Rules,
    depth: usize,
}

type Read<T> = (Option<T>, Result<(), Stop>);

impl Reader<'_> {
    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|b| b" \n\r\t".contains(b)) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self) -> Read<T> {
        (None, Err(if self.at < self.text.len() { Stop::Wrong(self.at) } else { Stop::Cut }))
    }

    fn value(&mut self) -> Read<Json> {
        match self.text.get(self.at) {
            Some(b'{') => self.container(Json::Object(vec![])),
            Some(b'[') => self.container(Json::Array(vec![])),
            Some(b'"') => {
                self.at += 1;
                let (text, stop) = self.string();
                let shows = stop.is_ok() || self.rules.strings == Strings::Growing;
                (shows.then_some(Json::String(text)), stop)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.wrong(),
        }
    }

    fn literal(&mut self, word: &'static str) -> Read<Json> {
        for (n, letter) in word.bytes().enumerate() {
            if self.text.get(self.at) != Some(&letter) {
                let shows = n > 0 && self.rules.literals == Literals::FirstLetter;
                return (shows.then_some(Json::Literal(word)), self.wrong::<Json>().1);
            }
            self.at += 1;
        }
        (Some(Json::Literal(word)), Ok(()))
    }

    fn number(&mut self) -> Read<Json> {
        let start = self.at;
        while self.at < self.text.len() && could_be_number(&self.text[start..=self.at]) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap();
        let ended = self.text.get(self.at).is_some_and(|b| b",]} \n\r\t".contains(b));
        if is_number(text) && ended {
            return (Some(Json::Number(text.to_owned())), Ok(()));
        }
        let shown = match self.rules.numbers {
            Numbers::Complete => None,
            Numbers::WhenValid => is_number(text).then_some(text),
            Numbers::LongestPrefix => (1..=text.len()).rev().map(|n| &text[..n]).find(|t| is_number(t)),
        };
        (shown.map(|t| Json::Number(t.to_owned())), self.wrong::<Json>().1)
    }

    /// The content of a string as far as it is known; the opening quote is behind us.
    fn string(&mut self) -> (String, Result<(), Stop>) {
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            match rest {
                [] => return (out, Err(Stop::Cut)),
                [b'"', ..] => {
                    self.at += 1;
                    return (out, Ok(()));
                }
                [b'\\', b'u', ..] => match hex(&rest[2..]) {
                    Err(good) => return (out, self.stop_at(2 + good)),
                    Ok(unit @ 0xd800..0xdc00) => match &rest[6..] {
                        // Whether its second half comes is not known yet.
                        [] | [b'\\'] => return (out, Err(Stop::Cut)),
                        [b'\\', b'u', more @ ..] => match hex(more) {
                            Err(good) => return (out, self.stop_at(8 + good)),
                            Ok(low @ 0xdc00..0xe000) => {
                                out.extend(char::decode_utf16([unit, low]).map(Result::unwrap));
                                self.at += 12;
                            }
                            Ok(_) => {
                                out.push('\u{fffd}');
                                self.at += 6;
                            }
                        },
                        [b'\\', letter, ..] if !b"\"\\/bfnrt".contains(letter) => {
                            return (out, self.stop_at(7));
                        }
                        [byte, ..] if *byte != b'"' && character(&rest[6..]) == Err(0) => {
                            return (out, self.stop_at(6));
                        }
                        _ => {
                            out.push('\u{fffd}');
                            self.at += 6;
                        }
                    },
                    Ok(unit) => {
                        out.push(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}'));
                        self.at += 6;
                    }
                },
                [b'\\', letter, ..] => {
                    let Some(n) = b"\"\\/bfnrt".iter().position(|b| b == letter) else {
                        return (out, self.stop_at(1));
                    };
                    out.push(['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t'][n]);
                    self.at += 2;
                }
                [b'\\'] => return (out, Err(Stop::Cut)),
                _ => match character(rest) {
                    Ok(c) => {
                        out.push(c);
                        self.at += c.len_utf8();
                    }
                    Err(good) => return (out, self.stop_at(good)),
                },
            }
        }
    }

    /// Stopped by the byte that many places further on, or by the end.
    fn stop_at(&self, ahead: usize) -> Result<(), Stop> {
        let at = self.at + ahead;
        Err(if at < self.text.len() { Stop::Wrong(at) } else { Stop::Cut })
    }

    fn container(&mut self, mut out: Json) -> Read<Json> {
        if self.depth == self.rules.max_depth {
            return self.wrong();
        }
        self.depth += 1;
        self.at += 1;
        let stop = self.fill(&mut out);
        self.depth -= 1;
        (Some(out), stop)
    }

    fn fill(&mut self, out: &mut Json) -> Result<(), Stop> {
        let end = if matches!(out, Json::Array(_)) { b']' } else { b'}' };
        self.space();
        if self.text.get(self.at) == Some(&end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let mut key = String::new();
            if end == b'}' {
                self.expect(b'"')?;
                let (text, stop) = self.string();
                stop?;
                key = text;
                self.space();
                self.expect(b':')?;
                self.space();
            }
            let (value, stop) = self.value();
            if let Some(value) = value {
                match out {
                    Json::Object(members) => match members.iter_mut().find(|(name, _)| *name == key) {
                        Some((_, old)) => *old = value,
                        None => members.push((key, value)),
                    },
                    Json::Array(items) => items.push(value),
                    _ => unreachable!(),
                }
            }
            stop?;
            self.space();
            if self.text.get(self.at) == Some(&end) {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.text.get(self.at) != Some(&byte) {
            return self.wrong::<Json>().1;
        }
        self.at += 1;
        Ok(())
    }
}

/// Four hexadecimal digits, or how many there are before something else.
fn hex(text: &[u8]) -> Result<u16, usize> {
    let good = text.iter().take(4).take_while(|b| b.is_ascii_hexdigit()).count();
    if good < 4 {
        return Err(good);
    }
    Ok(u16::from_str_radix(std::str::from_utf8(&text[..4]).unwrap(), 16).unwrap())
}

/// The first character, or how many bytes of it are right.
fn character(text: &[u8]) -> Result<char, usize> {
    if text[0] < 0x20 {
        return Err(0);
    }
    for len in 1..=text.len().min(4) {
        match std::str::from_utf8(&text[..len]) {
            Ok(one) => return Ok(one.chars().next().unwrap()),
            Err(error) if error.error_len().is_some() => return Err(len - 1),
            Err(_) => {}
        }
    }
    Err(text.len())
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// Whether some continuation makes it a number: one of these few always does if any does.
fn could_be_number(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| ["", "0"].iter().any(|more| is_number(&format!("{text}{more}"))))
}
