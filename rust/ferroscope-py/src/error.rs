//! The conversion of the core's errors into exceptions.

use ferroscope_core::error::FrameProblem;
use ferroscope_core::{Error, ErrorKind};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    ferroscope._core,
    DecodeError,
    PyException,
    "An error of the core: `args` are kind, message, event number, byte offset and the provider's error (JSON text or None)."
);

/// Converts an error of the core into a `DecodeError`.
pub fn raise(error: Error) -> PyErr {
    let message = error.to_string();
    let (kind, body) = match error.kind {
        ErrorKind::Provider { body, .. } => ("provider", Some(body)),
        ErrorKind::Limit { .. } => ("limit", None),
        ErrorKind::Unfinished | ErrorKind::Frame(FrameProblem::Truncated) => ("unfinished", None),
        _ => ("protocol", None),
    };
    DecodeError::new_err((kind, message, error.at.event, error.at.byte, body))
}
