//! `ChunkJoiner`: the core's joiner of HTTP chunks, seen from Python.

use ferroscope_core::framing::http_chunks::Joiner;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Joins the chunks of HTTP/1.1 responses that arrived together, one connection's.
#[pyclass(module = "ferroscope._core")]
pub struct ChunkJoiner {
    joiner: Joiner,
}

#[pymethods]
impl ChunkJoiner {
    #[new]
    fn new() -> Self {
        Self { joiner: Joiner::default() }
    }

    /// Takes note of bytes that are sent on the connection.
    fn sent(&mut self, data: &[u8]) {
        self.joiner.sent(data);
    }

    /// Takes the next bytes of the connection, and gives what is to be read in their place.
    fn feed<'py>(&mut self, data: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        match self.joiner.feed(data.as_bytes()) {
            Some(joined) => PyBytes::new(data.py(), &joined),
            None => data.clone(),
        }
    }
    /// Whether the chunks of a response are what comes next.
    #[getter]
    fn in_body(&self) -> bool {
        self.joiner.is_in_body()
    }

    /// Takes the next bytes of the connection, and gives the data in them, and what follows it.
    fn take<'py>(&mut self, py: Python<'py>, data: &[u8]) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let taken = self.joiner.take(data);
        (PyBytes::new(py, &taken.data), PyBytes::new(py, &taken.rest))
    }
}
