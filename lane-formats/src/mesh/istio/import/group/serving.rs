//! Who serves whom, as the routes inside the mesh say it: lanes and their fallbacks, the baseline, unknown lanes, the
//! caller's own lane, rules of hops. What lanes will do is compared with it, route by route.

use super::*;

/// Who serves a lane's requests at a host, as the resources say.
#[derive(Clone, Debug)]
struct Served<'n> {
    primary: Option<&'n str>,
    fallback: Option<&'n str>,
    at: At<'n>,
}

type Serving<'n> = HashMap<(String, String), Served<'n>>;

/// What the resources say of a lane at a host: subset, fallback, and where that stands.
type Said<'n> = HashMap<(String, String), (Option<&'n str>, Option<&'n str>, Option<At<'n>>)>;

impl<'n> Draft<'n> {
    /// Reads who serves whom inside the mesh: lanes, their fallbacks, the baseline, rules of hops.
    pub(super) fn serve(&mut self, reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, used: &[(String, Option<&Virtual<'n>>)]) {
        let mut steps: Vec<(&str, Vec<(Part, &Route<'n>)>)> = Vec::new();
        for (host, found) in used {
            let routes = found.iter().flat_map(|found| &found.routes);
            let all = routes.flat_map(|route| parts(route, &self.guiding).into_iter().map(move |part| (part, route))).collect();
            steps.push((host, all));
            if found.is_none()
                && let Some(subset) = mesh.subsets.iter().find(|subset| subset.host == *host)
            {
                let message =
                    format!("nothing routes `{host}` inside the mesh: calls of it meet all endpoints, and lanes send them by lane");
                // Who imports gateways alone asks about gateways alone.
                let code = if used.iter().all(|(_, found)| found.is_none()) { Code::Assumed } else { Code::Unsupported };
                reading.note(code, &subset.at, message, Some("import what routes it inside the mesh too".into()));
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
                    Action::To(targets) => {
                        targets.first().map(|target| Served { primary: target.subset, fallback: target.fallback, at: target.at.clone() })
                    }
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
        let own: Vec<_> =
            mesh.subsets.iter().filter(|subset| self.group.services.iter().any(|service| service.host == subset.host)).collect();
        for subset in own {
            let by_name: Vec<String> = lanes.iter().filter(|lane| subset_name(lane) == subset.name).cloned().collect();
            let by_route = || {
                let leads = |lane: &&String| serving.iter().any(|((name, _), served)| name == *lane && served.primary == Some(subset.name));
                // Only where no lane is called like the subset can others call it theirs.
                lanes
                    .iter()
                    .filter(|lane| !mesh.subsets.iter().any(|other| subset_name(lane) == other.name))
                    .filter(leads)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            let mut owners = if by_name.is_empty() { by_route() } else { by_name };
            if owners.is_empty() {
                lanes.push(subset.name.to_owned());
                owners.push(subset.name.to_owned());
            }
            self.owners.entry(subset.name.to_owned()).or_insert(owners);
        }
        self.group.lanes = lanes.into_iter().map(Lane::new).collect();
        serving
    }

    /// The baseline is where calls without a lane go.
    fn find_baseline(
        &mut self,
        reading: &mut Reading<'_, '_>,
        mesh: &Mesh<'n>,
        steps: &[(&str, Vec<(Part, &Route<'n>)>)],
        own_first: bool,
    ) {
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
            let owner = found
                .iter()
                .find_map(|(host, target)| self.known(reading, mesh, target, host).then_some(target.subset?))
                .and_then(|subset| self.owner(subset));
            self.group.baseline = owner.map(str::to_owned);
        }
        let complete = |lane: &str| {
            self.group.services.iter().all(|service| {
                self.owners
                    .iter()
                    .any(|(subset, owners)| owners.iter().any(|owner| owner == lane) && mesh.subset(&service.host, subset).is_some())
            })
        };
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
            mesh.subsets.iter().find(|subset| {
                subset.host == host && self.owners.get(subset.name).is_some_and(|owners| owners.iter().any(|owner| owner == baseline))
            })
        };
        let mut said: Said<'_> = HashMap::new();
        for name in &names {
            for host in &hosts {
                let own = || {
                    mesh.subsets
                        .iter()
                        .find(|subset| subset.host == *host && self.owners.get(subset.name).is_some_and(|owners| owners.contains(name)))
                };
                let entry = match serving.get(&(name.clone(), host.clone())) {
                    Some(served) => (served.primary, served.fallback, Some(served.at.clone())),
                    // What no route names goes where unknown lanes go.
                    None if self.guided && !inside(mesh, host).is_empty() => {
                        let there = baseline_subset(host).map(|subset| subset.name);
                        (there.or_else(|| own().map(|subset| subset.name)), None, None)
                    }
                    None => (own().or_else(|| baseline_subset(host)).map(|subset| subset.name), None, None),
                };
                said.insert((name.clone(), host.clone()), entry);
            }
        }
        let labels =
            |host: &str, subset: Option<&str>| subset.and_then(|subset| mesh.subset(host, subset)).map(|subset| subset.labels.clone());
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
                    get(host)
                        .and_then(|(primary, ..)| *primary)
                        .is_some_and(|subset| !plain || self.owners.get(subset).is_some_and(|owners| owners.contains(name)))
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
                let single = |labels: &BTreeMap<String, String>| labels.get(&tag).filter(|_| labels.len() == 1).cloned();
                // The tag is that of subsets which are the lane's by name, not of those that serve in its place.
                let own = mesh.subsets.iter().filter(|subset| {
                    hosts.contains(&subset.host) && self.owners.get(subset.name).is_some_and(|owners| owners.contains(name))
                });
                let common = own.map(|subset| &subset.labels).find_map(single).or_else(|| by_host.values().find_map(single));
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
                    let message =
                        format!("lane `{name}` has other fallbacks here than at other services, or more than lanes of this group can have");
                    reading.note(
                        Code::Unsupported,
                        &at,
                        message,
                        Some("a lane has one list of fallbacks, and strict groups have none".into()),
                    );
                }
            }
        }
    }

    /// Whether the lane's candidates are what the resources say, by their labels.
    fn agrees(&self, name: &str, hosts: &[String], said: &Said<'_>, mesh: &Mesh<'n>) -> bool {
        hosts.iter().all(|host| {
            let Some((primary, fallback, _)) = said.get(&(name.to_owned(), host.clone())) else { return true };
            self.chain_is(name, host, *primary, *fallback, mesh)
        })
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
        votes
            .into_iter()
            .max_by_key(|(label, count)| (*count, *label == TAG_LABEL))
            .map_or_else(|| TAG_LABEL.to_owned(), |(label, _)| label.to_owned())
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
                    let help = if own_first {
                        "lanes look for the caller's own lane, then the guiding header, then rules"
                    } else {
                        "lanes look for the guiding header, then the caller's own lane, then rules"
                    };
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
                            self.expect(reading, mesh, lane, host, route);
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
                reading.note(
                    Code::Unsupported,
                    &route.at,
                    "an unknown lane goes to the baseline at once, and not by these routes",
                    Some(help),
                );
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
        if !told_own
            && self.group.lanes.len() > 1
            && let Some(at) = self.at.clone()
        {
            let message = "lanes count the caller's own lane too, where the configuration is told the caller; these resources do not";
            reading.note(
                Code::Assumed,
                &at,
                message,
                Some("match `sourceLabels` in the mesh's routes, or leave callers out of requests".into()),
            );
        }
    }

    /// Callers' labels that are no lane's are a rule's condition; so are the baseline's, which as own lane counts as none.
    fn settled(&self, part: &Part) -> Part {
        match part {
            Part::Own(labels)
                if self
                    .tagged(labels)
                    .is_none_or(|lane| self.group.mode == Mode::Permissive && Some(lane) == self.group.baseline.as_deref()) =>
            {
                Part::Rule(Some(super::super::hop::from_callers(labels)))
            }
            other => other.clone(),
        }
    }

    /// The first lane whose service tag is all that these labels say.
    fn tagged(&self, labels: &BTreeMap<String, String>) -> Option<&str> {
        let view = View { group: &self.group, index: 0 };
        let tagged =
            |lane: &&Lane| *labels == BTreeMap::from([(view.tag_label().to_owned(), crate::mesh::view::service_tag(lane).to_owned())]);
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
}
