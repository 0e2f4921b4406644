//! The classes of inputs on which a stock Envoy and lane differ, or on which Envoy gives no answer: each is a row of
//! `differences.md`, and `pinned` shows for each that the difference is there.

use lane_core::config::{Config, Context, Entry, HeaderValues, Key, LaneFrom};
use lane_formats::{Bytes, request::Ask};

use crate::proxy::trim;

/// The methods that Envoy's HTTP/1 parser takes, as far as requests here have them.
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// Why Envoy does not take a request; none where it does.
pub fn refused(ask: &Ask) -> Option<&'static str> {
    let path = ask.path.as_ref().map_or(&[][..], |path| &path.0);

    let method = ask.method.as_ref().and_then(Bytes::as_str).unwrap_or_default();
    if !METHODS.contains(&method) {
        return Some("method");
    }
    if path.contains(&b'#') {
        return Some("fragment");
    }
    if path.iter().any(|byte| !byte.is_ascii_graphic()) {
        return Some("path-bytes");
    }
    if !is_host(ask.authority.as_ref().map_or(&[][..], |authority| &authority.0)) {
        return Some("authority-bytes");
    }
    if ask.headers.iter().any(|(_, value)| value.0.iter().any(|byte| *byte < b' ' && *byte != b'\t' || *byte == 0x7f)) {
        return Some("header-bytes");
    }
    None
}

/// Why a request is not compared with the module's answer; none where it is.
pub fn of_module(config: &Config, ask: &Ask) -> Option<&'static str> {
    // Envoy joins the lines of this header as they come in: the module sees one, and takes it for the first.
    let lines = ask.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-request-id"));
    if lines.count() > 1 {
        return Some("repeated-key");
    }
    // A route removes no baggage at a hop, so a list without room stays.
    Mentioned::of(config).is_large(ask).then_some("baggage-size")
}

/// Why a request is not compared; none where it is.
pub fn excluded(config: &Config, ask: &Ask) -> Option<&'static str> {
    if let Some(class) = refused(ask) {
        return Some(class);
    }
    let known = Mentioned::of(config);
    let values = |name: &str| -> Vec<&[u8]> {
        let lines = ask.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| trim(&value.0)).collect()
    };

    // Where one value is wanted and there are several lines.
    for name in &known.single {
        if values(name).len() > 1 {
            return Some("repeated-key");
        }
    }
    for name in &known.guiding {
        let values = values(name);
        let mut filled = values.iter().filter(|value| !value.is_empty());
        let first = filled.next();
        if filled.any(|value| Some(value) != first) || known.joined && values.len() > 1 {
            return Some("repeated-guide");
        }
    }
    for name in &known.ranged {
        if values(name).iter().any(|value| value.starts_with(b"+") || *value == i64::MAX.to_string().as_bytes()) {
            return Some("range-sign");
        }
    }
    if !known.members.is_empty() {
        if known.is_large(ask) {
            return Some("baggage-size");
        }
        let lines = values("baggage");
        let mut members = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
        if members.any(|member| member.contains(&b'%') && known.members.iter().any(|key| trim(member).starts_with(key.as_bytes()))) {
            return Some("baggage-percent");
        }
    }
    if known.cookies && values("cookie").iter().any(|line| line.contains(&b'\t')) {
        return Some("cookie-tab");
    }
    None
}

fn is_host(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && !b"/?#@,\"\\".contains(byte))
}

/// The headers that a configuration reads in a way that matters here.
#[derive(Default)]
struct Mentioned {
    /// Of which one value is wanted.
    single: Vec<String>,
    guiding: Vec<String>,
    /// The keys of baggage that are read.
    members: Vec<String>,
    joined: bool,
    ranged: Vec<String>,
    cookies: bool,
}

impl Mentioned {
    fn of(config: &Config) -> Self {
        let mut known = Self::default();
        for group in &config.groups {
            known.guiding.push(group.guiding_header.clone().unwrap_or_else(|| "x-asm-prefer-tag".into()));
            known.joined |= group.header_values == Some(HeaderValues::Joined);
            if let Some(Context::Baggage(key)) = &group.context {
                known.members.push(key.clone());
            }
            known.members.extend(group.restore_headers.iter().cloned());
            for rule in &group.rules {
                match &rule.lane_from {
                    Some(LaneFrom::Header(name)) if known.guiding.iter().all(|guiding| !guiding.eq_ignore_ascii_case(name)) => {
                        known.single.push(name.clone());
                    }
                    Some(LaneFrom::Baggage(key)) => known.members.push(key.clone()),
                    Some(LaneFrom::Cookie(_)) => known.cookies = true,
                    _ => {}
                }
                known.cookies |= rule.sticky.as_ref().is_some_and(|sticky| sticky.generate.is_some());
                for key in rule.sticky.iter().flat_map(|sticky| sticky.keys.iter().flatten()) {
                    known.key(key);
                }
                for entry in rule.matches.iter().flatten() {
                    known.entry(entry);
                }
            }
        }
        known
    }

    /// Whether a lane's member may have no room in the request's list.
    fn is_large(&self, ask: &Ask) -> bool {
        let lines = || ask.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("baggage")).map(|(_, value)| &value.0);
        let bytes: usize = lines().map(|line| line.len() + 1).sum();
        let members: usize = lines().map(|line| line.split(|byte| *byte == b',').count()).sum();
        !self.members.is_empty() && (members > 48 || bytes > 7_000)
    }

    fn key(&mut self, key: &Key) {
        match key {
            Key::Header(name) | Key::TraceId(name) => self.single.push(name.clone()),
            Key::Baggage(key) => self.members.push(key.clone()),
            Key::Cookie(_) => self.cookies = true,
            _ => {}
        }
    }

    fn entry(&mut self, entry: &Entry) {
        use lane_core::config::Matcher;
        fn is_range(matcher: &Matcher) -> bool {
            match matcher {
                Matcher::OrMissing(inner) | Matcher::Not(inner) | Matcher::IgnoreCase(inner) => is_range(inner),
                Matcher::Range(_) => true,
                _ => false,
            }
        }
        self.ranged.extend(entry.headers.iter().filter(|(_, matcher)| is_range(matcher)).map(|(name, _)| name.clone()));
        self.members.extend(entry.baggage.keys().cloned());
        self.cookies |= !entry.cookies.is_empty();
        if let Some(percent) = &entry.percent {
            self.key(&percent.of);
        }
        for entry in entry.all.iter().flatten().chain(entry.any.iter().flatten()).chain(entry.not.as_deref()) {
            self.entry(entry);
        }
    }
}
