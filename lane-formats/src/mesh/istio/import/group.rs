//! A lane group as it is found in resources: its services, its lanes, who serves them, and its baseline.

use std::collections::{BTreeMap, HashMap};

use lane_core::config::{At as Where, Context, Group, Lane, Mode, Rule, Service, Share, UnknownLane};

use super::{
    Mesh,
    hop::{Part, only_header, parts},
    resource::{Action, Route, Target, Virtual, resolve},
};
use crate::mesh::{
    Code, ImportOptions,
    read::{At, Reading},
    view::{GUIDING_HEADER, TAG_LABEL, View, contains, short_names, subset_name},
};

mod serving;

/// A group in the making.
pub(super) struct Draft<'n> {
    pub(super) group: Group,
    pub(super) guiding: String,
    /// Whether the resources use a guiding header at all.
    guided: bool,
    /// Which lanes a subset belongs to.
    owners: HashMap<String, Vec<String>>,
    /// Whether gateways set the guiding header; where one does not.
    unset: Option<At<'n>>,
    at: Option<At<'n>>,
    broken: bool,
}

/// The groups of the resources, without the rules of gateways.
pub(super) fn drafts<'n>(reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, options: &ImportOptions) -> Vec<Draft<'n>> {
    let unnamed = options.group.clone().unwrap_or_else(|| "imported".into());
    let mut teams: Vec<(String, Vec<String>)> = Vec::new();
    for subset in &mesh.subsets {
        let labelled = subset.group.map(str::to_owned);
        let by_virtual = || inside(mesh, &subset.host).first().and_then(|found| found.group).map(str::to_owned);
        let name = labelled.or_else(by_virtual).unwrap_or_else(|| unnamed.clone());
        if teams.iter().any(|(_, hosts)| hosts.contains(&subset.host)) {
            continue;
        }
        match teams.iter_mut().find(|(other, _)| *other == name) {
            Some((_, hosts)) => hosts.push(subset.host.clone()),
            None => teams.push((name, vec![subset.host.clone()])),
        }
    }
    // Groups are tried in the order in which gateways name them.
    let mut virtuals: Vec<&Virtual<'n>> = mesh.virtuals.iter().filter(|found| found.gateways.iter().any(|name| name != "mesh")).collect();
    let leads = |found: &Virtual<'n>, hosts: &[String]| found.routes.iter().flat_map(targets).any(|target| hosts.contains(&target.host));
    // Those with routes of several groups tell their order.
    virtuals.sort_by_key(|found| std::cmp::Reverse(teams.iter().filter(|(_, hosts)| leads(found, hosts)).count()));
    let routes: Vec<&Route<'n>> = virtuals.iter().flat_map(|found| &found.routes).collect();
    let first = |hosts: &[String]| {
        routes.iter().position(|route| targets(route).iter().any(|target| hosts.contains(&target.host))).unwrap_or(usize::MAX)
    };
    teams.sort_by_key(|(_, hosts)| first(hosts));
    let only = teams.len() == 1;
    teams.into_iter().map(|(name, hosts)| draft(reading, mesh, options, name, hosts, only)).collect()
}

/// The VirtualServices that hold for calls of the host inside the mesh, the one that counts first.
fn inside<'m, 'n>(mesh: &'m Mesh<'n>, host: &str) -> Vec<&'m Virtual<'n>> {
    let names_it = |found: &&Virtual<'n>| {
        let own = found.hosts.iter().any(|(name, _)| resolve(name, found.resource.namespace) == host);
        // A name that is no service of its own stands for the only service behind it.
        let known = |name: &str| mesh.subsets.iter().any(|subset| subset.host == name);
        let stands_for = !found.hosts.iter().any(|(name, _)| known(&resolve(name, found.resource.namespace)))
            && found.routes.iter().flat_map(targets).all(|target| target.host == host);
        own || stands_for
    };
    mesh.virtuals.iter().filter(|found| found.gateways.iter().any(|name| name == "mesh")).filter(names_it).collect()
}

pub(super) fn targets<'r, 'n>(route: &'r Route<'n>) -> &'r [Target<'n>] {
    match &route.action {
        Action::To(targets) => targets,
        Action::Status(_) => &[],
    }
}

fn draft<'n>(
    reading: &mut Reading<'_, '_>,
    mesh: &Mesh<'n>,
    options: &ImportOptions,
    name: String,
    hosts: Vec<String>,
    only: bool,
) -> Draft<'n> {
    let found = options.guiding_header.clone().or_else(|| guiding(mesh, &hosts));
    let guided = found.is_some();
    let guiding = found.unwrap_or_else(|| GUIDING_HEADER.to_owned());
    let mut draft = Draft {
        group: Group { guiding_header: (guiding != GUIDING_HEADER).then(|| guiding.clone()), ..Group::new(name, Mode::Permissive) },
        guiding,
        guided,
        owners: HashMap::new(),
        unset: None,
        at: mesh.subsets.iter().find(|subset| hosts.contains(&subset.host)).map(|subset| subset.at.clone()),
        broken: false,
    };
    draft.carriers(reading, mesh, only);
    let used: Vec<(String, Option<&Virtual<'n>>)> =
        hosts.iter().map(|host| (host.clone(), draft.virtual_of(reading, mesh, host))).collect();
    draft.services(mesh, &used);
    draft.serve(reading, mesh, &used);
    draft
}

/// The header by which VirtualServices tell lanes apart.
fn guiding(mesh: &Mesh<'_>, hosts: &[String]) -> Option<String> {
    let mut votes: Vec<(String, usize)> = Vec::new();
    let mut vote = |name: &str, weight: usize| match votes.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        Some((_, count)) => *count += weight,
        None => votes.push((name.to_owned(), weight)),
    };
    let special = |name: &str| {
        name.eq_ignore_ascii_case(GUIDING_HEADER)
            || mesh.labels.iter().any(|label| label.name.eq_ignore_ascii_case(name))
            || mesh.propagated.iter().any(|found| found.headers.iter().any(|header| header.eq_ignore_ascii_case(name)))
    };
    for found in &mesh.virtuals {
        for route in &found.routes {
            for target in targets(route).iter().filter(|target| hosts.contains(&target.host)) {
                let Some(subset) = target.subset else { continue };
                let named = |value: &str| subset_name(value) == subset;
                for (name, value) in &target.set {
                    if special(name) || named(value) {
                        vote(name, 1);
                    }
                }
                for wanted in route.matches.iter().flatten() {
                    for (name, matcher) in &wanted.entry.headers {
                        if let lane_core::config::Matcher::Exact(value) = matcher
                            && only_header(wanted, name).is_some()
                            && (special(name) || named(value))
                        {
                            vote(name, 2);
                        }
                    }
                }
            }
        }
    }
    let most = votes.iter().map(|(_, count)| *count).max()?;
    let name = votes.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name)?;
    // ASM's resources keep the name as it was written.
    let written = mesh.labels.iter().map(|label| label.name).chain(mesh.propagated.iter().flat_map(|found| found.headers.iter().copied()));
    let set =
        mesh.virtuals.iter().flat_map(|found| &found.routes).flat_map(targets).flat_map(|target| target.set.keys().map(String::as_str));
    Some(written.chain(set).find(|written| written.eq_ignore_ascii_case(&name)).map_or_else(|| name.clone(), str::to_owned))
}

impl<'n> Draft<'n> {
    /// The context, from ASM's resources.
    fn carriers(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, only: bool) {
        let own = |name: &str| name.eq_ignore_ascii_case(&self.guiding);
        for label in mesh.labels.iter().filter(|label| own(label.name)) {
            for from in &label.from {
                let call = |name: &str| from.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
                if let Some(arguments) = call("$getExternalInboundRequestHeader") {
                    let header = arguments.split(',').next().unwrap_or_default().trim();
                    self.group.context = Some(Context::TraceId(header.to_owned()));
                } else if let Some(tag) = call("$getLabel") {
                    self.group.tag_label = Some(tag.trim().to_owned()).filter(|tag| tag != TAG_LABEL);
                }
            }
        }
        for found in &mesh.propagated {
            let carries = found.headers.iter().find(|header| own(header));
            if carries.is_none() && !only {
                continue;
            }
            if let Some(key) = carries {
                self.group.context = Some(Context::Baggage((*key).to_owned()));
            }
            for header in found.headers.iter().filter(|header| !own(header)) {
                if !self.group.restore_headers.iter().any(|other| other.eq_ignore_ascii_case(header)) {
                    self.group.restore_headers.push((*header).to_owned());
                }
            }
            if found.headers.is_empty() {
                reading.note(Code::Malformed, &found.at, "no header is propagated", Some("name the guiding header".into()));
            }
        }
    }

    fn virtual_of<'m>(&self, reading: &mut Reading<'_, '_>, mesh: &'m Mesh<'n>, host: &str) -> Option<&'m Virtual<'n>> {
        let all = inside(mesh, host);
        let first = *all.first()?;
        for other in all.iter().skip(1) {
            if let (Some((_, at)), Some((_, before))) = (other.hosts.first(), first.hosts.first()) {
                let message = format!("two VirtualServices route `{host}` inside the mesh, and one of them is ignored");
                let help = "put their routes into one; the mesh takes the older one";
                reading.note_related(Code::Conflict, at, message, help, before, "routes it too");
            }
        }
        Some(first)
    }

    fn services(&mut self, mesh: &Mesh<'n>, used: &[(String, Option<&Virtual<'n>>)]) {
        let mut names: Vec<String> = mesh.subsets.iter().map(|subset| subset.host.clone()).collect();
        for (host, found) in used {
            let mut aliases = Vec::new();
            let written = found.iter().flat_map(|found| found.hosts.iter().map(|(name, _)| name.to_ascii_lowercase()));
            // Two services of one name in two namespaces: only the longer names tell them apart.
            let shared = |short: &str| {
                mesh.subsets.iter().any(|subset| subset.host != *host && short_names(&subset.host).iter().any(|name| name == short))
            };
            for alias in written.chain(short_names(host).into_iter().filter(|short| !shared(short))) {
                if alias != "*" && !names.contains(&alias) {
                    names.push(alias.clone());
                    aliases.push(alias);
                }
            }
            self.group.services.push(Service { aliases, ..Service::new(host) });
        }
    }

    /// Whether the target is a subset that is declared, of this host.
    pub(super) fn known(&self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, target: &Target<'n>, host: &str) -> bool {
        if target.host != host {
            let help = "calls of a service stay with it; write the other service's routes by themselves";
            reading.note(
                Code::Unsupported,
                &target.at,
                format!("calls of `{host}` are sent to another service, `{}`", target.host),
                Some(help.into()),
            );
            return false;
        }
        let Some(subset) = target.subset else {
            let help = "name a `subset`, and declare it in the host's DestinationRule";
            reading.note(
                Code::Unsupported,
                &target.at,
                format!("this leads to all endpoints of `{host}`, and a lane has its own"),
                Some(help.into()),
            );
            return false;
        };
        for name in std::iter::once(subset).chain(target.fallback) {
            if mesh.subset(host, name).is_none() {
                let declared = mesh.subsets.iter().filter(|other| other.host == host).map(|other| other.name);
                let help = lane_core::diagnostic::did_you_mean(name, declared.clone());
                let help = help.unwrap_or_else(|| {
                    format!("declare it in the DestinationRule of `{host}`, which has {}", crate::mesh::report::listed(declared))
                });
                let at = target.at.field("subset").filter(|_| name == subset).unwrap_or_else(|| target.at.clone());
                reading.note(Code::MissingSubset, &at, format!("no DestinationRule of `{host}` declares the subset `{name}`"), Some(help));
                return false;
            }
        }
        true
    }

    /// The lane that a subset belongs to, by name.
    pub(super) fn owner(&self, subset: &str) -> Option<&str> {
        self.owners.get(subset).and_then(|owners| owners.first()).map(String::as_str)
    }

    /// Whether this lane is served there by these subsets.
    pub(super) fn chain_is(&self, name: &str, host: &str, primary: Option<&str>, fallback: Option<&str>, mesh: &Mesh<'n>) -> bool {
        let view = View { group: &self.group, index: 0 };
        let Some(lane) = view.lane(name) else { return false };
        let given: Vec<_> = view.candidates(lane, host).into_iter().map(|lane| view.labels(lane, host)).take(2).collect();
        let wanted = primary.into_iter().chain(fallback).filter_map(|subset| mesh.subset(host, subset)).map(|subset| subset.labels.clone());
        given.into_iter().eq(wanted)
    }

    /// A route as a rule; none, and a note, for what is none.
    pub(super) fn rule(
        &mut self,
        reading: &mut Reading<'_, '_>,
        mesh: &Mesh<'n>,
        route: &Route<'n>,
        matches: Option<Vec<lane_core::config::Entry>>,
        host: &str,
    ) -> Option<Rule> {
        let Action::To(to) = &route.action else {
            let help = "requests that no rule takes get 404";
            reading.note(Code::Unsupported, &route.at, "a rule leads to a lane, not to an answer", Some(help.into()));
            return None;
        };
        let mut shares: Vec<Share> = Vec::new();
        for target in to {
            if !self.known(reading, mesh, target, host) {
                return None;
            }
            let set = target.sets(&self.guiding);
            self.other_operations(reading, target);
            let lane = match set {
                Some(lane) if self.group.lanes.iter().any(|other| other.name == *lane) => lane.clone(),
                Some(value) => {
                    let message = format!("this sets `{}` to `{value}`, which is no lane", self.guiding);
                    reading.note(Code::Unsupported, &target.at, message, Some("set it to the lane's name".into()));
                    return None;
                }
                None => {
                    self.unset.get_or_insert_with(|| target.at.clone());
                    self.owner(target.subset?)?.to_owned()
                }
            };
            if !self.chain_is(&lane, host, target.subset, target.fallback, mesh) {
                let message = format!("requests of lane `{lane}` are served otherwise at `{host}` than this says");
                let help = "a route into a lane has the subset and the fallback that the lane has inside the mesh";
                reading.note(Code::Unsupported, &target.at, message, Some(help.into()));
            }
            match shares.iter_mut().find(|share| share.lane == lane) {
                Some(share) => share.weight = share.weight.saturating_add(target.weight),
                None => shares.push(Share { lane, weight: target.weight }),
            }
        }
        let lane = match shares.as_slice() {
            [only] => Some(only.lane.clone()),
            _ => None,
        };
        Some(Rule { matches, split: lane.is_none().then_some(shares), lane, ..Rule::new(route.name.unwrap_or_default(), host) })
    }

    /// Headers that are neither the guiding header nor another group's.
    fn other_operations(&self, reading: &mut Reading<'_, '_>, target: &Target<'_>) {
        let own = self.guiding.to_ascii_lowercase();
        for name in target.set.keys().filter(|name| !name.eq_ignore_ascii_case(&own)) {
            reading.note(Code::Ignored, &target.at, format!("lanes do not set the header `{name}`"), None);
        }
        if target.remove.contains(&own) && target.sets(&own).is_none() {
            let help = "set it to the lane's name";
            reading.note(Code::Unsupported, &target.at, format!("this removes `{own}`, and lanes set it"), Some(help.into()));
        }
    }

    /// The group, with names that are unique.
    pub(super) fn finish(mut self, reading: &mut Reading<'_, '_>) -> Option<Group> {
        if let Some(at) = &self.unset {
            let message = format!("a rule sets `{}` to its lane, and these routes do not", self.guiding);
            reading.note(
                Code::Assumed,
                at,
                message,
                Some("set the header where requests enter a lane, or they leave it at the next call".into()),
            );
        }
        let mut names = crate::mesh::view::Names::default();
        for (index, rule) in self.group.rules.iter_mut().enumerate() {
            let wanted = if rule.name.is_empty() { format!("route-{}", index + 1) } else { rule.name.clone() };
            rule.name = names.unique(&wanted);
        }
        // A lane that no service is left to would be refused.
        self.group.lanes.retain(|lane| {
            self.group.services.iter().any(|service| contains(lane, &service.host)) || lane.fallback.is_some() || lane.services.is_some()
        });
        (!self.broken).then_some(self.group)
    }
}
