//! The routes of a sidecar's calls (section 5): a virtual host for each name by which a service is called, matched on
//! the guiding headers, the baggage, and the rules `at` hop, in the order of S22.

use std::collections::BTreeSet;

use lane_core::{
    config::{At, Context, Group, Mode, Service, UnknownLane},
    diagnostic::FieldPath,
};

use super::{
    Listener, Writer,
    clause::Clauses,
    condition,
    gateway::{Place, covers, guiding, holds_at, hosts, virtual_host},
    route::{Edits, Landing, Routes},
};

/// Where a lane name is looked for, as tests.
struct Lookup<'l> {
    is: &'l dyn Fn(&str) -> Clauses,
    descends: &'l dyn Fn(&str) -> Clauses,
    any: Clauses,
}

impl Writer<'_> {
    /// The listener of a sidecar.
    pub(super) fn sidecar(&mut self) -> Listener {
        let config = self.config;
        let mut listener = Listener::new("sidecar".to_owned());
        let mut known: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for service in config.groups.iter().flat_map(|group| &group.services) {
            for name in core::iter::once(&service.host).chain(&service.aliases) {
                let name = name.to_ascii_lowercase();
                // A trailing dot means the same service, but another authority to the `hosts` of rules (S13).
                let dotted = format!("{name}.");
                if seen.insert(name.clone()) {
                    known.extend([name, dotted]);
                }
            }
        }
        // Names with the same routes share a virtual host.
        let mut hosts: Vec<(Vec<String>, Vec<serde_json::Value>)> = Vec::new();
        for name in known {
            let routes = self.called(&name, &mut listener).0;
            match hosts.iter_mut().find(|(_, known)| *known == routes) {
                Some((names, _)) => names.push(name),
                None => hosts.push((vec![name], routes)),
            }
        }
        for (names, routes) in hosts {
            listener.virtual_hosts.push(virtual_host(names.first().map_or("", String::as_str), &names, Routes(routes)));
        }
        if let Some(pass) = &self.options.envoy.pass_cluster {
            let mut routes = Routes::default();
            let landing = Landing { cluster: Some(pass.clone()), edits: Edits::default() };
            routes.lane("pass", &Clauses::always(), landing, &Edits::default());
            listener.virtual_hosts.push(virtual_host("pass", &["*".to_owned()], routes));
        }
        listener
    }

    /// The routes of calls by this name.
    fn called(&mut self, name: &str, listener: &mut Listener) -> Routes {
        let config = self.config;
        let bare = name.strip_suffix('.').unwrap_or(name);
        let is = |service: &&Service| core::iter::once(&service.host).chain(&service.aliases).any(|known| known.eq_ignore_ascii_case(bare));
        let holders = config.groups.iter().enumerate();
        let holders: Vec<(usize, &Group, &Service)> =
            holders.filter_map(|(number, group)| Some((number, group, group.services.iter().find(is)?))).collect();
        let mut routes = Routes::default();

        for (_, group, service) in &holders {
            let header = guiding(group);
            let lookup = Lookup {
                is: &|lane| condition::names_lane(header, lane),
                descends: &|lane| condition::names_descendant(header, lane),
                any: condition::names_any_lane(header),
            };
            self.lookup(group, service, &lookup, listener, &mut routes);
        }
        for (_, group, service) in &holders {
            let Some(Context::Baggage(key)) = &group.context else { continue };
            let member = listener.filters.member(key);
            let lookup = Lookup {
                is: &|lane| condition::member_is(&member, lane),
                descends: &|lane| condition::member_descends(&member, lane),
                any: condition::member_present(&member),
            };
            self.lookup(group, service, &lookup, listener, &mut routes);
        }
        for (number, group, service) in &holders {
            let path = FieldPath::root().field("groups").index(*number).field("rules");
            for (index, rule) in group.rules.iter().enumerate() {
                // The authority of a call is the name that is called.
                let holds =
                    holds_at(rule, At::Hop) && rule.service == service.host && hosts(rule).iter().any(|pattern| covers(pattern, name));
                if holds {
                    self.rule(&Place { gateway: None, group, path: path.index(index) }, rule, listener, &mut routes);
                }
            }
        }
        // Nothing found: the first group with a baseline serves, and what no route takes gets 404 (S23).
        let baseline = holders.iter().find_map(|(_, group, service)| Some((group, service, group.baseline.as_ref()?)));
        if let Some((group, service, baseline)) = baseline {
            let restored = self.restored(group, listener);
            let cluster = self.clusters.landing(group, &service.host, baseline);
            let landing = Landing { cluster, edits: Edits::default() };
            routes.lane(&format!("{}/baseline", group.name), &Clauses::always(), landing, &restored);
        }
        routes
    }

    /// A route for each lane that may be named, and what becomes of other names.
    fn lookup(&mut self, group: &Group, service: &Service, lookup: &Lookup<'_>, listener: &mut Listener, routes: &mut Routes) {
        let restored = self.restored(group, listener);
        let unknown = group.unknown_lane.unwrap_or(match group.mode {
            Mode::Permissive => UnknownLane::Baseline,
            Mode::Strict => UnknownLane::Reject,
        });
        let route = |lane: &str| format!("{}/{lane}", group.name);
        for lane in &group.lanes {
            let landing = self.hop_landing(group, &service.host, &lane.name, listener);
            routes.lane(&route(&lane.name), &(lookup.is)(&lane.name), landing, &restored);
        }
        if unknown == UnknownLane::NearestAncestor {
            let mut lanes: Vec<&str> = group.lanes.iter().map(|lane| lane.name.as_str()).collect();
            lanes.sort_by_key(|name| core::cmp::Reverse(name.len()));
            for lane in lanes {
                let landing = self.hop_landing(group, &service.host, lane, listener);
                routes.lane(&route(lane), &(lookup.descends)(lane), landing, &restored);
            }
        }
        let name = format!("{}/unknown_lane", group.name);
        match &group.baseline {
            Some(baseline) if unknown != UnknownLane::Reject => {
                let landing = self.hop_landing(group, &service.host, baseline, listener);
                routes.lane(&name, &lookup.any, landing, &restored);
            }
            _ => routes.respond(&name, &lookup.any, 404),
        }
    }
}
