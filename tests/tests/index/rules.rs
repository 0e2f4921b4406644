//! Large rule sets over few names, so that conditions overlap: every kind of condition that the index knows and every
//! kind that it must leave alone.

use lane_core::{Router, RuleId};
use lane_tests::generate::Rng;
use serde_json::{Map, Value, json};

/// What the rules of a set mostly look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// All of it.
    Mixed,
    /// Paths: nested prefixes, segments, exact ones, expressions.
    Paths,
    /// A few headers, in every combination.
    FewHeaders,
    /// So many headers that the request's own say what to look up.
    ManyHeaders,
    /// Regular expressions over a few attributes.
    Regexes,
    /// Texts anywhere in the values of a few attributes, and expressions around them.
    Texts,
    /// Paths wide and deep, and hundreds of values of one thing.
    Releases,
}

impl Profile {
    pub(crate) const ALL: [Self; 7] =
        [Self::Mixed, Self::Paths, Self::FewHeaders, Self::ManyHeaders, Self::Regexes, Self::Texts, Self::Releases];

    /// Whether conditions are over few attributes, and rules mostly for every host, so that many meet in one place.
    fn is_crowded(self) -> bool {
        matches!(self, Self::Regexes | Self::Texts)
    }

    /// How many header names rules look at.
    fn header_names(self) -> usize {
        match self {
            Self::ManyHeaders => 130,
            Self::Mixed => 24,
            // Few, so that many expressions are over one of them.
            Self::Regexes | Self::Texts => 2,
            _ => 5,
        }
    }
}

/// Where a value stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Method,
    Path,
    Host,
    Header,
    Query,
    Cookie,
    Baggage,
    Service,
}

/// A value that makes one condition of a rule hold.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A configuration, and for every rule what it wants.
pub(crate) struct RuleSet {
    pub(crate) document: Value,
    pub(crate) profile: Profile,
    /// The one thing of [`Profile::Releases`].
    pub(crate) thing: (Place, String),
    pub(crate) wishes: Vec<Vec<Wish>>,
}

pub(crate) const GATEWAYS: [&str; 3] = ["gw1", "gw2", "gw3"];
pub(crate) const SERVICES: [&str; 3] = ["a.svc", "b.svc", "c.svc"];
pub(crate) const LANES: [&str; 5] = ["v1", "v2", "v3", "v2.x", "gray"];
pub(crate) const HOSTS: [&str; 7] =
    ["*", "*.shop.example", "www.shop.example", "*.example", "a.b.shop.example", "*.b.shop.example", "shop.example"];
pub(crate) const PATHS: [&str; 14] =
    ["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/a/bc", "/b", "/b/1", "/b/12/c", "/a/b/c/d/e", "/ab/c", "/A", ""];
pub(crate) const VALUES: [&str; 12] = ["a", "b", "ab", "A", "aB", "1", "42", "", "a,b", "x y", "é", "abc"];
const PATH_REGEXES: [(&str, &str); 8] = [
    ("/a/.*", "/a/b"),
    ("/b/[0-9]+", "/b/12"),
    ("/(a|ab)/c", "/ab/c"),
    ("/a/b.*c", "/a/b/c"),
    (".*/c", "/b/12/c"),
    ("(?i)/A/B", "/a/b"),
    ("/a|/ab", "/ab"),
    ("/a/b/c(/.*)?", "/a/b/c/d/e"),
];
const VALUE_REGEXES: [(&str, &str); 9] = [
    ("[ab]+", "ab"),
    ("a|ab", "ab"),
    ("(?i)a.*", "abc"),
    ("[0-9]{1,3}", "42"),
    (".*b", "ab"),
    ("", "a"),
    ("a.?", "ab"),
    ("\\w+", "abc"),
    ("[^a]*", "b"),
];

pub(crate) fn header(number: usize) -> String {
    format!("X-H{number}")
}

impl RuleSet {
    pub(crate) fn generate(rng: &mut Rng, size: usize, profile: Profile) -> Self {
        let things =
            [(Place::Header, header(0)), (Place::Header, header(0)), (Place::Cookie, "c0".to_owned()), (Place::Baggage, "b0".to_owned())];
        let mut set = Self { document: Value::Null, profile, thing: rng.pick(&things), wishes: Vec::new() };
        let guides = ["version", "x-lane", "x-asm-prefer-tag"];
        let groups: Vec<Value> =
            (0..3).map(|index| set.group(rng, index, guides[index], size / 3 + usize::from(index < size % 3))).collect();
        set.document = json!({ "version": 1, "groups": groups });
        set
    }

    fn group(&mut self, rng: &mut Rng, index: usize, guide: &str, size: usize) -> Value {
        let services: Vec<Value> = SERVICES.iter().map(|host| json!({ "host": host })).collect();
        let lanes: Vec<Value> = LANES.iter().map(|name| json!({ "name": name })).collect();
        let rules: Vec<Value> = (0..size).map(|number| self.rule(rng, number, guide)).collect();
        let mut group = json!({
            "name": format!("g{index}"), "mode": "permissive", "baseline": "v1", "guiding_header": guide,
            "context": { "baggage": format!("k{index}") }, "services": services, "lanes": lanes, "rules": rules,
        });
        if rng.chance(70) {
            let count = rng.between(1, 2);
            group["gateways"] = json!(rng.some(&GATEWAYS, count));
            // S16: a second gateway, which trusts.
            if rng.chance(40) {
                group["trust_client"] = json!(true);
                group["keep_lane"] = json!(true);
            }
        }
        group["header_values"] = json!(rng.pick(&["each", "each", "joined"]));
        group
    }

    fn rule(&mut self, rng: &mut Rng, number: usize, guide: &str) -> Value {
        let mut wishes = Vec::new();
        let mut rule = json!({ "name": format!("r{number}"), "service": rng.pick(&SERVICES) });
        match rng.below(10) {
            0 | 1 => rule["at"] = json!(["hop"]),
            2..=4 => rule["at"] = json!(["gateway", "hop"]),
            _ => {}
        }
        if rng.chance(if self.profile.is_crowded() { 20 } else { 60 }) {
            let count = rng.pick(&[1, 1, 2]);
            let hosts = rng.some(&HOSTS, count);
            wish(&mut wishes, Place::Host, "", &hosts[0].replace('*', "www"));
            rule["hosts"] = json!(hosts);
        }
        // Rules in front that hold for whoever names a lane, and few that hold for everyone.
        let named = rng.chance(if number < 4 { 60 } else { 5 });
        if !rng.chance(if named { 30 } else { 1 }) {
            let count = rng.pick(&[1, 1, 1, 2, 3]);
            let entries: Vec<Value> = (0..count)
                .map(|entry| {
                    let mut wanted = Vec::new();
                    let entry_value = self.entry(rng, guide, 2, &mut wanted);
                    if entry == 0 || rng.chance(20) {
                        wishes.append(&mut wanted);
                    }
                    entry_value
                })
                .collect();
            rule["match"] = json!(entries);
        }
        match rng.below(8) {
            _ if named => {
                let (place, name) =
                    rng.pick(&[(Place::Header, guide), (Place::Cookie, "c0"), (Place::Query, "q0"), (Place::Baggage, "b0")]);
                let lane = rng.pick(&LANES);
                wish(&mut wishes, place, name, lane);
                rule["lane_from"] = json!({ field(place): name });
            }
            0..=5 => rule["lane"] = json!(rng.pick(&LANES)),
            _ => {
                let lanes = rng.some(&LANES, 3);
                let shares: Vec<Value> = lanes.into_iter().map(|lane| json!({ "lane": lane, "weight": rng.below(3) + 1 })).collect();
                rule["split"] = json!(shares);
            }
        }
        self.wishes.push(wishes);
        rule
    }

    fn entry(&self, rng: &mut Rng, guide: &str, depth: usize, wishes: &mut Vec<Wish>) -> Value {
        if self.profile == Profile::Releases && rng.chance(95) {
            return self.release(rng, wishes);
        }
        let mut entry = Map::new();
        let count = rng.pick(if self.profile.is_crowded() { &[1, 1, 2] } else { &[1, 2, 2, 2, 3, 3, 4] });
        for _ in 0..count {
            let kind = match self.profile {
                Profile::Paths if rng.chance(60) => 0,
                Profile::FewHeaders | Profile::ManyHeaders if rng.chance(75) => 3,
                Profile::Regexes if rng.chance(85) => rng.pick(&[0, 3]),
                Profile::Texts if rng.chance(85) => 3,
                _ => rng.below(if depth == 0 { 11 } else { 15 }),
            };
            match kind {
                0..=2 => {
                    let (matcher, value) = self.path(rng);
                    wish(wishes, Place::Path, "", &value);
                    entry.insert("path".into(), matcher);
                }
                3..=6 => {
                    let name = if rng.chance(5) { guide.to_owned() } else { header(rng.below(self.profile.header_names())) };
                    self.named(rng, &mut entry, Place::Header, name, wishes);
                }
                7..=9 => {
                    let (place, letter) = rng.pick(&[(Place::Query, 'q'), (Place::Cookie, 'c'), (Place::Baggage, 'b')]);
                    let name = format!("{letter}{}", rng.below(2));
                    self.named(rng, &mut entry, place, name, wishes);
                }
                10 => match rng.below(3) {
                    0 => {
                        let (matcher, value) = self.value(rng);
                        wish(wishes, Place::Method, "", &value);
                        entry.insert("method".into(), matcher);
                    }
                    1 => {
                        wish(wishes, Place::Service, "", SERVICES[0]);
                        entry.insert("source".into(), json!({ "service": { "exact": SERVICES[0] } }));
                    }
                    _ => {
                        entry.insert("percent".into(), json!({ "of": { "header": header(0) }, "below": 50 }));
                    }
                },
                11 | 12 => {
                    let entries = [self.entry(rng, guide, depth - 1, wishes), self.entry(rng, guide, depth - 1, &mut Vec::new())];
                    entry.insert("any".into(), json!(entries));
                }
                13 => {
                    let inner = self.entry(rng, guide, depth - 1, wishes);
                    entry.insert("all".into(), json!([inner]));
                }
                _ => {
                    entry.insert("not".into(), self.entry(rng, guide, 0, &mut Vec::new()));
                }
            }
        }
        Value::Object(entry)
    }

    fn release(&self, rng: &mut Rng, wishes: &mut Vec<Wish>) -> Value {
        let mut entry = Map::new();
        if rng.chance(80) {
            let mut path = String::new();
            for _ in 0..rng.between(1, 3) {
                path = format!("{path}/{}{}", rng.pick(&WORDS), if rng.chance(30) { rng.below(40).to_string() } else { String::new() });
            }
            wish(wishes, Place::Path, "", &path);
            entry.insert("path".into(), json!({ rng.pick(&["exact", "prefix", "segments"]): path }));
        }
        if rng.chance(95) {
            let (place, name) = &self.thing;
            let value = release(rng);
            wish(wishes, *place, name, &value);
            let field = match place {
                Place::Header => "headers",
                Place::Cookie => "cookies",
                place => field(*place),
            };
            entry.insert(field.into(), json!({ name: { "exact": value } }));
        }
        Value::Object(entry)
    }

    fn named(&self, rng: &mut Rng, entry: &mut Map<String, Value>, place: Place, name: String, wishes: &mut Vec<Wish>) {
        let (matcher, value) = self.value(rng);
        wish(wishes, place, &name, &value);
        // The plain fields of an entry end in s, as `lane_from` does not.
        let field = match place {
            Place::Header => "headers",
            Place::Cookie => "cookies",
            place => field(place),
        };
        let matchers = entry.entry(field).or_insert_with(|| json!({}));
        matchers[name] = matcher;
    }

    fn path(&self, rng: &mut Rng) -> (Value, String) {
        let path = rng.pick(&PATHS);
        let below = format!("{path}{}", rng.pick(&["", "/x", "x"]));
        let segments = path.starts_with('/');
        match rng.below(if self.profile == Profile::Regexes { 16 } else { 10 }) {
            0..=2 => (json!({ "exact": path }), path.to_owned()),
            3 | 4 if !path.is_empty() => (json!({ "prefix": path }), below),
            5 | 6 if segments => (json!({ "segments": path }), format!("{}/x", path.trim_end_matches('/'))),
            7 => (json!({ "in": rng.some(&PATHS, 3) }), path.to_owned()),
            8 => rng.pick(&[
                (json!({ "not": { "prefix": "/a" } }), "/b".to_owned()),
                (json!({ "ignore_case": { "exact": "/a/B" } }), "/A/b".to_owned()),
                (json!({ "suffix": "/c" }), "/a/b/c".to_owned()),
                (json!({ "contains": "b" }), "/ab".to_owned()),
                (json!({ "or_missing": { "exact": "/a" } }), "/a".to_owned()),
                (json!({ "present": true }), "/".to_owned()),
            ]),
            _ => {
                // Same expressions share an automaton, and variants of one make many that are almost alike.
                let number = rng.below(PATH_REGEXES.len() + 24);
                let variant = || (format!("/v{}/[a-z]+", number % 24), format!("/v{}/abc", number % 24));
                let (regex, value) =
                    PATH_REGEXES.get(number).map_or_else(variant, |(regex, value)| ((*regex).to_owned(), (*value).to_owned()));
                (json!({ "regex": regex }), value)
            }
        }
    }

    fn value(&self, rng: &mut Rng) -> (Value, String) {
        if self.profile == Profile::Texts && rng.chance(70) {
            return text(rng);
        }
        let value = rng.pick(&VALUES);
        let own = || value.to_owned();
        let inner = match rng.below(if self.profile == Profile::Regexes { 30 } else { 15 }) {
            0..=5 => (json!({ "exact": value }), own()),
            6 => (json!({ "in": rng.some(&VALUES, 3) }), own()),
            7 => return (json!({ "present": rng.chance(70) }), own()),
            8 if !value.is_empty() => {
                let kind = rng.pick(&["prefix", "suffix", "contains"]);
                (json!({ kind: value }), own())
            }
            9 => return (json!({ "ignore_case": { "exact": value } }), value.to_ascii_uppercase()),
            10 => (json!({ "range": { "min": 1, "max": 43 } }), "42".to_owned()),
            _ => {
                let number = rng.below(VALUE_REGEXES.len() + 24);
                let variant = || (format!("n{}[0-9]*", number % 24), format!("n{}7", number % 24));
                let (regex, value) = VALUE_REGEXES
                    .get(number)
                    .filter(|(regex, _)| !regex.is_empty())
                    .map_or_else(variant, |(regex, value)| ((*regex).to_owned(), (*value).to_owned()));
                (json!({ "regex": regex }), value)
            }
        };
        match rng.below(12) {
            0 => (json!({ "not": inner.0 }), "other".to_owned()),
            1 => (json!({ "or_missing": inner.0 }), inner.1),
            2 => (json!({ "or_missing": { "not": inner.0 } }), "other".to_owned()),
            _ => inner,
        }
    }

    /// The rules of these ids as written, for a report.
    pub(crate) fn shown(&self, router: &Router, rules: &[Option<RuleId>]) -> String {
        let all =
            self.document["groups"].as_array().into_iter().flatten().flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let all: Vec<&Value> = all.collect();
        let shown = rules.iter().flatten().map(|rule| format!("{}: {}", router.rule_name(*rule), all[rule.index()]));
        shown.collect::<Vec<_>>().join("\n")
    }
}

/// First bytes near and far from each other, and beginnings short and long.
const WORDS: [&str; 16] = [
    "a",
    "b",
    "Zebra",
    "orders",
    "order-lines",
    "application-services",
    "0",
    "9x",
    "m",
    "_",
    "~user",
    "Q",
    "kk",
    "catalogue-of-things",
    "%20",
    "n",
];

/// One of many values.
pub(crate) fn release(rng: &mut Rng) -> String {
    let number = rng.below(300);
    rng.pick(&[format!("s{number}"), format!("s{number}"), format!("release candidate {number}"), "s".to_owned(), String::new()])
}

/// A condition on a text that stands anywhere in a value, and a value in which it stands, perhaps often and among others.
fn text(rng: &mut Rng) -> (Value, String) {
    let number = rng.below(40);
    // Some texts are parts of others, some hardly tell anything apart, and some are longer than what is looked for.
    let text = match number {
        0 => "aaa".to_owned(),
        1 => "aaaa".to_owned(),
        2 => "b".to_owned(),
        3 => "long ".repeat(9),
        number => format!("t{number}"),
    };
    let around = ["", "x", "aaaaaaaaaaaa", "t1t2t3t4t5 t11 t12 ", "long long "];
    let (before, behind) = (rng.pick(&around), rng.pick(&around));
    match rng.below(4) {
        0 => (json!({ "suffix": text }), format!("{before}{text}")),
        1 => (json!({ "contains": text }), format!("{before}{text}{behind}")),
        2 => (json!({ "regex": format!(".*(x|{text}|a).*{text}.*") }), format!("{before}a{text}{behind}")),
        _ => (json!({ "regex": format!(".*{text}[0-9]*.*(end|x)") }), format!("{before}{text}7end")),
    }
}

/// The field of a key or of a condition for values of this place.
fn field(place: Place) -> &'static str {
    match place {
        Place::Method => "method",
        Place::Path => "path",
        Place::Host => "hosts",
        Place::Header => "header",
        Place::Query => "query",
        Place::Cookie => "cookie",
        Place::Baggage => "baggage",
        Place::Service => "service",
    }
}

fn wish(wishes: &mut Vec<Wish>, place: Place, name: &str, value: &str) {
    wishes.push(Wish { place, name: name.to_owned(), value: value.to_owned() });
}
