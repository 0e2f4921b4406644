//! The HTTP filter: headers are changed in place. Where the route has our cluster specifier in the role `filter`, that
//! decides on the filter's behalf and chooses the cluster. Else the cluster is put into a header that the route reads
//! (`cluster_header`), and Envoy is made to look for the route again; it then tells about endpoints of the cluster to which
//! a request is routed only, so a fallback costs one more look.

use core::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use crate::{
    abi::{HeaderLines, Hosts, Store, Stream},
    decide::{Host, Instance, Scratch, Verdict},
    settings::{Role, Settings},
    specifier::{self, Outcome},
};

/// The filter as configured.
#[derive(Debug)]
pub struct FilterConfig(Instance);

/// The filter of one stream: what is left to do when the response comes.
#[derive(Debug)]
pub struct Filter {
    /// A line for `set-cookie`.
    cookie: Option<Box<str>>,
}

/// What becomes of the request after its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next filter.
    Continue,
    /// It was answered.
    Stop,
}

/// A stream, and the cluster to which it was routed last.
struct Routed<'s, 'i> {
    stream: &'s Stream,
    header: &'i str,
    cluster: Option<&'i str>,
    roll: u64,
}

impl<'i> Routed<'_, 'i> {
    fn route(&mut self, cluster: &'i str) {
        if self.cluster != Some(cluster) {
            self.cluster = Some(cluster);
            self.stream.set_request_header(self.header, cluster.as_bytes());
            self.stream.clear_route_cache();
        }
    }
}

impl<'i> Host<'i> for Routed<'_, 'i> {
    const STATES_ALL: bool = false;

    fn headers<'s>(&self, store: &'s mut Store) -> HeaderLines<'s> {
        self.stream.headers(store)
    }

    fn roll(&self) -> Option<u64> {
        Some(self.roll)
    }

    fn source_address(&self) -> Option<&[u8]> {
        self.stream.source_address()
    }

    fn hosts(&mut self, cluster: &'i str) -> Option<Hosts> {
        self.route(cluster);
        self.stream.hosts()
    }
}

impl FilterConfig {
    /// Reads what was configured.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(config: &[u8]) -> Result<Self, String> {
        let settings = Settings::read(config)?;
        if settings.role == Role::Filter {
            return Err("the role `filter` is for cluster specifiers, which then leave the decision to the filter".to_owned());
        }
        Instance::new(settings).map(Self)
    }
}

impl Filter {
    /// A filter for one stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { cookie: None }
    }

    /// The request's headers are there.
    pub fn request_headers(&mut self, config: &FilterConfig, stream: &Stream) -> Next {
        let instance = &config.0;
        let header = instance.settings.cluster_header.as_str();
        let mut host = Routed { stream, header, cluster: None, roll: random() };
        if instance.settings.role == Role::Inbound {
            Scratch::lend(|scratch| instance.arrive(&host, scratch));
            return Next::Continue;
        }
        if let Some(outcome) = specifier::on_behalf(instance, || stream.refresh_cluster()) {
            Scratch::lend(|scratch| self.change(stream, scratch));
            return match outcome {
                Outcome::Routed => Next::Continue,
                Outcome::Answer { status, why } => answer(stream, status, why),
            };
        }
        Scratch::lend(|scratch| {
            let verdict = instance.decide(&mut host, scratch);
            self.change(stream, scratch);
            match verdict {
                Verdict::Cluster(cluster) => host.route(cluster),
                Verdict::Pass => {
                    // A client must not choose clusters by the header that was meant for us.
                    stream.remove_request_header(header);
                    stream.clear_route_cache();
                }
                Verdict::Answer { status, why } => return answer(stream, status, why),
            }
            Next::Continue
        })
    }

    /// Changes the request's headers, and keeps the cookie for the response.
    fn change(&mut self, stream: &Stream, scratch: &Scratch) {
        for (name, value) in scratch.changes().iter() {
            match value {
                Some(value) => stream.set_request_header(name, value),
                None => stream.remove_request_header(name),
            }
        }
        self.cookie = (!scratch.cookie.is_empty()).then(|| scratch.cookie.as_str().into());
    }

    /// The response's headers are there.
    pub fn response_headers(&mut self, stream: &Stream) {
        if let Some(cookie) = self.cookie.take() {
            stream.add_response_header("set-cookie", cookie.as_bytes());
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}

fn answer(stream: &Stream, status: u16, why: &'static str) -> Next {
    stream.respond(status, body(status), why);
    Next::Stop
}

const fn body(status: u16) -> &'static str {
    match status {
        404 => "lane: no lane takes this request\n",
        _ => "lane: no lane can serve this request\n",
    }
}

/// A random number (splitmix64, seeded for each thread by the system): a split needs a good spread, not secrecy.
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0));
    }
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
