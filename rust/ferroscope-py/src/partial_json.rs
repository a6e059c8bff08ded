//! `PartialJson`: an unfinished document as a Python value that grows in place.
//!
//! The core's builder has the rules; here are the Python objects. A growing string is taken out of its container, so
//! that the append finds it unshared and extends it without a copy. If somebody else has the string, theirs stays as
//! it is and ours becomes a longer one (one memcpy of that string, nothing else). `edits` hands out long strings from
//! two copies in turn, see [`Shown`].

use std::collections::HashMap;

use ferroscope_core::partial_json::{Builder, Code, Error, Failure, Place, Root, Rules, Scalar, Slot, Store};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};
use pyo3::{create_exception, ffi};

create_exception!(
    ferroscope._core,
    JsonError,
    PyValueError,
    "Text that is not JSON, or exceeds a limit; `offset` is the first byte that cannot stand where it stands."
);

/// Keys seen before are handed out again, up to this many and this long.
const KEYS: usize = 512;
const KEY_BYTES: usize = 64;

/// Strings shorter than this are handed out as they are: copying one costs less than keeping copies.
const LONG: usize = 4096;

/// The open string as `edits` hands it out. Code that makes an instance of every edit has the last one while the next
/// is made, so the next must be another object: two copies take turns, and by its next turn a copy is unshared and
/// the append extends it. If it is shared, the append copies and all is as slow as it must be.
#[derive(Default)]
struct Shown {
    older: Option<Py<PyString>>,
    newer: Option<Py<PyString>>,
}

impl Shown {
    fn hand_out<'py>(&mut self, leaf: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let py = leaf.py();
        let len = leaf.len()?;
        if len < LONG {
            return Ok(leaf.clone().into_any());
        }
        let copy = match self.older.take() {
            Some(older) => older.into_bound(py).into_any(),
            // All but the last character: a whole slice would be the string itself.
            None => slice(leaf, 0, len - 1)?,
        };
        let more = slice(leaf, copy.len()?, len)?;
        let copy: Bound<'py, PyString> = append(copy, more.cast()?)?.cast_into()?;
        self.older = self.newer.replace(copy.clone().unbind());
        Ok(copy.into_any())
    }
}

/// `leaf` with `more` at its end: in place if nobody else has it.
fn append<'py>(leaf: Bound<'py, PyAny>, more: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = leaf.py();
    let mut raw = leaf.into_ptr();
    // SAFETY: `raw` is an owned reference, which PyUnicode_Append takes over: afterwards it is an owned reference to
    // the result, or null with an exception set. `more` is a live str. The interpreter is attached (`py`).
    unsafe {
        ffi::PyUnicode_Append(&mut raw, more.as_ptr());
        Bound::from_owned_ptr_or_err(py, raw)
    }
}

/// The characters of a string from `start` to `end`, both within it.
fn slice<'py>(text: &Bound<'py, PyString>, start: usize, end: usize) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: `text` is a live str; the result is an owned reference, or null with an exception set. Lengths of Python
    // objects fit the signed type.
    unsafe {
        let piece = ffi::PyUnicode_Substring(text.as_ptr(), start as isize, end as isize);
        Bound::from_owned_ptr_or_err(text.py(), piece)
    }
}

/// What outlives a feed, besides the value.
#[derive(Default)]
struct Kept {
    keys: HashMap<String, Py<PyString>>,
    shown: Shown,
}

/// Python objects as a store.
struct Objects<'a, 'py> {
    py: Python<'py>,
    kept: &'a mut Kept,
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
        self.kept.shown = Shown::default();
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

/// The key or index of a value in its container, as Python has it.
fn step<'py>(py: Python<'py>, slot: &Slot<Py<PyString>>) -> Bound<'py, PyAny> {
    match slot {
        Slot::Name(key) => key.bind(py).clone().into_any(),
        Slot::Index(at) => PyInt::new(py, *at).into_any(),
    }
}

fn path<'py>(py: Python<'py>, steps: &[&Slot<Py<PyString>>]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, steps.iter().map(|slot| step(py, slot)))
}

/// Reads a JSON document while it is being written: feed deltas, read `value` at any time.
#[pyclass(module = "ferroscope._core")]
pub struct PartialJson {
    builder: Builder<Py<PyAny>, Py<PyString>>,
    kept: Kept,
}

fn raised(py: Python<'_>, failure: Failure<PyErr>) -> PyErr {
    match failure {
        Failure::Store(error) => error,
        Failure::Json(error) => json_error(py, error),
    }
}

fn json_error(py: Python<'_>, error: Error) -> PyErr {
    let raised = JsonError::new_err(error.to_string());
    // Setting an attribute on a fresh exception instance cannot fail but for memory; the text has the offset too.
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
        let mut rules = match mode {
            "default" => Rules::DEFAULT,
            "trailing-strings" => Rules::JITER_TRAILING_STRINGS,
            other => {
                return Err(PyValueError::new_err(format!(
                    "mode must be 'default' or 'trailing-strings', got {other:?}"
                )));
            }
        };
        match root {
            None => {}
            Some("value") => rules.root = Root::Value,
            Some("container") => rules.root = Root::Container,
            Some("object") => rules.root = Root::Object,
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "root must be 'value', 'container' or 'object', got {other:?}"
                )));
            }
        }
        rules.max_depth = max_depth.unwrap_or(rules.max_depth);
        rules.max_bytes = max_bytes.unwrap_or(rules.max_bytes);
        Ok(Self { builder: Builder::new(rules), kept: Kept::default() })
    }

    /// Reads more of the text, and returns whether anything visible changed.
    fn feed(&mut self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        // Detaching would cost more than a delta does, and the value is Python's.
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

    /// Ends the text; raises if the document is not complete.
    fn finish(&mut self, py: Python<'_>) -> PyResult<bool> {
        let mut store = Objects { py, kept: &mut self.kept };
        self.builder.finish(&mut store).map_err(|failure| raised(py, failure))
    }

    /// The value so far: containers are live and grow with the next feed. `None` also while nothing shows.
    #[getter]
    fn value(&self, py: Python<'_>) -> Py<PyAny> {
        self.builder.root().map_or_else(|| py.None(), |root| root.clone_ref(py))
    }

    /// Whether anything shows: tells a document `null` from no document yet.
    #[getter]
    fn has_value(&self) -> bool {
        self.builder.root().is_some()
    }

    /// Whether the document is complete (one that is only a number is not before `finish`).
    #[getter]
    fn is_complete(&self) -> bool {
        self.builder.parser().is_complete()
    }

    /// Bytes read so far.
    #[getter]
    fn offset(&self) -> u64 {
        self.builder.parser().offset()
    }

    /// The bytes of the text that are the document: (start, end), each `None` while unknown.
    #[getter]
    fn span(&self) -> (Option<u64>, Option<u64>) {
        (self.builder.parser().start(), self.builder.parser().end())
    }

    /// Keys from the root to where the text goes on: nothing on this path is complete, all else that shows is.
    #[getter]
    fn open_path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        path(py, &self.builder.open_path())
    }

    /// What the last feed touched, in order: (path, whether it is complete now).
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let changes = self.builder.changes();
        let found = changes.iter().map(|(steps, done)| Ok((path(py, steps)?, *done)));
        PyList::new(py, found.collect::<PyResult<Vec<_>>>()?)
    }

    /// What the last feed did, for replaying: (code, key, value), codes in the order of the core's `Code`.
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

/// An unfinished value as `edits` hands it out.
fn grown<'py>(
    py: Python<'py>,
    builder: &Builder<Py<PyAny>, Py<PyString>>,
    kept: &mut Kept,
    place: &Place<Py<PyAny>, Py<PyString>>,
) -> PyResult<Bound<'py, PyAny>> {
    let leaf = builder.value_at(&Objects { py, kept }, place)?;
    let leaf = leaf.unwrap_or_else(|| py.None()).into_bound(py);
    match leaf.cast_exact::<PyString>() {
        Ok(text) => kept.shown.hand_out(text),
        Err(_) => Ok(leaf),
    }
}
