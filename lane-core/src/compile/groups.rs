//! Groups, services and lanes: S1 to S3, S5 and S6.

use alloc::{format, string::String, vec, vec::Vec};

use crate::{
    config::{self, Config, Mode, UnknownLane},
    diagnostic::{Code, Diagnostic, FieldPath, Here},
    intern::{GroupId, Ids, LaneId, Map, ServiceId, Set, dense},
    router::{Context, Group, Labels, Lane, Members, Named, Service},
};

use super::{Compiler, Scope, ids};

pub(super) const DEFAULT_GUIDING_HEADER: &str = "x-asm-prefer-tag";
const DEFAULT_TAG_LABEL: &str = "ASM_TRAFFIC_TAG";

impl<'c> Compiler<'c> {
    pub(super) fn groups(&mut self, config: &'c Config, groups: &Here<'_>) {
        self.gateway_names(config);
        let mut names: Map<&str, usize> = Map::default();
        for (index, group) in config.groups.iter().enumerate() {
            let path = groups.index(index);
            self.label_value("group name", &group.name, &path.field("name"));
            self.unique(&mut names, "group", &group.name, index, groups);
            self.group(GroupId::of(dense(index)), group, &path);
        }
        self.shared_services(config, groups);
        self.shared_context(config, groups);
    }

    /// Reports a name that an earlier entry of the list has.
    pub(super) fn unique<'n>(&mut self, names: &mut Map<&'n str, usize>, what: &str, name: &'n str, index: usize, list: &Here<'_>) {
        match names.get(name) {
            None => {
                names.insert(name, index);
            }
            Some(first) => {
                let (first, second) = (list.index(*first), list.index(index));
                let problem = Diagnostic::new(Code::DuplicateName, second.field("name"), format!("the {what} name `{name}` is used twice"));
                self.report(problem.related(first.field("name"), "first used here").help(format!("give each {what} a name of its own")));
            }
        }
    }

    /// Numbers the gateways that the configuration names.
    fn gateway_names(&mut self, config: &Config) {
        for gateway in config.groups.iter().flat_map(|group| group.gateways.iter().flatten()) {
            let next = dense(self.gateways.len());
            self.gateways.entry(gateway.as_str().into()).or_insert(next);
        }
    }

    fn group(&mut self, id: GroupId, config: &'c config::Group, path: &Here<'_>) {
        let guiding_header = config.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER);
        self.limit(config.lanes.len(), self.options.limits.lanes, "lanes", &path.field("lanes"));
        self.limit(config.services.len(), self.options.limits.services, "services", &path.field("services"));
        self.empty_list(config.gateways.as_ref().map(Vec::len), &path.field("gateways"), "leave `gateways` out to hold at every gateway");
        self.carriers(config, guiding_header, path);
        self.modes(config, path);

        let mut scope = Scope { group: id, config, services: Map::default(), aliases: Map::default(), lanes: Map::default() };
        let first_service = self.services.len();
        self.group_services(&mut scope, path);
        let services = ids(first_service, self.services.len());
        let first_lane = self.lanes.len();
        self.group_lanes(&mut scope, path);
        let lanes = ids(first_lane, self.lanes.len());
        let baseline = config.baseline.as_ref().and_then(|name| scope.lane(name, &path.field("baseline"), self));
        self.fallbacks(&scope, baseline, path);

        let guiding = self.named(guiding_header);
        let context = match &config.context {
            None | Some(config::Context::Header) => Context::Header,
            Some(config::Context::Baggage(key)) => Context::Baggage(self.patterns.pool.add(key)),
            Some(config::Context::TraceId(header)) => Context::TraceId(self.names.id(header)),
        };
        let gateways = config.gateways.as_ref().map(|gateways| {
            let mut gateways: Vec<u32> = gateways.iter().filter_map(|name| self.gateways.get(&**name).copied()).collect();
            gateways.sort_unstable();
            gateways.dedup();
            gateways.into_boxed_slice()
        });
        let default_unknown = match config.mode {
            Mode::Permissive => UnknownLane::Baseline,
            Mode::Strict => UnknownLane::Reject,
        };
        let group = Group {
            name: self.patterns.pool.add(&config.name),
            mode: config.mode,
            gateways,
            guiding,
            context,
            restore: config.restore_headers.iter().map(|name| self.named(name)).collect(),
            baseline,
            tag_label: self.patterns.pool.add(config.tag_label.as_deref().unwrap_or(DEFAULT_TAG_LABEL)),
            unknown: config.unknown_lane.unwrap_or(default_unknown),
            trust_client: config.trust_client,
            services,
            lanes,
            rules: ids(self.rules.len(), self.rules.len()),
        };
        self.groups.push(group);
        let first_rule = self.rules.len();
        self.rules(&scope, &path.field("rules"));
        let end = self.rules.len();
        if let Some(group) = self.groups.last_mut() {
            group.rules = ids(first_rule, end);
        }
    }

    fn named(&mut self, name: &str) -> Named {
        Named { header: self.names.id(name), spelled: self.patterns.pool.add(name) }
    }

    /// Guiding header, context and restored headers (S1).
    fn carriers(&mut self, config: &config::Group, guiding_header: &str, path: &Here<'_>) {
        if config.guiding_header.is_some() {
            self.context_header(guiding_header, &path.field("guiding_header"));
        }
        let context = path.field("context");
        let (key, trace_header) = match &config.context {
            Some(config::Context::Baggage(key)) => {
                self.baggage_key(key, &context.field("baggage"));
                (Some(key), None)
            }
            Some(config::Context::TraceId(header)) => {
                self.context_header(header, &context.field("trace_id"));
                if header.eq_ignore_ascii_case(guiding_header) {
                    let message = format!("`{header}` cannot be both the guiding header and the trace-id header");
                    self.error(Code::ContextClash, &context.field("trace_id"), message);
                }
                (None, Some(header))
            }
            None | Some(config::Context::Header) => (None, None),
        };
        let mut seen: Set<String> = Set::default();
        let restored = path.field("restore_headers");
        for (index, name) in config.restore_headers.iter().enumerate() {
            let path = restored.index(index);
            self.context_header(name, &path);
            let clash = if name.eq_ignore_ascii_case(guiding_header) {
                Some("the guiding header is passed on anyway")
            } else if trace_header.is_some_and(|header| name.eq_ignore_ascii_case(header)) {
                Some("the trace-id header is not to be overwritten")
            } else if key == Some(name) {
                Some("the baggage member of this key carries the lane")
            } else {
                None
            };
            if let Some(why) = clash {
                self.error(Code::ContextClash, &path, format!("`{name}` cannot be restored: {why}"));
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                self.error(Code::DuplicateName, &path, format!("the header `{name}` is restored twice"));
            }
        }
    }

    /// What the mode asks of the group's own fields (S2, S16).
    fn modes(&mut self, config: &config::Group, path: &Here<'_>) {
        if config.mode == Mode::Permissive && config.baseline.is_none() {
            let problem = Diagnostic::new(Code::BaselineMissing, path, format!("the permissive group `{}` names no baseline", config.name));
            self.report(problem.help("add `baseline:` with the lane that contains every service"));
        }
        if let (Some(unknown @ (UnknownLane::Baseline | UnknownLane::NearestAncestor)), Mode::Strict, None) =
            (config.unknown_lane, config.mode, &config.baseline)
        {
            let name = if unknown == UnknownLane::Baseline { "baseline" } else { "nearest_ancestor" };
            let problem = Diagnostic::new(
                Code::BaselineMissing,
                path.field("unknown_lane"),
                format!("`{name}` needs a baseline, and the group names none"),
            );
            self.report(problem.help("add `baseline:`, or write `unknown_lane: reject`"));
        }
        if config.keep_lane && (config.gateways.is_none() || !config.trust_client) {
            let problem = Diagnostic::new(Code::KeepLane, path.field("keep_lane"), "`keep_lane` is for a second gateway behind a first");
            self.report(problem.help("name the second gateway under `gateways` and add `trust_client: true`"));
        }
    }

    fn group_services(&mut self, scope: &mut Scope<'c>, path: &Here<'_>) {
        let mut seen: Map<String, FieldPath> = Map::default();
        let services = path.field("services");
        for (index, service) in scope.config.services.iter().enumerate() {
            let path = services.index(index);
            let aliases_path = path.field("aliases");
            let id = ServiceId::of(dense(self.services.len()));
            let host = service.host.to_ascii_lowercase();
            let aliases = service.aliases.iter().enumerate().map(|(index, alias)| (alias, aliases_path.index(index)));
            for (name, path) in core::iter::once((&service.host, path.field("host"))).chain(aliases) {
                self.service_host(name, &path);
                let written = name;
                let name = written.to_ascii_lowercase();
                if let Some(first) = seen.get(&name) {
                    let problem = Diagnostic::new(Code::DuplicateName, path, format!("`{written}` already names a service of the group"));
                    self.report(problem.related(first.clone(), "first used here").help("give each service and alias a name of its own"));
                    continue;
                }
                seen.insert(name.clone(), path.into());
                if name != host {
                    scope.aliases.insert(name.clone(), service.host.clone());
                }
                self.callees.entry(name).or_default().push(id);
            }
            if service.min_healthy_percent > 100 {
                let message = format!("{} % is more than all endpoints", service.min_healthy_percent);
                let problem = Diagnostic::new(Code::MinHealthyPercent, path.field("min_healthy_percent"), message);
                self.report(problem.help("write a percentage from 0 to 100"));
            }
            scope.services.insert(host.clone(), id);
            let host = self.patterns.pool.add(&service.host);
            self.services.push(Service { group: scope.group, rank: dense(index), host, min_healthy_percent: service.min_healthy_percent });
        }
    }

    fn group_lanes(&mut self, scope: &mut Scope<'c>, path: &Here<'_>) {
        let lanes = path.field("lanes");
        let mut names: Map<&str, usize> = Map::default();
        for (index, lane) in scope.config.lanes.iter().enumerate() {
            let path = lanes.index(index);
            self.label_value("lane name", &lane.name, &path.field("name"));
            self.unique(&mut names, "lane", &lane.name, index, &lanes);
            if let Some(tag) = &lane.service_tag {
                self.label_value("service tag", tag, &path.field("service_tag"));
            }
            let id = LaneId::of(dense(self.lanes.len()));
            scope.lanes.entry(&lane.name).or_insert(id);
            let members = self.members(lane, scope, &path);
            let count = match members {
                Members::All => scope.config.services.len(),
                Members::Some(services) => services.count as usize,
            };
            let first_subset = dense(self.subsets.min(u32::MAX as usize));
            let before = self.subsets;
            self.subsets = self.subsets.saturating_add(count);
            if before <= self.options.limits.subsets {
                self.limit(self.subsets, self.options.limits.subsets, "subsets in all", &lanes);
            }
            self.labels(id, lane, scope, &path);
            let name = self.name(&lane.name);
            let service_tag = lane.service_tag.as_deref().map_or(name, |tag| self.name(tag));
            // The fallback list is filled when all lanes are known.
            self.lanes.push(Lane { group: scope.group, name, service_tag, members, first_subset, fallback: Ids::NONE });
        }
    }

    fn members(&mut self, lane: &config::Lane, scope: &Scope<'_>, path: &Here<'_>) -> Members {
        let Some(hosts) = &lane.services else { return Members::All };
        let mut services = Vec::with_capacity(hosts.len());
        let list = path.field("services");
        for (index, host) in hosts.iter().enumerate() {
            let path = list.index(index);
            let Some(service) = scope.service(host, &path, self) else { continue };
            services.push((service, path));
        }
        services.sort_by_key(|(service, _)| *service);
        let mut members: Vec<ServiceId> = Vec::with_capacity(services.len());
        for (service, path) in services {
            if members.last() == Some(&service) {
                self.error(Code::DuplicateName, &path, format!("lane `{}` lists this service twice", lane.name));
            } else {
                members.push(service);
            }
        }
        if members.len() < scope.config.services.len() && members.len() == hosts.len() {
            self.incomplete(lane, &members, scope, path);
        }
        let first = self.members.len();
        self.members.extend(members);
        Members::Some(ids(first, self.members.len()))
    }

    /// Reports a lane that must contain every service and does not (S2).
    fn incomplete(&mut self, lane: &config::Lane, members: &[ServiceId], scope: &Scope<'_>, path: &Here<'_>) {
        let why = match scope.config.mode {
            Mode::Strict => "in a strict group every lane contains every service",
            Mode::Permissive if scope.config.baseline.as_ref() == Some(&lane.name) => "the baseline contains every service",
            Mode::Permissive => return,
        };
        let missing = scope.config.services.iter().find(|service| {
            let id = scope.services.get(&service.host.to_ascii_lowercase());
            id.is_some_and(|id| members.binary_search(id).is_err())
        });
        let missing = missing.map_or("", |service| &service.host);
        let message = format!("lane `{}` lacks `{missing}`: {why}", lane.name);
        let problem = Diagnostic::new(Code::LaneIncomplete, path.field("services"), message);
        self.report(problem.help("leave `services` out to contain them all"));
    }

    fn labels(&mut self, id: LaneId, lane: &config::Lane, scope: &Scope<'_>, path: &Here<'_>) {
        let mut subsets = Vec::with_capacity(lane.labels.len());
        let list = path.field("labels");
        for (host, labels) in &lane.labels {
            let path = list.field(host);
            if labels.is_empty() {
                let problem = Diagnostic::new(Code::EmptyLabels, path, "a subset without labels would be all endpoints");
                self.report(problem.help("name at least one label, or leave the entry out to select by the service tag"));
            }
            let Some(service) = scope.service(host, &path, self) else { continue };
            let labels: Labels = labels.iter().map(|(name, value)| (self.name(name), self.name(value))).collect();
            subsets.push(((id, service), labels));
        }
        // Lanes come in order, so that all labels are sorted.
        subsets.sort_by_key(|(of, _)| *of);
        self.labels.extend(subsets);
    }

    /// Fallback lists (S2, S3).
    fn fallbacks(&mut self, scope: &Scope<'_>, baseline: Option<LaneId>, path: &Here<'_>) {
        let lanes = path.field("lanes");
        for (index, lane) in scope.config.lanes.iter().enumerate() {
            let lane_path = lanes.index(index);
            let path = lane_path.field("fallback");
            let Some(id) = scope.lanes.get(&*lane.name).copied() else { continue };
            let is_baseline = scope.config.baseline.as_ref() == Some(&lane.name);
            let fallback = match (&lane.fallback, scope.config.mode) {
                (None, Mode::Permissive) => baseline.filter(|baseline| *baseline != id).into_iter().collect(),
                (None, Mode::Strict) => vec![],
                (Some(_), Mode::Strict) => {
                    let problem = Diagnostic::new(Code::FallbackForbidden, path, "a strict lane never falls back");
                    self.report(problem.help("remove `fallback`, or make the group `mode: permissive`"));
                    vec![]
                }
                (Some(_), Mode::Permissive) if is_baseline => {
                    let problem =
                        Diagnostic::new(Code::FallbackForbidden, path, "the baseline is where others fall back to, it has no fallback");
                    self.report(problem.help("remove `fallback`"));
                    vec![]
                }
                (Some(names), Mode::Permissive) => self.fallback(id, names, scope, &path),
            };
            let first = self.fallbacks.len();
            self.fallbacks.extend(fallback);
            if let Some(lane) = self.lanes.get_mut(id.index()) {
                lane.fallback = ids(first, self.fallbacks.len());
            }
        }
    }

    fn fallback(&mut self, lane: LaneId, names: &[String], scope: &Scope<'_>, path: &Here<'_>) -> Vec<LaneId> {
        let mut lanes = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let path = path.index(index);
            let Some(fallback) = scope.lane(name, &path, self) else { continue };
            if fallback == lane {
                self.error(Code::FallbackRepeats, &path, format!("lane `{name}` falls back to itself"));
            } else if lanes.contains(&fallback) {
                self.error(Code::FallbackRepeats, &path, format!("lane `{name}` stands twice in the list"));
            } else {
                lanes.push(fallback);
            }
        }
        lanes
    }

    /// A service stands in several groups only when their guiding headers and baggage keys differ (S5).
    fn shared_services(&mut self, config: &Config, path: &Here<'_>) {
        let mut carriers: Map<(String, bool, String), usize> = Map::default();
        for (index, group) in config.groups.iter().enumerate() {
            let header = group.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER).to_ascii_lowercase();
            let key = match &group.context {
                Some(config::Context::Baggage(key)) => Some(key),
                _ => None,
            };
            let group_path = path.index(index);
            let services = group_path.field("services");
            for (position, service) in group.services.iter().enumerate() {
                let path = services.index(position);
                let aliases_path = path.field("aliases");
                let aliases = service.aliases.iter().enumerate().map(|(index, alias)| (alias, aliases_path.index(index)));
                for (name, path) in core::iter::once((&service.host, path.field("host"))).chain(aliases) {
                    let name = name.to_ascii_lowercase();
                    let header = core::iter::once((false, header.clone(), "guiding header"));
                    for (is_key, carrier, what) in header.chain(key.map(|key| (true, key.clone(), "baggage key"))) {
                        let first = *carriers.entry((name.clone(), is_key, carrier.clone())).or_insert(index);
                        let Some(first) = config.groups.get(first).filter(|_| first != index) else { continue };
                        let message = format!("`{name}` also stands in group `{}`, which has the same {what} `{carrier}`", first.name);
                        let problem = Diagnostic::new(Code::ContextClash, path, message);
                        self.report(problem.help(format!("give one of the two groups another {what}")));
                    }
                }
            }
        }
    }

    /// Groups that share a gateway and context agree on whether clients are trusted (S5).
    fn shared_context(&mut self, config: &Config, path: &Here<'_>) {
        let mut carriers: Map<(bool, String), Vec<usize>> = Map::default();
        for (index, group) in config.groups.iter().enumerate() {
            let header = group.guiding_header.as_deref().unwrap_or(DEFAULT_GUIDING_HEADER).to_ascii_lowercase();
            carriers.entry((false, header)).or_default().push(index);
            if let Some(config::Context::Baggage(key)) = &group.context {
                carriers.entry((true, key.clone())).or_default().push(index);
            }
        }
        let mut carriers: Vec<_> = carriers.into_iter().collect();
        carriers.sort_unstable();
        let mut reported: Set<(usize, usize)> = Set::default();
        for ((is_key, carrier), groups) in carriers {
            let what = if is_key { "baggage key" } else { "guiding header" };
            let groups: Vec<_> = groups.into_iter().filter_map(|index| Some((index, config.groups.get(index)?))).collect();
            let (trusting, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, group)| group.trust_client);
            for (index, group) in &trusting {
                let Some((other, other_group)) = others.iter().find(|(_, other)| share_gateway(group, other)) else { continue };
                if !reported.insert((*index, *other)) {
                    continue;
                }
                let message = format!(
                    "group `{}` trusts its clients and `{}` does not, and both read the {what} `{carrier}` at one gateway",
                    group.name, other_group.name
                );
                let problem = Diagnostic::new(Code::TrustDisagreement, path.index(*index).field("trust_client"), message);
                self.report(
                    problem.related(path.index(*other), "the other group").help("let both say the same, or give them different carriers"),
                );
            }
        }
    }
}

fn share_gateway(one: &config::Group, other: &config::Group) -> bool {
    match (&one.gateways, &other.gateways) {
        (Some(one), Some(other)) => one.iter().any(|gateway| other.contains(gateway)),
        _ => true,
    }
}
