//! Writes the usage object of an SDK as JSON, if it consists of plain values.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyType};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Nested deeper than this, an object is left to the caller.
const DEPTH: usize = 16;

/// Returns a model or a dict of plain values as JSON; `None` if the caller has to write it.
///
/// A model of pydantic has the members of its `__dict__`, and those beyond its fields. A model with serializers of its
/// own, a subclass of a plain type, a number beyond 64 bits and text that needs escapes are left to the caller.
#[pyfunction]
pub(crate) fn plain_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut out = Vec::with_capacity(512);
    let is_written = match value.cast_exact::<PyDict>() {
        Ok(_) => write(value, &mut out, DEPTH)?,
        Err(_) => write_model(value, &mut out, DEPTH)?,
    };
    Ok(is_written.then(|| PyBytes::new(value.py(), &out)))
}

/// Writes a value, and returns whether all of it was plain.
fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    if value.is_none() {
        out.extend_from_slice(b"null");
    } else if value.is_exact_instance_of::<PyInt>() {
        let Ok(number) = value.extract::<i64>() else { return Ok(false) };
        write!(out, "{number}")?;
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        return Ok(write_text(text, out));
    } else if let Ok(flag) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        // Debug writes the shortest text with the same value, and an exponent if that is shorter.
        let number = number.value();
        if !number.is_finite() {
            return Ok(false);
        }
        write!(out, "{number:?}")?;
    } else if depth == 0 {
        return Ok(false);
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        out.push(b'{');
        if !write_members(dict, out, depth)? {
            return Ok(false);
        }
        close(out, b'}');
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        out.push(b'[');
        for element in list {
            if !write(&element, out, depth - 1)? {
                return Ok(false);
            }
            out.push(b',');
        }
        close(out, b']');
    } else {
        return write_model(value, out, depth);
    }
    Ok(true)
}

fn write_model(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    let py = value.py();
    if !is_plain_model(&value.get_type())? {
        return Ok(false);
    }
    let members = value.getattr(intern!(py, "__dict__"))?;
    let extra = value.getattr(intern!(py, "__pydantic_extra__"))?;
    let Ok(members) = members.cast_exact::<PyDict>() else { return Ok(false) };
    out.push(b'{');
    if !write_members(members, out, depth)? {
        return Ok(false);
    }
    if !extra.is_none() {
        // Of two members with one name, readers take the last.
        let Ok(extra) = extra.cast_exact::<PyDict>() else { return Ok(false) };
        if !write_members(extra, out, depth)? {
            return Ok(false);
        }
    }
    close(out, b'}');
    Ok(true)
}

/// Writes the members of a dict, with a comma after each.
fn write_members(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> PyResult<bool> {
    for (name, value) in dict {
        let Ok(name) = name.cast_exact::<PyString>() else { return Ok(false) };
        if !write_text(name, out) {
            return Ok(false);
        }
        out.push(b':');
        if !write(&value, out, depth - 1)? {
            return Ok(false);
        }
        out.push(b',');
    }
    Ok(true)
}

fn close(out: &mut Vec<u8>, end: u8) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(end);
}

/// Writes a string, and returns whether it needs no escapes.
fn write_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> bool {
    let Ok(text) = text.to_str() else { return false };
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        return false;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    true
}

/// The types of models whose serializers were looked up, and whether they have none.
///
/// The list owns its types, so that no other type can have the same address. It is bounded.
static MODELS: Mutex<Vec<(Py<PyType>, bool)>> = Mutex::new(Vec::new());
const MOST_MODELS: usize = 64;

/// Returns whether a type is a model of pydantic without serializers of its own.
fn is_plain_model(kind: &Bound<'_, PyType>) -> PyResult<bool> {
    let known = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.iter().find(|(model, _)| model.is(kind)).map(|(_, is_plain)| *is_plain);
    drop(known);
    if let Some(is_plain) = found {
        return Ok(is_plain);
    }
    let is_plain = has_no_serializers(kind)?;
    let mut known = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
    let dropped = if known.len() < MOST_MODELS { Vec::new() } else { std::mem::take(&mut *known) };
    known.push((kind.clone().unbind(), is_plain));
    drop(known);
    // To drop a type may run Python code, which must not run inside the lock.
    drop(dropped);
    Ok(is_plain)
}

fn has_no_serializers(kind: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = kind.py();
    let Some(decorators) = kind.getattr_opt(intern!(py, "__pydantic_decorators__"))? else {
        return Ok(false);
    };
    // Dataclasses of pydantic have no root model and no members beyond their fields.
    if kind
        .getattr_opt(intern!(py, "__pydantic_root_model__"))?
        .is_none_or(|root| root.is_truthy().unwrap_or(true))
    {
        return Ok(false);
    }
    for name in [intern!(py, "model_serializers"), intern!(py, "field_serializers")] {
        if decorators.getattr(name)?.is_truthy()? {
            return Ok(false);
        }
    }
    Ok(true)
}
