//! The VirtualServices of gateways as rules. Istio chooses a virtual host by its most specific pattern and never
//! leaves it; lanes try all rules whose hosts hold, in one order. So rules get the patterns under which they stand,
//! and what one order cannot say is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lane_core::config::{Entry, LaneFrom, Matcher, Rule};

use super::{
    Mesh,
    group::{Draft, targets},
    hop::entry,
    resource::{Action, Route, Virtual},
};
use crate::mesh::{
    Code,
    read::{At, Reading},
    view::GATEWAY_NAMESPACE,
};

/// A rule with the group that it belongs to.
#[derive(Clone, Debug)]
struct Written<'n> {
    group: usize,
    rule: Rule,
    at: At<'n>,
}

/// For each host pattern the rules that hold for it, in order.
type Lists = Vec<(String, Vec<usize>)>;

/// Writes the rules of all gateways into their groups.
pub(super) fn rules<'n>(reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, drafts: &mut Vec<Draft<'n>>) {
    let mut gateways: Vec<&str> = Vec::new();
    for name in mesh.virtuals.iter().flat_map(|found| &found.gateways).filter(|name| *name != "mesh") {
        if !gateways.contains(&name.as_str()) {
            gateways.push(name);
        }
    }
    let mut all: Vec<Written<'n>> = Vec::new();
    let mut by_gateway: Vec<(&str, Lists)> = Vec::new();
    for gateway in gateways {
        let lists = lists(reading, mesh, drafts, gateway, &mut all);
        by_gateway.push((gateway, lists));
    }
    for (group, draft) in drafts.iter_mut().enumerate() {
        let of_group = |lists: &Lists| -> Lists {
            let own = |ids: &Vec<usize>| {
                ids.iter().copied().filter(|id| all.get(*id).is_some_and(|written| written.group == group)).collect::<Vec<_>>()
            };
            lists.iter().map(|(pattern, ids)| (pattern.clone(), own(ids))).filter(|(_, ids)| !ids.is_empty()).collect()
        };
        let here: Vec<(&str, Lists)> =
            by_gateway.iter().map(|(gateway, lists)| (*gateway, of_group(lists))).filter(|(_, lists)| !lists.is_empty()).collect();
        let Some((_, lists)) = here.first().cloned() else { continue };
        for (gateway, others) in here.iter().skip(1) {
            // The same rules for the same hosts, and where two hold for one host, in the same order.
            let same_hosts = hosts_of(others) == hosts_of(&lists);
            let order: Vec<usize> = placed(&lists, &all).0;
            let position = |id: &usize| order.iter().position(|other| other == id);
            let same_order =
                others.iter().all(|(_, ids)| ids.windows(2).all(|pair| matches!(pair, [one, other] if position(one) < position(other))));
            if !same_hosts || !same_order {
                let at = others.iter().flat_map(|(_, ids)| ids).find_map(|id| all.get(*id)).map(|written| written.at.clone());
                if let Some(at) = at {
                    let help = "a group's rules hold at all of its gateways; import the gateways one by one";
                    reading.note(
                        Code::Unsupported,
                        &at,
                        format!("the gateway `{gateway}` has other routes of this group than the one before"),
                        Some(help.into()),
                    );
                }
            }
        }
        draft.group.gateways = Some(here.iter().map(|(gateway, _)| short_name(gateway)).collect());
        ordered(reading, &lists, &all, draft);
    }
    let all_lists: Vec<&Lists> = by_gateway.iter().map(|(_, lists)| lists).collect();
    let order = group_order(reading, &all_lists, &all, drafts.len());
    let mut slots: Vec<Option<Draft<'n>>> = std::mem::take(drafts).into_iter().map(Some).collect();
    drafts.extend(order.into_iter().filter_map(|group| slots.get_mut(group).and_then(Option::take)));
}

/// The order in which gateways try the groups; groups are tried one after the other (S16).
fn group_order(reading: &mut Reading<'_, '_>, lists: &[&Lists], all: &[Written<'_>], count: usize) -> Vec<usize> {
    let group = |id: usize| all.get(id).map_or(usize::MAX, |written| written.group);
    let mut before: BTreeSet<(usize, usize)> = BTreeSet::new();
    for lists in lists {
        let ids: BTreeSet<usize> = lists.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        for (pattern, list) in *lists {
            let groups: Vec<usize> = list.iter().map(|id| group(*id)).collect();
            for pair in groups.windows(2) {
                if let [one, other] = pair
                    && one != other
                {
                    before.insert((*one, *other));
                }
            }
            // A virtual host that is never left: its last route comes before what other patterns would send there.
            for id in ids.iter().copied().filter(|id| reaches(*id, pattern, list, lists)) {
                for own in groups.iter().copied().filter(|own| *own != group(id)) {
                    if ends(list, all) {
                        before.insert((own, group(id)));
                    } else if let Some(written) = all.get(id) {
                        let message = format!("a request to `{pattern}` never comes to this route in the mesh, and here it does");
                        let help =
                            format!("add the route to the VirtualService of `{pattern}`, or end that one with a route without `match`");
                        reading.note(Code::Unsupported, &written.at, message, Some(help));
                    }
                }
            }
        }
    }
    let mut order: Vec<usize> = Vec::new();
    while order.len() < count {
        let open = |group: &usize| !order.contains(group);
        let free = |group: &usize| before.iter().all(|(one, other)| other != group || order.contains(one));
        let next = (0..count).find(|group| open(group) && free(group));
        let Some(next) = next.or_else(|| (0..count).find(open)) else { break };
        if !free(&next)
            && let Some(written) = all.iter().find(|written| written.group == next)
        {
            let help = "groups are tried one after the other: put each group's routes together";
            reading.note(Code::Unsupported, &written.at, "routes of several groups take turns", Some(help.into()));
        }
        order.push(next);
    }
    order
}

/// The rules of a gateway for each of its host patterns.
fn lists<'n>(reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, drafts: &mut [Draft<'n>], gateway: &str, all: &mut Vec<Written<'n>>) -> Lists {
    let here: Vec<&Virtual<'n>> = mesh.virtuals.iter().filter(|found| found.gateways.iter().any(|name| name == gateway)).collect();
    let mut lists: Lists = Vec::new();
    let mut ends: HashMap<String, Vec<usize>> = HashMap::new();
    let mut owners: HashMap<String, &Virtual<'n>> = HashMap::new();
    for found in here {
        let written: Vec<Written<'n>> = written(reading, mesh, drafts, gateway, found);
        let mut ids = Vec::new();
        for one in written {
            let same = |other: &Written<'n>| other.group == one.group && other.rule == one.rule;
            ids.push(all.iter().position(same).unwrap_or_else(|| {
                all.push(one);
                all.len() - 1
            }));
        }
        for (pattern, at) in &found.hosts {
            let pattern = pattern.to_ascii_lowercase();
            if let Some(before) = owners.get(&pattern)
                && before.resource.created.is_none()
                && found.resource.created.is_none()
            {
                let message = format!(
                    "`{pattern}` has two VirtualServices at this gateway, and which comes first depends on their age; taken by name"
                );
                reading.note(Code::Assumed, at, message, Some("put their routes into one, or import them with `creationTimestamp`".into()));
            }
            owners.entry(pattern.clone()).or_insert(found);
            if !lists.iter().any(|(other, _)| *other == pattern) {
                lists.push((pattern.clone(), Vec::new()));
            }
            let Some((_, list)) = lists.iter_mut().find(|(other, _)| *other == pattern) else { continue };
            for id in &ids {
                // Routes that take everything come after all others of the host.
                let takes_all = all.get(*id).is_some_and(|written| written.rule.matches.is_none() && written.rule.lane_from.is_none());
                if takes_all { ends.entry(pattern.clone()).or_default().push(*id) } else { list.push(*id) }
            }
        }
    }
    for (pattern, list) in &mut lists {
        list.extend(ends.remove(pattern).into_iter().flatten());
        let mut seen = Vec::new();
        list.retain(|id| {
            !seen.contains(id) && {
                seen.push(*id);
                true
            }
        });
    }
    lists
}

/// The routes of a VirtualService at a gateway, as rules.
fn written<'n>(
    reading: &mut Reading<'_, '_>,
    mesh: &Mesh<'n>,
    drafts: &mut [Draft<'n>],
    gateway: &str,
    found: &Virtual<'n>,
) -> Vec<Written<'n>> {
    let mut written = Vec::new();
    for route in &found.routes {
        let matches = match &route.matches {
            None => None,
            Some(matches) => {
                let here = matches.iter().filter(|one| one.gateways.as_ref().is_none_or(|names| names.iter().any(|name| name == gateway)));
                // Gateways know no labels of callers, and Istio does not ask where `gateways` is set.
                let entries: Vec<Entry> =
                    here.map(|one| entry(&super::resource::Match { source_labels: BTreeMap::new(), ..one.clone() })).collect();
                if entries.is_empty() {
                    continue;
                }
                if entries.contains(&Entry::default()) { None } else { Some(entries) }
            }
        };
        if let (Action::Status(404), None) = (&route.action, &matches) {
            continue;
        }
        let Some((group, host)) = whose(reading, drafts, route) else { continue };
        let Some(draft) = drafts.get_mut(group) else { continue };
        if let Some(rule) = draft.rule(reading, mesh, route, matches, &host) {
            written.push(Written { group, rule, at: route.at.clone() });
        }
    }
    by_name(written, drafts)
}

/// The group and the host to which a route leads.
fn whose(reading: &mut Reading<'_, '_>, drafts: &[Draft<'_>], route: &Route<'_>) -> Option<(usize, String)> {
    let Some(target) = targets(route).first() else {
        let help = "requests that no rule takes get 404";
        reading.note(Code::Unsupported, &route.at, "a rule leads to a lane, not to an answer", Some(help.into()));
        return None;
    };
    let of = |host: &str| drafts.iter().position(|draft| draft.group.services.iter().any(|service| service.host == host));
    let Some(group) = of(&target.host) else {
        let help = "import its DestinationRule too, with a subset for each lane";
        reading.note(Code::MissingReference, &target.at, format!("no DestinationRule has subsets of `{}`", target.host), Some(help.into()));
        return None;
    };
    Some((group, target.host.clone()))
}

/// Makes of routes of one name, one for each lane, the rule that takes the lane from the guiding header.
fn by_name<'n>(written: Vec<Written<'n>>, drafts: &[Draft<'n>]) -> Vec<Written<'n>> {
    let mut merged: Vec<Written<'n>> = Vec::new();
    let mut rest = written.as_slice();
    while let Some(first) = rest.first() {
        let lanes = drafts.get(first.group).map_or(0, |draft| draft.group.lanes.len());
        let run =
            rest.get(..lanes).filter(|run| lanes > 0 && run.iter().all(|one| one.group == first.group && one.rule.name == first.rule.name));
        let guiding = drafts.get(first.group).map_or("", |draft| &draft.guiding);
        let without: Option<Vec<Option<Vec<Entry>>>> = run.and_then(|run| run.iter().map(|one| without_lane(&one.rule, guiding)).collect());
        let mut names: Vec<_> = run.into_iter().flatten().filter_map(|one| one.rule.lane.as_ref()).collect();
        names.sort();
        names.dedup();
        match without.filter(|all| names.len() == lanes && all.windows(2).all(|pair| matches!(pair, [one, other] if one == other))) {
            Some(mut all) => {
                let matches = all.pop().flatten();
                let rule = Rule { matches, lane: None, lane_from: Some(LaneFrom::Header(guiding.to_owned())), ..first.rule.clone() };
                merged.push(Written { rule, ..first.clone() });
                rest = rest.get(lanes..).unwrap_or_default();
            }
            None => {
                merged.push(first.clone());
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    merged
}

/// The rule's conditions without the one that the guiding header names its lane; none where that is not asked.
#[expect(clippy::option_option, reason = "no such condition, none left, some left")]
fn without_lane(rule: &Rule, guiding: &str) -> Option<Option<Vec<Entry>>> {
    let lane = rule.lane.as_ref()?;
    let mut entries = rule.matches.clone()?;
    for entry in &mut entries {
        let name = entry.headers.keys().find(|name| name.eq_ignore_ascii_case(guiding))?.clone();
        let matcher = entry.headers.remove(&name)?;
        if matcher != Matcher::Exact(lane.clone()) {
            return None;
        }
    }
    let all = entries.contains(&Entry::default());
    Some((!all).then_some(entries))
}

/// Puts the rules of a group into one order that serves all its host patterns.
fn ordered<'n>(reading: &mut Reading<'_, '_>, lists: &Lists, all: &[Written<'n>], draft: &mut Draft<'n>) {
    let (order, conflict) = placed(lists, all);
    if let Some(written) = conflict.and_then(|id| all.get(id)) {
        let help = "write the routes of all hosts in one order";
        reading.note(
            Code::Unsupported,
            &written.at,
            "at one host this route comes before another, at the other behind it",
            Some(help.into()),
        );
    }
    for (pattern, list) in lists {
        for id in order.iter().filter(|id| !ends(list, all) && reaches(**id, pattern, list, lists)) {
            if let Some(written) = all.get(*id) {
                let message = format!("a request to `{pattern}` never comes to this route in the mesh, and here it does");
                let help = format!("add the route to the VirtualService of `{pattern}`, or end that one with a route without `match`");
                reading.note(Code::Unsupported, &written.at, message, Some(help));
            }
        }
    }
    let hop_rules = std::mem::take(&mut draft.group.rules);
    let hosts = hosts_of(lists);
    for id in order {
        let (Some(written), Some(hosts)) = (all.get(id), hosts.get(&id)) else { continue };
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        draft.group.rules.push(Rule { hosts: (hosts != ["*"]).then_some(hosts), ..written.rule.clone() });
    }
    draft.group.rules.extend(hop_rules);
}

/// Whether a pattern holds for all that another one holds for.
fn covers(wider: &str, pattern: &str) -> bool {
    match wider.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => wider == pattern || (pattern.len() > suffix.len() && pattern.ends_with(suffix)),
        None => wider == pattern,
    }
}

/// Whether the list ends with a rule that takes every request.
fn ends(list: &[usize], all: &[Written<'_>]) -> bool {
    list.last().and_then(|id| all.get(*id)).is_some_and(|written| written.rule.matches.is_none() && written.rule.lane_from.is_none())
}

/// Whether a rule's hosts hold for the pattern though it is not in the pattern's list.
fn reaches(id: usize, pattern: &str, list: &[usize], lists: &Lists) -> bool {
    !list.contains(&id) && lists.iter().any(|(wider, other)| other.contains(&id) && covers(wider, pattern))
}

/// For each rule the patterns under which it stands, without those that others of them cover.
fn hosts_of(lists: &Lists) -> BTreeMap<usize, BTreeSet<&str>> {
    let mut hosts: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (pattern, list) in lists {
        for id in list {
            hosts.entry(*id).or_default().insert(pattern);
        }
    }
    for own in hosts.values_mut() {
        let whole = own.clone();
        own.retain(|pattern| !whole.iter().any(|wider| wider != pattern && covers(wider, pattern)));
    }
    hosts
}

/// One order of all rules that each list agrees with, and a rule for which there is none.
fn placed(lists: &Lists, all: &[Written<'_>]) -> (Vec<usize>, Option<usize>) {
    let mut ids: Vec<usize> = Vec::new();
    for id in lists.iter().flat_map(|(_, list)| list) {
        if !ids.contains(id) {
            ids.push(*id);
        }
    }
    let mut before: HashMap<usize, Vec<usize>> = HashMap::new();
    for (pattern, list) in lists {
        for pair in list.windows(2) {
            if let [one, other] = pair {
                before.entry(*other).or_default().push(*one);
            }
        }
        if let Some(end) = list.last().filter(|_| ends(list, all)) {
            for id in ids.iter().filter(|id| reaches(**id, pattern, list, lists)) {
                before.entry(*id).or_default().push(*end);
            }
        }
    }
    let mut order: Vec<usize> = Vec::new();
    let mut conflict = None;
    while order.len() < ids.len() {
        let open = |id: &&usize| !order.contains(id);
        let free = |id: &&usize| before.get(id).is_none_or(|earlier| earlier.iter().all(|id| order.contains(id)));
        let next = ids.iter().filter(open).find(free).copied();
        let Some(next) = next.or_else(|| ids.iter().find(open).copied()) else { break };
        if before.get(&next).is_some_and(|earlier| !earlier.iter().all(|id| order.contains(id))) {
            conflict.get_or_insert(next);
        }
        order.push(next);
    }
    (order, conflict)
}

/// A gateway without the namespace in which they usually are.
fn short_name(gateway: &str) -> String {
    let in_usual = gateway.split_once('/').filter(|(namespace, _)| *namespace == GATEWAY_NAMESPACE);
    in_usual.map_or(gateway, |(_, name)| name).to_owned()
}
