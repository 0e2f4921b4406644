//! The routes of one gateway (section 4). Envoy takes the one virtual host whose domain is the most exact, so each domain
//! that a rule names gets all rules that hold for it, in their order.

use lane_core::{
    config::{At, Context, Group, LaneFrom, Rule},
    diagnostic::FieldPath,
};
use serde_json::{Value, json};

use super::{
    Listener, Writer,
    clause::Clauses,
    condition::{self, Conditions},
    route::{Edits, Landing, Routes, Split, verbatim},
};

/// A gateway, by the name that groups give it.
pub(super) struct Gateway<'g> {
    pub(super) name: &'g str,
}

impl Gateway<'_> {
    /// Whether the group's rules hold here.
    pub(super) fn has(&self, group: &Group) -> bool {
        group.gateways.as_ref().is_none_or(|gateways| gateways.iter().any(|gateway| gateway == self.name))
    }

    fn trusts(&self, group: &Group) -> bool {
        group.trust_client && self.has(group)
    }
}

/// Whether a rule holds at this kind of place.
pub(super) fn holds_at(rule: &Rule, at: At) -> bool {
    rule.at.as_ref().map_or(at == At::Gateway, |places| places.contains(&at))
}

/// The rule's host patterns in lower case.
pub(super) fn hosts(rule: &Rule) -> Vec<String> {
    rule.hosts.as_ref().map_or_else(|| vec!["*".to_owned()], |hosts| hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
}

/// Whether every host of the second pattern is one of the first (S13).
pub(super) fn covers(pattern: &str, narrower: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => pattern == narrower || (narrower.len() > suffix.len() && narrower.ends_with(suffix)),
        None => pattern == narrower,
    }
}

impl Writer<'_> {
    /// The listener of a gateway.
    pub(super) fn gateway(&mut self, gateway: &Gateway<'_>) -> Listener {
        let config = self.config;
        let mut listener = Listener::new(format!("gateway/{}", gateway.name));
        let groups: Vec<(usize, &Group)> = config.groups.iter().enumerate().filter(|(_, group)| gateway.has(group)).collect();
        let rules = || groups.iter().flat_map(|(_, group)| &group.rules).filter(|rule| holds_at(rule, At::Gateway));

        let mut domains: Vec<String> = Vec::new();
        for pattern in rules().flat_map(hosts) {
            if !domains.contains(&pattern) {
                domains.push(pattern);
            }
        }
        for domain in &domains {
            let mut routes = Routes::default();
            for (number, group) in &groups {
                let path = FieldPath::root().field("groups").index(*number).field("rules");
                for (index, rule) in group.rules.iter().enumerate() {
                    if holds_at(rule, At::Gateway) && hosts(rule).iter().any(|pattern| covers(pattern, domain)) {
                        let place = Place { gateway: Some(gateway), group, path: path.index(index) };
                        self.rule(&place, rule, &mut listener, &mut routes);
                    }
                }
            }
            // What no route takes is answered with 404, as `no_route` is.
            listener.virtual_hosts.push(json!({ "name": domain, "domains": [domain], "routes": routes.0 }));
        }
        if let Some(pass) = &self.options.envoy.pass_cluster
            && !domains.iter().any(|domain| domain == "*")
        {
            let mut routes = Routes::default();
            let landing = Landing { cluster: Some(pass.clone()), edits: Edits::default() };
            let edits = self.cleaned(gateway, None, &mut listener);
            routes.lane("pass", &Clauses::always(), landing, &edits);
            listener.virtual_hosts.push(json!({ "name": "pass", "domains": ["*"], "routes": routes.0 }));
        }
        listener
    }

    /// What is taken away at a gateway, whatever lane was decided: the context of groups that do not trust clients (S18).
    fn cleaned(&mut self, gateway: &Gateway<'_>, deciding: Option<&Group>, listener: &mut Listener) -> Edits {
        let mut edits = Edits::default();
        let own = deciding.map(guiding);
        for group in self.config.groups.iter().filter(|group| !gateway.trusts(group)) {
            if own.is_none_or(|own| !own.eq_ignore_ascii_case(guiding(group))) {
                edits.remove(guiding(group));
            }
        }
        let sets_baggage = deciding.is_some_and(|group| matches!(group.context, Some(Context::Baggage(_))));
        let dropped = self.dropped(gateway);
        if !sets_baggage && !dropped.is_empty() {
            edits.remove("baggage");
            edits.set("baggage", &listener.filters.bare(&dropped));
        }
        edits
    }

    /// The baggage members that a gateway takes away.
    fn dropped(&self, gateway: &Gateway<'_>) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for group in self.config.groups.iter().filter(|group| !gateway.trusts(group)) {
            let own = match &group.context {
                Some(Context::Baggage(key)) => Some(key),
                _ => None,
            };
            keys.extend(own.into_iter().chain(&group.restore_headers).cloned());
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Where a lane's requests go from here, and the context that they carry then.
    fn landing(&mut self, place: &Place<'_>, rule: &Rule, lane: &str, listener: &mut Listener) -> Landing {
        let group = place.group;
        let cluster = self.clusters.landing(group, &rule.service, lane);
        let mut edits = Edits::default();
        edits.set(guiding(group), lane);
        if let Some(Context::Baggage(key)) = &group.context {
            let mut keys = place.gateway.map_or_else(Vec::new, |gateway| self.dropped(gateway));
            if !keys.contains(key) {
                keys.push(key.clone());
                keys.sort_unstable();
            }
            edits.set("baggage", &format!("{}={lane}{}", verbatim(key), listener.filters.rest(&keys)));
        }
        Landing { cluster, edits }
    }

    /// The routes of one rule, at a gateway or at a hop.
    pub(super) fn rule(&mut self, place: &Place<'_>, rule: &Rule, listener: &mut Listener, routes: &mut Routes) {
        let group = place.group;
        let name = format!("{}/{}", group.name, rule.name);
        let mut conditions = Conditions { filters: &mut listener.filters, report: self.report, salt: name.clone() };
        let clauses = match conditions.rule(rule, &place.path) {
            Ok(clauses) => clauses,
            Err(untold) => {
                let message = format!("{}: rule `{}` is left out", untold.message, rule.name);
                return self.report.lost(&untold.path, message, untold.help);
            }
        };
        let common = match place.gateway {
            Some(gateway) => self.cleaned(gateway, Some(group), listener),
            None => self.restored(group, listener),
        };

        if group.keep_lane && place.gateway.is_some() {
            for lane in &group.lanes {
                let landing = self.landing(place, rule, &lane.name, listener);
                match clauses.and(&condition::names_lane(guiding(group), &lane.name)) {
                    Ok(kept) => routes.lane(&name, &kept, landing, &common),
                    Err(_) => self.too_many(place, rule),
                }
            }
        }
        if let Some(lane) = &rule.lane {
            let landing = self.landing(place, rule, lane, listener);
            routes.lane(&name, &clauses, landing, &common);
        }
        if let Some(from) = &rule.lane_from {
            for lane in &group.lanes {
                let named = match from {
                    LaneFrom::Header(header) => condition::names_lane(header, &lane.name),
                    LaneFrom::Cookie(cookie) => condition::cookie_is(cookie, &lane.name),
                    LaneFrom::Query(parameter) => condition::query_is(parameter, &lane.name),
                    LaneFrom::Baggage(key) => condition::member_is(&listener.filters.member(key), &lane.name),
                };
                let landing = self.landing(place, rule, &lane.name, listener);
                match clauses.and(&named) {
                    Ok(clauses) => routes.lane(&name, &clauses, landing, &common),
                    Err(_) => self.too_many(place, rule),
                }
            }
        }
        if let Some(shares) = &rule.split {
            let shares: Vec<(u32, Landing)> =
                Split::winners(shares).map(|share| (share.weight, self.landing(place, rule, &share.lane, listener))).collect();
            self.needs_nobody |= shares.iter().any(|(_, landing)| landing.cluster.is_none());
            if Split::reassigns(rule) {
                self.report.lost(
                    &place.path.field("sticky").field("method"),
                    "Envoy has no rendezvous hashing over weights: clients stay in one lane, but not in the one that lane gives them",
                    "say `method: ranges`, which Envoy hashes alike",
                );
            }
            let split = Split { rule, shares, roll_header: self.options.envoy.roll_header.as_deref() };
            routes.split(&name, &clauses, &split, &common, &mut listener.filters);
        }
    }

    fn too_many(&mut self, place: &Place<'_>, rule: &Rule) {
        self.report.lost(
            &place.path.field("match"),
            format!("these conditions would become more than 128 routes: rule `{}` is left out for some lanes", rule.name),
            "split the rule, or say less with `any` and `not`",
        );
    }

    /// Where a called lane's requests go, with what a hop sets besides (S26).
    pub(super) fn hop_landing(&mut self, group: &Group, host: &str, lane: &str, listener: &mut Listener) -> Landing {
        let cluster = self.clusters.landing(group, host, lane);
        let mut edits = Edits::default();
        edits.set(guiding(group), lane);
        if let Some(Context::Baggage(key)) = &group.context {
            edits.set("baggage", &format!("{}={lane}{}", verbatim(key), listener.filters.rest(core::slice::from_ref(key))));
        }
        Landing { cluster, edits }
    }

    /// The headers that a hop restores from the baggage (S26).
    pub(super) fn restored(&self, group: &Group, listener: &mut Listener) -> Edits {
        let mut edits = Edits::default();
        for name in &group.restore_headers {
            edits.set_if_absent(name, &listener.filters.value(name));
        }
        edits
    }
}

/// Where a rule stands.
pub(super) struct Place<'p> {
    /// None at a hop.
    pub(super) gateway: Option<&'p Gateway<'p>>,
    pub(super) group: &'p Group,
    pub(super) path: FieldPath,
}

/// The group's guiding header.
pub(super) fn guiding(group: &Group) -> &str {
    group.guiding_header.as_deref().unwrap_or("x-asm-prefer-tag")
}

/// The parts of a virtual host that routes are put into.
pub(super) fn virtual_host(name: &str, domains: &[String], routes: Routes) -> Value {
    json!({ "name": name, "domains": domains, "routes": routes.0 })
}
