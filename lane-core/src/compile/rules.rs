//! Rules, their hosts and their actions: S4, S13, S19, S20.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use crate::{
    attribute::Key,
    config::{self, At, LaneFrom, Method},
    diagnostic::{Code, Diagnostic, Here},
    intern::{Ids, Map, ServiceId, dense},
    pattern::host::{self, HostPattern},
    router::{Action, Rule},
    split::{self, Generate, Share, Split, Sticky, Target},
};

use super::{Compiler, Scope, ids};

impl Compiler<'_> {
    pub(super) fn rules(&mut self, scope: &Scope<'_>, path: &Here<'_>) {
        let mut names: Map<&str, usize> = Map::default();
        for (index, rule) in scope.config.rules.iter().enumerate() {
            self.unique(&mut names, "rule", &rule.name, index, path);
            let path = path.index(index);
            if rule.name.is_empty() {
                self.error(Code::BadName, &path.field("name"), "the rule's name is empty");
            }
            self.rule(rule, scope, &path);
        }
    }

    fn rule(&mut self, rule: &config::Rule, scope: &Scope<'_>, path: &Here<'_>) {
        self.empty_list(rule.at.as_ref().map(Vec::len), &path.field("at"), "leave `at` out to hold at gateways");
        let at = |place| rule.at.as_ref().map_or(place == At::Gateway, |at| at.contains(&place));
        let service = scope.service(&rule.service, &path.field("service"), self);
        let hosts = self.rule_hosts(rule.hosts.as_deref(), &path.field("hosts"));
        let condition = rule.matches.as_ref().and_then(|entries| {
            let default_salt = format!("{}/{}", scope.config.name, rule.name);
            self.rule_match(entries, scope, &default_salt, &path.field("match"))
        });
        let action = self.action(rule, scope, at(At::Hop), path);
        let compiled = Rule {
            group: scope.group,
            name: self.patterns.pool.add(&rule.name),
            service: service.unwrap_or(ServiceId::of(0)),
            at_gateway: at(At::Gateway),
            at_hop: at(At::Hop),
            keeps_lane: scope.config.keep_lane,
            is_traced: matches!(scope.config.context, Some(config::Context::TraceId(_))),
            hosts,
            condition,
            action: action.unwrap_or(Action::Lane(Target::NONE)),
        };
        self.rules.push(compiled);
    }

    fn rule_hosts(&mut self, hosts: Option<&[String]>, path: &Here<'_>) -> Ids {
        self.empty_list(hosts.map(<[_]>::len), path, "leave `hosts` out to hold for every host");
        let patterns: Box<[HostPattern]> = match hosts {
            None => [HostPattern::Any].into(),
            Some(patterns) => {
                let patterns = patterns.iter().enumerate();
                patterns.filter_map(|(index, pattern)| self.host_pattern(pattern, &path.index(index))).collect()
            }
        };
        if let Some(known) = self.known_hosts.get(&patterns) {
            return *known;
        }
        let first = self.hosts.len();
        self.hosts.extend_from_slice(&patterns);
        let ids = ids(first, self.hosts.len());
        self.known_hosts.insert(patterns, ids);
        ids
    }

    fn host_pattern(&mut self, pattern: &str, path: &Here<'_>) -> Option<HostPattern> {
        if pattern == "*" {
            return Some(HostPattern::Any);
        }
        let lower = pattern.to_ascii_lowercase();
        if let Some(suffix) = lower.strip_prefix('*') {
            let labels = suffix.strip_prefix('.');
            if labels.is_some_and(host::is_host) {
                return Some(HostPattern::Suffix(self.name(suffix)));
            }
        } else if host::is_host(&lower) {
            return Some(HostPattern::Exact(self.name(&lower)));
        }
        let help = if pattern.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())) {
            "leave the port out: authorities are compared without it"
        } else if pattern.contains('*') {
            "`*` stands alone, or in front of a suffix as in `*.shop.example`"
        } else {
            "write `*`, `*.suffix`, a DNS name, an IPv4 address, or an IPv6 address in brackets"
        };
        self.report(Diagnostic::new(Code::BadHost, path, format!("`{pattern}` is no host pattern")).help(help));
        None
    }

    fn action(&mut self, rule: &config::Rule, scope: &Scope<'_>, at_hop: bool, path: &Here<'_>) -> Option<Action> {
        let given = usize::from(rule.lane.is_some()) + usize::from(rule.lane_from.is_some()) + usize::from(rule.split.is_some());
        if given != 1 {
            let message =
                format!("rule `{}` has {} of `lane`, `lane_from` and `split`", rule.name, if given == 0 { "none" } else { "several" });
            self.report(Diagnostic::new(Code::Action, path, message).help("a rule has exactly one of them"));
        }
        if rule.sticky.is_some() && rule.split.is_none() {
            let problem = Diagnostic::new(Code::StickyWithoutSplit, path.field("sticky"), "there is no split to stick to");
            self.report(problem.help("`sticky` goes with `split`"));
        }
        let lane = rule.lane.as_ref().and_then(|name| scope.lane(name, &path.field("lane"), self)).map(Target::at).map(Action::Lane);
        let from = rule.lane_from.as_ref().map(|from| Action::From(self.lane_from(from, &path.field("lane_from"))));
        let split = rule.split.as_ref().map(|shares| {
            let shares = self.shares(shares, scope, &path.field("split"));
            let sticky = rule.sticky.as_ref().map(|sticky| self.sticky(sticky, at_hop, &path.field("sticky")));
            self.splits.push(Split::new(shares.into_boxed_slice(), sticky));
            Action::Split(dense(self.splits.len() - 1))
        });
        lane.or(from).or(split)
    }

    fn lane_from(&mut self, from: &LaneFrom, path: &Here<'_>) -> Key {
        match from {
            LaneFrom::Header(name) => self.header_key(name, &path.field("header")),
            LaneFrom::Cookie(name) => self.cookie_key(name, &path.field("cookie")),
            LaneFrom::Query(name) => self.query_key(name, &path.field("query")),
            LaneFrom::Baggage(key) => self.baggage_key_of(key, &path.field("baggage")),
        }
    }

    /// A key of `sticky` or `percent`.
    pub(super) fn key(&mut self, key: &config::Key, path: &Here<'_>) -> Key {
        match key {
            config::Key::Header(name) => self.header_key(name, &path.field("header")),
            config::Key::Cookie(name) => self.cookie_key(name, &path.field("cookie")),
            config::Key::Query(name) => self.query_key(name, &path.field("query")),
            config::Key::Baggage(key) => self.baggage_key_of(key, &path.field("baggage")),
            config::Key::TraceId(name) => {
                self.header_name(name, &path.field("trace_id"));
                Key::TraceId(self.names.id(name))
            }
            config::Key::SourceIp(wanted) => {
                if !wanted {
                    let problem = Diagnostic::new(Code::BadKey, path.field("source_ip"), "`source_ip: false` is no key");
                    self.report(problem.help("write `source_ip: true`, or leave the key out"));
                }
                Key::SourceIp
            }
        }
    }

    fn header_key(&mut self, name: &str, path: &Here<'_>) -> Key {
        self.header_name(name, path);
        Key::Header(self.names.id(name))
    }

    fn cookie_key(&mut self, name: &str, path: &Here<'_>) -> Key {
        self.cookie_name(name, path);
        Key::Cookie(self.name(name))
    }

    fn query_key(&mut self, name: &str, path: &Here<'_>) -> Key {
        self.query_name(name, path);
        Key::Query(self.name(name))
    }

    fn baggage_key_of(&mut self, key: &str, path: &Here<'_>) -> Key {
        self.baggage_key(key, path);
        Key::Baggage(self.name(key))
    }

    fn shares(&mut self, shares: &[config::Share], scope: &Scope<'_>, path: &Here<'_>) -> Vec<Share> {
        self.empty_list(Some(shares.len()), path, "name the lanes and their weights");
        let mut compiled: Vec<Share> = Vec::with_capacity(shares.len());
        for (index, share) in shares.iter().enumerate() {
            let share_path = path.index(index);
            let path = share_path.field("lane");
            let Some(lane) = scope.lane(&share.lane, &path, self) else { continue };
            if compiled.iter().any(|other| other.target.lane == lane) {
                let problem = Diagnostic::new(Code::SplitRepeats, path, format!("lane `{}` stands twice in the split", share.lane));
                self.report(problem.help("add its weights up"));
                continue;
            }
            compiled.push(Share { target: Target::at(lane), weight: share.weight, seed: split::seed(&share.lane) });
        }
        let total: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
        if total == 0 && !shares.is_empty() {
            self.report(Diagnostic::new(Code::Weights, path, "no weight is positive").help("give at least one lane a weight above 0"));
        } else if total > u64::from(u32::MAX) {
            let message = format!("the weights add up to {total}, and at most {} is allowed", u32::MAX);
            self.report(Diagnostic::new(Code::Weights, path, message).help("divide all weights by the same number"));
        }
        compiled
    }

    fn sticky(&mut self, sticky: &config::Sticky, at_hop: bool, path: &Here<'_>) -> Sticky {
        self.empty_list(
            sticky.keys.as_ref().map(Vec::len),
            &path.field("keys"),
            "name where the client's key is, or leave `keys` out and use `generate`",
        );
        let mut keys: Vec<Key> = Vec::new();
        for (index, key) in sticky.keys.iter().flatten().enumerate() {
            let key = self.key(key, &path.field("keys").index(index));
            keys.push(key);
        }
        if sticky.keys.is_none() && sticky.generate.is_none() {
            let problem = Diagnostic::new(Code::StickyWithoutKey, path, "nothing tells one client from another");
            self.report(problem.help("add `keys`, or `generate` to set a cookie"));
        }
        let generate = sticky.generate.as_ref().map(|generate| {
            let path = path.field("generate");
            if at_hop {
                let problem = Diagnostic::new(Code::GenerateAtHop, path, "a hop has no client that could keep a cookie");
                self.report(problem.help("let the rule hold at gateways only, or remove `generate`"));
            }
            self.cookie_name(&generate.cookie, &path.field("cookie"));
            let cookie = self.name(&generate.cookie);
            keys.push(Key::Cookie(cookie));
            Generate { cookie, ttl_seconds: generate.ttl_seconds }
        });
        Sticky {
            keys: keys.into_boxed_slice(),
            generate,
            method: sticky.method.unwrap_or(Method::Rendezvous),
            salt: sticky.salt.as_ref().map(|salt| self.patterns.pool.add(salt)),
        }
    }
}
