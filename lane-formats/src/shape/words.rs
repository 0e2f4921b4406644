//! How shapes and values are named in messages, and what to do when the two do not fit.

use lane_core::diagnostic::did_you_mean;

use super::{Field, Shape};
use crate::tree::{Node, Value, plain_number};

/// What a shape asks for.
pub(crate) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".into(),
        Shape::Bool => "`true` or `false`".into(),
        Shape::Integer(min, _) if *min < 0 => "a whole number".into(),
        Shape::Integer(min, max) => format!("a whole number from {min} to {max}"),
        Shape::Percent => "a decimal from 0 to 100 with at most two places".into(),
        Shape::List(_) => "a list".into(),
        Shape::Map(_) | Shape::Record(_) => "a map".into(),
        Shape::Choice(words, fields) if fields.is_empty() => format!("the text {}", one_of(words.iter().map(String::as_str))),
        Shape::Choice(words, fields) if words.is_empty() => format!("a map with {}", one_of(names(fields))),
        Shape::Choice(words, fields) => {
            format!("the text {}, or a map with {}", one_of(words.iter().map(String::as_str)), one_of(names(fields)))
        }
        Shape::Any => "a value".into(),
    }
}

/// What stands there.
pub(crate) fn found(node: &Node) -> String {
    match &node.value {
        Value::Null if node.span.start == node.span.end => "nothing".into(),
        Value::Null => "`null`".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number `{}`", short(number)),
        Value::Text(text) => format!("the text `{}`", short(text)),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a map".into(),
        Value::Refused(refusal) => refusal.message.clone(),
    }
}

/// What to do about a value that does not fit; `written` is how it stands in the text.
pub(crate) fn advice(shape: &Shape, node: &Node, written: &str) -> Option<String> {
    let written = written.lines().next().unwrap_or_default();
    match (shape, &node.value) {
        (Shape::Text, Value::Null) if written.is_empty() => Some("write the text, or `\"\"` if it is to be empty".into()),
        (Shape::Text, Value::Null | Value::Bool(_) | Value::Number(_)) => {
            let written = if written.starts_with('*') { found_word(node) } else { written.into() };
            Some(format!("quote it: `\"{}\"`", short(&written)))
        }
        (Shape::Text, Value::List(nodes)) if nodes.len() == 1 => Some("leave the brackets or the dash out".into()),
        (_, Value::Null) => Some("write a value, or leave the field out".into()),
        (Shape::Integer(min, max), Value::Text(text))
            if plain_number(text).parse::<i128>().is_ok_and(|number| (*min..=*max).contains(&number)) =>
        {
            Some(format!("leave the quotes out: `{text}`"))
        }
        (Shape::Percent, Value::Text(text)) => {
            let number = text.trim_end_matches(['%', ' ']);
            lane_core::config::Hundredths::parse(number).map(|_| format!("write the number alone: `{number}`"))
        }
        (Shape::Bool, Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some("write `true`, without quotes".into()),
            "false" | "no" | "off" | "n" => Some("write `false`, without quotes".into()),
            _ => None,
        },
        (Shape::List(_), Value::Text(_) | Value::Number(_) | Value::Bool(_)) => Some(format!("put it in a list: `[{}]`", short(written))),
        (Shape::List(_), Value::Map(_)) => Some("put it in a list: begin it with `- `, or write brackets around it".into()),
        (Shape::Choice(words, _), Value::Text(text)) if did_you_mean(text, words.iter().map(String::as_str)).is_some() => {
            did_you_mean(text, words.iter().map(String::as_str))
        }
        (Shape::Choice(_, fields), Value::Text(_) | Value::Number(_) | Value::Bool(_)) if names(fields).any(|name| name == "exact") => {
            Some(format!("did you mean `{{exact: {}}}`?", short(written)))
        }
        _ => None,
    }
}

/// Names as `` `a`, `b` or `c` ``.
pub(crate) fn one_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut quoted: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    let last = quoted.pop().unwrap_or_default();
    if quoted.is_empty() { last } else { format!("{} or {last}", quoted.join(", ")) }
}

pub(crate) fn names(fields: &[Field]) -> impl Iterator<Item = &str> {
    fields.iter().map(|field| field.name.as_str())
}

fn found_word(node: &Node) -> String {
    match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        _ => "null".into(),
    }
}

/// Text cut to what fits into a message.
pub(crate) fn short(text: &str) -> String {
    const ROOM: usize = 60;
    match text.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}
