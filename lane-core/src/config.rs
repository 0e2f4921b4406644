//! What people write, as plain data: one struct or enum for each place of the document that section 2 of
//! `docs/semantics.md` describes. Nothing here has behaviour and nothing knows where in a file it stood;
//! `lane-formats` reads it from text and remembers the places, `compile` checks it and builds the router.
//!
//! Who builds a configuration in Rust begins with `new`, which leaves out what a document may leave out:
//!
//! ```
//! use lane_core::{Options, Router, config::{Config, Group, Lane, Mode, Rule, Service}};
//!
//! let mut group = Group::new("shop", Mode::Strict);
//! group.services = vec![Service::new("cart.shop.svc")];
//! group.lanes = vec![Lane::new("s1"), Lane::new("s2")];
//! group.rules = vec![Rule { lane: Some("s2".into()), ..Rule::new("all", "cart.shop.svc") }];
//! let config = Config { version: 1, groups: vec![group] };
//! assert!(Router::compile(&config, &Options::default()).is_ok());
//! ```

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One configuration document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this schema: always 1.
    pub version: u32,
    /// The lane groups, in the order in which a gateway tries them (S16).
    pub groups: Vec<Group>,
}

/// Services that form call chains, the lanes over them, and the rules that lead into the lanes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group's name: a Kubernetes label value, unique in the document (S1).
    pub name: String,
    /// Whether a lane may lack services (S2).
    pub mode: Mode,
    /// The gateways at which the group's rules hold; left out: at every gateway (S16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Vec<String>>,
    /// The request header whose value is the lane name. Default: `x-asm-prefer-tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guiding_header: Option<String>,
    /// How the lane name survives the chain. Default: `header`, the guiding header itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// Further headers that a hop restores from baggage members of the same name (S26).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restore_headers: Vec<String>,
    /// The lane that contains every service; permissive mode falls back to it (S2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// The workload label that marks a lane's endpoints. Default: `ASM_TRAFFIC_TAG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_label: Option<String>,
    /// What becomes of a lane name that no lane has (S23). Default: permissive `baseline`, strict `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_lane: Option<UnknownLane>,
    /// Whether a second gateway keeps a known lane that the request already carries (S16). Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_lane: bool,
    /// Whether lane context sent by clients is left in place at this group's gateways (S18). Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trust_client: bool,
    /// How several lines of one header are matched (S10). Default: `each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_values: Option<HeaderValues>,
    /// The members of the chain.
    pub services: Vec<Service>,
    /// The lanes over the services.
    pub lanes: Vec<Lane>,
    /// The rules, in the order in which they are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl Group {
    /// A group without services, lanes and rules, of which all else is left out.
    #[must_use]
    pub fn new(name: impl Into<String>, mode: Mode) -> Self {
        Self {
            name: name.into(),
            mode,
            gateways: None,
            guiding_header: None,
            context: None,
            restore_headers: Vec::new(),
            baseline: None,
            tag_label: None,
            unknown_lane: None,
            keep_lane: false,
            trust_client: false,
            header_values: None,
            services: Vec::new(),
            lanes: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// Whether a lane may lack services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every lane holds every service and never falls back.
    Strict,
    /// A lane may hold some services; the others are served by its fallback lanes, at last by the baseline.
    Permissive,
}

/// How the lane name survives the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The application passes the guiding header on.
    Header,
    /// A W3C baggage member of this key carries the lane name (S27).
    Baggage(String),
    /// The lane was associated with the trace id in this header (S28).
    TraceId(String),
}

/// What becomes of a lane name that no lane has (S23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnknownLane {
    /// The request goes to the baseline.
    Baseline,
    /// The request gets no route.
    Reject,
    /// The name is cut at its last `.` until a lane of that name exists; then the baseline.
    NearestAncestor,
}

/// How several lines of one header are matched (S10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeaderValues {
    /// Each line on its own; any may hold (Envoy since 1.39).
    Each,
    /// The lines joined with `,` (Envoy before 1.39, gRPC, nginx).
    Joined,
}

/// One member of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The service's host, for example `mocka.default.svc.cluster.local`.
    pub host: String,
    /// Other names under which it is called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The share of healthy endpoints, in percent, that a subset needs to serve (S24). Default 0: one healthy endpoint is enough.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub min_healthy_percent: u32,
}

impl Service {
    /// A service of which all else is left out.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), aliases: Vec::new(), min_healthy_percent: 0 }
    }
}

/// An isolated runtime environment: one version of the services it contains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// The lane's name, which requests carry: a Kubernetes label value, unique in the group (S1).
    pub name: String,
    /// The value of the group's tag label that marks the lane's endpoints. Default: the lane's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tag: Option<String>,
    /// The hosts of the services that the lane contains. Default: all of the group's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// Labels of the lane's subset of a service, by service host, where they are not just the service tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// The lanes that serve in this one's place, in order (S3). Left out in permissive mode: the baseline; `[]`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<String>>,
}

impl Lane {
    /// A lane of all services, of which all else is left out.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), service_tag: None, services: None, labels: BTreeMap::new(), fallback: None }
    }
}

/// Conditions that send a request into a lane, or split it by weight over several (S4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, unique in the group.
    pub name: String,
    /// Where the rule holds. Default: `[gateway]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Vec<At>>,
    /// Host patterns: `*`, `*.suffix`, or a host (S13). Default: `["*"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The host of the service to which the rule leads; at a hop, the called service.
    pub service: String,
    /// Entries of which one must hold. Default: every request.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<Entry>>,
    /// The lane into which the rule sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The request attribute that names the lane; the rule holds only when it names a lane of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane_from: Option<LaneFrom>,
    /// Lanes and their weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Vec<Share>>,
    /// How a split keeps a client in its lane. Left out: each request by its own roll (S19).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
}

impl Rule {
    /// A rule for every request to a service, which leads nowhere yet; all else is left out.
    #[must_use]
    pub fn new(name: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            at: None,
            hosts: None,
            service: service.into(),
            matches: None,
            lane: None,
            lane_from: None,
            split: None,
            sticky: None,
        }
    }
}

/// Where a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// At the group's gateways.
    Gateway,
    /// At calls of the rule's service inside the chain that carry no lane.
    Hop,
}

/// The request attribute that names a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LaneFrom {
    /// The header of this name.
    Header(String),
    /// The cookie of this name.
    Cookie(String),
    /// The query parameter of this name.
    Query(String),
    /// The baggage member of this key.
    Baggage(String),
}

/// One lane of a split and its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The lane.
    pub lane: String,
    /// Its weight: an integer from 0; the lane's part is weight over the sum of all (S4).
    pub weight: u32,
}

/// How a split keeps a client in its lane (S19, S20).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// Where the client's key is looked for, in order; the first that is present and not empty counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Key>>,
    /// A cookie that is set when no key is present, and is the last key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// How a key chooses a lane. Default: `rendezvous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Text put before the key, so that two splits do not choose alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// A value of the request that identifies a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The cookie of this name.
    Cookie(String),
    /// The header of this name.
    Header(String),
    /// The query parameter of this name.
    Query(String),
    /// The baggage member of this key.
    Baggage(String),
    /// The trace id in this header (S28).
    TraceId(String),
    /// The caller's address in canonical text (S13); always `true`.
    SourceIp(bool),
}

/// A cookie that makes a client sticky (S19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// The cookie's name.
    pub cookie: String,
    /// How long the client keeps it, in seconds.
    pub ttl_seconds: u32,
}

/// How a sticky key chooses a lane (S20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Weighted rendezvous hashing: a key moves only when it must.
    Rendezvous,
    /// The hash modulo the sum of weights, over consecutive ranges, as stock Envoy does.
    Ranges,
}

/// Conditions that must all hold; without any, the entry holds for every request (S15).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The request method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Matcher>,
    /// The path without query and fragment (S11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Matcher>,
    /// Headers by name (S10).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Matcher>,
    /// Query parameters by name (S12).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Matcher>,
    /// Cookies by name (S12).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<String, Matcher>,
    /// Baggage members by key (S27).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baggage: BTreeMap<String, Matcher>,
    /// The caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// A stable share of all keys (S14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// Entries that must all hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Entry>>,
    /// Entries of which one must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Entry>>,
    /// An entry that must not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Entry>>,
}

/// Conditions on the caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The host of the calling service (S13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Matcher>,
    /// Labels of the calling workload, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Matcher>,
    /// Address ranges (CIDR), one of which holds the caller's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Vec<String>>,
}

/// A stable share of all keys (S14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Percent {
    /// The key whose hash decides.
    pub of: Key,
    /// The share in percent, from 0 to 100, with at most two decimal places.
    pub below: Hundredths,
    /// Text put before the key. Default: `GROUP/RULE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// A test of one value: wrappers `or_missing`, `not`, `ignore_case`, in this order and each at most once, around a kind (S7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// The matcher inside, or no value at all.
    OrMissing(Box<Matcher>),
    /// A value for which the matcher inside does not hold.
    Not(Box<Matcher>),
    /// The matcher inside, without regard to the case of ASCII letters.
    IgnoreCase(Box<Matcher>),
    /// This text.
    Exact(String),
    /// Text that begins so.
    Prefix(String),
    /// Text that ends so.
    Suffix(String),
    /// Text that holds this.
    Contains(String),
    /// One of these texts.
    In(Vec<String>),
    /// Text that this regular expression matches as a whole (RE2 on bytes, S9).
    Regex(String),
    /// A decimal integer in a range.
    Range(Range),
    /// Whether there is a value.
    Present(bool),
    /// A path that is this one or lies below it (S11); for `path` only.
    Segments(String),
}

/// A range of integers (S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The smallest value that holds. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The smallest value above, which does not hold. Default: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

/// A share in hundredths of a percent, written as a decimal from 0 to 100 with at most two places and taken exactly (S14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hundredths(pub u32);

impl Hundredths {
    /// The whole: 100 %.
    pub const WHOLE: Self = Self(10_000);

    /// Reads a decimal such as `12`, `12.5` or `12.50`; nothing else, so that what is written is what is meant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(places) {
            return None;
        }
        // Zeros that say nothing are allowed: JSON numbers arrive as `50.0`.
        let places = places.trim_end_matches('0');
        let fraction: u32 = match places.len() {
            0 => 0,
            1 => places.parse::<u32>().ok()? * 10,
            2 => places.parse().ok()?,
            _ => return None,
        };
        let hundredths = whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(fraction)?;
        (hundredths <= Self::WHOLE.0).then_some(Self(hundredths))
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, places) if places % 10 == 0 => write!(f, "{whole}.{}", places / 10),
            (whole, places) => write!(f, "{whole}.{places:02}"),
        }
    }
}

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) {
            serializer.serialize_u32(self.0 / 100)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }
}

impl<'de> Deserialize<'de> for Hundredths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Hundredths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal from 0 to 100 with at most two places")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Hundredths, E> {
                let whole = u32::try_from(value).ok().and_then(|whole| whole.checked_mul(100)).map(Hundredths);
                whole.filter(|hundredths| *hundredths <= Hundredths::WHOLE).ok_or_else(|| self.refuse())
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Hundredths, E> {
                u64::try_from(value).map_err(|_| self.refuse()).and_then(|value| self.visit_u64(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Hundredths, E> {
                // What was written with at most two places is the number nearest to some hundredths, and no other is.
                let hundredths = Hundredths((value * 100.0 + 0.5) as u32);
                let is_exact = f64::from(hundredths.0) / 100.0 == value && value.is_sign_positive();
                if is_exact && hundredths <= Hundredths::WHOLE { Ok(hundredths) } else { Err(self.refuse()) }
            }
        }

        impl Visitor {
            /// Without the number, whose text would need all that prints floating-point numbers.
            fn refuse<E: de::Error>(&self) -> E {
                E::invalid_value(de::Unexpected::Other("a number"), self)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Hundredths {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Hundredths".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A decimal from 0 to 100 with at most two places.",
            "type": "number",
            "minimum": 0,
            "maximum": 100,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
