//! A request in the making: what it should carry, and the odd ways in which that may be written on the wire (blanks,
//! quotes, several lines, percent escapes, malformed neighbours, lines near the limits).

use super::sample::near_miss;
use super::{HEADERS, Rng, VALUES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Draft {
    pub(super) method: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) path: Option<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) members: Vec<(String, String)>,
}

impl Draft {
    pub(super) fn header(&mut self, name: &str, value: &str) {
        let header = (name.to_owned(), value.as_bytes().to_vec());
        self.headers.push(header);
    }

    /// The header lines, cookies and baggage among them, in random neighbourhoods.
    pub(super) fn header_lines(&self, rng: &mut Rng) -> Vec<(String, Vec<u8>)> {
        let mut lines = Vec::new();
        for (name, value) in &self.headers {
            odd_line(rng, name, value, &mut lines);
        }
        for line in cookie_lines(rng, &self.cookies) {
            odd_line(rng, "cookie", line.as_bytes(), &mut lines);
        }
        for line in baggage_lines(rng, &self.members) {
            lines.push(("baggage".to_owned(), line));
        }
        if rng.chance(4) {
            lines.push((rng.pick(HEADERS).to_owned(), vec![b'v', 0xff, 0xfe]));
        }
        // Lines of one name keep their order; names mix.
        if rng.chance(30) {
            let at = rng.below(lines.len());
            lines.rotate_left(at);
        }
        lines
    }

    pub(super) fn path_text(&self, rng: &mut Rng) -> Option<String> {
        let mut path = self.path.clone()?;
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(key, value)| match rng.below(12) {
                0 => key.clone(),
                1 => format!("{key}={value}=x"),
                2 => format!("&{key}={value}"),
                3 => format!("{key}=%41"),
                _ => format!("{key}={value}"),
            })
            .collect();
        if rng.chance(4) {
            path.push_str("#early");
        }
        if !pairs.is_empty() {
            path.push('?');
            path.push_str(&pairs.join("&"));
        }
        if rng.chance(8) {
            path.push_str(rng.pick(&["#f", "#f?k=a", "?k=b"]));
        }
        Some(path)
    }
}

/// One header line, now and then written oddly or with a second line beside it.
fn odd_line(rng: &mut Rng, name: &str, value: &[u8], lines: &mut Vec<(String, Vec<u8>)>) {
    let name = match rng.below(8) {
        0 => name.to_ascii_uppercase(),
        1 => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    };
    let text = String::from_utf8_lossy(value).into_owned();
    let mut push = |value: &[u8]| lines.push((name.clone(), value.to_vec()));
    match rng.below(40) {
        0 | 1 => {
            push(b"");
            push(value);
        }
        2 => {
            push(value);
            push(b" \t");
        }
        3 => {
            push(value);
            push(value);
        }
        4 => {
            push(value);
            push(rng.pick(VALUES).as_bytes());
        }
        5 => {
            push(rng.pick(VALUES).as_bytes());
            push(value);
        }
        6..=8 => push(&[b" \t", value, b"  "].concat()),
        9..=11 => push(near_miss(rng, &text).as_bytes()),
        12 => push(&[value, b"\xff"].concat()),
        _ => push(value),
    }
}

fn cookie_lines(rng: &mut Rng, cookies: &[(String, String)]) -> Vec<String> {
    let mut lines: Vec<Vec<String>> = vec![Vec::new()];
    for (name, value) in cookies {
        if rng.chance(12) {
            lines.push(Vec::new());
        }
        let item = match rng.below(20) {
            0 | 1 => format!("{name}=\"{value}\""),
            2 => format!("{name}=\"{value}"),
            3 => format!("{name} ={value}"),
            4 => format!("{name}= {value}"),
            5 => format!("{name}; {name}={value}"),
            6 => format!("\t {name}={value} "),
            7 => format!("{name}={value}=x"),
            8 => format!("{name}=\"\""),
            _ => format!("{name}={value}"),
        };
        if let Some(line) = lines.last_mut() {
            line.push(item);
        }
    }
    lines.retain(|line| !line.is_empty());
    let separator = rng.pick(&["; ", ";", ";\t ", ";;"]);
    lines.iter().map(|line| line.join(separator)).collect()
}

fn baggage_lines(rng: &mut Rng, members: &[(String, String)]) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = Vec::new();
    for (key, value) in members {
        let value = escape(rng, value);
        let item = match rng.below(16) {
            0 => format!("{key} = {value}"),
            1 => format!("{key}={value};p=1"),
            2 => format!("{key}={value} ;p = a b; q"),
            3 => format!("{key}\t=\t{value}"),
            _ => format!("{key}={value}"),
        };
        items.push(item.into_bytes());
        if rng.chance(12) {
            items.push(neighbour(rng, key));
        }
    }
    if rng.chance(5) {
        near_limits(rng, &mut items);
    }
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if !rng.chance(8) => {
                line.extend(rng.pick(&[&b","[..], b",", b" , ", b",,"]));
                line.extend(item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// A member beside one of this key: malformed, empty, a repetition.
fn neighbour(rng: &mut Rng, key: &str) -> Vec<u8> {
    let text = match rng.below(12) {
        0 => key.to_owned(),
        1 => format!("{key} x=v1"),
        2 => "=v1".to_owned(),
        3 => format!("{key}=v 1"),
        4 => format!("{key}=\"v1\""),
        5 => format!("{key};p=v1"),
        6 => String::new(),
        7 => format!("{key}=v2"),
        8 => format!("{key}="),
        9 => format!("{}=v2", key.to_ascii_uppercase()),
        10 => return [key.as_bytes(), b"=\xe9"].concat(),
        _ => format!("{key}=v1\\"),
    };
    text.into_bytes()
}

fn escape(rng: &mut Rng, value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        let octet = byte.is_ascii_graphic() && !b"\",;\\%".contains(&byte);
        if !octet || rng.chance(4) {
            escaped.push_str(&format!("%{byte:02x}"));
        } else {
            escaped.push(char::from(byte));
        }
    }
    match rng.below(30) {
        0 => escaped.push_str("%zz"),
        1 => escaped.push('%'),
        2 => escaped.push('+'),
        3 => escaped.push_str("%E9"),
        4 => escaped.push_str("%0a"),
        5 => escaped.push_str("%20"),
        _ => {}
    }
    escaped
}

/// About 64 members, or about 8,192 bytes.
fn near_limits(rng: &mut Rng, items: &mut Vec<Vec<u8>>) {
    if rng.chance(50) {
        let total = rng.between(61, 68);
        while items.len() < total {
            items.push(format!("m{}=1", items.len()).into_bytes());
        }
    } else {
        let used: usize = items.iter().map(|item| item.len() + 1).sum();
        let total = rng.between(8160, 8220);
        let filler = total.saturating_sub(used + "fill=".len());
        items.push(format!("fill={}", "x".repeat(filler)).into_bytes());
    }
}

/// A header value as data: text, or base64 when it is not UTF-8.
pub(super) fn value_json(value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(value) }),
    }
}
