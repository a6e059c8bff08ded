//! `ChunkJoiner`: the Python class for the core's joiner of HTTP chunks.

use ferroscope_core::framing::http_chunks::Joiner;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Joins the HTTP/1.1 chunks of one connection that arrived together.
///
/// The lock is needed because several threads read and write a connection that turns out to use HTTP/2.
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

    /// Records the start of bytes that are sent on the connection.
    fn sent(&self, data: &[u8]) {
        self.lock().sent(data);
    }

    /// Returns the bytes to read in place of the next bytes of the connection.
    fn feed<'py>(&self, data: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        let joined = self.lock().feed(data.as_bytes());
        match joined {
            Some(joined) => PyBytes::new(data.py(), &joined),
            None => data.clone(),
        }
    }

    /// Whether the next bytes are chunks of a response.
    #[getter]
    fn in_body(&self) -> bool {
        self.lock().is_in_body()
    }

    /// Returns the data in the next bytes of the connection, and the unchanged bytes after it.
    fn extract_data<'py>(&self, py: Python<'py>, data: &[u8]) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let taken = self.lock().extract_data(data);
        (PyBytes::new(py, &taken.data), PyBytes::new(py, &taken.rest))
    }
}
