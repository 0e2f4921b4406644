//! Compiled conditions: trees of all, any and not over tests of one attribute each (section 3), flat in one
//! slice. They are three-valued, because a recorded request may lack what a condition asks for; where
//! everything is known the third value never arises.

use alloc::{boxed::Box, vec::Vec};
use core::{net::IpAddr, num::NonZeroU32, ops::Not};

use ipnet::IpNet;

use crate::{
    attribute::{Attributes, Key, Known, Line, Value, hash_key, names::HeaderId},
    intern::{Map, dense},
    pattern::{Kind, Matcher, Patterns, Text},
    request::Headers,
};

/// Whether something holds, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    No,
    Yes,
    /// It depends on something that was not recorded.
    Unknown,
}

impl From<bool> for Truth {
    #[inline]
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Not for Truth {
    type Output = Self;

    #[inline]
    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A condition tree in [`Conditions`]. Counted from 1, so that where there may be one or none takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConditionId(NonZeroU32);

/// One node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// All children hold; none need be there.
    All { first: u32, count: u32 },
    /// A child holds.
    Any { first: u32, count: u32 },
    /// The child does not hold, whatever its result came from (S8).
    Not(ConditionId),
    /// A value matches.
    Test { attribute: Attribute, matcher: Matcher },
    /// The caller's address lies in one of the networks.
    SourceIp(u32),
    /// A key's bucket lies below a bound (S14).
    Percent(u32),
}

/// What a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Attribute {
    Method,
    Path,
    /// A header, and whether its lines are joined (S10).
    Header {
        header: HeaderId,
        joined: bool,
    },
    Query(Text),
    Cookie(Text),
    Baggage(Text),
    /// The host of the calling service, as the group of this number knows it.
    SourceService {
        group: u32,
    },
    SourceLabel(Text),
}

/// A stable share of all keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percent {
    pub(crate) of: Key,
    /// In hundredths of a percent.
    pub(crate) below: u32,
    pub(crate) salt: Text,
}

/// The number of buckets of S14.
const BUCKETS: u64 = 10_000;

/// What hosts the calling service's names stand for; `router` knows.
pub(crate) trait ServiceNames {
    /// The host of the service that `name` names in the group, or in the first group that knows the name.
    fn host_of(&self, group: u32, name: &str) -> Option<&str>;
}

/// All condition trees of a router.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    nodes: Vec<Condition>,
    /// The tests so far, while compiling: what many rules ask is stored once.
    tests: Map<Condition, ConditionId>,
    children: Vec<ConditionId>,
    networks: Vec<Box<[IpNet]>>,
    percents: Vec<Percent>,
}

impl Conditions {
    pub(crate) fn add(&mut self, condition: Condition) -> ConditionId {
        let is_test = matches!(condition, Condition::Test { .. });
        if is_test && let Some(known) = self.tests.get(&condition) {
            return *known;
        }
        self.nodes.push(condition);
        let id = ConditionId(NonZeroU32::new(dense(self.nodes.len())).unwrap_or(NonZeroU32::MAX));
        if is_test {
            self.tests.insert(condition, id);
        }
        id
    }

    /// A node for all of these; a single one stands for itself.
    pub(crate) fn all(&mut self, children: &[ConditionId]) -> ConditionId {
        let (first, count) = match children {
            [only] => return *only,
            _ => self.children_of(children),
        };
        self.add(Condition::All { first, count })
    }

    /// A node for any of these; a single one stands for itself.
    pub(crate) fn any(&mut self, children: &[ConditionId]) -> ConditionId {
        let (first, count) = match children {
            [only] => return *only,
            _ => self.children_of(children),
        };
        self.add(Condition::Any { first, count })
    }

    pub(crate) fn source_ip(&mut self, networks: Box<[IpNet]>) -> ConditionId {
        self.networks.push(networks);
        let networks = dense(self.networks.len() - 1);
        self.add(Condition::SourceIp(networks))
    }

    pub(crate) fn percent(&mut self, percent: Percent) -> ConditionId {
        self.percents.push(percent);
        let percent = dense(self.percents.len() - 1);
        self.add(Condition::Percent(percent))
    }

    fn children_of(&mut self, children: &[ConditionId]) -> (u32, u32) {
        let first = dense(self.children.len());
        self.children.extend_from_slice(children);
        (first, dense(children.len()))
    }

    /// The node.
    pub(crate) fn node(&self, id: ConditionId) -> Option<Condition> {
        self.nodes.get(id.0.get() as usize - 1).copied()
    }

    /// The children of an `All` or `Any` node.
    pub(crate) fn children(&self, first: u32, count: u32) -> &[ConditionId] {
        let first = first as usize;
        self.children.get(first..first + count as usize).unwrap_or_default()
    }

    /// The networks of a `SourceIp` node.
    pub(crate) fn networks(&self, networks: u32) -> &[IpNet] {
        self.networks.get(networks as usize).map_or(&[], |networks| networks)
    }

    /// The share of a `Percent` node.
    pub(crate) fn share(&self, percent: u32) -> Option<&Percent> {
        self.percents.get(percent as usize)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Condition>()
            + self.children.capacity() * size_of::<ConditionId>()
            + self.percents.capacity() * size_of::<Percent>()
            + self.networks.iter().map(|networks| size_of_val(&**networks) + size_of::<Box<[IpNet]>>()).sum::<usize>()
    }

    /// Ends building.
    pub(crate) fn finish(&mut self) {
        self.tests = Map::default();
        self.nodes.shrink_to_fit();
        self.children.shrink_to_fit();
    }

    /// Whether the condition holds for the request. Depth is limited at compile (S6).
    pub(crate) fn holds<H: Headers + ?Sized>(&self, id: ConditionId, facts: &Facts<'_, '_, H>) -> Truth {
        match self.node(id) {
            None => Truth::No,
            Some(Condition::All { first, count }) => {
                let mut truth = Truth::Yes;
                for child in self.children(first, count) {
                    match self.holds(*child, facts) {
                        Truth::No => return Truth::No,
                        Truth::Yes => {}
                        Truth::Unknown => truth = Truth::Unknown,
                    }
                }
                truth
            }
            Some(Condition::Any { first, count }) => {
                let mut truth = Truth::No;
                for child in self.children(first, count) {
                    match self.holds(*child, facts) {
                        Truth::Yes => return Truth::Yes,
                        Truth::No => {}
                        Truth::Unknown => truth = Truth::Unknown,
                    }
                }
                truth
            }
            Some(Condition::Not(child)) => !self.holds(child, facts),
            Some(Condition::Test { attribute, matcher }) => facts.test(attribute, matcher),
            Some(Condition::SourceIp(networks)) => {
                facts.attributes.source_ip().is_some_and(|ip| contains(self.networks(networks), ip)).into()
            }
            Some(Condition::Percent(percent)) => self.share(percent).map_or(Truth::No, |percent| facts.percent(percent)),
        }
    }

    /// Hands on every header that an undetermined condition asks for and that its siblings do not settle.
    pub(crate) fn unseen<H: Headers + ?Sized>(&self, id: ConditionId, facts: &Facts<'_, '_, H>, found: &mut impl FnMut(HeaderId)) {
        if self.holds(id, facts) != Truth::Unknown {
            return;
        }
        match self.node(id) {
            Some(Condition::All { first, count } | Condition::Any { first, count }) => {
                for child in self.children(first, count) {
                    self.unseen(*child, facts, found);
                }
            }
            Some(Condition::Not(child)) => self.unseen(child, facts, found),
            Some(Condition::Test { attribute, .. }) => {
                if let Known::Unseen(header) = facts.known(attribute) {
                    found(header);
                }
            }
            Some(Condition::Percent(percent)) => {
                if let Some(percent) = self.share(percent)
                    && let Known::Unseen(header) = facts.attributes.with_key(percent.of, |_| ())
                {
                    found(header);
                }
            }
            Some(Condition::SourceIp(_)) | None => {}
        }
    }
}

/// What conditions are evaluated against.
pub(crate) struct Facts<'f, 'r, H: Headers + ?Sized> {
    pub(crate) attributes: &'f Attributes<'f, 'r, H>,
    pub(crate) patterns: &'f Patterns,
    pub(crate) services: &'f dyn ServiceNames,
}

impl<H: Headers + ?Sized> Facts<'_, '_, H> {
    /// Whether the value of the attribute matches; without a value only `or_missing` and `present: false` do (S8).
    #[inline]
    fn test(&self, attribute: Attribute, matcher: Matcher) -> Truth {
        let missing = matcher.or_missing || matcher.kind == Kind::Present(false);
        let plain = match attribute {
            Attribute::Method => self.attributes.request.method,
            // Mostly a header has one line, or none.
            Attribute::Header { header, .. } => match self.attributes.line(header) {
                Line::One(line) => Some(line),
                Line::None if !H::PARTIAL => return missing.into(),
                Line::None | Line::Several => None,
            },
            _ => None,
        };
        match plain {
            Some(value) => (self.patterns.holds(matcher.kind, value) != matcher.not).into(),
            None => self.test_any(attribute, matcher, missing),
        }
    }

    fn test_any(&self, attribute: Attribute, matcher: Matcher, missing: bool) -> Truth {
        // A condition on presence cannot hold for a value that is there.
        let holds = |kind_holds: bool| (kind_holds != matcher.not).into();
        let one = |value: Known<Value<'_>>| match value {
            Known::Unseen(_) => Truth::Unknown,
            Known::Absent => missing.into(),
            Known::Present(Value::Plain(value)) => holds(self.patterns.holds(matcher.kind, value)),
            Known::Present(value) => holds(self.patterns.holds_streamed(matcher.kind, value.bytes())),
        };
        match attribute {
            Attribute::Header { header, joined } => match self.attributes.header(header) {
                Known::Unseen(_) => Truth::Unknown,
                Known::Absent => missing.into(),
                Known::Present(lines) => holds(if joined && lines.clone().nth(1).is_some() {
                    self.patterns.holds_streamed(matcher.kind, joined_lines(lines))
                } else {
                    lines.clone().any(|line| self.patterns.holds(matcher.kind, line))
                }),
            },
            attribute => one(self.known(attribute)),
        }
    }

    /// The value of an attribute that has one; of a header the first line.
    fn known(&self, attribute: Attribute) -> Known<Value<'_>> {
        let attributes = self.attributes;
        match attribute {
            Attribute::Method => attributes.request.method.map(Value::Plain).into(),
            Attribute::Path => attributes.path().map(Value::Plain).into(),
            Attribute::Header { header, .. } => attributes.header(header).and_then(|mut lines| lines.next().map(Value::Plain).into()),
            Attribute::Query(name) => attributes.query(name).map(Value::Plain).into(),
            Attribute::Cookie(name) => attributes.cookie(name).map(Value::Plain),
            Attribute::Baggage(key) => attributes.baggage(key).map(Value::baggage),
            Attribute::SourceService { group } => self.source_service(group).map(|name| Value::Plain(name.as_bytes())).into(),
            Attribute::SourceLabel(name) => {
                attributes.source_label(self.patterns.pool.str(name)).map(|value| Value::Plain(value.as_bytes())).into()
            }
        }
    }

    /// The value of an attribute, where an unseen header counts as absent.
    pub(crate) fn value(&self, attribute: Attribute) -> Option<Value<'_>> {
        self.known(attribute).present()
    }

    /// The host of the calling service, or the text as given where it names none (S13).
    pub(crate) fn source_service(&self, group: u32) -> Option<&str> {
        let name = self.attributes.request.source.service?;
        Some(self.services.host_of(group, name).unwrap_or(name))
    }

    /// The bucket into which the request's key falls.
    pub(crate) fn bucket(&self, percent: &Percent) -> Known<u64> {
        let salt = self.patterns.pool.str(percent.salt);
        self.attributes.with_key(percent.of, |key| hash_key(0, Some(salt), key) % BUCKETS)
    }

    fn percent(&self, percent: &Percent) -> Truth {
        match self.bucket(percent) {
            Known::Present(bucket) => (bucket < u64::from(percent.below)).into(),
            Known::Absent => Truth::No,
            Known::Unseen(_) => Truth::Unknown,
        }
    }
}

/// Lines with `,` between them, byte by byte.
pub(crate) fn joined_lines<'l>(lines: impl Iterator<Item = &'l [u8]> + Clone) -> impl Iterator<Item = u8> + Clone {
    lines.enumerate().flat_map(|(position, line)| {
        let separator: &[u8] = if position == 0 { b"" } else { b"," };
        separator.iter().chain(line).copied()
    })
}

pub(crate) fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}
