//! `EventEmitter`: the core's emitter of web events, seen from Python.

use crate::error::raise;
use crate::event::{Event, ToolCallDelta};
use crate::stream::{StreamDecoder, unknown};
use ferroscope_core::emit::{Answer, Emitter, WebFormat};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Writes one answer as server-sent events of a web format.
///
/// Each method returns the events that are new, and those that an earlier method wrote before it failed.
#[pyclass(module = "ferroscope._core")]
pub struct EventEmitter {
    emitter: Emitter,
}

#[pymethods]
impl EventEmitter {
    #[new]
    #[pyo3(signature = (format, *, id, thread="", model="", created=0, runs_tools=false, first=1))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn new(
        format: &str,
        id: &str,
        thread: &str,
        model: &str,
        created: u64,
        runs_tools: bool,
        first: u64,
    ) -> PyResult<Self> {
        let known = WebFormat::NAMES.iter().copied();
        let format = WebFormat::named(format).ok_or_else(|| unknown("format", format, known))?;
        let answer =
            Answer { id: id.to_owned(), thread: thread.to_owned(), model: model.to_owned(), created };
        Ok(Self { emitter: Emitter::new(format, answer, runs_tools, first) })
    }

    /// The number of the next event.
    #[getter]
    fn next_number(&self) -> u64 {
        self.emitter.next_number()
    }

    /// Whether the last event has been written.
    #[getter]
    fn is_ended(&self) -> bool {
        self.emitter.is_ended()
    }

    /// The name of the first tool call of the step whose arguments never became complete.
    #[getter]
    fn incomplete_call(&self) -> Option<&str> {
        self.emitter.incomplete_call()
    }

    /// Folds all that has been fed to a decoder, and writes what it added.
    fn fold<'py>(&mut self, py: Python<'py>, decoder: &StreamDecoder) -> PyResult<Bound<'py, PyBytes>> {
        let mut held = decoder.lock(py)?;
        let (stream, emitter) = (&mut held.stream, &mut self.emitter);
        py.detach(|| stream.fold(|state, delta| emitter.delta(state, delta))).map_err(raise)?;
        drop(held);
        Ok(self.take(py))
    }

    /// Writes what an event added that has been folded already.
    fn add<'py>(&mut self, py: Python<'py>, event: &Event, reasoning: &str) -> PyResult<Bound<'py, PyBytes>> {
        self.emitter.start_step();
        self.emitter.reasoning(reasoning);
        self.emitter.text(event.text(py)?);
        for call in calls(py, event.fragments.as_ref()) {
            let call = call?;
            let ToolCallDelta { position, id, name, arguments } = call.get();
            self.emitter.arguments(*position, id.as_deref(), name, arguments);
        }
        for call in calls(py, event.tool_calls.as_ref()) {
            let call = call?;
            let ToolCallDelta { position, id, name, arguments } = call.get();
            self.emitter.complete(*position, id.as_deref(), name, arguments);
        }
        Ok(self.take(py))
    }

    /// Begins a model call.
    fn start_step<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.emitter.start_step();
        self.take(py)
    }

    /// Prepares for a stream that starts from nothing: of the next model call, or of another attempt at this one.
    fn restart_call(&mut self) {
        self.emitter.restart_call();
    }

    /// Ends a model call.
    fn finish_step<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.emitter.finish_step();
        self.take(py)
    }

    /// Writes the output of a tool, JSON text, or the text of its error; None if there is no such call.
    fn tool_output<'py>(
        &mut self,
        py: Python<'py>,
        id: Option<&str>,
        name: &str,
        output: &str,
        is_error: bool,
    ) -> Option<Bound<'py, PyBytes>> {
        self.emitter.tool_output(id, name, output, is_error).then(|| self.take(py))
    }

    /// Writes data of the program's own, JSON text.
    fn data<'py>(&mut self, py: Python<'py>, name: &str, json: &str) -> Bound<'py, PyBytes> {
        self.emitter.data(name, json);
        self.take(py)
    }

    /// Writes a web page that the answer rests on.
    fn source<'py>(&mut self, py: Python<'py>, url: &str, title: &str) -> Bound<'py, PyBytes> {
        self.emitter.source(url, title);
        self.take(py)
    }

    /// Writes a file, by its URL.
    fn file<'py>(&mut self, py: Python<'py>, url: &str, media_type: &str) -> Bound<'py, PyBytes> {
        self.emitter.file(url, media_type);
        self.take(py)
    }

    /// Ends the answer.
    #[pyo3(signature = (reason, usage=None, cost=None))]
    fn finish<'py>(
        &mut self,
        py: Python<'py>,
        reason: &str,
        usage: Option<&str>,
        cost: Option<&str>,
    ) -> Bound<'py, PyBytes> {
        self.emitter.finish(reason, usage, cost);
        self.take(py)
    }

    /// Ends the answer with an error.
    fn error<'py>(&mut self, py: Python<'py>, message: &str, code: &str) -> Bound<'py, PyBytes> {
        self.emitter.error(message, code);
        self.take(py)
    }

    /// Ends an answer that was stopped on request.
    fn abort<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.emitter.abort();
        self.take(py)
    }
}

impl EventEmitter {
    fn take<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.emitter.take().as_bytes())
    }
}

fn calls<'py>(
    py: Python<'py>,
    list: Option<&Py<PyList>>,
) -> impl Iterator<Item = PyResult<Bound<'py, ToolCallDelta>>> {
    let list = list.map(|list| list.bind(py).clone());
    list.into_iter().flatten().map(|call| Ok(call.cast_into::<ToolCallDelta>()?))
}
