//! The state machine: bytes in, visible changes out.

use super::error::{Error, ErrorKind, Expected};
use super::rules::{Literals, Numbers, Root, Rules, Strings, Trailing};
use super::string::{Outcome, Reader};

/// The maximum length of a number. Python refuses integers with more digits.
const MAX_NUMBER_BYTES: usize = 4300;

/// A value without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
}

impl Scalar<'_> {
    /// Returns whether this is a number without fraction and exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Number(text) if !text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')))
    }
}

/// Receives the visible changes. Every value belongs to the current place: the root, the end of the innermost open
/// array, or the last key of the innermost open object.
pub trait Sink {
    /// An object opens and becomes the innermost container.
    fn object(&mut self);
    /// An array opens and becomes the innermost container.
    fn array(&mut self);
    /// The innermost container is complete.
    fn close(&mut self);
    /// A key is complete. It is shown with its value, not before.
    fn key(&mut self, key: &str);
    /// A string is shown, still empty.
    fn string(&mut self);
    /// The string grows.
    fn grow(&mut self, more: &str);
    /// The string is complete.
    fn end_string(&mut self);
    /// A scalar is complete. It replaces a provisional one.
    fn scalar(&mut self, scalar: Scalar<'_>);
    /// Sets the provisional value at the current place, until the scalar there is complete. `None` withdraws it.
    fn provisional(&mut self, scalar: Option<Scalar<'_>>);
    /// The supposed document was prose, so the whole value is withdrawn.
    fn reset(&mut self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a document that other text may precede.
    Lead,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    AfterValue,
    String {
        key: bool,
    },
    Number(NumberState),
    Literal {
        word: &'static [u8],
        matched: usize,
    },
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberState {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl NumberState {
    const fn is_number(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }

    /// Returns the state after one more byte of the number; `None` if the byte is not part of it.
    const fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => Self::Integer,
            (Self::Zero | Self::Integer, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }
}

type Fault = (usize, ErrorKind);

/// A parser of one document in pieces of any size.
#[derive(Clone, Debug)]
pub struct Parser {
    rules: Rules,
    /// The number of bytes in earlier feeds.
    offset: u64,
    state: State,
    open: Vec<Container>,
    /// Whether the root has just opened after skipped text, so that it may turn out to be prose.
    candidate: bool,
    string: Reader,
    /// The key or number that is being read, or a string that is shown only when closed.
    scratch: String,
    /// The length of the longest prefix of `scratch` that is a number.
    number_len: usize,
    /// The length of the provisional scalar that is shown.
    shown: usize,
    start: Option<u64>,
    end: Option<u64>,
    failed: Option<Error>,
}

impl Parser {
    /// Creates a parser at the beginning of a text.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            offset: 0,
            state: if matches!(rules.root, Root::Value) { State::Value } else { State::Lead },
            open: Vec::new(),
            candidate: false,
            string: Reader::new(),
            scratch: String::new(),
            number_len: 0,
            shown: 0,
            start: None,
            end: None,
            failed: None,
        }
    }

    /// Parses a piece of the text.
    ///
    /// # Errors
    /// Returns the first invalid byte, or an exceeded limit. The sink has received everything before it.
    pub fn feed<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let room = usize::try_from(self.rules.max_bytes - self.offset).unwrap_or(usize::MAX);
        let taken = bytes.len().min(room);
        let read = self.run(&bytes[..taken], sink);
        self.show(sink);
        match read {
            Err((at, kind)) => self.fail(self.offset + at as u64, kind),
            Ok(()) => {
                self.offset += taken as u64;
                if taken < bytes.len() {
                    return self.fail(self.offset, ErrorKind::TooLarge { limit: self.rules.max_bytes });
                }
                Ok(())
            }
        }
    }

    /// Ends the text.
    ///
    /// # Errors
    /// Returns an error if the document is missing or incomplete, or if an earlier feed failed.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let expected = match self.state {
            State::Done => return Ok(()),
            State::Number(number) if number.is_number() && self.open.is_empty() => {
                self.end_number(0, sink);
                return Ok(());
            }
            State::Lead => return self.fail(self.offset, ErrorKind::NoDocument),
            State::Value if self.start.is_none() => {
                return self.fail(self.offset, ErrorKind::NoDocument);
            }
            State::Value => Expected::Value,
            State::ValueOrEnd => Expected::ValueOrEnd,
            State::Key => Expected::Key,
            State::KeyOrEnd => Expected::KeyOrEnd,
            State::Colon => Expected::Colon,
            State::String { .. } => Expected::StringEnd,
            State::Number(number) if !number.is_number() => Expected::Digits,
            State::Number(_) | State::AfterValue => self.expected_after_value(),
            State::Literal { .. } => Expected::Letters,
        };
        self.fail(self.offset, ErrorKind::UnexpectedEnd { expected })
    }

    /// Returns whether the document is complete. A document that is a number is complete only after [`Parser::finish`].
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Returns the number of bytes read so far, including text before and after the document.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the offset of the first byte of the document.
    #[must_use]
    pub const fn start(&self) -> Option<u64> {
        self.start
    }

    /// Returns the offset after the last byte of the document.
    #[must_use]
    pub const fn end(&self) -> Option<u64> {
        self.end
    }

    fn fail(&mut self, at: u64, kind: ErrorKind) -> Result<(), Error> {
        let error = Error { kind, at };
        self.failed = Some(error);
        Err(error)
    }

    fn run<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.state {
                State::String { key } => {
                    at = self.in_string(key, bytes, at, sink)?;
                    continue;
                }
                State::Number(number) => {
                    if let Some(next) = number.next(byte) {
                        if self.scratch.len() == MAX_NUMBER_BYTES {
                            return Err((at, ErrorKind::NumberTooLong { limit: MAX_NUMBER_BYTES }));
                        }
                        self.number(next, byte);
                    } else if number.is_number()
                        && matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
                    {
                        self.end_number(at, sink);
                        continue;
                    } else {
                        return Err((at, ErrorKind::InvalidNumber));
                    }
                }
                State::Literal { word, matched } => {
                    if byte != word[matched] {
                        return Err((at, ErrorKind::InvalidLiteral));
                    }
                    if matched + 1 == word.len() {
                        sink.scalar(literal(word));
                        self.shown = 0;
                        self.after_value(at + 1);
                    } else {
                        self.state = State::Literal { word, matched: matched + 1 };
                    }
                }
                State::Lead => {
                    let found = match self.rules.root {
                        Root::Object => memchr::memchr(b'{', &bytes[at..]),
                        _ => memchr::memchr2(b'{', b'[', &bytes[at..]),
                    };
                    let Some(skip) = found else { return Ok(()) };
                    at += skip;
                    self.candidate = true;
                    self.begin(bytes[at], at, Expected::Value, sink)?;
                }
                State::Done if matches!(self.rules.trailing, Trailing::Ignore) => return Ok(()),
                _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') => {}
                _ if self.candidate && !self.may_begin(byte) => {
                    self.restart(sink);
                    continue;
                }
                State::Value => self.begin(byte, at, Expected::Value, sink)?,
                State::ValueOrEnd if byte == b']' => self.close(at, sink),
                State::ValueOrEnd => self.begin(byte, at, Expected::ValueOrEnd, sink)?,
                State::Key | State::KeyOrEnd if byte == b'"' => {
                    self.candidate = false;
                    self.scratch.clear();
                    self.string = Reader::new();
                    self.state = State::String { key: true };
                }
                State::KeyOrEnd if byte == b'}' => self.close(at, sink),
                State::KeyOrEnd => return Err(unexpected(at, byte, Expected::KeyOrEnd)),
                State::Key => return Err(unexpected(at, byte, Expected::Key)),
                State::Colon if byte == b':' => self.state = State::Value,
                State::Colon => return Err(unexpected(at, byte, Expected::Colon)),
                State::AfterValue => match (byte, self.open.last()) {
                    (b',', Some(Container::Array)) => self.state = State::Value,
                    (b',', _) => self.state = State::Key,
                    (b']', Some(Container::Array)) | (b'}', Some(Container::Object)) => self.close(at, sink),
                    _ => return Err(unexpected(at, byte, self.expected_after_value())),
                },
                State::Done => return Err(unexpected(at, byte, Expected::Nothing)),
            }
            at += 1;
        }
        Ok(())
    }

    /// Parses string content from `at` on. Returns the index of the first byte that is not part of it.
    fn in_string<S: Sink>(
        &mut self,
        key: bool,
        bytes: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Fault> {
        let buffered = key || matches!(self.rules.strings, Strings::Complete);
        let Self { string, scratch, .. } = self;
        let outcome =
            string.read(&bytes[at..], |text| if buffered { scratch.push_str(text) } else { sink.grow(text) });
        match outcome {
            Outcome::More => Ok(bytes.len()),
            Outcome::Invalid(index, kind) => Err((at + index, kind)),
            Outcome::Closed(index) => {
                let behind = at + index + 1;
                if key {
                    sink.key(&self.scratch);
                    self.state = State::Colon;
                } else {
                    if buffered {
                        sink.string();
                        sink.grow(&self.scratch);
                    }
                    sink.end_string();
                    self.after_value(behind);
                }
                Ok(behind)
            }
        }
    }

    /// Starts the value with this first byte.
    fn begin<S: Sink>(&mut self, byte: u8, at: usize, expected: Expected, sink: &mut S) -> Result<(), Fault> {
        match byte {
            b'{' | b'[' => {
                if self.open.len() >= self.rules.max_depth {
                    return Err((at, ErrorKind::TooDeep { limit: self.rules.max_depth }));
                }
                if byte == b'{' {
                    self.open.push(Container::Object);
                    self.state = State::KeyOrEnd;
                    sink.object();
                } else {
                    self.open.push(Container::Array);
                    self.state = State::ValueOrEnd;
                    sink.array();
                }
            }
            b'"' => {
                self.string = Reader::new();
                self.state = State::String { key: false };
                if matches!(self.rules.strings, Strings::Growing) {
                    sink.string();
                } else {
                    self.scratch.clear();
                }
            }
            b'-' | b'0'..=b'9' => {
                self.scratch.clear();
                self.number_len = 0;
                self.shown = 0;
                self.number(
                    match byte {
                        b'-' => NumberState::Minus,
                        b'0' => NumberState::Zero,
                        _ => NumberState::Integer,
                    },
                    byte,
                );
            }
            b't' => self.state = State::Literal { word: b"true", matched: 1 },
            b'f' => self.state = State::Literal { word: b"false", matched: 1 },
            b'n' => self.state = State::Literal { word: b"null", matched: 1 },
            _ => return Err(unexpected(at, byte, expected)),
        }
        // A root after skipped text is only a candidate until its first content byte.
        self.candidate &= matches!(byte, b'{' | b'[') && self.open.len() == 1;
        if self.start.is_none() {
            self.start = Some(self.offset + at as u64);
        }
        Ok(())
    }

    fn number(&mut self, state: NumberState, byte: u8) {
        self.scratch.push(char::from(byte));
        self.state = State::Number(state);
        if state.is_number() {
            self.number_len = self.scratch.len();
        }
    }

    fn end_number<S: Sink>(&mut self, at: usize, sink: &mut S) {
        sink.scalar(Scalar::Number(&self.scratch));
        self.shown = 0;
        self.after_value(at);
    }

    fn close<S: Sink>(&mut self, at: usize, sink: &mut S) {
        self.candidate = false;
        self.open.pop();
        sink.close();
        self.after_value(at + 1);
    }

    fn after_value(&mut self, behind: usize) {
        if self.open.is_empty() {
            self.state = State::Done;
            self.end = Some(self.offset + behind as u64);
        } else {
            self.state = State::AfterValue;
        }
    }

    /// Shows the incomplete number or literal as far as the rules allow.
    fn show<S: Sink>(&mut self, sink: &mut S) {
        let len = match self.state {
            State::Number(number) => match self.rules.numbers {
                Numbers::Complete => return,
                Numbers::WhenValid if !number.is_number() => 0,
                Numbers::WhenValid | Numbers::LongestPrefix => self.number_len,
            },
            State::Literal { word, .. } => {
                if matches!(self.rules.literals, Literals::FirstLetter) && self.shown == 0 {
                    self.shown = 1;
                    sink.provisional(Some(literal(word)));
                }
                return;
            }
            _ => return,
        };
        if len != self.shown {
            self.shown = len;
            sink.provisional((len > 0).then(|| Scalar::Number(&self.scratch[..len])));
        }
    }

    /// Returns whether the content of the container that has just opened can begin with this byte.
    fn may_begin(&self, byte: u8) -> bool {
        match self.state {
            State::KeyOrEnd => matches!(byte, b'"' | b'}'),
            _ => matches!(byte, b'"' | b'{' | b'[' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'),
        }
    }

    /// Searches for the next bracket, because this one was prose.
    fn restart<S: Sink>(&mut self, sink: &mut S) {
        self.open.clear();
        self.start = None;
        self.candidate = false;
        self.state = State::Lead;
        sink.reset();
    }

    fn expected_after_value(&self) -> Expected {
        match self.open.last() {
            Some(Container::Array) => Expected::CommaOrArrayEnd,
            _ => Expected::CommaOrObjectEnd,
        }
    }
}

const fn unexpected(at: usize, found: u8, expected: Expected) -> Fault {
    (at, ErrorKind::Unexpected { found, expected })
}

const fn literal(word: &[u8]) -> Scalar<'static> {
    match word {
        b"null" => Scalar::Null,
        word => Scalar::Bool(matches!(word, b"true")),
    }
}
