//! Re-encodes streams of any provider as server-sent events of one web format.
//!
//! ```text
//! deltas of a stream ─ emitter ─ events of the format, one JSON text per `data` line
//! ```
//!
//! One emitter writes one answer, from its first event to its last. An answer has one step per model call: an agent
//! answers in several, with the outputs of tools between them.

mod ag_ui;
mod openai;
mod text;
mod vercel;

use crate::delta::Delta;
use crate::dialect::Dialect;
use crate::json::{Tape, write_string};
use crate::limits::Limits;
use crate::text_cursor::{Change, TextCursor};
use std::collections::HashSet;

/// The format of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebFormat {
    /// Vercel's UI message stream, the part that versions 5 to 7 of the AI SDK read.
    /// <https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol>
    Vercel,
    /// OpenAI's chat completion chunks.
    /// <https://platform.openai.com/docs/api-reference/chat-streaming>
    OpenAi,
    /// AG-UI 1.0.
    /// <https://docs.ag-ui.com/concepts/events>
    AgUi,
    /// The text alone: each event is a JSON string; `done`, `error` and `abort` are named events.
    Text,
}

impl WebFormat {
    /// The names of all formats.
    pub const NAMES: &[&str] = &["vercel", "openai", "ag-ui", "text"];

    /// Returns the format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "vercel" => Self::Vercel,
            "openai" => Self::OpenAi,
            "ag-ui" => Self::AgUi,
            "text" => Self::Text,
            _ => return None,
        })
    }
}

/// The identity of an answer, the same in all its events.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The id of the answer: Vercel's message, OpenAI's completion, AG-UI's run.
    pub id: String,
    /// AG-UI's thread.
    pub thread: String,
    /// The model that the client asked for.
    pub model: String,
    /// When the answer began, in seconds since the epoch.
    pub created: u64,
}

/// The part of an answer that is open: its next piece needs no opening event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Reasoning,
}

/// A tool call of the current step.
#[derive(Debug)]
struct Call {
    position: usize,
    /// The id that the provider sent.
    given: Option<String>,
    /// The id in the events: unique in the answer.
    id: String,
    name: String,
    /// The arguments that have been written.
    written: String,
    is_complete: bool,
    is_answered: bool,
}

/// Writes one answer as server-sent events.
///
/// Its methods append to [`output`](Self::take): take it after each read of the provider's stream.
#[derive(Debug)]
pub struct Emitter {
    format: WebFormat,
    answer: Answer,
    /// Whether the server runs the tools itself, so that a format without tool outputs leaves their calls out.
    runs_tools: bool,
    out: String,
    /// The number of the next event.
    next: u64,
    part: Option<Part>,
    /// How many parts have been opened, which numbers them.
    parts: u64,
    /// How much of the call's reasoning has been written.
    reasoning: TextCursor,
    reasoned: usize,
    calls: Vec<Call>,
    ids: HashSet<String>,
    is_started: bool,
    in_step: bool,
    is_ended: bool,
    tape: Tape,
}

impl Emitter {
    /// An answer of which nothing has been written; its first event has the number `first`.
    #[must_use]
    pub fn new(format: WebFormat, answer: Answer, runs_tools: bool, first: u64) -> Self {
        Self {
            format,
            answer,
            runs_tools,
            out: String::new(),
            next: first,
            part: None,
            parts: 0,
            reasoning: TextCursor::default(),
            reasoned: 0,
            calls: Vec::new(),
            ids: HashSet::new(),
            is_started: false,
            in_step: false,
            is_ended: false,
            tape: Tape::default(),
        }
    }

    /// Returns the events that were written since the last time.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Returns the number of the next event.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Returns whether the last event has been written; whatever follows is ignored.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Begins a model call.
    pub fn start_step(&mut self) {
        if self.is_ended || self.in_step {
            return;
        }
        self.start();
        self.in_step = true;
        self.reasoning = TextCursor::default();
        self.reasoned = 0;
        self.calls.clear();
        if self.format == WebFormat::Vercel {
            self.event(|_, out| out.push_str("{\"type\":\"start-step\"}"));
        }
    }

    /// Begins a model call, or another attempt at the one that has begun: its stream starts from nothing.
    pub fn restart_call(&mut self) {
        self.close_part();
        self.reasoning = TextCursor::default();
        self.reasoned = 0;
        self.calls.clear();
    }

    /// Writes what one event of the provider's stream added.
    pub fn delta(&mut self, state: &Dialect, delta: &Delta) {
        if self.is_ended {
            return;
        }
        self.start_step();
        let new = match self.reasoning.read(&state.reasoning_pieces(), state.rewrites()) {
            Change::Appended(new) => new,
            // What was replaced cannot be taken back; only what is longer is new.
            Change::Replaced(all) => all.get(self.reasoned..).unwrap_or_default().to_owned(),
        };
        self.reasoned += new.len();
        self.reasoning(&new);
        self.text(&delta.text);
        for (position, arguments) in &delta.arguments {
            if let Some(call) = state.tool_call(*position) {
                self.arguments(*position, call.id, call.name, arguments);
            }
        }
        for position in &delta.completed {
            if let Some(call) = state.tool_call(*position) {
                self.complete(*position, call.id, call.name, call.arguments);
            }
        }
    }

    /// Writes a piece of the reasoning.
    pub fn reasoning(&mut self, text: &str) {
        if !text.is_empty() && !self.is_ended {
            self.start_step();
            self.piece(Part::Reasoning, text);
        }
    }

    /// Writes a piece of the text.
    pub fn text(&mut self, text: &str) {
        if !text.is_empty() && !self.is_ended {
            self.start_step();
            self.piece(Part::Text, text);
        }
    }

    /// Writes a piece of a tool call's arguments. A call whose name has not come yet waits until it is complete.
    pub fn arguments(&mut self, position: usize, id: Option<&str>, name: &str, arguments: &str) {
        if name.is_empty() || arguments.is_empty() || self.is_ended || self.hides_tools() {
            return;
        }
        let call = self.call(position, id, name);
        self.calls[call].written.push_str(arguments);
        match self.format {
            WebFormat::Vercel => vercel::arguments(self, call, arguments),
            WebFormat::OpenAi => openai::arguments(self, call, arguments),
            WebFormat::AgUi => ag_ui::arguments(self, call, arguments),
            WebFormat::Text => {}
        }
    }

    /// Writes that a tool call is complete, with all its arguments.
    ///
    /// Arguments that do not continue what was written leave the call incomplete: it cannot be taken back.
    pub fn complete(&mut self, position: usize, id: Option<&str>, name: &str, arguments: &str) {
        if self.is_ended || self.hides_tools() {
            return;
        }
        let call = self.call(position, id, name);
        let Some(rest) = arguments.strip_prefix(self.calls[call].written.as_str()) else {
            // Gemini may insert a member into an object that was written. The call stays incomplete.
            return;
        };
        self.arguments(position, id, name, rest);
        self.calls[call].is_complete = true;
        match self.format {
            WebFormat::Vercel => vercel::available(self, call, arguments),
            WebFormat::AgUi => ag_ui::call_end(self, call),
            WebFormat::OpenAi | WebFormat::Text => {}
        }
    }

    /// Writes the output of a tool, JSON text, or the text of its error.
    ///
    /// The call is the first of the step without an output that has the id; where it has none, the name decides.
    /// Returns whether there is such a call.
    pub fn tool_output(&mut self, id: Option<&str>, name: &str, output: &str, is_error: bool) -> bool {
        if self.is_ended || self.hides_tools() {
            return !self.is_ended;
        }
        let open = |call: &Call| !call.is_answered;
        let given = id.filter(|id| !id.is_empty());
        let known = self
            .calls
            .iter()
            .position(|call| open(call) && given.is_some() && call.given.as_deref() == given)
            .or_else(|| self.calls.iter().position(|call| open(call) && call.name == name));
        let Some(call) = known else { return false };
        self.calls[call].is_answered = true;
        self.close_part();
        match self.format {
            WebFormat::Vercel => vercel::output(self, call, output, is_error),
            WebFormat::AgUi => ag_ui::output(self, call, output, is_error),
            WebFormat::OpenAi | WebFormat::Text => {}
        }
        true
    }

    /// Writes data of the program's own under a name, JSON text. Formats without a place for it leave it out.
    pub fn data(&mut self, name: &str, json: &str) {
        if self.is_ended {
            return;
        }
        self.start();
        match self.format {
            WebFormat::Vercel => vercel::data(self, name, json),
            WebFormat::AgUi => ag_ui::custom(self, name, json),
            WebFormat::OpenAi | WebFormat::Text => {}
        }
    }

    /// Writes a web page that the answer rests on.
    pub fn source(&mut self, url: &str, title: &str) {
        if self.is_ended {
            return;
        }
        self.start();
        match self.format {
            WebFormat::Vercel => vercel::source(self, url, title),
            WebFormat::AgUi => {
                let mut json = String::from("{\"url\":");
                write_string(url, &mut json);
                json.push_str(",\"title\":");
                write_string(title, &mut json);
                json.push('}');
                ag_ui::custom(self, "source", &json);
            }
            WebFormat::OpenAi | WebFormat::Text => {}
        }
    }

    /// Writes a file, by its URL: `data:` or `https:`.
    pub fn file(&mut self, url: &str, media_type: &str) {
        if self.is_ended {
            return;
        }
        self.start();
        match self.format {
            WebFormat::Vercel => vercel::file(self, url, media_type),
            WebFormat::AgUi => {
                let mut json = String::from("{\"url\":");
                write_string(url, &mut json);
                json.push_str(",\"mediaType\":");
                write_string(media_type, &mut json);
                json.push('}');
                ag_ui::custom(self, "file", &json);
            }
            WebFormat::OpenAi | WebFormat::Text => {}
        }
    }

    /// Ends a model call; the next one begins another step.
    pub fn finish_step(&mut self) {
        if !self.in_step || self.is_ended {
            return;
        }
        self.close_part();
        self.in_step = false;
        if self.format == WebFormat::Vercel {
            self.event(|_, out| out.push_str("{\"type\":\"finish-step\"}"));
        }
    }

    /// Returns the name of the first tool call of the step whose arguments never became complete.
    #[must_use]
    pub fn incomplete_call(&self) -> Option<&str> {
        self.calls.iter().find(|call| !call.is_complete).map(|call| call.name.as_str())
    }

    /// Ends the answer: with the finish reason in the words that all providers share, the usage, JSON text in the form
    /// of the format, and the cost in USD, a JSON number or `null`.
    pub fn finish(&mut self, reason: &str, usage: Option<&str>, cost: Option<&str>) {
        if self.is_ended {
            return;
        }
        if !self.is_started {
            self.start_step();
        }
        self.finish_step();
        match self.format {
            WebFormat::Vercel => vercel::finish(self, reason, usage, cost),
            WebFormat::OpenAi => openai::finish(self, reason, usage, cost),
            WebFormat::AgUi => ag_ui::finish(self, reason, usage, cost),
            WebFormat::Text => text::finish(self, reason, usage, cost),
        }
        self.is_ended = true;
    }

    /// Ends the answer with an error. The text goes to a browser: it must hold nothing secret.
    pub fn error(&mut self, message: &str, code: &str) {
        if self.is_ended {
            return;
        }
        self.start();
        self.close_part();
        match self.format {
            WebFormat::Vercel => vercel::error(self, message),
            WebFormat::OpenAi => openai::error(self, message, code),
            WebFormat::AgUi => ag_ui::error(self, message, code),
            WebFormat::Text => text::error(self, message, code),
        }
        self.is_ended = true;
    }

    /// Ends an answer that was stopped on request.
    pub fn abort(&mut self) {
        if self.is_ended {
            return;
        }
        self.start();
        self.close_part();
        match self.format {
            WebFormat::Vercel => vercel::abort(self),
            WebFormat::OpenAi => openai::error(self, "the answer was stopped", "aborted"),
            WebFormat::AgUi => ag_ui::abort(self),
            WebFormat::Text => text::abort(self),
        }
        self.is_ended = true;
    }

    /// Whether calls are left out: the format has no place for their outputs, and a client would run them again.
    fn hides_tools(&self) -> bool {
        self.runs_tools && matches!(self.format, WebFormat::OpenAi)
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        match self.format {
            WebFormat::Vercel => vercel::start(self),
            WebFormat::OpenAi => openai::start(self),
            WebFormat::AgUi => ag_ui::start(self),
            WebFormat::Text => {}
        }
    }

    fn piece(&mut self, part: Part, text: &str) {
        if self.part != Some(part) {
            self.close_part();
            self.part = Some(part);
            self.parts += 1;
            match self.format {
                WebFormat::Vercel => vercel::open(self, part),
                WebFormat::AgUi => ag_ui::open(self, part),
                WebFormat::OpenAi | WebFormat::Text => {}
            }
        }
        match self.format {
            WebFormat::Vercel => vercel::piece(self, part, text),
            WebFormat::OpenAi => openai::piece(self, part, text),
            WebFormat::AgUi => ag_ui::piece(self, part, text),
            WebFormat::Text => text::piece(self, part, text),
        }
    }

    fn close_part(&mut self) {
        if let Some(part) = self.part.take() {
            match self.format {
                WebFormat::Vercel => vercel::close(self, part),
                WebFormat::AgUi => ag_ui::close(self, part),
                WebFormat::OpenAi | WebFormat::Text => {}
            }
        }
    }

    /// Returns the index of the call at a position. A server that begins its answer anew has another id there.
    fn known_call(&self, position: usize, given: Option<&str>) -> Option<usize> {
        self.calls.iter().position(|call| {
            call.position == position
                && (call.given.is_none() || given.is_none() || call.given.as_deref() == given)
        })
    }

    /// Returns the index of the call at a position; a new one is announced.
    fn call(&mut self, position: usize, given: Option<&str>, name: &str) -> usize {
        if let Some(known) = self.known_call(position, given) {
            return known;
        }
        self.calls.retain(|call| call.position != position);
        self.start_step();
        self.close_part();
        // Clients keep the calls of several answers side by side, so a made-up id needs the answer's.
        let made_up = || format!("call_{}_{position}", self.answer.id);
        let wanted = given.filter(|id| !id.is_empty()).map_or_else(made_up, str::to_owned);
        let id = self.unique(wanted);
        self.calls.push(Call {
            position,
            given: given.map(str::to_owned),
            id,
            name: name.to_owned(),
            written: String::new(),
            is_complete: false,
            is_answered: false,
        });
        let call = self.calls.len() - 1;
        match self.format {
            WebFormat::Vercel => vercel::call_start(self, call),
            WebFormat::OpenAi => openai::call_start(self, call),
            WebFormat::AgUi => ag_ui::call_start(self, call),
            WebFormat::Text => {}
        }
        call
    }

    /// Returns an id that no call of the answer has: some servers use theirs again in every turn.
    fn unique(&mut self, wanted: String) -> String {
        let mut id = wanted.clone();
        let mut number = 2_u64;
        while !self.ids.insert(id.clone()) {
            id = format!("{wanted}_{number}");
            number += 1;
        }
        id
    }

    /// Writes an event whose data is written by `write`.
    fn event(&mut self, write: impl FnOnce(&Self, &mut String)) {
        let mut out = std::mem::take(&mut self.out);
        write_number(self.next, &mut out);
        self.next += 1;
        out.push_str("data: ");
        write(self, &mut out);
        out.push_str("\n\n");
        self.out = out;
    }

    /// Writes an event with a name of its own.
    fn named_event(&mut self, name: &str, write: impl FnOnce(&Self, &mut String)) {
        let mut out = std::mem::take(&mut self.out);
        write_number(self.next, &mut out);
        self.next += 1;
        out.push_str("event: ");
        out.push_str(name);
        out.push_str("\ndata: ");
        write(self, &mut out);
        out.push_str("\n\n");
        self.out = out;
    }

    /// Returns arguments as a JSON object: blank ones are `{}`, and text that is no JSON is a string.
    fn json_of(&mut self, arguments: &str) -> String {
        let text = arguments.trim_ascii();
        if text.is_empty() {
            return "{}".to_owned();
        }
        one_line(&mut self.tape, text)
    }
}

/// Returns JSON text without line breaks, which end a line of server-sent events; other text becomes a string.
fn one_line(tape: &mut Tape, text: &str) -> String {
    if tape.read(text, Limits::default().depth).is_ok() {
        // In JSON text a raw line break can only be white space between tokens.
        if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text.to_owned() }
    } else {
        let mut quoted = String::new();
        write_string(text, &mut quoted);
        quoted
    }
}

fn write_number(number: u64, out: &mut String) {
    use std::fmt::Write as _;
    out.push_str("id: ");
    let _ = write!(out, "{number}");
    out.push('\n');
}

/// Writes `"name":"value"`, with a comma before it.
fn write_member(name: &str, value: &str, out: &mut String) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    write_string(value, out);
}

/// Writes a member whose value is JSON text, with a comma before it, if there is one.
fn write_json(name: &str, json: Option<&str>, out: &mut String) {
    if let Some(json) = json {
        out.push_str(",\"");
        out.push_str(name);
        out.push_str("\":");
        out.push_str(json);
    }
}

/// Writes the id of the open part, unique among all answers of a conversation.
fn write_part_id(emitter: &Emitter, part: Part, out: &mut String) {
    let kind = if part == Part::Text { "text" } else { "reasoning" };
    write_string(&format!("{}-{kind}-{}", emitter.answer.id, emitter.parts), out);
}
