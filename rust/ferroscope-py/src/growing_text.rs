//! A growing text as Python strings, each reading of which costs what was added since the last one.

use crate::partial_json::append;
use ferroscope_core::text_cursor::{Change, Piece, TextCursor};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The text as it was handed out.
///
/// A caller usually has the last string while it reads the next, so the next must be another object: two copies take
/// turns. By its next turn a copy is unshared, and the append extends it in place. If it is shared, the append copies.
#[derive(Default)]
pub(crate) struct GrowingText {
    cursor: TextCursor,
    newer: Option<Py<PyString>>,
    older: Option<Py<PyString>>,
    /// The part of the newer copy that the older one lacks.
    missing: String,
}

impl GrowingText {
    pub(crate) fn read<'py>(
        &mut self,
        py: Python<'py>,
        pieces: &[Piece<'_>],
        rewrites: u64,
    ) -> PyResult<Bound<'py, PyString>> {
        let added = match (self.cursor.read(pieces, rewrites), &self.newer) {
            (Change::Appended(added), Some(newer)) if added.is_empty() => return Ok(newer.bind(py).clone()),
            (Change::Appended(added), Some(_)) => added,
            (Change::Appended(text) | Change::Replaced(text), _) => {
                let text = PyString::new(py, &text);
                (self.older, self.missing) = (None, String::new());
                self.newer = Some(text.clone().unbind());
                return Ok(text);
            }
        };
        let text = match (self.older.take(), &self.newer) {
            (Some(older), _) => {
                self.missing.push_str(&added);
                let more = PyString::new(py, &self.missing);
                append(older.into_bound(py).into_any(), &more)?
            }
            (None, Some(newer)) => append(newer.bind(py).clone().into_any(), &PyString::new(py, &added))?,
            (None, None) => PyString::new(py, &added).into_any(),
        };
        let text: Bound<'py, PyString> = text.cast_into()?;
        self.missing = added;
        self.older = self.newer.replace(text.clone().unbind());
        Ok(text)
    }
}
