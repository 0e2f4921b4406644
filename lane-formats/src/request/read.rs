//! Reading a request: JSON to [`Ask`], with every problem and the field it is in.

use lane_core::diagnostic::Code;

use super::{Ask, AskError, Live, Place, Source};
use crate::{
    fields::{At, Problems},
    place::Lines,
    tree::{self, Failure, Node, Value},
};

const FIELDS: [&str; 12] =
    ["ingress", "hop", "inbound", "method", "authority", "path", "headers", "source", "remembered", "roll", "live", "recorded"];

impl Ask {
    /// Reads a request written as JSON.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AskError> {
        let node = tree::json::read(text).map_err(|failure| syntax(text, failure))?;
        Self::from_node(&At::root(&node))
    }

    /// Reads a request that was parsed already.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, AskError> {
        let node = Node::from_json(value, 0).ok_or_else(|| AskError::from(vec![too_deep()]))?;
        Self::from_node(&At::root(&node))
    }

    fn from_node(at: &At<'_>) -> Result<Self, AskError> {
        let mut problems = Problems::default();
        match read(at, &mut problems) {
            Some(ask) if problems.0.is_empty() => Ok(ask),
            _ => Err(problems.0.into()),
        }
    }
}

fn too_deep() -> crate::place::Finding {
    let failure = Failure::too_deep(crate::place::Span::default());
    crate::place::Finding::new(failure.code, failure.span, lane_core::diagnostic::FieldPath::root(), failure.message)
}

fn syntax(text: &str, failure: Failure) -> AskError {
    let (line, column) = Lines::new(text).position(failure.span.start);
    let place = if text.trim_end().contains('\n') { format!("line {line}, column {column}") } else { format!("column {column}") };
    let message = format!("{} at {place}", failure.message);
    let problem = super::Problem { path: lane_core::diagnostic::FieldPath::root(), message, help: failure.help };
    AskError { problems: vec![problem] }
}

/// Reads a request; what it gives is worth something only if no problem was added.
pub(crate) fn read(at: &At<'_>, problems: &mut Problems) -> Option<Ask> {
    if !problems.record(at, &FIELDS) {
        return None;
    }
    let mut ask = Ask::new(place(at, problems)?);
    ask.method = at.field("method").and_then(|at| problems.bytes(&at));
    ask.authority = at.field("authority").and_then(|at| problems.bytes(&at));
    ask.path = at.field("path").and_then(|at| problems.bytes(&at));
    for line in at.field("headers").and_then(|at| problems.list(&at)).unwrap_or_default() {
        let Some(pair) = problems.list(&line) else { continue };
        match pair.as_slice() {
            [name, value] => {
                let (name, value) = (problems.text(name), problems.bytes(value));
                ask.headers.extend(name.map(String::from).zip(value));
            }
            _ => problems.add(Code::WrongType, &line, "a header line is a list of its name and its value"),
        }
    }
    if let Some(at) = at.field("source") {
        ask.source = source(&at, problems);
    }
    ask.remembered = at.field("remembered").map(|at| texts(&at, problems)).unwrap_or_default();
    ask.roll = at.field("roll").and_then(|at| roll(&at, problems));
    if let Some(at) = at.field("live") {
        ask.live = live(&at, problems);
    }
    if let Some(at) = at.field("recorded")
        && problems.record(&at, &["headers"])
    {
        match at.field("headers") {
            Some(at) => {
                let names = problems.list(&at).unwrap_or_default();
                ask.recorded = Some(names.iter().filter_map(|name| problems.text(name)).map(String::from).collect());
            }
            None => problems.add(Code::MissingField, &at, "the field `headers` is missing"),
        }
    }
    Some(ask)
}

fn place(at: &At<'_>, problems: &mut Problems) -> Option<Place> {
    let named = |name: &str| at.field(name);
    match (named("ingress"), named("hop"), named("inbound")) {
        (Some(at), None, None) => Some(Place::Ingress { gateway: required(&at, "gateway", problems)? }),
        (None, Some(at), None) => Some(Place::Hop { service: required(&at, "service", problems)? }),
        (None, None, Some(at)) => problems.record(&at, &[]).then_some(Place::Inbound),
        (None, None, None) => {
            problems.add(Code::MissingField, at, "one of `ingress`, `hop` or `inbound` is missing");
            None
        }
        _ => {
            problems.add(Code::WrongType, at, "exactly one of `ingress`, `hop` and `inbound` may stand");
            None
        }
    }
}

/// The only field of a map.
fn required(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<String> {
    if !problems.record(at, &[name]) {
        return None;
    }
    match at.field(name) {
        Some(at) => problems.text(&at).map(String::from),
        None => {
            problems.add(Code::MissingField, at, format!("the field `{name}` is missing"));
            None
        }
    }
}

fn source(at: &At<'_>, problems: &mut Problems) -> Source {
    if !problems.record(at, &["service", "labels", "lane", "ip"]) {
        return Source::default();
    }
    let mut text = |name: &str| at.field(name).and_then(|at| problems.text(&at)).map(String::from);
    let (service, lane, ip) = (text("service"), text("lane"), text("ip"));
    Source { service, lane, ip, labels: at.field("labels").map(|at| texts(&at, problems)).unwrap_or_default() }
}

/// A map of texts.
fn texts(at: &At<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let entries = problems.map(at).unwrap_or_default();
    entries.iter().filter_map(|(name, at)| Some(((*name).to_owned(), problems.text(at)?.to_owned()))).collect()
}

fn roll(at: &At<'_>, problems: &mut Problems) -> Option<u64> {
    let digits = match &at.node.value {
        Value::Number(digits) | Value::Text(digits) => digits,
        _ => "",
    };
    // `parse` alone would let a sign through.
    let roll = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    if roll.is_none() {
        problems.expected("a whole number from 0 to 18446744073709551615, or such a number as text", at);
    }
    roll
}

fn live(at: &At<'_>, problems: &mut Problems) -> Vec<Live> {
    let mut live = Vec::new();
    for (service, at) in problems.map(at).unwrap_or_default() {
        for (lane, at) in problems.map(&at).unwrap_or_default() {
            let Some(counts) = problems.list(&at) else { continue };
            let [endpoints, healthy] = counts.as_slice() else {
                problems.add(Code::WrongType, &at, "counts are a list of two numbers: endpoints, and how many of them are healthy");
                continue;
            };
            let (Some(endpoints), Some(healthy)) = (problems.count::<u32>(endpoints), problems.count::<u32>(healthy)) else { continue };
            if healthy > endpoints {
                problems.add(Code::WrongType, &at, format!("healthy {healthy} is above endpoints {endpoints}"));
                continue;
            }
            live.push(Live { service: service.into(), lane: lane.into(), endpoints, healthy });
        }
    }
    live
}
