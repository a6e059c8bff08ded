//! `StreamDecoder`: the core's stream, seen from Python.

use crate::error::raise;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::dialect::{Dialect, Format};
use ferroscope_core::{Framing, Limits, Step, Stream};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::borrow::Cow;

/// The wire formats by name.
const DIALECTS: [&str; 6] =
    ["anthropic", "bedrock_converse", "cohere", "gemini", "openai_chat", "openai_responses"];

/// The framings by name.
const FRAMINGS: [&str; 3] = ["sse", "aws_event_stream", "json_lines"];

fn unknown(what: &str, name: &str, known: &[&str]) -> PyErr {
    PyValueError::new_err(format!("unknown {what} {name:?}; use one of {}", known.join(", ")))
}

/// What one event of a stream added.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct Event {
    content: Py<PyString>,
    data: Data,
    /// Calls that the event completed: `(position, id, name, arguments)`.
    #[pyo3(get)]
    tool_calls: Option<Py<PyList>>,
    /// Arguments that grew: `(position, id, name, fragment)`.
    #[pyo3(get)]
    fragments: Option<Py<PyList>>,
}

/// The event's JSON text: most often a part of a read that stands in memory anyway.
enum Data {
    Nothing,
    Part { read: Py<PyBytes>, start: usize, end: usize },
    Own(Py<PyBytes>),
}

#[pymethods]
impl Event {
    /// Text that the event added.
    #[getter]
    fn content(&self, py: Python<'_>) -> Py<PyString> {
        self.content.clone_ref(py)
    }

    /// The event's data, JSON text; empty for what only the end of the stream completed.
    #[getter]
    fn data(&self, py: Python<'_>) -> Py<PyBytes> {
        match &self.data {
            Data::Nothing => PyBytes::new(py, b"").unbind(),
            Data::Part { read, start, end } => PyBytes::new(py, &read.as_bytes(py)[*start..*end]).unbind(),
            Data::Own(data) => data.clone_ref(py),
        }
    }
}

/// Decodes one streamed response: feed bytes, iterate over the events they completed, and go on.
///
/// The iterator stops whenever more bytes are needed and goes on after the next `feed`, so what the decoder
/// says of the response is always what has been iterated over, and not more.
#[pyclass(module = "ferroscope._core")]
pub struct StreamDecoder {
    stream: Stream,
    /// The read that events point into, and where in the body it begins.
    read: Option<Py<PyBytes>>,
    read_start: u64,
    read_end: u64,
}

#[pymethods]
impl StreamDecoder {
    #[new]
    #[pyo3(signature = (dialect="openai_chat", *, framing=None, reasoning=None, usage_in=None, event_bytes=None, response_bytes=None, tool_calls=None, choices=None, depth=None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn new(
        dialect: &str,
        framing: Option<&str>,
        reasoning: Option<Vec<String>>,
        usage_in: Option<String>,
        event_bytes: Option<usize>,
        response_bytes: Option<usize>,
        tool_calls: Option<usize>,
        choices: Option<usize>,
        depth: Option<usize>,
    ) -> PyResult<Self> {
        let usual = Quirks::default();
        let quirks = Quirks { reasoning: reasoning.unwrap_or(usual.reasoning), usage_in };
        let format = match dialect {
            "openai_chat" => Format::from(quirks),
            "anthropic" => Format::Anthropic,
            "bedrock_converse" => Format::BedrockConverse,
            "cohere" => Format::Cohere,
            "gemini" => Format::Gemini,
            "openai_responses" => Format::OpenaiResponses,
            other => return Err(unknown("dialect", other, &DIALECTS)),
        };
        let most = Limits::default();
        let limits = Limits {
            event_bytes: event_bytes.unwrap_or(most.event_bytes),
            response_bytes: response_bytes.unwrap_or(most.response_bytes),
            tool_calls: tool_calls.unwrap_or(most.tool_calls),
            choices: choices.unwrap_or(most.choices),
            depth: depth.unwrap_or(most.depth),
        };
        let mut decoder =
            Self { stream: Stream::new(format, limits), read: None, read_start: 0, read_end: 0 };
        if let Some(framing) = framing {
            decoder.set_framing(framing)?;
        }
        Ok(decoder)
    }

    /// How the body is cut into events; can be set before its first bytes.
    #[getter]
    fn framing(&self) -> &'static str {
        match self.stream.framing() {
            Framing::AwsEventStream => "aws_event_stream",
            Framing::JsonLines => "json_lines",
            _ => "sse",
        }
    }

    #[setter]
    fn set_framing(&mut self, framing: &str) -> PyResult<()> {
        if self.read_end > 0 {
            return Err(PyValueError::new_err("the body has begun, and keeps its framing"));
        }
        self.stream.set_framing(match framing {
            "sse" => Framing::Sse,
            "aws_event_stream" => Framing::AwsEventStream,
            "json_lines" => Framing::JsonLines,
            other => return Err(unknown("framing", other, &FRAMINGS)),
        });
        Ok(())
    }

    /// Takes the next bytes of the body.
    fn feed(&mut self, data: &Bound<'_, PyBytes>) {
        let bytes = data.as_bytes();
        self.stream.feed(bytes);
        self.read = Some(data.clone().unbind());
        self.read_start = self.read_end;
        self.read_end += bytes.len() as u64;
    }

    /// Ends the body; what that completes comes with the iteration.
    fn finish(&mut self) {
        self.stream.finish();
    }

    /// Leaves unread what has been fed and not been folded yet: nobody wants the rest.
    fn stop(&mut self) {
        self.stream.stop();
    }

    /// Folds all that has been fed, without an object for each event.
    fn fold(&mut self, py: Python<'_>) -> PyResult<()> {
        let stream = &mut self.stream;
        py.detach(|| {
            while stream.next_step()?.is_some() {}
            Ok(())
        })
        .map_err(raise)
    }

    /// Folds one event that comes without framing.
    fn feed_event(&mut self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let step = self.stream.feed_event(data).map_err(raise)?;
        let own = Data::Own(PyBytes::new(py, data.as_bytes()).unbind());
        let found = Found::new(py, &step);
        found.event(py, own, self.stream.state())
    }

    /// Folds a plain body, as it comes without streaming.
    fn feed_body(&mut self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let step = self.stream.feed_body(data).map_err(raise)?;
        let own = Data::Own(PyBytes::new(py, data.as_bytes()).unbind());
        let found = Found::new(py, &step);
        found.event(py, own, self.stream.state())
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Event>> {
        let (read, read_start) = (&self.read, self.read_start);
        let Some(step) = self.stream.next_step().map_err(raise)? else { return Ok(None) };
        let data = match (&step.data, read) {
            (None, _) => Data::Nothing,
            (Some(text), Some(read)) => {
                let start = step.at.byte.checked_sub(read_start).map_or(usize::MAX, |start| start as usize);
                let end = start.saturating_add(text.len());
                // Data of several lines does not stand in the read as it is.
                if read.as_bytes(py).get(start..end) == Some(text.as_bytes()) {
                    Data::Part { read: read.clone_ref(py), start, end }
                } else {
                    Data::Own(PyBytes::new(py, text.as_bytes()).unbind())
                }
            }
            (Some(text), None) => Data::Own(PyBytes::new(py, text.as_bytes()).unbind()),
        };
        let found = Found::new(py, &step);
        found.event(py, data, self.stream.state()).map(Some)
    }

    /// Whether the provider has said that the response is complete; the body may go on.
    #[getter]
    fn done(&self) -> bool {
        self.stream.is_done()
    }

    /// How many events have come, those that said nothing included.
    #[getter]
    fn events(&self) -> u64 {
        self.stream.events()
    }

    /// The provider's id of the response; empty while it has given none.
    #[getter]
    fn id(&self) -> &str {
        self.stream.state().id()
    }

    /// The model that answers; empty while the provider has not said.
    #[getter]
    fn model(&self) -> &str {
        self.stream.state().model()
    }

    /// Why each choice ended, in the order of the choices.
    #[getter]
    fn finish_reasons(&self) -> Vec<&str> {
        self.stream.state().finish_reasons()
    }

    /// The provider's account of the tokens, JSON text.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.stream.state().usage().map(|usage| PyBytes::new(py, usage.as_bytes()))
    }

    /// The token counts of the usage so far, by name; None for a count that the provider did not report.
    fn token_counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        crate::price::token_counts(py, self.stream.state().usage().map(str::as_bytes))
    }

    /// Why the counts that the events reported contradict each other.
    #[getter]
    fn usage_contradiction(&self) -> Option<&str> {
        self.stream.state().usage_contradiction()
    }

    /// What the model has said so far.
    #[getter]
    fn content(&self) -> Cow<'_, str> {
        self.stream.state().message_so_far().text
    }

    /// What the model has thought so far, as far as the provider shows it.
    #[getter]
    fn reasoning(&self) -> Cow<'_, str> {
        self.stream.state().message_so_far().reasoning
    }

    /// What the model has thought since a position, and the position to ask from the next time.
    fn reasoning_since(&self, position: usize) -> (String, usize) {
        let reasoning = self.stream.state().message_so_far().reasoning;
        (reasoning.get(position..).unwrap_or_default().to_owned(), reasoning.len())
    }

    /// The tool calls so far: `(position, id, name, arguments)`.
    #[getter]
    fn tool_calls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let state = self.stream.state();
        let calls = (0..state.tool_calls().len()).filter_map(|position| call(py, state, position, None));
        PyList::new(py, calls.collect::<PyResult<Vec<_>>>()?)
    }

    /// The response so far, in the form of the provider's answer without streaming, JSON text.
    fn response<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.stream.state().response().as_bytes())
    }
}

/// What a step found, let go of the stream that it borrows.
struct Found {
    content: Py<PyString>,
    completed: Vec<usize>,
    arguments: Vec<(usize, String)>,
}

impl Found {
    fn new(py: Python<'_>, step: &Step<'_>) -> Self {
        Self {
            content: PyString::new(py, &step.delta.text).unbind(),
            completed: step.delta.completed.clone(),
            arguments: step.delta.arguments.clone(),
        }
    }

    fn event(self, py: Python<'_>, data: Data, state: &Dialect) -> PyResult<Event> {
        let list = |calls: Vec<Bound<'_, PyTuple>>| -> PyResult<Option<Py<PyList>>> {
            if calls.is_empty() { Ok(None) } else { Ok(Some(PyList::new(py, calls)?.unbind())) }
        };
        let completed = self.completed.into_iter().filter_map(|position| call(py, state, position, None));
        let fragments =
            self.arguments.iter().filter_map(|(position, text)| call(py, state, *position, Some(text)));
        Ok(Event {
            content: self.content,
            data,
            tool_calls: list(completed.collect::<PyResult<_>>()?)?,
            fragments: list(fragments.collect::<PyResult<_>>()?)?,
        })
    }
}

/// A call as `(position, id, name, arguments)`, its arguments whole or a fragment of them.
fn call<'py>(
    py: Python<'py>,
    state: &Dialect,
    position: usize,
    fragment: Option<&str>,
) -> Option<PyResult<Bound<'py, PyTuple>>> {
    let call = state.tool_call(position)?;
    Some((position, call.id, call.name, fragment.unwrap_or(call.arguments)).into_pyobject(py))
}
