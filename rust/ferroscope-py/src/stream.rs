//! `StreamDecoder`: the core's stream, seen from Python.

use crate::error::raise;
use crate::event::{Data, Event, Found, ToolCallDelta};
use ferroscope_core::dialect::Format;
use ferroscope_core::dialect::openai_chat::Quirks;
use ferroscope_core::{Framing, Limits, Stream};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> PyErr {
    let known: Vec<&str> = known.collect();
    PyValueError::new_err(format!("unknown {what} {name:?}; use one of {}", known.join(", ")))
}

/// Decodes one streamed response: feed bytes, iterate over the events they completed, and go on.
///
/// The iterator stops whenever more bytes are needed and goes on after the next `feed`, so what the decoder
/// says of the response is always what has been iterated over, and not more.
///
/// A thread may read the state while another one folds: it waits for the current read or event to be folded.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct StreamDecoder {
    state: Mutex<State>,
    /// The thread that has the lock; 0 if none has it.
    owner: AtomicUsize,
}

struct State {
    stream: Stream,
    /// The read that events point into, and where in the body it begins.
    read: Option<Py<PyBytes>>,
    read_start: u64,
    read_end: u64,
}

#[pymethods]
impl StreamDecoder {
    #[new]
    #[pyo3(signature = (dialect="openai_chat", *, framing=None, reasoning=None, usage_in=None, reports_end=true, event_bytes=None, response_bytes=None, tool_calls=None, choices=None, depth=None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn new(
        dialect: &str,
        framing: Option<&str>,
        reasoning: Option<Vec<String>>,
        usage_in: Option<String>,
        reports_end: bool,
        event_bytes: Option<usize>,
        response_bytes: Option<usize>,
        tool_calls: Option<usize>,
        choices: Option<usize>,
        depth: Option<usize>,
    ) -> PyResult<Self> {
        let usual = Quirks::default();
        let quirks = Quirks { reasoning: reasoning.unwrap_or(usual.reasoning), usage_in, reports_end };
        let format = Format::named(dialect, quirks)
            .ok_or_else(|| unknown("dialect", dialect, Format::NAMES.iter().copied()))?;
        let most = Limits::default();
        let limits = Limits {
            event_bytes: event_bytes.unwrap_or(most.event_bytes),
            response_bytes: response_bytes.unwrap_or(most.response_bytes),
            tool_calls: tool_calls.unwrap_or(most.tool_calls),
            choices: choices.unwrap_or(most.choices),
            depth: depth.unwrap_or(most.depth),
        };
        let mut state = State { stream: Stream::new(format, limits), read: None, read_start: 0, read_end: 0 };
        if let Some(framing) = framing {
            state.set_framing(framing)?;
        }
        Ok(Self { state: Mutex::new(state), owner: AtomicUsize::new(0) })
    }

    /// How the body is cut into events; can be set before its first bytes.
    #[getter]
    fn framing(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.lock(py)?.stream.framing().name())
    }

    #[setter]
    fn set_framing(&self, py: Python<'_>, framing: &str) -> PyResult<()> {
        self.lock(py)?.set_framing(framing)
    }

    /// Whether the body is fed, and with it the terminator, and not the events that a client hands out.
    #[getter]
    fn framed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.stream.is_framed())
    }

    #[setter]
    fn set_framed(&self, py: Python<'_>, framed: bool) -> PyResult<()> {
        self.lock(py)?.stream.set_framed(framed);
        Ok(())
    }

    /// Takes the next bytes of the body.
    fn feed(&self, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        let bytes = data.as_bytes();
        let mut this = self.lock(data.py())?;
        this.stream.feed(bytes);
        this.read_start = this.read_end;
        this.read_end += bytes.len() as u64;
        let before = this.read.replace(data.clone().unbind());
        drop(this);
        drop(before);
        Ok(())
    }

    /// Ends the body; what that completes comes with the iteration.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.lock(py)?.stream.finish();
        Ok(())
    }

    /// Continues the response with another body, after the one before broke off.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        let mut this = self.lock(py)?;
        this.stream.resume();
        this.read_start = 0;
        this.read_end = 0;
        let before = this.read.take();
        drop(this);
        drop(before);
        Ok(())
    }

    /// The sequence number of the latest event that has one.
    #[getter]
    fn sequence_number(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        Ok(self.lock(py)?.stream.state().sequence_number())
    }

    /// Leaves unread what has been fed and not been folded yet: nobody wants the rest.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.lock(py)?.stream.stop();
        Ok(())
    }

    /// Folds all that has been fed, without an object for each event.
    fn fold(&self, py: Python<'_>) -> PyResult<()> {
        let mut this = self.lock(py)?;
        let stream = &mut this.stream;
        py.detach(|| {
            while stream.next_step()?.is_some() {}
            Ok(())
        })
        .map_err(raise)
    }

    /// Folds one event that comes without framing.
    fn feed_event(&self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let mut this = self.lock(py)?;
        let step = this.stream.feed_event(data).map_err(raise)?;
        let own = Data::Own(PyBytes::new(py, data.as_bytes()).unbind());
        let found = Found::new(py, &step);
        found.event(py, own, this.stream.state())
    }

    /// Folds a plain body, as it comes without streaming.
    fn feed_body(&self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let mut this = self.lock(py)?;
        let step = this.stream.feed_body(data).map_err(raise)?;
        let own = Data::Own(PyBytes::new(py, data.as_bytes()).unbind());
        let found = Found::new(py, &step);
        found.event(py, own, this.stream.state())
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        let mut this = self.lock(py)?;
        let State { stream, read, read_start, .. } = &mut *this;
        let Some(step) = stream.next_step().map_err(raise)? else { return Ok(None) };
        let data = match (&step.data, read) {
            (None, _) => Data::Nothing,
            (Some(text), Some(read)) => {
                let start = step.at.byte.checked_sub(*read_start).map_or(usize::MAX, |start| start as usize);
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
        found.event(py, data, stream.state()).map(Some)
    }

    /// Whether the provider has said that the response is complete; the body may go on.
    #[getter]
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.stream.is_done())
    }

    /// How many events have come, those that said nothing included.
    #[getter]
    fn events(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.lock(py)?.stream.events())
    }

    /// The provider's id of the response; empty while it has given none.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, self.lock(py)?.stream.state().id()))
    }

    /// The model that answers; empty while the provider has not said.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, self.lock(py)?.stream.state().model()))
    }

    /// Why each choice ended, in the order of the choices.
    #[getter]
    fn finish_reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.lock(py)?.stream.state().finish_reasons())
    }

    /// The provider's account of the tokens, JSON text.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.lock(py)?.stream.state().usage().map(|usage| PyBytes::new(py, usage.as_bytes())))
    }

    /// The token counts of the usage so far, by name; None for a count that the provider did not report.
    fn token_counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        crate::price::token_counts(py, self.lock(py)?.stream.state().usage().map(str::as_bytes))
    }

    /// Why the counts that the events reported contradict each other.
    #[getter]
    fn usage_contradiction<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        Ok(self.lock(py)?.stream.state().usage_contradiction().map(|text| PyString::new(py, text)))
    }

    /// What the model has said so far.
    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, &self.lock(py)?.stream.state().message_so_far().text))
    }

    /// What the model has thought so far, as far as the provider shows it.
    #[getter]
    fn reasoning<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, &self.lock(py)?.stream.state().message_so_far().reasoning))
    }

    /// What the model has thought since a position, and the position to ask from the next time.
    fn reasoning_since(&self, py: Python<'_>, position: usize) -> PyResult<(String, usize)> {
        let this = self.lock(py)?;
        let reasoning = this.stream.state().message_so_far().reasoning;
        Ok((reasoning.get(position..).unwrap_or_default().to_owned(), reasoning.len()))
    }

    /// The tool calls so far.
    #[getter]
    fn tool_calls(&self, py: Python<'_>) -> PyResult<Vec<ToolCallDelta>> {
        let this = self.lock(py)?;
        let state = this.stream.state();
        let positions = 0..state.tool_calls().len();
        Ok(positions.filter_map(|position| ToolCallDelta::new(py, state, position, None)).collect())
    }

    /// The tool calls that the end of the response cut off.
    #[getter]
    fn cut_calls(&self, py: Python<'_>) -> PyResult<Vec<ToolCallDelta>> {
        let this = self.lock(py)?;
        let state = this.stream.state();
        let positions = state.cut_calls().into_iter();
        Ok(positions.filter_map(|position| ToolCallDelta::new(py, state, position, None)).collect())
    }

    /// The response so far, in the form of the provider's answer without streaming, JSON text.
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.lock(py)?.stream.state().response().as_bytes()))
    }
}

impl StreamDecoder {
    /// Waits for the thread that folds, if there is one. It may need the GIL to end, so the GIL is released meanwhile.
    fn lock(&self, py: Python<'_>) -> PyResult<Held<'_>> {
        thread_local!(static THREAD: u8 = const { 0 });
        let thread = THREAD.with(|place| std::ptr::from_ref(place).addr());
        if self.owner.load(Ordering::Relaxed) == thread {
            // A finalizer that the collector runs in the middle of an iteration.
            return Err(PyRuntimeError::new_err("this thread is decoding the stream at the moment"));
        }
        let state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        self.owner.store(thread, Ordering::Relaxed);
        Ok(Held { state, owner: &self.owner })
    }
}

/// The locked state of a decoder.
struct Held<'a> {
    state: MutexGuard<'a, State>,
    owner: &'a AtomicUsize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.owner.store(0, Ordering::Relaxed);
    }
}

impl Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl State {
    fn set_framing(&mut self, framing: &str) -> PyResult<()> {
        if self.read_end > 0 {
            return Err(PyValueError::new_err("the body has begun, and keeps its framing"));
        }
        let known = Framing::NAMED.iter().map(|(name, _)| *name);
        let found = Framing::named(framing).ok_or_else(|| unknown("framing", framing, known))?;
        self.stream.set_framing(found);
        Ok(())
    }
}
