//! Requests: what a rule asks for, between the headers that every request carries.

use crate::random::Rng;

/// Where a decision is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a gateway.
    Ingress,
    /// At a call of this service.
    Hop(String),
}

/// One request, owned.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where it is met.
    pub place: Place,
    /// The method.
    pub method: String,
    /// The authority.
    pub authority: String,
    /// The path with its query.
    pub path: String,
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The number that was drawn for it.
    pub roll: u64,
}

/// What a request must carry to meet a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub(super) method: &'static str,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) cookie: Option<String>,
    pub(super) headers: Vec<(String, String)>,
}

impl Sample {
    pub(super) fn new(authority: impl Into<String>, path: impl Into<String>) -> Self {
        Self { method: "GET", authority: authority.into(), path: path.into(), query: None, cookie: None, headers: Vec::new() }
    }

    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A request that has nothing to do with the configuration.
    pub(super) fn elsewhere() -> Self {
        Self::new("elsewhere.example", "/nothing/here")
    }

    /// Leaves host and path as they are and takes away what the conditions want: altered, or not there at all.
    pub(super) fn spoil(&mut self, altered: bool) {
        if self.headers.is_empty() {
            self.path.push_str("/no");
        }
        self.cookie = None;
        self.query = None;
        if altered {
            for (_, value) in &mut self.headers {
                value.push_str("-no");
            }
        } else {
            self.headers.clear();
        }
    }

    /// A whole request: at least so many header lines, in any order.
    pub(super) fn into_call(self, count: usize, upper: bool, rng: &mut Rng) -> Call {
        let mut headers = self.headers;
        let cookie = match &self.cookie {
            Some(cookie) => format!("session={}; {cookie}; theme=dark", rng.hex(16)),
            None => format!("session={}; theme=dark", rng.hex(16)),
        };
        // A cookie that a rule asks for is a header that must be there.
        if self.cookie.is_some() {
            headers.push(("cookie".into(), cookie.clone()));
        }
        for (name, value) in usual(rng) {
            if headers.len() < count && headers.iter().all(|(other, _)| other != name) {
                headers.push((name.into(), value));
            }
        }
        if headers.len() < count && self.cookie.is_none() {
            headers.push(("cookie".into(), cookie));
        }
        for more in headers.len()..count {
            headers.push((format!("x-noise-{more}"), rng.hex(12)));
        }
        rng.shuffle(&mut headers);
        if upper {
            headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        }
        let path = match self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path,
        };
        Call { place: Place::Ingress, method: self.method.into(), authority: self.authority, path, headers, roll: rng.number() }
    }
}

/// What browsers and proxies send.
fn usual(rng: &mut Rng) -> [(&'static str, String); 14] {
    [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36".into()),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8".into()),
        ("accept-encoding", "gzip, deflate, br, zstd".into()),
        ("accept-language", "en-GB,en;q=0.9,de;q=0.7".into()),
        ("traceparent", format!("00-{}-{}-01", rng.hex(32), rng.hex(16))),
        ("x-request-id", format!("{}-{}-{}-{}-{}", rng.hex(8), rng.hex(4), rng.hex(4), rng.hex(4), rng.hex(12))),
        ("x-forwarded-for", format!("10.{}.{}.{}", rng.below(256), rng.below(256), rng.below(256))),
        ("x-forwarded-proto", "https".into()),
        ("authorization", format!("Bearer {}", rng.hex(120))),
        ("cookie", format!("session={}; theme=dark", rng.hex(16))),
        ("referer", "https://www.shop.example/start".into()),
        ("cache-control", "no-cache".into()),
        ("sec-fetch-mode", "navigate".into()),
        ("content-type", "application/json".into()),
    ]
}
