//! `Event` and `ToolCallDelta`: the Python classes for the changes by one event of a stream.

use ferroscope_core::Step;
use ferroscope_core::dialect::Dialect;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

/// A tool call, or the part of it that one event added.
#[pyclass(frozen, eq, hash, get_all, module = "ferroscope._core")]
#[derive(PartialEq, Eq, Hash)]
pub struct ToolCallDelta {
    /// The position among the tool calls of the message.
    pub(crate) position: usize,
    /// The provider's id of the call; `None` if it sent none.
    pub(crate) id: Option<String>,
    /// The name of the tool.
    pub(crate) name: String,
    /// The arguments as JSON text: all of them, or the fragment that was added.
    pub(crate) arguments: String,
}

impl ToolCallDelta {
    /// Creates a call at a position, with its arguments so far or a fragment of them.
    pub(crate) fn new(state: &Dialect, position: usize, fragment: Option<&str>) -> Option<Self> {
        let call = state.tool_call(position)?;
        Some(Self {
            position,
            id: call.id.map(str::to_owned),
            name: call.name.to_owned(),
            arguments: fragment.unwrap_or(call.arguments).to_owned(),
        })
    }
}

#[pymethods]
impl ToolCallDelta {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str, &'static str) {
        ("position", "id", "name", "arguments")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = |text: &str| PyString::new(py, text).repr();
        let id = self.id.as_deref().map_or_else(|| Ok(PyString::new(py, "None")), shown)?;
        let (position, name, arguments) = (self.position, shown(&self.name)?, shown(&self.arguments)?);
        Ok(format!("ToolCallDelta(position={position}, id={id}, name={name}, arguments={arguments})"))
    }
}

/// The changes by one event of a stream.
#[pyclass(frozen, freelist = 64, module = "ferroscope._core")]
pub struct Event {
    content: Py<PyString>,
    data: Data,
    /// Calls that the event completed.
    #[pyo3(get)]
    pub(crate) tool_calls: Option<Py<PyList>>,
    /// Calls whose arguments the event extended, with the fragments.
    #[pyo3(get)]
    pub(crate) fragments: Option<Py<PyList>>,
}

/// The event's JSON text. Usually it is a range of a read that is in memory anyway.
pub(crate) enum Data {
    Nothing,
    Part { read: Py<PyBytes>, start: usize, end: usize },
    Own(Py<PyBytes>),
}

impl Data {
    /// Returns text that is not a range of the read.
    pub(crate) fn own(py: Python<'_>, text: &str) -> Self {
        Self::Own(PyBytes::new(py, text.as_bytes()).unbind())
    }
}

#[pymethods]
impl Event {
    /// The text that the event added.
    #[getter]
    fn content(&self, py: Python<'_>) -> Py<PyString> {
        self.content.clone_ref(py)
    }

    /// The event's data as JSON text; empty for calls that only the end of the stream completed.
    #[getter]
    fn data(&self, py: Python<'_>) -> Py<PyBytes> {
        match &self.data {
            Data::Nothing => PyBytes::new(py, b"").unbind(),
            Data::Part { read, start, end } => PyBytes::new(py, &read.as_bytes(py)[*start..*end]).unbind(),
            Data::Own(data) => data.clone_ref(py),
        }
    }
}

impl Event {
    /// The text that the event added.
    pub(crate) fn text<'a>(&'a self, py: Python<'a>) -> PyResult<&'a str> {
        self.content.bind(py).to_str()
    }
}

/// The result of a step, without a borrow of the stream.
pub(crate) struct Found {
    content: Py<PyString>,
    completed: Vec<usize>,
    arguments: Vec<(usize, String)>,
}

impl Found {
    pub(crate) fn new(py: Python<'_>, step: &Step<'_>) -> Self {
        Self {
            content: PyString::new(py, &step.delta.text).unbind(),
            completed: step.delta.completed.clone(),
            arguments: step.delta.arguments.clone(),
        }
    }

    pub(crate) fn event(self, py: Python<'_>, data: Data, state: &Dialect) -> PyResult<Event> {
        let list = |calls: Vec<ToolCallDelta>| -> PyResult<Option<Py<PyList>>> {
            if calls.is_empty() { Ok(None) } else { Ok(Some(PyList::new(py, calls)?.unbind())) }
        };
        let call = |position, fragment| ToolCallDelta::new(state, position, fragment);
        let completed = self.completed.into_iter().filter_map(|position| call(position, None));
        let fragments = self.arguments.iter().filter_map(|(position, text)| call(*position, Some(text)));
        Ok(Event {
            content: self.content,
            data,
            tool_calls: list(completed.collect())?,
            fragments: list(fragments.collect())?,
        })
    }
}
