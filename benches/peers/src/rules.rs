//! A workload as peers read it: every rule as one list of tests, every request as `http` types, which is what
//! their users have in hand.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use lane_benches::workload::{Call, Workload};
use lane_core::config::Matcher;

/// A test of one value; the mixes have no others.
#[derive(Clone, Debug)]
pub enum Test {
    Exact(String),
    Prefix(String),
    Regex(String),
    Present,
}

/// One rule: all of this must hold.
#[derive(Clone, Debug)]
pub struct Rule {
    pub host: String,
    pub method: Option<String>,
    pub path: Test,
    pub headers: Vec<(String, Test)>,
    pub cookie: Option<(String, String)>,
    pub query: Option<(String, String)>,
    /// Lanes and their weights.
    pub lanes: Vec<(String, u32)>,
}

/// The rules of a mix.
pub fn rules(workload: &Workload) -> Vec<Rule> {
    workload.config.groups[0].rules.iter().map(rule).collect()
}

fn rule(rule: &lane_core::config::Rule) -> Rule {
    let host = rule.hosts.as_ref().expect("rules of a mix name a host")[0].clone();
    let entry = &rule.matches.as_ref().expect("rules of a mix have conditions")[0];
    let pair = |map: &std::collections::BTreeMap<String, Matcher>| map.iter().next().map(|(name, matcher)| (name.clone(), text(matcher)));
    let lanes = match (&rule.lane, &rule.split) {
        (Some(lane), _) => vec![(lane.clone(), 1)],
        (None, Some(split)) => split.iter().map(|share| (share.lane.clone(), share.weight)).collect(),
        (None, None) => panic!("rules of a mix lead somewhere"),
    };
    Rule {
        host,
        method: entry.method.as_ref().map(text),
        path: entry.path.as_ref().map(test).expect("rules of a mix have a path"),
        headers: entry.headers.iter().map(|(name, matcher)| (name.clone(), test(matcher))).collect(),
        cookie: pair(&entry.cookies),
        query: pair(&entry.query),
        lanes,
    }
}

fn test(matcher: &Matcher) -> Test {
    match matcher {
        Matcher::Exact(text) => Test::Exact(text.clone()),
        Matcher::Prefix(text) => Test::Prefix(text.clone()),
        Matcher::Regex(text) => Test::Regex(text.clone()),
        Matcher::Present(true) => Test::Present,
        other => panic!("mixes do not test by {other:?}"),
    }
}

fn text(matcher: &Matcher) -> String {
    match matcher {
        Matcher::Exact(text) => text.clone(),
        other => panic!("mixes do not test methods, cookies and queries by {other:?}"),
    }
}

impl Test {
    /// The same as a regular expression for those who search: anchored.
    pub fn anchored(&self) -> String {
        match self {
            Self::Exact(text) => format!("^{}$", escape(text)),
            Self::Prefix(text) => format!("^{}", escape(text)),
            Self::Regex(text) => format!("^(?:{text})$"),
            Self::Present => ".*".into(),
        }
    }
}

/// The regular expression by which a cookie is found in its header.
pub fn cookie_regex((name, value): &(String, String)) -> String {
    format!("(?:^|; ){}={}(?:;|$)", escape(name), escape(value))
}

/// The regular expression by which a parameter is found in the query.
pub fn query_regex((name, value): &(String, String)) -> String {
    format!("(?:^|&){}={}(?:&|$)", escape(name), escape(value))
}

/// Texts of the mixes hold no other characters that mean something.
fn escape(text: &str) -> String {
    text.replace('.', "\\.")
}

/// The headers that some rule reads, sorted; `cookie` stands for all cookies.
pub fn names(rules: &[Rule]) -> Vec<String> {
    let mut names: BTreeSet<String> = rules.iter().flat_map(|rule| rule.headers.iter().map(|(name, _)| name.clone())).collect();
    if rules.iter().any(|rule| rule.cookie.is_some()) {
        names.insert("cookie".into());
    }
    names.into_iter().collect()
}

/// A request in the types that Rust's proxies use.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
}

/// Calls in the types that Rust's proxies use.
pub fn requests(calls: &[Call]) -> Vec<Request> {
    let request = |call: &Call| Request {
        method: call.method.parse().expect("a method"),
        uri: format!("http://{}:80{}", call.authority, call.path).parse().expect("a URI"),
        headers: call
            .headers
            .iter()
            .map(|(name, value)| -> (HeaderName, HeaderValue) {
                (name.parse().expect("a header name"), value.parse().expect("a header value"))
            })
            .collect(),
    };
    calls.iter().map(request).collect()
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
