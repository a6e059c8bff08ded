//! `StreamDecoder`: the Python class for the core's stream.

use crate::error::raise;
use crate::event::{Data, Event, Found, ToolCallDelta};
use crate::growing_text::GrowingText;
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

pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> PyErr {
    let known: Vec<&str> = known.collect();
    PyValueError::new_err(format!("unknown {what} {name:?}; use one of {}", known.join(", ")))
}

/// The decoder of one streamed response: feed bytes, iterate over the completed events, and repeat.
///
/// The iterator stops when it needs more bytes, and continues after the next `feed`. The properties of the decoder
/// reflect only the events that have been consumed.
///
/// Another thread may read the state during an iteration. It waits until the current read or event has been processed.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct StreamDecoder {
    state: Mutex<State>,
    /// The thread that has the lock; 0 if none has it.
    owner: AtomicUsize,
}

pub(crate) struct State {
    pub(crate) stream: Stream,
    /// The read that events refer to, and its offset in the body.
    read: Option<Py<PyBytes>>,
    read_start: u64,
    read_end: u64,
    content: GrowingText,
    reasoning: GrowingText,
}

#[pymethods]
impl StreamDecoder {
    #[new]
    #[pyo3(signature = (dialect="openai_chat", *, framing=None, reasoning=None, usage_in=None, reports_end=true, event_bytes=None, response_bytes=None, tool_calls=None, choices=None, depth=None, begin_with=""))]
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
        begin_with: &str,
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
        let mut stream = Stream::new(format, limits);
        if !begin_with.is_empty() && !stream.begin_with(begin_with) {
            return Err(PyValueError::new_err(format!("the dialect {dialect:?} cannot continue a text")));
        }
        let mut state = State {
            stream,
            read: None,
            read_start: 0,
            read_end: 0,
            content: GrowingText::default(),
            reasoning: GrowingText::default(),
        };
        if let Some(framing) = framing {
            state.set_framing(framing)?;
        }
        Ok(Self { state: Mutex::new(state), owner: AtomicUsize::new(0) })
    }

    /// The framing of events in the body. It can be set before the first bytes.
    #[getter]
    fn framing(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.lock(py)?.stream.framing().name())
    }

    #[setter]
    fn set_framing(&self, py: Python<'_>, framing: &str) -> PyResult<()> {
        self.lock(py)?.set_framing(framing)
    }

    /// Whether the input is the body with its terminator, rather than events from a client.
    #[getter]
    fn framed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.stream.is_framed())
    }

    #[setter]
    fn set_framed(&self, py: Python<'_>, framed: bool) -> PyResult<()> {
        self.lock(py)?.stream.set_framed(framed);
        Ok(())
    }

    /// Adds the next bytes of the body.
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

    /// Ends the body. The iteration then yields events that only the end completes.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let mut this = self.lock(py)?;
        this.stream.finish();
        let before = this.read.take();
        drop(this);
        drop(before);
        Ok(())
    }

    /// Continues the response with another body, after the previous one was interrupted.
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

    /// The sequence number of the latest event with one.
    #[getter]
    fn sequence_number(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        Ok(self.lock(py)?.stream.state().sequence_number())
    }

    /// Discards data that has been fed but not consumed.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.lock(py)?.stream.stop();
        Ok(())
    }

    /// Processes all data that has been fed, without an object for each event.
    fn fold(&self, py: Python<'_>) -> PyResult<()> {
        let mut this = self.lock(py)?;
        let stream = &mut this.stream;
        py.detach(|| stream.fold(|_, _| ())).map_err(raise)
    }

    /// The read that was fed last; None before the first and after the end of the body.
    #[getter]
    fn read(&self, py: Python<'_>) -> PyResult<Option<Py<PyBytes>>> {
        Ok(self.lock(py)?.read.as_ref().map(|read| read.clone_ref(py)))
    }

    /// Processes one event without framing.
    fn feed_event(&self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let mut this = self.lock(py)?;
        let found = Found::new(py, &this.stream.feed_event(data).map_err(raise)?);
        found.event(py, Data::own(py, data), this.stream.state())
    }

    /// Processes the body of a response without streaming.
    fn feed_body(&self, py: Python<'_>, data: &str) -> PyResult<Event> {
        let mut this = self.lock(py)?;
        let found = Found::new(py, &this.stream.feed_body(data).map_err(raise)?);
        found.event(py, Data::own(py, data), this.stream.state())
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
                // Data of several lines is not one range of the read.
                if read.as_bytes(py).get(start..end) == Some(text.as_bytes()) {
                    Data::Part { read: read.clone_ref(py), start, end }
                } else {
                    Data::own(py, text)
                }
            }
            (Some(text), None) => Data::own(py, text),
        };
        let found = Found::new(py, &step);
        found.event(py, data, stream.state()).map(Some)
    }

    /// Whether the provider has marked the response as complete. The body may continue.
    #[getter]
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.stream.is_done())
    }

    /// The number of events so far, including those without content.
    #[getter]
    fn events(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.lock(py)?.stream.events())
    }

    /// The provider's id of the response; empty until it arrives.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, self.lock(py)?.stream.state().id()))
    }

    /// The name of the model; empty until it arrives.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(py, self.lock(py)?.stream.state().model()))
    }

    /// The finish reason of each choice, in the order of the choices.
    #[getter]
    fn finish_reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.lock(py)?.stream.state().finish_reasons())
    }

    /// The provider's usage object as JSON text.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.lock(py)?.stream.state().usage().map(|usage| PyBytes::new(py, usage.as_bytes())))
    }

    /// Returns the token counts of the usage so far, by name; `None` for a count that the provider did not report.
    fn token_counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        crate::price::token_counts(py, self.lock(py)?.stream.state().usage().map(str::as_bytes))
    }

    /// The contradiction between the counts of different events; `None` if there is none.
    #[getter]
    fn usage_contradiction<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        Ok(self.lock(py)?.stream.state().usage_contradiction().map(|text| PyString::new(py, text)))
    }

    /// The text so far.
    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let mut this = self.lock(py)?;
        let State { stream, content, .. } = &mut *this;
        content.read(py, &stream.state().text_pieces(), stream.state().rewrites())
    }

    /// The reasoning so far; empty if the provider shows none.
    #[getter]
    fn reasoning<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let mut this = self.lock(py)?;
        let State { stream, reasoning, .. } = &mut *this;
        reasoning.read(py, &stream.state().reasoning_pieces(), stream.state().rewrites())
    }

    /// Returns the reasoning since a position, and the position for the next call.
    fn reasoning_since(&self, py: Python<'_>, position: usize) -> PyResult<(String, usize)> {
        let this = self.lock(py)?;
        let reasoning = this.stream.state().reasoning();
        Ok((reasoning.get(position..).unwrap_or_default().to_owned(), reasoning.len()))
    }

    /// The tool calls so far.
    #[getter]
    fn tool_calls(&self, py: Python<'_>) -> PyResult<Vec<ToolCallDelta>> {
        let this = self.lock(py)?;
        let state = this.stream.state();
        let positions = 0..state.tool_calls().len();
        Ok(positions.filter_map(|position| ToolCallDelta::new(state, position, None)).collect())
    }

    /// The tool calls that the end of the response cut off.
    #[getter]
    fn cut_calls(&self, py: Python<'_>) -> PyResult<Vec<ToolCallDelta>> {
        let this = self.lock(py)?;
        let state = this.stream.state();
        let positions = state.cut_calls().into_iter();
        Ok(positions.filter_map(|position| ToolCallDelta::new(state, position, None)).collect())
    }

    /// Returns the response so far as JSON text, in the form of the provider's response without streaming.
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.lock(py)?.stream.state().response().as_bytes()))
    }
}

impl StreamDecoder {
    /// Waits for the thread that decodes, if there is one. That thread may need the GIL, so the GIL is released
    /// meanwhile.
    pub(crate) fn lock(&self, py: Python<'_>) -> PyResult<Locked<'_>> {
        thread_local!(static THREAD: u8 = const { 0 });
        let thread = THREAD.with(|place| std::ptr::from_ref(place).addr());
        if self.owner.load(Ordering::Relaxed) == thread {
            // A finalizer, which the garbage collector runs in the middle of an iteration.
            return Err(PyRuntimeError::new_err("this thread is already decoding the stream"));
        }
        let state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        self.owner.store(thread, Ordering::Relaxed);
        Ok(Locked { state, owner: &self.owner })
    }
}

/// The locked state of a decoder.
pub(crate) struct Locked<'a> {
    state: MutexGuard<'a, State>,
    owner: &'a AtomicUsize,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.owner.store(0, Ordering::Relaxed);
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl State {
    fn set_framing(&mut self, framing: &str) -> PyResult<()> {
        if self.read_end > 0 {
            return Err(PyValueError::new_err("the framing cannot be changed after the body has begun"));
        }
        let known = Framing::NAMED.iter().map(|(name, _)| *name);
        let found = Framing::named(framing).ok_or_else(|| unknown("framing", framing, known))?;
        self.stream.set_framing(found);
        Ok(())
    }
}
