//! Which of two matches of HTTPRoutes comes first: not the earlier one, but the one that asks for more.

use serde_json::{Map, Value};

/// How much a match asks for: what is greater comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    exact: bool,
    /// Characters of a path prefix.
    prefix: usize,
    method: bool,
    headers: usize,
    query: usize,
}

impl Specificity {
    /// Of one `HTTPRouteMatch`.
    pub(super) fn of(found: &Map<String, Value>) -> Self {
        let path = found.get("path");
        let kind = path.and_then(|path| path.get("type")).and_then(Value::as_str).unwrap_or("PathPrefix");
        let value = path.and_then(|path| path.get("value")).and_then(Value::as_str).unwrap_or("/");
        let count = |field: &str| found.get(field).and_then(Value::as_array).map_or(0, Vec::len);
        Self {
            exact: kind == "Exact",
            prefix: if kind == "PathPrefix" { value.len() } else { 0 },
            method: found.contains_key("method"),
            headers: count("headers"),
            query: count("queryParams"),
        }
    }
}

/// Whether no request can meet both: they want different values of one thing.
pub(super) fn apart(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let exact_path = |found: &Map<String, Value>| -> Option<String> {
        let path = found.get("path").filter(|path| path.get("type").and_then(Value::as_str) == Some("Exact"))?;
        path.get("value").and_then(Value::as_str).map(str::to_owned)
    };
    let prefix = |found: &Map<String, Value>| -> String {
        let path = found.get("path").filter(|path| path.get("type").and_then(Value::as_str) == Some("PathPrefix"));
        path.and_then(|path| path.get("value")).and_then(Value::as_str).unwrap_or("/").trim_end_matches('/').to_owned()
    };
    let below = |path: &str, prefix: &str| {
        prefix.is_empty() || path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
    };
    let paths = match (exact_path(one), exact_path(other)) {
        (Some(one), Some(other)) => one != other,
        (Some(path), None) => !below(&path, &prefix(other)),
        (None, Some(path)) => !below(&path, &prefix(one)),
        (None, None) => !below(&prefix(one), &prefix(other)) && !below(&prefix(other), &prefix(one)),
    };
    let methods = matches!((one.get("method"), other.get("method")), (Some(one), Some(other)) if one != other);
    let named = |field: &str| {
        let list = |found: &Map<String, Value>| found.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        let exact = |value: &Value| value.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "Exact");
        list(one).iter().any(|first| {
            list(other)
                .iter()
                .any(|second| exact(first) && exact(second) && same_name(first, second, field) && first.get("value") != second.get("value"))
        })
    };
    // One request may have a header in several lines, but only one value of a parameter counts.
    paths || methods || named("queryParams") || named("headers")
}

fn same_name(one: &Value, other: &Value, field: &str) -> bool {
    match (one.get("name").and_then(Value::as_str), other.get("name").and_then(Value::as_str)) {
        (Some(one), Some(other)) if field == "headers" => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    }
}
