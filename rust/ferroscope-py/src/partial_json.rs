//! `PartialJson`: an incomplete document as a Python value that grows in place.
//!
//! The core's builder implements the rules; this module creates the Python objects. A growing string is removed from
//! its container, so that appending finds one reference and needs no copy. If other code refers to the string, that
//! string stays unchanged, and a longer one is created with one copy. `edits` alternates between two copies of long
//! strings, see [`AlternatingText`].

use std::collections::HashMap;

use ferroscope_core::partial_json::{Builder, Code, Error, Failure, Place, Rules, Scalar, Slot, Store};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};
use pyo3::{create_exception, ffi};

create_exception!(
    ferroscope._core,
    JsonError,
    PyValueError,
    "Text that is not JSON, or exceeds a limit; `offset` is the position of the first invalid byte."
);

/// Keys are reused, up to this number and this length.
const KEYS: usize = 512;
const KEY_BYTES: usize = 64;

/// Shorter strings are copied: copying one costs less than alternating between copies.
const LONG: usize = 4096;

/// The open string as returned by `edits`. A caller that creates an instance per edit still refers to the previous
/// string, so the next one must be another object. Two copies alternate: when a copy is used again, it usually has no
/// other
/// references and can be extended in place. Otherwise it is copied.
#[derive(Default)]
struct AlternatingText {
    older: Option<Py<PyString>>,
    newer: Option<Py<PyString>>,
}

impl AlternatingText {
    fn hand_out<'py>(&mut self, leaf: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let py = leaf.py();
        let len = leaf.len()?;
        if len < LONG {
            return Ok(leaf.clone().into_any());
        }
        let copy = match self.older.take() {
            Some(older) => older.into_bound(py).into_any(),
            // All but the last character, because a slice of the whole string would be the same object.
            None => slice(leaf, 0, len - 1)?,
        };
        let more = slice(leaf, copy.len()?, len)?;
        let copy: Bound<'py, PyString> = append(copy, more.cast()?)?.cast_into()?;
        self.older = self.newer.replace(copy.clone().unbind());
        Ok(copy.into_any())
    }
}

/// Returns `leaf` with `more` at its end. Extends it in place if there is no other reference.
pub(crate) fn append<'py>(
    leaf: Bound<'py, PyAny>,
    more: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = leaf.py();
    let mut raw = leaf.into_ptr();
    // SAFETY: `raw` is an owned reference, which PyUnicode_Append consumes and replaces by an owned reference to the
    // result, or by null with an exception set. `more` is a live str. The interpreter is attached (`py`).
    unsafe {
        ffi::PyUnicode_Append(&mut raw, more.as_ptr());
        Bound::from_owned_ptr_or_err(py, raw)
    }
}

/// Returns the characters of a string from `start` to `end`, both within it.
fn slice<'py>(text: &Bound<'py, PyString>, start: usize, end: usize) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: `text` is a live str; the result is an owned reference, or null with an exception set. Lengths of Python
    // objects fit the signed type.
    unsafe {
        let piece = ffi::PyUnicode_Substring(text.as_ptr(), start as isize, end as isize);
        Bound::from_owned_ptr_or_err(text.py(), piece)
    }
}

/// The state between feeds, besides the value.
#[derive(Default)]
struct FeedState {
    keys: HashMap<String, Py<PyString>>,
    shown: AlternatingText,
}

/// Python objects as a store.
struct Objects<'a, 'py> {
    py: Python<'py>,
    kept: &'a mut FeedState,
}

impl Store for Objects<'_, '_> {
    type Value = Py<PyAny>;
    type Key = Py<PyString>;
    type Error = PyErr;

    fn object(&mut self) -> PyResult<Py<PyAny>> {
        Ok(PyDict::new(self.py).into_any().unbind())
    }

    fn array(&mut self) -> PyResult<Py<PyAny>> {
        Ok(PyList::empty(self.py).into_any().unbind())
    }

    fn text(&mut self, text: &str) -> PyResult<Py<PyAny>> {
        self.kept.shown = AlternatingText::default();
        Ok(PyString::new(self.py, text).into_any().unbind())
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> PyResult<Py<PyAny>> {
        let py = self.py;
        Ok(match scalar {
            Scalar::Null => py.None(),
            Scalar::Bool(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
            Scalar::Number(text) if scalar.is_integer() => match text.parse::<i64>() {
                Ok(small) => PyInt::new(py, small).into_any().unbind(),
                Err(_) => py.get_type::<PyInt>().call1((text,))?.unbind(),
            },
            Scalar::Number(text) => {
                let value = text.parse().map_err(|_| PyValueError::new_err(text.to_owned()))?;
                PyFloat::new(py, value).into_any().unbind()
            }
        })
    }

    fn key(&mut self, name: &str) -> Py<PyString> {
        let keys = &mut self.kept.keys;
        if let Some(known) = keys.get(name) {
            return known.clone_ref(self.py);
        }
        let made = PyString::intern(self.py, name).unbind();
        if keys.len() < KEYS && name.len() <= KEY_BYTES {
            keys.insert(name.to_owned(), made.clone_ref(self.py));
        }
        made
    }

    fn share(&self, value: &Py<PyAny>) -> Py<PyAny> {
        value.clone_ref(self.py)
    }

    fn share_key(&self, key: &Py<PyString>) -> Py<PyString> {
        key.clone_ref(self.py)
    }

    fn get(&self, container: &Py<PyAny>, slot: &Slot<Py<PyString>>) -> PyResult<Option<Py<PyAny>>> {
        let container = container.bind(self.py);
        Ok(match slot {
            Slot::Name(key) => container.cast_exact::<PyDict>()?.get_item(key)?.map(Bound::unbind),
            Slot::Index(at) => {
                let list = container.cast_exact::<PyList>()?;
                if *at < list.len() { Some(list.get_item(*at)?.unbind()) } else { None }
            }
        })
    }

    fn set(&mut self, container: &Py<PyAny>, slot: &Slot<Py<PyString>>, value: Py<PyAny>) -> PyResult<()> {
        let container = container.bind(self.py);
        match slot {
            Slot::Name(key) => container.cast_exact::<PyDict>()?.set_item(key, value),
            Slot::Index(at) => {
                let list = container.cast_exact::<PyList>()?;
                if *at < list.len() { list.set_item(*at, value) } else { list.append(value) }
            }
        }
    }

    fn remove(&mut self, container: &Py<PyAny>, slot: &Slot<Py<PyString>>) -> PyResult<()> {
        let container = container.bind(self.py);
        match slot {
            Slot::Name(key) => container.cast_exact::<PyDict>()?.del_item(key),
            Slot::Index(at) => container.cast_exact::<PyList>()?.del_item(*at),
        }
    }

    fn release(&mut self, container: &Py<PyAny>, slot: &Slot<Py<PyString>>) -> PyResult<()> {
        self.set(container, slot, self.py.None())
    }

    fn append(&mut self, text: Py<PyAny>, more: &str) -> PyResult<Py<PyAny>> {
        append(text.into_bound(self.py), &PyString::new(self.py, more)).map(Bound::unbind)
    }
}

/// Returns the key or index of a value in its container, as a Python object.
fn step<'py>(py: Python<'py>, slot: &Slot<Py<PyString>>) -> Bound<'py, PyAny> {
    match slot {
        Slot::Name(key) => key.bind(py).clone().into_any(),
        Slot::Index(at) => PyInt::new(py, *at).into_any(),
    }
}

fn path<'py>(py: Python<'py>, steps: &[&Slot<Py<PyString>>]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, steps.iter().map(|slot| step(py, slot)))
}

/// An incremental parser of a JSON document: feed deltas, and read `value` at any time.
#[pyclass(module = "ferroscope._core")]
pub struct PartialJson {
    builder: Builder<Py<PyAny>, Py<PyString>>,
    kept: FeedState,
}

fn raised(py: Python<'_>, failure: Failure<PyErr>) -> PyErr {
    match failure {
        Failure::Store(error) => error,
        Failure::Json(error) => json_error(py, error),
    }
}

fn json_error(py: Python<'_>, error: Error) -> PyErr {
    let raised = JsonError::new_err(error.to_string());
    // Setting an attribute on a new exception can fail only without memory. The text has the offset too.
    drop(raised.value(py).setattr("offset", error.at));
    raised
}

#[pymethods]
impl PartialJson {
    #[new]
    #[pyo3(signature = (mode="default", *, root=None, max_depth=None, max_bytes=None))]
    fn new(
        mode: &str,
        root: Option<&str>,
        max_depth: Option<usize>,
        max_bytes: Option<u64>,
    ) -> PyResult<Self> {
        let mut rules = Rules::named(mode, root).map_err(PyValueError::new_err)?;
        rules.max_depth = max_depth.unwrap_or(rules.max_depth);
        rules.max_bytes = max_bytes.unwrap_or(rules.max_bytes);
        Ok(Self { builder: Builder::new(rules), kept: FeedState::default() })
    }

    /// Adds a piece of the text. Returns whether the value changed.
    fn feed(&mut self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        // Detaching would cost more than parsing a delta, and the value consists of Python objects.
        let bytes = if let Ok(text) = data.cast::<PyString>() {
            text.to_str()?.as_bytes()
        } else if let Ok(bytes) = data.cast::<PyBytes>() {
            bytes.as_bytes()
        } else {
            return Err(PyTypeError::new_err(format!("expected str or bytes, got {}", data.get_type())));
        };
        let mut store = Objects { py, kept: &mut self.kept };
        self.builder.feed(&mut store, bytes).map_err(|failure| raised(py, failure))
    }

    /// Ends the text. Raises an error if the document is incomplete.
    fn finish(&mut self, py: Python<'_>) -> PyResult<bool> {
        let mut store = Objects { py, kept: &mut self.kept };
        self.builder.finish(&mut store).map_err(|failure| raised(py, failure))
    }

    /// The value so far. Its containers grow with the next feed. Also `None` while there is no value.
    #[getter]
    fn value(&self, py: Python<'_>) -> Py<PyAny> {
        self.builder.root().map_or_else(|| py.None(), |root| root.clone_ref(py))
    }

    /// Whether there is a value. It distinguishes a document `null` from no document yet.
    #[getter]
    fn has_value(&self) -> bool {
        self.builder.root().is_some()
    }

    /// Whether the document is complete. A document that is a number is complete only after `finish`.
    #[getter]
    fn is_complete(&self) -> bool {
        self.builder.parser().is_complete()
    }

    /// The number of bytes read so far.
    #[getter]
    fn offset(&self) -> u64 {
        self.builder.parser().offset()
    }

    /// The start and end offset of the document in the text, each `None` while unknown.
    #[getter]
    fn span(&self) -> (Option<u64>, Option<u64>) {
        (self.builder.parser().start(), self.builder.parser().end())
    }

    /// The keys from the root to the current position. Only the values on this path are incomplete.
    #[getter]
    fn open_path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        path(py, &self.builder.open_path())
    }

    /// Returns the changes of the last feed, in order: the path, and whether the value there is complete now.
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let changes = self.builder.changes();
        let found = changes.iter().map(|(steps, done)| Ok((path(py, steps)?, *done)));
        PyList::new(py, found.collect::<PyResult<Vec<_>>>()?)
    }

    /// Returns the edits of the last feed, for replaying: (code, key, value), with codes in the order of the core's
    /// `Code`.
    fn edits<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for edit in self.builder.edits() {
            let value = match (&edit.value, edit.code) {
                (Some(value), _) => value.bind(py).clone(),
                (None, Code::Grow) => grown(py, &self.builder, &mut self.kept, &edit.place)?,
                (None, _) => PyNone::get(py).to_owned().into_any(),
            };
            list.append((edit.code as u8, edit.place.slot().map(|slot| step(py, slot)), value))?;
        }
        Ok(list)
    }
}

/// Returns an incomplete value for `edits`.
fn grown<'py>(
    py: Python<'py>,
    builder: &Builder<Py<PyAny>, Py<PyString>>,
    kept: &mut FeedState,
    place: &Place<Py<PyAny>, Py<PyString>>,
) -> PyResult<Bound<'py, PyAny>> {
    let leaf = builder.value_at(&Objects { py, kept }, place)?;
    let leaf = leaf.unwrap_or_else(|| py.None()).into_bound(py);
    match leaf.cast_exact::<PyString>() {
        Ok(text) => kept.shown.hand_out(text),
        Err(_) => Ok(leaf),
    }
}
