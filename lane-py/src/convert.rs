//! Between Python's objects and the data that the engine's formats read: text and bytes, JSON values, keyword
//! arguments. Whatever is wrong is told with the name that the caller gave it.

use lane_formats::Bytes;
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple},
};
use serde_json::{Map, Value, json};

/// More levels than any document may have; reading deeper ones could exhaust the stack.
const MOST_LEVELS: usize = 128;

/// That `value` is not of the type that is wanted.
pub(crate) fn wrong_type(what: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "something else".into(), |name| name.to_string());
    PyTypeError::new_err(format!("`{what}` must be {wanted}, not {given}"))
}

/// Text, or bytes as they are.
pub(crate) fn bytes(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(text) = value.cast::<PyString>() {
        Ok(Bytes(utf8(what, text)?.into_bytes()))
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(Bytes(bytes.as_bytes().to_vec()))
    } else {
        Err(wrong_type(what, "str or bytes", value))
    }
}

/// Text.
pub(crate) fn text(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => utf8(what, text),
        Err(_) => Err(wrong_type(what, "str", value)),
    }
}

/// Text, if there is any.
pub(crate) fn optional_text(what: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    value.filter(|value| !value.is_none()).map(|value| text(what, value)).transpose()
}

fn utf8(what: &str, text: &Bound<'_, PyString>) -> PyResult<String> {
    // Lone surrogates stand for bytes that are no text, or for nothing.
    let refused = |_| PyValueError::new_err(format!("`{what}` holds characters that UTF-8 cannot write; give bytes instead"));
    text.to_str().map(String::from).map_err(refused)
}

/// Text where the bytes are UTF-8, else the bytes.
pub(crate) fn from_bytes<'py>(py: Python<'py>, value: &Bytes) -> Bound<'py, PyAny> {
    match value.as_str() {
        Some(text) => PyString::new(py, text).into_any(),
        None => PyBytes::new(py, &value.0).into_any(),
    }
}

/// The pairs of a mapping, or of an iterable of pairs.
pub(crate) fn pairs<'py>(what: &str, value: &Bound<'py, PyAny>) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let items = match value.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        // Header collections such as those of `httpx` keep several lines of one name only here.
        Err(_) => value.clone(),
    };
    if items.is_instance_of::<PyString>() || items.is_instance_of::<PyBytes>() {
        return Err(wrong_type(what, "a mapping or pairs", value));
    }
    let mut pairs = Vec::new();
    for item in items.try_iter().map_err(|_| wrong_type(what, "a mapping or pairs", value))? {
        let item = item?;
        // Two letters are not a name and its value.
        let is_text = item.is_instance_of::<PyString>() || item.is_instance_of::<PyBytes>();
        match item.extract() {
            Ok(pair) if !is_text => pairs.push(pair),
            _ => return Err(PyTypeError::new_err(format!("`{what}` must hold pairs of a name and a value"))),
        }
    }
    Ok(pairs)
}

/// The pairs of a mapping of texts.
pub(crate) fn text_pairs(what: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, String)>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(Vec::new()) };
    let texts = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((text(what, &name)?, text(&format!("{what}[{name}]"), &value)?));
    pairs(what, value)?.into_iter().map(texts).collect()
}

/// The texts of an iterable that is not itself a text.
pub(crate) fn texts(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return Err(wrong_type(what, "a sequence of str", value));
    }
    let items = value.try_iter().map_err(|_| wrong_type(what, "a sequence of str", value))?;
    items.map(|item| text(what, &item?)).collect()
}

/// A JSON value of what stands for one: `None`, `bool`, numbers, `str`, mappings, sequences. `bytes` become
/// `{"base64": …}` where they are not UTF-8, as section 8 writes them.
pub(crate) fn to_json(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    json_at(what, value, 0)
}

fn json_at(what: &str, value: &Bound<'_, PyAny>, level: usize) -> PyResult<Value> {
    if level > MOST_LEVELS {
        return Err(PyValueError::new_err(format!("`{what}` is nested more than {MOST_LEVELS} levels deep")));
    }
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(flag.is_true().into())
    } else if value.is_instance_of::<PyInt>() {
        // Digits beyond 64 bits are kept as they are, and the reader of the field refuses them with its place.
        let unsigned = || value.extract::<u64>().map(Value::from);
        let signed = || value.extract::<i64>().map(Value::from);
        unsigned().or_else(|_| signed()).or_else(|_| Ok(value.str()?.to_string().into()))
    } else if value.is_instance_of::<PyFloat>() {
        let number = value.extract::<f64>()?;
        let refused = || PyValueError::new_err(format!("`{what}` is {number}, which no document can hold"));
        Ok(Value::Number(serde_json::Number::from_f64(number).ok_or_else(refused)?))
    } else if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        Ok(json!(bytes(what, value)?))
    } else if let Ok(mapping) = value.cast::<PyMapping>() {
        let mut map = Map::new();
        for (name, value) in pairs(what, mapping.as_any())? {
            let Ok(name) = name.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!("`{what}` has the key {}, which is not a str", name.repr()?)));
            };
            let name = utf8(what, name)?;
            let below = if what.is_empty() { name.clone() } else { format!("{what}.{name}") };
            map.insert(name, json_at(&below, &value, level + 1)?);
        }
        Ok(map.into())
    } else if let Ok(items) = value.try_iter() {
        let entry = |(index, item): (usize, PyResult<Bound<'_, PyAny>>)| json_at(&format!("{what}[{index}]"), &item?, level + 1);
        Ok(Value::Array(items.enumerate().map(entry).collect::<PyResult<_>>()?))
    } else {
        Err(wrong_type(what, "what a JSON document can hold", value))
    }
}

/// A JSON value as Python's own objects.
pub(crate) fn from_json<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| from_json(py, item)).collect::<PyResult<_>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(map) => {
            let dict = PyDict::new(py);
            for (name, value) in map {
                dict.set_item(name, from_json(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// Anything that is written as JSON, as Python's own objects.
pub(crate) fn as_python<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let value = serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    from_json(py, &value)
}

/// The expression that makes an object of this class anew.
pub(crate) fn repr(class: &str, arguments: &Bound<'_, PyDict>) -> PyResult<String> {
    let arguments = arguments.iter().map(|(name, value)| Ok(format!("{name}={}", value.repr()?)));
    Ok(format!("{class}({})", arguments.collect::<PyResult<Vec<_>>>()?.join(", ")))
}

/// What `__getnewargs_ex__` gives: no positional arguments, and these by name.
pub(crate) fn new_arguments(arguments: Bound<'_, PyDict>) -> (Bound<'_, PyTuple>, Bound<'_, PyDict>) {
    (PyTuple::empty(arguments.py()), arguments)
}

/// A class of the Python half.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "lane._values"))?.getattr(name)
}

/// The hash of what stands for an object.
pub(crate) fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
