//! Conditions and matchers: S7 to S15.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use ipnet::IpNet;

use crate::{
    attribute::names::HeaderId,
    condition::{Attribute, Condition, ConditionId, Percent},
    config::{self, Entry, HeaderValues},
    diagnostic::{Code, Diagnostic, FieldPath, Here},
    intern::dense,
    pattern::{
        Kind, Matcher, Patterns, Range, re2,
        regex::{Budget, Literals, Pending, TooLarge},
    },
};

use super::{Compiler, Scope};

/// What the entries of one rule have in common.
struct Place<'s, 'c> {
    scope: &'s Scope<'c>,
    default_salt: &'s str,
}

impl Compiler<'_> {
    /// A rule's `match`: any entry holds. None where nothing is asked of the request.
    pub(super) fn rule_match(&mut self, entries: &[Entry], scope: &Scope<'_>, default_salt: &str, path: &Here<'_>) -> Option<ConditionId> {
        self.empty_list(Some(entries.len()), path, "leave `match` out to hold for every request");
        let place = Place { scope, default_salt };
        let ids: Vec<_> = entries.iter().enumerate().map(|(index, entry)| self.entry(entry, &place, 1, &path.index(index))).collect();
        // An entry that asks nothing makes the others idle (S15).
        if ids.iter().any(|id| matches!(self.conditions.node(*id), Some(Condition::All { count: 0, .. }))) {
            return None;
        }
        Some(self.conditions.any(&ids))
    }

    fn entry(&mut self, entry: &Entry, place: &Place<'_, '_>, level: usize, path: &Here<'_>) -> ConditionId {
        let limit = self.options.limits.condition_levels;
        if level > limit {
            let problem = Diagnostic::new(Code::Limit, path, format!("conditions are nested deeper than {limit} levels"));
            self.report(problem.help("conditions of one level need no nesting: an entry holds when all of its conditions do"));
            return self.conditions.all(&[]);
        }
        let mut ids = Vec::new();
        if let Some(matcher) = &entry.method {
            ids.push(self.test(Attribute::Method, matcher, &path.field("method")));
        }
        if let Some(matcher) = &entry.path {
            ids.push(self.test(Attribute::Path, matcher, &path.field("path")));
        }
        let joined = place.scope.config.header_values == Some(HeaderValues::Joined);
        let headers = path.field("headers");
        for (name, matcher) in &entry.headers {
            let path = headers.field(name);
            self.header_name(name, &path);
            let header = self.names.id(name);
            ids.push(self.test(Attribute::Header { header, joined }, matcher, &path));
        }
        let query = path.field("query");
        for (name, matcher) in &entry.query {
            let path = query.field(name);
            self.query_name(name, &path);
            let name = self.name(name);
            ids.push(self.test(Attribute::Query(name), matcher, &path));
        }
        let cookies = path.field("cookies");
        for (name, matcher) in &entry.cookies {
            let path = cookies.field(name);
            self.cookie_name(name, &path);
            let name = self.name(name);
            ids.push(self.test(Attribute::Cookie(name), matcher, &path));
        }
        let baggage = path.field("baggage");
        for (key, matcher) in &entry.baggage {
            let path = baggage.field(key);
            self.baggage_key(key, &path);
            let key = self.name(key);
            ids.push(self.test(Attribute::Baggage(key), matcher, &path));
        }
        if let Some(source) = &entry.source {
            self.source(source, place, &path.field("source"), &mut ids);
        }
        if let Some(percent) = &entry.percent {
            let path = path.field("percent");
            let of = self.key(&percent.of, &path.field("of"));
            let salt = self.name(percent.salt.as_deref().unwrap_or(place.default_salt));
            ids.push(self.conditions.percent(Percent { of, below: percent.below.0, salt }));
        }
        if let Some(entries) = &entry.all {
            let path = path.field("all");
            let all: Vec<_> =
                entries.iter().enumerate().map(|(index, entry)| self.entry(entry, place, level + 1, &path.index(index))).collect();
            ids.push(self.conditions.all(&all));
        }
        if let Some(entries) = &entry.any {
            let path = path.field("any");
            self.empty_list(Some(entries.len()), &path, "leave `any` out");
            let any: Vec<_> =
                entries.iter().enumerate().map(|(index, entry)| self.entry(entry, place, level + 1, &path.index(index))).collect();
            ids.push(self.conditions.any(&any));
        }
        if let Some(inner) = &entry.not {
            let inner = self.entry(inner, place, level + 1, &path.field("not"));
            ids.push(self.conditions.add(Condition::Not(inner)));
        }
        self.conditions.all(&ids)
    }

    fn source(&mut self, source: &config::Source, place: &Place<'_, '_>, path: &Here<'_>, ids: &mut Vec<ConditionId>) {
        if let Some(matcher) = &source.service {
            ids.push(self.test(Attribute::SourceService { group: place.scope.group.number() }, matcher, &path.field("service")));
        }
        let labels = path.field("labels");
        for (name, matcher) in &source.labels {
            let label = self.name(name);
            ids.push(self.test(Attribute::SourceLabel(label), matcher, &labels.field(name)));
        }
        if let Some(ranges) = &source.ip {
            let path = path.field("ip");
            self.empty_list(Some(ranges.len()), &path, "leave `ip` out to hold for every address");
            let networks = ranges.iter().enumerate().filter_map(|(index, range)| self.network(range, &path.index(index))).collect();
            ids.push(self.conditions.source_ip(networks));
        }
    }

    fn network(&mut self, text: &str, path: &Here<'_>) -> Option<IpNet> {
        let network = text.parse::<IpNet>().ok();
        if network.is_none() {
            let help = if text.parse::<core::net::IpAddr>().is_ok() {
                format!("write `{text}/{}` for this address alone", if text.contains(':') { 128 } else { 32 })
            } else {
                "write an address and a prefix length, for example `10.0.0.0/8`".to_owned()
            };
            self.report(Diagnostic::new(Code::BadCidr, path, format!("`{text}` is no address range")).help(help));
        }
        // The caller's address is compared as IPv4 where it is mapped to IPv6 (S13), so a range of such is too.
        network.map(|network| match network {
            IpNet::V6(v6) if v6.prefix_len() >= 96 => {
                v6.addr().to_ipv4_mapped().and_then(|v4| ipnet::Ipv4Net::new(v4, v6.prefix_len() - 96).ok()).map_or(network, IpNet::V4)
            }
            network => network,
        })
    }

    fn test(&mut self, attribute: Attribute, matcher: &config::Matcher, path: &Here<'_>) -> ConditionId {
        match attribute {
            Attribute::Cookie(_) => self.names.ask(HeaderId::COOKIE),
            Attribute::Baggage(_) => self.names.ask(HeaderId::BAGGAGE),
            _ => {}
        }
        let matcher = self.matcher(attribute, matcher, path);
        self.conditions.add(Condition::Test { attribute, matcher })
    }

    /// Takes the wrappers off, in their order (S7).
    fn matcher(&mut self, attribute: Attribute, matcher: &config::Matcher, path: &Here<'_>) -> Matcher {
        let bare = Matcher { or_missing: false, not: false, kind: Kind::Present(true) };
        self.unwrapped(attribute, matcher, bare, false, path)
    }

    fn unwrapped(
        &mut self,
        attribute: Attribute,
        matcher: &config::Matcher,
        mut compiled: Matcher,
        fold: bool,
        path: &Here<'_>,
    ) -> Matcher {
        use config::Matcher as M;
        let (name, inner, in_order) = match matcher {
            M::OrMissing(inner) => ("or_missing", inner, !compiled.or_missing && !compiled.not && !fold),
            M::Not(inner) => ("not", inner, !compiled.not && !fold),
            M::IgnoreCase(inner) => ("ignore_case", inner, !fold),
            kind => {
                compiled.kind = self.kind(attribute, kind, fold, path);
                if let (M::Present(_), true) = (kind, compiled.or_missing || compiled.not) {
                    let problem = Diagnostic::new(Code::MatcherShape, path, "`present` takes no wrapper");
                    self.report(problem.help("write `present: true` or `present: false` alone"));
                }
                return compiled;
            }
        };
        let path = path.field(name);
        if !in_order {
            let problem = Diagnostic::new(Code::MatcherShape, path, format!("the wrapper `{name}` is in the wrong place"));
            self.report(problem.help("the order is `or_missing`, `not`, `ignore_case`, each at most once"));
            return compiled;
        }
        compiled.or_missing |= name == "or_missing";
        compiled.not |= name == "not";
        self.unwrapped(attribute, inner, compiled, fold || name == "ignore_case", &path)
    }

    fn kind(&mut self, attribute: Attribute, kind: &config::Matcher, fold: bool, path: &Here<'_>) -> Kind {
        use config::Matcher as M;
        let (name, folds) = match kind {
            M::Exact(_) => ("exact", true),
            M::Prefix(_) => ("prefix", true),
            M::Suffix(_) => ("suffix", true),
            M::Contains(_) => ("contains", true),
            M::In(_) => ("in", true),
            M::Regex(_) => ("regex", false),
            M::Range(_) => ("range", false),
            M::Present(_) => ("present", false),
            M::Segments(_) => ("segments", false),
            M::OrMissing(_) | M::Not(_) | M::IgnoreCase(_) => ("", true),
        };
        let path = path.field(name);
        if fold && !folds {
            let help = match kind {
                M::Regex(_) => "write `(?i)` in front of the pattern",
                _ => "remove `ignore_case`",
            };
            self.report(Diagnostic::new(Code::MatcherShape, path, format!("`ignore_case` does not go with `{name}`")).help(help));
        }
        if let (M::Segments(_), false) = (kind, attribute == Attribute::Path) {
            let problem = Diagnostic::new(Code::MatcherPlace, path, "`segments` is for `path` only");
            self.report(problem.help("use `prefix` or `regex`"));
        }
        if let M::Prefix(text) | M::Suffix(text) | M::Contains(text) | M::Segments(text) = kind
            && text.is_empty()
        {
            let problem = Diagnostic::new(Code::EmptyText, path, format!("`{name}` is empty and would hold for every value"));
            self.report(problem.help("write `present: true` to ask for any value"));
        }
        let lowered = |text: &str| if fold { text.to_ascii_lowercase() } else { text.to_owned() };
        match kind {
            // One text for equal values: the index tells them apart by it, and equal tests are stored once.
            M::Exact(text) => Kind::Exact { text: self.name(&lowered(text)), fold },
            M::Prefix(text) => Kind::Prefix { text: self.name(&lowered(text)), fold },
            M::Suffix(text) => Kind::Suffix { text: self.name(&lowered(text)), fold },
            M::Contains(text) => Kind::Contains { text: self.name(&lowered(text)), fold },
            M::In(texts) => {
                self.empty_list(Some(texts.len()), &path, "name the values that hold");
                let mut texts: Vec<String> = texts.iter().map(|text| lowered(text)).collect();
                texts.sort_unstable();
                texts.dedup();
                let set = texts.iter().map(|text| self.patterns.pool.add(text)).collect();
                self.patterns.sets.push(set);
                Kind::In { set: dense(self.patterns.sets.len() - 1), fold }
            }
            M::Regex(pattern) => self.regex(attribute, pattern, &path),
            M::Range(range) => self.range(*range, &path),
            M::Segments(text) => Kind::Segments(self.name(text.strip_suffix('/').unwrap_or(text))),
            M::Present(present) => Kind::Present(*present),
            // The caller has taken wrappers off.
            M::OrMissing(_) | M::Not(_) | M::IgnoreCase(_) => Kind::Present(true),
        }
    }

    fn range(&mut self, range: config::Range, path: &Here<'_>) -> Kind {
        let problem = match (range.min, range.max) {
            (None, None) => Some(("the range has no bound", "give `min`, `max` or both; `regex: -?[0-9]+` asks for any integer")),
            (min, Some(max)) if min.unwrap_or(i64::MIN) >= max => {
                Some(("the range holds for no integer", "`max` is exclusive and must be above `min`"))
            }
            _ => None,
        };
        if let Some((message, help)) = problem {
            self.report(Diagnostic::new(Code::Range, path, message).help(help));
        }
        self.patterns.ranges.push(Range { min: range.min.unwrap_or(i64::MIN), below: range.max });
        Kind::Range(dense(self.patterns.ranges.len() - 1))
    }

    /// Checks a regular expression; it is compiled when all are known.
    fn regex(&mut self, attribute: Attribute, pattern: &str, path: &Here<'_>) -> Kind {
        let checked = match re2::check(pattern) {
            Ok(checked) => checked,
            Err(refusal) => {
                let mut problem = Diagnostic::new(Code::Regex, path, format!("regex: {}", refusal.message));
                problem.help = refusal.help.map(ToOwned::to_owned);
                self.report(problem);
                return Kind::Present(true);
            }
        };
        if let Some(plain) = &checked.plain {
            let problem = Diagnostic::new(Code::PlainRegex, path, format!("the regex `{pattern}` is a plain text"));
            self.report(problem.help(format!("write `{}`, which says the same and is faster", plain.suggestion())));
        }
        let regex = match self.regexes.get(pattern) {
            Some(regex) => *regex,
            None => {
                let (written, prefix) = (self.patterns.pool.add(pattern), self.name(&checked.prefix));
                let required = self.name(&checked.required);
                let regex = self.patterns.regexes.add(Literals { written, prefix, required }, checked.is_apart);
                self.regexes.insert(pattern.to_owned(), regex);
                // Of expressions that differ in their literal beginning only, the rest is one.
                let known = self.behind.get(&*checked.pattern).and_then(|(attribute, at)| self.pending.get_mut(attribute)?.get_mut(*at));
                match known {
                    Some((pending, _)) => pending.regexes.push(regex),
                    None => {
                        let list = self.pending.entry(attribute).or_default();
                        self.behind.insert(checked.pattern.clone().into_owned(), (attribute, list.len()));
                        let pending =
                            Pending { regexes: Vec::from([regex]), pattern: checked.pattern.into_owned(), shares: checked.shares };
                        list.push((pending, path.into()));
                    }
                }
                regex
            }
        };
        Kind::Regex(regex)
    }

    /// Compiles the regular expressions, those over one attribute together.
    pub(super) fn compile_regexes(&mut self) {
        let limits = &self.options.limits;
        let mut budget = Budget { each: limits.regex_bytes, all: limits.automata_bytes };
        let mut pending: Vec<_> = core::mem::take(&mut self.pending).into_values().collect();
        // In the order of the document, so that compiling is deterministic.
        pending.sort_unstable_by_key(|pending| pending.first().map(|(first, _)| first.regexes.first().copied()));
        for pending in pending {
            let (pending, paths): (Vec<Pending>, Vec<FieldPath>) = pending.into_iter().unzip();
            let Self { patterns, problems, .. } = self;
            let Patterns { regexes, pool, .. } = patterns;
            let mut refused = Vec::new();
            regexes.compile(&pending, &mut budget, |one, why| refused.push((one.regexes.first().copied(), why)));
            for (regex, why) in refused {
                let place = pending.iter().zip(&paths).find(|(pending, _)| pending.regexes.first().copied() == regex);
                let Some(((pending, path), regex)) = place.zip(regex) else { continue };
                let written = regexes.literals(regex).map_or(&*pending.pattern, |texts| pool.str(texts.written));
                let (message, help) = match why {
                    TooLarge::Alone => (
                        format!("the automaton of the regex `{written}` would need more than {} bytes", limits.regex_bytes),
                        "bound the repetitions more tightly, or split the pattern into several conditions",
                    ),
                    TooLarge::Together => (
                        format!("the automata of all regexes would need more than {} bytes", limits.automata_bytes),
                        "use `exact`, `prefix`, `in` or `contains` where they do",
                    ),
                };
                problems.push(Diagnostic::new(Code::RegexTooLarge, path.clone(), message).help(help));
            }
        }
    }
}
