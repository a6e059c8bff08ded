//! `ChunkJoiner`: the core's joiner of HTTP chunks, seen from Python.

use ferroscope_core::framing::http_chunks::Joiner;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Joins the chunks of HTTP/1.1 responses that arrived together, one connection's.
///
/// A connection that turns out to be of HTTP/2 is read and written by several threads at once, hence the lock: without
/// a GIL they would meet here.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct ChunkJoiner {
    joiner: Mutex<Joiner>,
}

impl ChunkJoiner {
    fn lock(&self) -> MutexGuard<'_, Joiner> {
        self.joiner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl ChunkJoiner {
    #[new]
    fn new() -> Self {
        Self { joiner: Mutex::default() }
    }

    /// Takes note of bytes that are sent on the connection.
    fn sent(&self, data: &[u8]) {
        self.lock().sent(data);
    }

    /// Takes the next bytes of the connection, and gives what is to be read in their place.
    fn feed<'py>(&self, data: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        let joined = self.lock().feed(data.as_bytes());
        match joined {
            Some(joined) => PyBytes::new(data.py(), &joined),
            None => data.clone(),
        }
    }

    /// Whether the chunks of a response are what comes next.
    #[getter]
    fn in_body(&self) -> bool {
        self.lock().is_in_body()
    }

    /// Takes the next bytes of the connection, and gives the data in them, and what follows it.
    fn extract_data<'py>(&self, py: Python<'py>, data: &[u8]) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let taken = self.lock().extract_data(data);
        (PyBytes::new(py, &taken.data), PyBytes::new(py, &taken.rest))
    }
}
