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

/// Who serves a lane's requests at a host, as the resources say.
#[derive(Clone, Debug)]
struct Served<'n> {
    primary: Option<&'n str>,
    fallback: Option<&'n str>,
    at: At<'n>,
}

type Serving<'n> = HashMap<(String, String), Served<'n>>;

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
        group: Group {
            name,
            mode: Mode::Permissive,
            gateways: None,
            guiding_header: (guiding != GUIDING_HEADER).then(|| guiding.clone()),
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
        },
        guiding,
        guided,
        owners: HashMap::new(),
        unset: None,
        at: mesh.subsets.iter().find(|subset| hosts.contains(&subset.host)).map(|subset| subset.at.clone()),
        broken: false,
    };
    draft.carriers(reading, mesh, only);
    let used: Vec<(String, Option<&Virtual<'n>>)> = hosts.iter().map(|host| (host.clone(), draft.virtual_of(reading, mesh, host))).collect();
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
    let set = mesh.virtuals.iter().flat_map(|found| &found.routes).flat_map(targets).flat_map(|target| target.set.keys().map(String::as_str));
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
            let shared = |short: &str| mesh.subsets.iter().any(|subset| subset.host != *host && short_names(&subset.host).iter().any(|name| name == short));
            for alias in written.chain(short_names(host).into_iter().filter(|short| !shared(short))) {
                if alias != "*" && !names.contains(&alias) {
                    names.push(alias.clone());
                    aliases.push(alias);
                }
            }
            self.group.services.push(Service { host: host.clone(), aliases, min_healthy_percent: 0 });
        }
    }

    /// Reads who serves whom inside the mesh: lanes, their fallbacks, the baseline, rules of hops.
    fn serve(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, used: &[(String, Option<&Virtual<'n>>)]) {
        let mut steps: Vec<(&str, Vec<(Part, &Route<'n>)>)> = Vec::new();
        for (host, found) in used {
            let routes = found.iter().flat_map(|found| &found.routes);
            let all = routes.flat_map(|route| parts(route, &self.guiding).into_iter().map(move |part| (part, route))).collect();
            steps.push((host, all));
            if found.is_none() {
                if let Some(subset) = mesh.subsets.iter().find(|subset| subset.host == *host) {
                    let message = format!("no VirtualService routes `{host}` inside the mesh: calls of it meet all endpoints, and lanes send them by lane");
                    reading.note(Code::Unsupported, &subset.at, message, Some("import its VirtualService too".into()));
                }
            }
        }
        // In strict groups the caller's own lane comes first (S22).
        let own_first = steps.iter().any(|(_, all)| {
            let first = |wanted: &dyn Fn(&Part) -> bool| all.iter().position(|(part, _)| wanted(part));
            let own = first(&|part| matches!(part, Part::Own(_)));
            own.is_some_and(|own| first(&|part| matches!(part, Part::Lane(_))).is_none_or(|lane| own < lane))
        });
        let serving = self.lanes(reading, mesh, &steps);
        self.find_baseline(reading, mesh, &steps, own_first);
        self.lane_services(reading, mesh, &serving);
        self.steps(reading, mesh, &steps, own_first);
    }

    /// The lanes' names, and who serves each of them where.
    fn lanes(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, steps: &[(&str, Vec<(Part, &Route<'n>)>)]) -> Serving<'n> {
        let mut serving: Serving<'n> = HashMap::new();
        let mut lanes: Vec<String> = Vec::new();
        for (host, all) in steps {
            // What comes after a route for any lane is not reached.
            for (part, route) in all.iter().take_while(|(part, _)| *part != Part::Unknown) {
                let Part::Lane(name) = part else { continue };
                let served = match &route.action {
                    Action::To(targets) => targets.first().map(|target| Served { primary: target.subset, fallback: target.fallback, at: target.at.clone() }),
                    Action::Status(503) => Some(Served { primary: None, fallback: None, at: route.at.clone() }),
                    Action::Status(_) => None,
                };
                let Some(served) = served else { continue };
                if let Some(target) = targets(route).first()
                    && !self.known(reading, mesh, target, host)
                {
                    continue;
                }
                if !lanes.contains(name) {
                    lanes.push(name.clone());
                }
                serving.entry((name.clone(), (*host).to_owned())).or_insert(served);
            }
        }
        let own: Vec<_> = mesh.subsets.iter().filter(|subset| self.group.services.iter().any(|service| service.host == subset.host)).collect();
        for subset in own {
            let by_name: Vec<String> = lanes.iter().filter(|lane| subset_name(lane) == subset.name).cloned().collect();
            let by_route = || {
                let leads = |lane: &&String| serving.iter().any(|((name, _), served)| name == *lane && served.primary == Some(subset.name));
                // Only where no lane is called like the subset can others call it theirs.
                lanes.iter().filter(|lane| !mesh.subsets.iter().any(|other| subset_name(lane) == other.name)).filter(leads).cloned().collect::<Vec<_>>()
            };
            let mut owners = if by_name.is_empty() { by_route() } else { by_name };
            if owners.is_empty() {
                lanes.push(subset.name.to_owned());
                owners.push(subset.name.to_owned());
            }
            self.owners.entry(subset.name.to_owned()).or_insert(owners);
        }
        self.group.lanes = lanes
            .into_iter()
            .map(|name| Lane { name, service_tag: None, services: None, labels: BTreeMap::new(), fallback: None })
            .collect();
        serving
    }

    /// Whether the target is a subset that is declared, of this host.
    pub(super) fn known(&self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, target: &Target<'n>, host: &str) -> bool {
        if target.host != host {
            let help = "calls of a service stay with it; write the other service's routes by themselves";
            reading.note(Code::Unsupported, &target.at, format!("calls of `{host}` are sent to another service, `{}`", target.host), Some(help.into()));
            return false;
        }
        let Some(subset) = target.subset else {
            let help = "name a `subset`, and declare it in the host's DestinationRule";
            reading.note(Code::Unsupported, &target.at, format!("this leads to all endpoints of `{host}`, and a lane has its own"), Some(help.into()));
            return false;
        };
        for name in std::iter::once(subset).chain(target.fallback) {
            if mesh.subset(host, name).is_none() {
                let declared = mesh.subsets.iter().filter(|other| other.host == host).map(|other| other.name);
                let help = lane_core::diagnostic::did_you_mean(name, declared.clone());
                let help = help.unwrap_or_else(|| format!("declare it in the DestinationRule of `{host}`, which has {}", crate::mesh::report::listed(declared)));
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

    /// The baseline is where calls without a lane go.
    fn find_baseline(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, steps: &[(&str, Vec<(Part, &Route<'n>)>)], own_first: bool) {
        let mut defaults: Vec<(&str, &Target<'n>)> = Vec::new();
        for (host, all) in steps {
            for (part, route) in all {
                if let (Part::Default, [target]) = (part, targets(route))
                    && self.known(reading, mesh, target, host)
                {
                    defaults.push((host, target));
                }
            }
        }
        if defaults.is_empty() {
            // Where rules take all other calls, unknown lanes may still go to the baseline.
            let unknown = |(host, all): &(&'_ str, Vec<(Part, &Route<'n>)>)| {
                let found = all.iter().find(|(part, _)| *part == Part::Unknown).map(|(_, route)| *route);
                match found.map(targets) {
                    Some([target]) => Some(((*host).to_owned(), target.clone())),
                    _ => None,
                }
            };
            let found: Vec<(String, Target<'n>)> = steps.iter().filter_map(unknown).collect();
            let owner = found.iter().find_map(|(host, target)| self.known(reading, mesh, target, host).then_some(target.subset?)).and_then(|subset| self.owner(subset));
            self.group.baseline = owner.map(str::to_owned);
        }
        let complete = |lane: &str| self.group.services.iter().all(|service| {
            self.owners.iter().any(|(subset, owners)| owners.iter().any(|owner| owner == lane) && mesh.subset(&service.host, subset).is_some())
        });
        let owner = defaults.first().and_then(|(_, target)| target.subset).and_then(|subset| self.owner(subset)).map(str::to_owned);
        if let Some(owner) = owner.filter(|owner| complete(owner)) {
            for (host, target) in &defaults {
                if target.subset.and_then(|subset| self.owner(subset)) != Some(&owner) || target.fallback.is_some() {
                    let message = format!("calls of `{host}` without a lane do not go to `{owner}`, as those of other services do");
                    reading.note(Code::Unsupported, &target.at, message, Some("a group has one baseline, which has no fallback".into()));
                }
            }
            self.group.baseline = Some(owner);
        } else if self.group.baseline.as_deref().is_some_and(|baseline| !complete(baseline)) {
            self.group.baseline = None;
        }
        let all_complete = self.group.lanes.iter().all(|lane| complete(&lane.name));
        self.group.mode = match (&self.group.baseline, own_first || all_complete) {
            (Some(_), _) if !own_first => Mode::Permissive,
            _ => Mode::Strict,
        };
        if self.group.mode == Mode::Strict && !all_complete {
            let help = "end each VirtualService inside the mesh with a route without `match` to the baseline's subset";
            let message = "some lanes lack services, and no lane that has all of them is where calls without a lane go";
            if let Some(at) = self.at.clone() {
                reading.note(Code::MissingReference, &at, message, Some(help.into()));
            }
            self.broken = true;
        }
    }

    /// Which services each lane contains, with which labels, and who serves in its place.
    fn lane_services(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, serving: &Serving<'n>) {
        let hosts: Vec<String> = self.group.services.iter().map(|service| service.host.clone()).collect();
        let names: Vec<String> = self.group.lanes.iter().map(|lane| lane.name.clone()).collect();
        let baseline_subset = |host: &str| {
            let baseline = self.group.baseline.as_deref()?;
            mesh.subsets.iter().find(|subset| subset.host == host && self.owners.get(subset.name).is_some_and(|owners| owners.iter().any(|owner| owner == baseline)))
        };
        let mut said: HashMap<(String, String), (Option<&str>, Option<&str>, Option<At<'n>>)> = HashMap::new();
        for name in &names {
            for host in &hosts {
                let own = || mesh.subsets.iter().find(|subset| subset.host == *host && self.owners.get(subset.name).is_some_and(|owners| owners.contains(name)));
                let entry = match serving.get(&(name.clone(), host.clone())) {
                    Some(served) => (served.primary, served.fallback, Some(served.at.clone())),
                    // What no route names goes where unknown lanes go.
                    None if self.guided && inside(mesh, host).first().is_some() => {
                        let there = baseline_subset(host).map(|subset| subset.name);
                        (there.or_else(|| own().map(|subset| subset.name)), None, None)
                    }
                    None => (own().or_else(|| baseline_subset(host)).map(|subset| subset.name), None, None),
                };
                said.insert((name.clone(), host.clone()), entry);
            }
        }
        let labels = |host: &str, subset: Option<&str>| subset.and_then(|subset| mesh.subset(host, subset)).map(|subset| subset.labels.clone());
        let tag = self.tag_label(mesh);
        self.group.tag_label = (tag != TAG_LABEL).then(|| tag.clone());
        // First as lanes are meant to be; then, where that says something else, with every subset as the lane's own.
        for plain in [true, false] {
            for index in 0..self.group.lanes.len() {
                let Some(name) = names.get(index) else { continue };
                let get = |host: &String| said.get(&(name.clone(), host.clone()));
                if !plain && self.agrees(name, &hosts, &said, mesh) {
                    continue;
                }
                let owns = |host: &&String| {
                    get(host).and_then(|(primary, ..)| *primary).is_some_and(|subset| !plain || self.owners.get(subset).is_some_and(|owners| owners.contains(name)))
                };
                let services: Vec<String> = hosts.iter().filter(owns).cloned().collect();
                let mut fallback: Vec<String> = Vec::new();
                let mut chains: Vec<Vec<&str>> = hosts
                    .iter()
                    .filter_map(get)
                    .zip(&hosts)
                    .map(|((primary, then, _), host)| {
                        let first = primary.filter(|_| !services.contains(host));
                        first.into_iter().chain(*then).filter_map(|subset| self.owner(subset)).filter(|owner| owner != name).collect()
                    })
                    .collect();
                chains.sort_by_key(|chain| std::cmp::Reverse(chain.len()));
                for lane in chains.into_iter().flatten() {
                    if !fallback.iter().any(|other| other == lane) {
                        fallback.push(lane.to_owned());
                    }
                }
                let by_host: BTreeMap<String, BTreeMap<String, String>> =
                    services.iter().filter_map(|host| Some((host.clone(), labels(host, get(host)?.0)?))).collect();
                let common = by_host.values().find_map(|labels| labels.get(&tag).filter(|_| labels.len() == 1)).cloned();
                let service_tag = common.unwrap_or_else(|| name.clone());
                let usual = BTreeMap::from([(tag.clone(), service_tag.clone())]);
                let is_baseline = self.group.baseline.as_ref() == Some(name);
                let by_default: Vec<String> = self.group.baseline.iter().filter(|baseline| *baseline != name).cloned().collect();
                let permissive = self.group.mode == Mode::Permissive;
                let Some(lane) = self.group.lanes.get_mut(index) else { continue };
                lane.service_tag = (service_tag != *name).then_some(service_tag);
                lane.services = (services.len() < hosts.len()).then_some(services);
                lane.labels = by_host.into_iter().filter(|(_, labels)| *labels != usual).collect();
                lane.fallback = (permissive && !is_baseline && fallback != by_default).then_some(fallback);
            }
        }
        for name in &names {
            if !self.agrees(name, &hosts, &said, mesh) {
                let at = hosts.iter().filter_map(|host| said.get(&(name.clone(), host.clone()))).find_map(|(.., at)| at.clone());
                if let Some(at) = at.or_else(|| self.at.clone()) {
                    let message = format!("lane `{name}` has other fallbacks here than at other services, or more than lanes of this group can have");
                    reading.note(Code::Unsupported, &at, message, Some("a lane has one list of fallbacks, and strict groups have none".into()));
                }
            }
        }
    }

    /// Whether the lane's candidates are what the resources say, by their labels.
    fn agrees(&self, name: &str, hosts: &[String], said: &HashMap<(String, String), (Option<&str>, Option<&str>, Option<At<'n>>)>, mesh: &Mesh<'n>) -> bool {
        hosts.iter().all(|host| {
            let Some((primary, fallback, _)) = said.get(&(name.to_owned(), host.clone())) else { return true };
            self.chain_is(name, host, *primary, *fallback, mesh)
        })
    }

    /// Whether this lane is served there by these subsets.
    pub(super) fn chain_is(&self, name: &str, host: &str, primary: Option<&str>, fallback: Option<&str>, mesh: &Mesh<'n>) -> bool {
        let view = View { group: &self.group, index: 0 };
        let Some(lane) = view.lane(name) else { return false };
        let given: Vec<_> = view.candidates(lane, host).into_iter().map(|lane| view.labels(lane, host)).take(2).collect();
        let wanted = primary.into_iter().chain(fallback).filter_map(|subset| mesh.subset(host, subset)).map(|subset| subset.labels.clone());
        given.into_iter().eq(wanted)
    }

    /// The label by which subsets are told apart.
    fn tag_label(&self, mesh: &Mesh<'n>) -> String {
        if let Some(label) = &self.group.tag_label {
            return label.clone();
        }
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for subset in mesh.subsets.iter().filter(|subset| self.group.services.iter().any(|service| service.host == subset.host)) {
            if let Some((label, _)) = subset.labels.first_key_value().filter(|_| subset.labels.len() == 1) {
                *votes.entry(label).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(label, count)| (*count, *label == TAG_LABEL)).map_or_else(|| TAG_LABEL.to_owned(), |(label, _)| label.to_owned())
    }

    /// Unknown lanes, own lanes and rules, in the order in which they come.
    fn steps(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, steps: &[(&str, Vec<(Part, &Route<'n>)>)], own_first: bool) {
        let mut unknown: Option<UnknownLane> = None;
        let mut told_own = false;
        for (host, all) in steps.iter().filter(|(_, all)| !all.is_empty()) {
            let mut rank = 0;
            let mut ancestors = false;
            let mut found: Option<UnknownLane> = None;
            let mut last: Option<&Route<'n>> = None;
            let mut others = false;
            for (part, route) in all {
                let part = &self.settled(part);
                if matches!(part, Part::Lane(_) | Part::Ancestor(_)) && found.is_some() {
                    reading.note(Code::Unreachable, &route.at, "no request reaches this route: one before takes every lane's", None);
                    continue;
                }
                if part.rank(own_first) < rank {
                    let help = if own_first { "lanes look for the caller's own lane, then the guiding header, then rules" } else { "lanes look for the guiding header, then the caller's own lane, then rules" };
                    reading.note(Code::Unsupported, &route.at, "this route comes after one that lanes would try later", Some(help.into()));
                }
                rank = rank.max(part.rank(own_first));
                match part {
                    Part::Lane(_) => {}
                    Part::Ancestor(name) => {
                        ancestors = true;
                        self.expect(reading, mesh, name, host, route);
                    }
                    Part::Unknown => {
                        found = Some(match (&route.action, ancestors) {
                            (Action::Status(_), _) => UnknownLane::Reject,
                            (Action::To(_), true) => UnknownLane::NearestAncestor,
                            (Action::To(_), false) => UnknownLane::Baseline,
                        });
                        if let (Action::To(_), Some(baseline)) = (&route.action, self.group.baseline.clone()) {
                            self.expect(reading, mesh, &baseline, host, route);
                        }
                    }
                    Part::Own(labels) => {
                        others = true;
                        told_own = true;
                        if let Some(lane) = self.tagged(labels) {
                            self.expect(reading, mesh, &lane.to_owned(), host, route);
                        }
                    }
                    Part::Rule(entry) => {
                        others = true;
                        if let Some(mut rule) = self.rule(reading, mesh, route, entry.clone().map(|entry| vec![entry]), host) {
                            rule.at = Some(vec![Where::Hop]);
                            // Matches of one route are one rule.
                            let same = self.group.rules.last_mut().filter(|_| last.is_some_and(|last| std::ptr::eq(last, *route)));
                            match same.and_then(|before| before.matches.as_mut()).zip(rule.matches.as_mut()) {
                                Some((before, now)) => before.append(now),
                                None => self.group.rules.push(rule),
                            }
                            last = Some(route);
                        }
                    }
                    Part::Default => {}
                }
            }
            let default = all.iter().any(|(part, route)| *part == Part::Default && matches!(route.action, Action::To(_)));
            let taken = all.iter().any(|(part, _)| *part == Part::Rule(None));
            let Some((_, route)) = all.last() else { continue };
            if !default && !taken && self.group.mode == Mode::Permissive {
                let help = "end it with a route without `match` to the baseline's subset";
                let message = format!("a call of `{host}` without a lane gets 404 in the mesh, and the baseline here");
                reading.note(Code::Unsupported, &route.at, message, Some(help.into()));
            }
            let here = found.unwrap_or(if default { UnknownLane::Baseline } else { UnknownLane::Reject });
            if self.guided && found.is_none() && default && others {
                let help = format!("add a route for any other value of `{}`, before the others", self.guiding);
                reading.note(Code::Unsupported, &route.at, "an unknown lane goes to the baseline at once, and not by these routes", Some(help));
            }
            if self.guided && unknown.is_some_and(|before| before != here) {
                let message = format!("an unknown lane is treated otherwise at `{host}` than at services before");
                reading.note(Code::Unsupported, &route.at, message, Some("a group treats unknown lanes in one way".into()));
            }
            unknown.get_or_insert(here);
        }
        let usual = if self.group.mode == Mode::Permissive { UnknownLane::Baseline } else { UnknownLane::Reject };
        let needs_baseline = |unknown: &UnknownLane| *unknown != UnknownLane::Reject;
        self.group.unknown_lane =
            unknown.filter(|unknown| self.guided && *unknown != usual && (self.group.baseline.is_some() || !needs_baseline(unknown)));
        if !told_own && self.group.lanes.len() > 1 {
            if let Some(at) = self.at.clone() {
                let message = "lanes count the caller's own lane too, where the configuration is told the caller; these resources do not";
                reading.note(Code::Assumed, &at, message, Some("match `sourceLabels` in the mesh's routes, or leave callers out of requests".into()));
            }
        }
    }

    /// Callers' labels that are no lane's are a rule's condition; so are the baseline's, which as own lane counts as none.
    fn settled(&self, part: &Part) -> Part {
        match part {
            Part::Own(labels) if self.tagged(labels).is_none_or(|lane| self.group.mode == Mode::Permissive && Some(lane) == self.group.baseline.as_deref()) => {
                Part::Rule(Some(super::hop::from_callers(labels)))
            }
            other => other.clone(),
        }
    }

    /// The first lane whose service tag is all that these labels say.
    fn tagged(&self, labels: &BTreeMap<String, String>) -> Option<&str> {
        let view = View { group: &self.group, index: 0 };
        let tagged = |lane: &&Lane| *labels == BTreeMap::from([(view.tag_label().to_owned(), crate::mesh::view::service_tag(lane).to_owned())]);
        self.group.lanes.iter().find(tagged).map(|lane| lane.name.as_str())
    }

    /// The route must do what requests of this lane get.
    fn expect(&self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, lane: &str, host: &str, route: &Route<'n>) {
        let fits = match targets(route) {
            [target] => {
                self.known(reading, mesh, target, host) && {
                    let set = target.sets(&self.guiding).is_none_or(|set| set == lane);
                    set && self.chain_is(lane, host, target.subset, target.fallback, mesh)
                }
            }
            _ => self.chain_is(lane, host, None, None, mesh),
        };
        if !fits {
            let message = format!("this is not what requests of lane `{lane}` get at `{host}`");
            reading.note(Code::Unsupported, &route.at, message, Some("route it as the lane's own requests".into()));
        }
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
        Some(Rule {
            name: route.name.unwrap_or_default().to_owned(),
            at: None,
            hosts: None,
            service: host.to_owned(),
            matches,
            split: lane.is_none().then_some(shares),
            lane,
            lane_from: None,
            sticky: None,
        })
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
            reading.note(Code::Assumed, at, message, Some("set the header where requests enter a lane, or they leave it at the next call".into()));
        }
        let mut names = crate::mesh::view::Names::default();
        for (index, rule) in self.group.rules.iter_mut().enumerate() {
            let wanted = if rule.name.is_empty() { format!("route-{}", index + 1) } else { rule.name.clone() };
            rule.name = names.unique(&wanted);
        }
        // A lane that no service is left to would be refused.
        self.group.lanes.retain(|lane| self.group.services.iter().any(|service| contains(lane, &service.host)) || lane.fallback.is_some() || lane.services.is_some());
        (!self.broken).then_some(self.group)
    }
}
