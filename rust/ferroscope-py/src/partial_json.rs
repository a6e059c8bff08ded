//! `PartialJson`: an unfinished document as a Python value that grows in place.
//!
//! Containers are made once and only touched where the text goes on. A growing string is taken out of its
//! container, so that the append finds it unshared and extends it without a copy; if somebody else holds the
//! string, theirs stays as it is and ours becomes a longer one (one memcpy of that string, nothing else). `edits` is
//! for those who hold: it hands out long strings from two copies in turn, see [`Shown`].

use std::collections::HashMap;

use ferroscope_core::partial_json::{Error, Parser, Root, Rules, Scalar, Sink};
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

/// What a feed did, in the order of the text; Python replays it (`_engine/partial.py`).
#[derive(Clone, Copy, PartialEq)]
enum Code {
    /// A dict opens at the key and becomes the innermost container.
    OpenDict = 0,
    /// A list opens at the key and becomes the innermost container.
    OpenList = 1,
    /// The innermost container, which stands at the key, is complete.
    Close = 2,
    /// An unfinished string or scalar shows at the key.
    Grow = 3,
    /// The value at the key is complete.
    Done = 4,
    /// What showed at the key is withdrawn.
    Drop = 5,
    /// Nothing shows any more.
    Reset = 6,
}

enum Place {
    Root,
    Dict(Py<PyDict>, Py<PyString>),
    List(Py<PyList>, usize),
}

struct Edit {
    code: Code,
    place: Place,
    /// The container or complete scalar; that of `Grow` is read when asked for, to stay unshared until then.
    value: Option<Py<PyAny>>,
}

struct Frame {
    container: Container,
    /// Where the container stands in the one around it.
    place: Place,
}

enum Container {
    Dict { dict: Py<PyDict>, key: Option<Py<PyString>> },
    List { list: Py<PyList>, len: usize },
}

/// The open string as `edits` hands it out. Who makes an instance of every edit holds the last one while the next is
/// made, so the next must be another object: two copies take turns, and by its next turn a copy's holder is gone and
/// the append finds it unshared. If not, the append copies and all is as slow as it must be.
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

#[derive(Default)]
struct Tree {
    root: Option<Py<PyAny>>,
    open: Vec<Frame>,
    /// The open string: where it stands, and what this feed added to it.
    text: String,
    text_place: Option<Place>,
    text_is_new: bool,
    shown: Shown,
    /// The provisional scalar: where it stands, and what it hides.
    provisional: Option<(Place, Option<Py<PyAny>>)>,
    keys: HashMap<String, Py<PyString>>,
    edits: Vec<Edit>,
}

impl Place {
    fn copy(&self, py: Python<'_>) -> Self {
        match self {
            Self::Root => Self::Root,
            Self::Dict(dict, key) => Self::Dict(dict.clone_ref(py), key.clone_ref(py)),
            Self::List(list, at) => Self::List(list.clone_ref(py), *at),
        }
    }

    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Root => PyNone::get(py).to_owned().into_any(),
            Self::Dict(_, key) => key.bind(py).clone().into_any(),
            Self::List(_, at) => PyInt::new(py, *at).into_any(),
        }
    }
}

impl Tree {
    /// The current place, where the next value goes.
    fn place(&self, py: Python<'_>) -> Place {
        match self.open.last().map(|frame| &frame.container) {
            None => Place::Root,
            Some(Container::List { list, len }) => Place::List(list.clone_ref(py), *len),
            Some(Container::Dict { dict, key: Some(key) }) => {
                Place::Dict(dict.clone_ref(py), key.clone_ref(py))
            }
            // The parser sends every value of an object after its key.
            Some(Container::Dict { .. }) => Place::Root,
        }
    }

    fn get<'py>(&self, py: Python<'py>, place: &Place) -> PyResult<Option<Bound<'py, PyAny>>> {
        match place {
            Place::Root => Ok(self.root.as_ref().map(|root| root.bind(py).clone())),
            Place::Dict(dict, key) => dict.bind(py).get_item(key),
            Place::List(list, at) => {
                let list = list.bind(py);
                if *at < list.len() { list.get_item(*at).map(Some) } else { Ok(None) }
            }
        }
    }

    fn set(&mut self, place: &Place, value: Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        match place {
            Place::Root => {
                self.root = Some(value.unbind());
                Ok(())
            }
            Place::Dict(dict, key) => dict.bind(py).set_item(key, value),
            Place::List(list, at) => {
                let list = list.bind(py);
                if *at < list.len() { list.set_item(*at, value) } else { list.append(value) }
            }
        }
    }

    /// Puts a value at the current place and says where that was.
    fn attach(&mut self, value: Bound<'_, PyAny>) -> PyResult<Place> {
        let place = self.place(value.py());
        self.set(&place, value)?;
        if let Some(Container::List { len, .. }) = self.open.last_mut().map(|f| &mut f.container) {
            *len += 1;
        }
        Ok(place)
    }

    fn edit(&mut self, code: Code, place: Place, value: Option<Py<PyAny>>) {
        self.edits.push(Edit { code, place, value });
    }

    fn key(&mut self, py: Python<'_>, key: &str) -> Py<PyString> {
        if let Some(known) = self.keys.get(key) {
            return known.clone_ref(py);
        }
        let made = PyString::intern(py, key).unbind();
        if self.keys.len() < KEYS && key.len() <= KEY_BYTES {
            self.keys.insert(key.to_owned(), made.clone_ref(py));
        }
        made
    }

    /// Brings what this feed added to the open string into the value.
    fn flush_text(&mut self, py: Python<'_>, done: bool) -> PyResult<()> {
        let Some(place) = self.text_place.take() else {
            return Ok(());
        };
        if self.text_is_new {
            self.set(&place, PyString::new(py, &self.text).into_any())?;
        } else if !self.text.is_empty() {
            if let Some(leaf) = self.get(py, &place)? {
                self.set(&place, PyNone::get(py).to_owned().into_any())?;
                let leaf = append(leaf, &PyString::new(py, &self.text))?;
                self.set(&place, leaf)?;
            }
        } else if !done {
            self.text_place = Some(place);
            return Ok(());
        }
        self.text.clear();
        self.text_is_new = false;
        if done {
            if let Some(leaf) = self.get(py, &place)? {
                self.edit(Code::Done, place, Some(leaf.unbind()));
            }
        } else {
            self.edit(Code::Grow, place.copy(py), None);
            self.text_place = Some(place);
        }
        Ok(())
    }
}

/// `leaf` with `more` at its end: in place if nobody else holds it.
fn append<'py>(leaf: Bound<'py, PyAny>, more: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = leaf.py();
    let mut raw = leaf.into_ptr();
    // SAFETY: `raw` is an owned reference, which PyUnicode_Append takes over: afterwards it holds an owned reference
    // to the result, or null with an exception set. `more` is a live str. The interpreter is attached (`py`).
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

fn scalar<'py>(py: Python<'py>, scalar: Scalar<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match scalar {
        Scalar::Null => PyNone::get(py).to_owned().into_any(),
        Scalar::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Scalar::Number(text) if scalar.is_integer() => match text.parse::<i64>() {
            Ok(small) => PyInt::new(py, small).into_any(),
            Err(_) => py.get_type::<PyInt>().call1((text,))?,
        },
        Scalar::Number(text) => {
            let value = text.parse().map_err(|_| PyValueError::new_err(text.to_owned()))?;
            PyFloat::new(py, value).into_any()
        }
    })
}

/// The tree with the interpreter at hand; the first Python error (out of memory) stops it.
struct Live<'a, 'py> {
    py: Python<'py>,
    tree: &'a mut Tree,
    failed: Option<PyErr>,
}

impl Live<'_, '_> {
    fn attempt(&mut self, act: impl FnOnce(Python<'_>, &mut Tree) -> PyResult<()>) {
        if self.failed.is_none()
            && let Err(error) = act(self.py, self.tree)
        {
            self.failed = Some(error);
        }
    }
}

impl Sink for Live<'_, '_> {
    fn object(&mut self) {
        self.attempt(|py, tree| {
            let dict = PyDict::new(py);
            let place = tree.attach(dict.clone().into_any())?;
            tree.edit(Code::OpenDict, place.copy(py), Some(dict.clone().into_any().unbind()));
            let container = Container::Dict { dict: dict.unbind(), key: None };
            tree.open.push(Frame { container, place });
            Ok(())
        });
    }

    fn array(&mut self) {
        self.attempt(|py, tree| {
            let list = PyList::empty(py);
            let place = tree.attach(list.clone().into_any())?;
            tree.edit(Code::OpenList, place.copy(py), Some(list.clone().into_any().unbind()));
            let container = Container::List { list: list.unbind(), len: 0 };
            tree.open.push(Frame { container, place });
            Ok(())
        });
    }

    fn close(&mut self) {
        self.attempt(|_, tree| {
            if let Some(frame) = tree.open.pop() {
                let value = match frame.container {
                    Container::Dict { dict, .. } => dict.into_any(),
                    Container::List { list, .. } => list.into_any(),
                };
                tree.edit(Code::Close, frame.place, Some(value));
            }
            Ok(())
        });
    }

    fn key(&mut self, name: &str) {
        self.attempt(|py, tree| {
            let name = tree.key(py, name);
            if let Some(Container::Dict { key, .. }) = tree.open.last_mut().map(|f| &mut f.container) {
                *key = Some(name);
            }
            Ok(())
        });
    }

    fn string(&mut self) {
        self.attempt(|py, tree| {
            tree.text.clear();
            tree.text_is_new = true;
            tree.shown = Shown::default();
            // The place is taken now; the str comes with the end of the string or of the feed.
            tree.text_place = Some(tree.attach(PyNone::get(py).to_owned().into_any())?);
            Ok(())
        });
    }

    fn grow(&mut self, more: &str) {
        self.tree.text.push_str(more);
    }

    fn end_string(&mut self) {
        self.attempt(|py, tree| tree.flush_text(py, true));
    }

    fn scalar(&mut self, value: Scalar<'_>) {
        self.attempt(|py, tree| {
            let value = scalar(py, value)?;
            let place = match tree.provisional.take() {
                Some((place, _)) => {
                    tree.set(&place, value.clone())?;
                    place
                }
                None => tree.attach(value.clone())?,
            };
            tree.edit(Code::Done, place, Some(value.unbind()));
            Ok(())
        });
    }

    fn provisional(&mut self, value: Option<Scalar<'_>>) {
        self.attempt(|py, tree| {
            match (value, tree.provisional.take()) {
                (Some(value), Some((place, hidden))) => {
                    tree.set(&place, scalar(py, value)?)?;
                    tree.edit(Code::Grow, place.copy(py), None);
                    tree.provisional = Some((place, hidden));
                }
                (Some(value), None) => {
                    let hidden = match tree.place(py) {
                        place @ Place::Dict(..) => tree.get(py, &place)?.map(Bound::unbind),
                        _ => None,
                    };
                    let place = tree.attach(scalar(py, value)?)?;
                    tree.edit(Code::Grow, place.copy(py), None);
                    tree.provisional = Some((place, hidden));
                }
                (None, Some((place, Some(hidden)))) => {
                    tree.set(&place, hidden.bind(py).clone())?;
                    tree.edit(Code::Done, place, Some(hidden));
                }
                (None, Some((place, None))) => {
                    match &place {
                        Place::Root => tree.root = None,
                        Place::Dict(dict, key) => dict.bind(py).del_item(key)?,
                        Place::List(list, at) => {
                            list.bind(py).del_item(*at)?;
                            if let Some(Container::List { len, .. }) =
                                tree.open.last_mut().map(|f| &mut f.container)
                            {
                                *len -= 1;
                            }
                        }
                    }
                    tree.edit(Code::Drop, place, None);
                }
                (None, None) => {}
            }
            Ok(())
        });
    }

    fn reset(&mut self) {
        self.tree.root = None;
        self.tree.open.clear();
        self.tree.edit(Code::Reset, Place::Root, None);
    }
}

/// Reads a JSON document while it is being written: feed deltas, read `value` at any time.
#[pyclass(module = "ferroscope._core")]
pub struct PartialJson {
    parser: Parser,
    tree: Tree,
}

impl PartialJson {
    fn drive(
        &mut self,
        py: Python<'_>,
        read: impl FnOnce(&mut Parser, &mut Live<'_, '_>) -> Result<(), Error>,
    ) -> PyResult<bool> {
        self.tree.edits.clear();
        let mut live = Live { py, tree: &mut self.tree, failed: None };
        let outcome = read(&mut self.parser, &mut live);
        if let Some(error) = live.failed {
            return Err(error);
        }
        self.tree.flush_text(py, false)?;
        outcome.map_err(|error| raised(py, error))?;
        Ok(!self.tree.edits.is_empty())
    }
}

fn raised(py: Python<'_>, error: Error) -> PyErr {
    let raised = JsonError::new_err(error.to_string());
    // Setting an attribute on a fresh exception instance cannot fail but for memory; the words hold the offset too.
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
            "strict" => Rules::STRICT,
            "trailing-strings" => Rules::JITER_TRAILING_STRINGS,
            "on" => Rules::JITER_ON,
            "fix-json" => Rules::FIX_JSON,
            other => {
                return Err(PyValueError::new_err(format!(
                    "mode must be 'default', 'strict', 'trailing-strings', 'on' or 'fix-json', got {other:?}"
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
        Ok(Self { parser: Parser::new(rules), tree: Tree::default() })
    }

    /// Reads more of the text; says whether anything visible changed.
    fn feed(&mut self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        // Detaching would cost more than a delta does, and the value is Python's.
        if let Ok(text) = data.cast::<PyString>() {
            let text = text.to_str()?;
            return self.drive(py, |parser, live| parser.feed(text.as_bytes(), live));
        }
        let Ok(bytes) = data.cast::<PyBytes>() else {
            return Err(PyTypeError::new_err(format!("expected str or bytes, got {}", data.get_type())));
        };
        let bytes = bytes.as_bytes();
        self.drive(py, |parser, live| parser.feed(bytes, live))
    }

    /// The text is at its end; raises if the document is not complete.
    fn finish(&mut self, py: Python<'_>) -> PyResult<bool> {
        self.drive(py, |parser, live| parser.finish(live))
    }

    /// The value so far: containers are live and grow with the next feed. `None` also while nothing shows.
    #[getter]
    fn value(&self, py: Python<'_>) -> Py<PyAny> {
        self.tree.root.as_ref().map_or_else(|| py.None(), |root| root.clone_ref(py))
    }

    /// Whether anything shows: tells a document `null` from no document yet.
    #[getter]
    fn has_value(&self) -> bool {
        self.tree.root.is_some()
    }

    /// Whether the document is complete (one that is only a number is not before `finish`).
    #[getter]
    fn is_complete(&self) -> bool {
        self.parser.is_complete()
    }

    /// Bytes read so far.
    #[getter]
    fn offset(&self) -> u64 {
        self.parser.offset()
    }

    /// The bytes of the text that are the document: (start, end), each `None` while unknown.
    #[getter]
    fn span(&self) -> (Option<u64>, Option<u64>) {
        (self.parser.start(), self.parser.end())
    }

    /// Keys from the root to where the text goes on: nothing on this path is complete, all else that shows is.
    #[getter]
    fn open_path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let mut path: Vec<_> = self.tree.open.iter().skip(1).map(|frame| frame.place.key(py)).collect();
        let leaf = self.tree.text_place.as_ref().or(self.tree.provisional.as_ref().map(|(place, _)| place));
        if let Some(leaf) = leaf
            && !matches!(leaf, Place::Root)
        {
            path.push(leaf.key(py));
        }
        PyTuple::new(py, path)
    }

    /// What the last feed touched, in order: (path, whether it is complete now).
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        // Walk back from where the text is now: a container that closed was open before, and the reverse.
        let mut path: Vec<_> = self.tree.open.iter().skip(1).map(|frame| frame.place.key(py)).collect();
        let mut found = Vec::with_capacity(self.tree.edits.len());
        for edit in self.tree.edits.iter().rev() {
            let key = edit.place.key(py);
            let whole = |path: &[Bound<'py, PyAny>]| {
                let last = (!key.is_none()).then(|| key.clone());
                PyTuple::new(py, path.iter().cloned().chain(last).collect::<Vec<_>>())
            };
            match edit.code {
                Code::Grow => found.push((whole(&path)?, false)),
                Code::Done => found.push((whole(&path)?, true)),
                Code::Drop => found.push((PyTuple::new(py, &path)?, false)),
                Code::Close => {
                    found.push((whole(&path)?, true));
                    if !key.is_none() {
                        path.push(key);
                    }
                }
                Code::OpenDict | Code::OpenList => {
                    if !key.is_none() {
                        path.pop();
                    }
                    found.push((whole(&path)?, false));
                }
                Code::Reset => break,
            }
        }
        found.reverse();
        PyList::new(py, found)
    }

    /// What the last feed did, for replaying: (code, key, value), codes in the order of `Code`.
    fn edits<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for edit in &self.tree.edits {
            let value = match (&edit.value, edit.code) {
                (Some(value), _) => Some(value.bind(py).clone()),
                (None, Code::Grow) => match self.tree.get(py, &edit.place)? {
                    Some(leaf) if leaf.is_exact_instance_of::<PyString>() => {
                        Some(self.tree.shown.hand_out(leaf.cast()?)?)
                    }
                    other => other,
                },
                (None, _) => None,
            };
            let value = value.unwrap_or_else(|| PyNone::get(py).to_owned().into_any());
            list.append((edit.code as u8, edit.place.key(py), value))?;
        }
        Ok(list)
    }
}
