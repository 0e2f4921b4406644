//! The VirtualServices of gateways as rules. Istio chooses a virtual host by its most specific pattern and never
//! leaves it; lanes try all rules whose hosts hold, in one order. So rules get the patterns under which they stand,
//! and what one order cannot say is told.

use std::collections::{BTreeMap, HashMap};

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
pub(super) fn rules<'n>(reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, drafts: &mut [Draft<'n>]) {
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
            let own = |ids: &Vec<usize>| ids.iter().copied().filter(|id| all.get(*id).is_some_and(|written| written.group == group)).collect::<Vec<_>>();
            lists.iter().map(|(pattern, ids)| (pattern.clone(), own(ids))).filter(|(_, ids)| !ids.is_empty()).collect()
        };
        let here: Vec<(&str, Lists)> = by_gateway.iter().map(|(gateway, lists)| (*gateway, of_group(lists))).filter(|(_, lists)| !lists.is_empty()).collect();
        let Some((_, lists)) = here.first().cloned() else { continue };
        for (gateway, others) in here.iter().skip(1) {
            let sorted = |lists: &Lists| lists.iter().cloned().collect::<BTreeMap<_, _>>();
            if sorted(others) != sorted(&lists) {
                let at = others.iter().flat_map(|(_, ids)| ids).find_map(|id| all.get(*id)).map(|written| written.at.clone());
                if let Some(at) = at {
                    let help = "a group's rules hold at all of its gateways; import the gateways one by one";
                    reading.note(Code::Unsupported, &at, format!("the gateway `{gateway}` has other routes of this group than the one before"), Some(help.into()));
                }
            }
        }
        draft.group.gateways = Some(here.iter().map(|(gateway, _)| short_name(gateway)).collect());
        ordered(reading, &lists, &all, draft);
    }
    for (_, lists) in &by_gateway {
        for (pattern, ids) in lists {
            let groups: Vec<_> = ids.iter().filter_map(|id| all.get(*id)).collect();
            if let Some(pair) = groups.windows(2).find(|pair| matches!(pair, [one, other] if one.group > other.group))
                && let [_, second] = pair
            {
                let help = "groups are tried one after the other: put each group's routes together";
                reading.note(Code::Unsupported, &second.at, format!("routes of several groups take turns at `{pattern}`"), Some(help.into()));
            }
        }
    }
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
                let message = format!("`{pattern}` has two VirtualServices at this gateway, and which comes first depends on their age; taken by name");
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
        list.retain(|id| !seen.contains(id) && { seen.push(*id); true });
    }
    lists
}

/// The routes of a VirtualService at a gateway, as rules.
fn written<'n>(reading: &mut Reading<'_, '_>, mesh: &Mesh<'n>, drafts: &mut [Draft<'n>], gateway: &str, found: &Virtual<'n>) -> Vec<Written<'n>> {
    let mut written = Vec::new();
    for route in &found.routes {
        let matches = match &route.matches {
            None => None,
            Some(matches) => {
                let here = matches.iter().filter(|one| one.gateways.as_ref().is_none_or(|names| names.iter().any(|name| name == gateway)));
                // Gateways know no labels of callers, and Istio does not ask where `gateways` is set.
                let entries: Vec<Entry> = here.map(|one| entry(&super::resource::Match { source_labels: BTreeMap::new(), ..one.clone() })).collect();
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
        let run = rest.get(..lanes).filter(|run| lanes > 0 && run.iter().all(|one| one.group == first.group && one.rule.name == first.rule.name));
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
    let mut ids: Vec<usize> = Vec::new();
    for id in lists.iter().flat_map(|(_, list)| list) {
        if !ids.contains(id) {
            ids.push(*id);
        }
    }
    let covers = |wider: &str, pattern: &str| match wider.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => wider == pattern || (pattern.len() > suffix.len() && pattern.ends_with(suffix)),
        None => wider == pattern,
    };
    let patterns = |id: usize| lists.iter().filter(move |(_, list)| list.contains(&id)).map(|(pattern, _)| pattern.as_str());
    let mut before: HashMap<usize, Vec<usize>> = HashMap::new();
    for (pattern, list) in lists {
        for pair in list.windows(2) {
            if let [one, other] = pair {
                before.entry(*other).or_default().push(*one);
            }
        }
        let end = list.last().copied().filter(|id| all.get(*id).is_some_and(|written| written.rule.matches.is_none() && written.rule.lane_from.is_none()));
        for id in ids.iter().filter(|id| !list.contains(id) && patterns(**id).any(|wider| covers(wider, pattern))) {
            match end {
                Some(end) => before.entry(*id).or_default().push(end),
                None => {
                    if let Some(written) = all.get(*id) {
                        let message = format!("a request to `{pattern}` never comes to this route in the mesh, and here it does");
                        let help = format!("add the route to the VirtualService of `{pattern}`, or end that one with a route without `match`");
                        reading.note(Code::Unsupported, &written.at, message, Some(help));
                    }
                }
            }
        }
    }
    let mut placed: Vec<usize> = Vec::new();
    let mut told = false;
    while placed.len() < ids.len() {
        let open = |id: &&usize| !placed.contains(id);
        let free = |id: &&usize| before.get(id).is_none_or(|earlier| earlier.iter().all(|id| placed.contains(id)));
        let next = ids.iter().filter(open).find(free).or_else(|| {
            if let (false, Some(written)) = (told, ids.iter().find(open).and_then(|id| all.get(*id))) {
                let help = "write the routes of all hosts in one order";
                reading.note(Code::Unsupported, &written.at, "at one host this route comes before another, at the other behind it", Some(help.into()));
                told = true;
            }
            ids.iter().find(open)
        });
        let Some(next) = next.copied() else { break };
        placed.push(next);
    }
    let hop_rules = std::mem::take(&mut draft.group.rules);
    for id in placed {
        let Some(written) = all.get(id) else { continue };
        let own: Vec<&str> = patterns(id).collect();
        let widest = own.iter().filter(|pattern| !own.iter().any(|wider| wider != *pattern && covers(wider, pattern)));
        let hosts: Vec<String> = widest.map(|pattern| (*pattern).to_owned()).collect();
        let mut rule = written.rule.clone();
        rule.hosts = (hosts != ["*"]).then_some(hosts);
        draft.group.rules.push(rule);
    }
    draft.group.rules.extend(hop_rules);
}

/// A gateway without the namespace in which they usually are.
fn short_name(gateway: &str) -> String {
    let in_usual = gateway.split_once('/').filter(|(namespace, _)| *namespace == GATEWAY_NAMESPACE);
    in_usual.map_or(gateway, |(_, name)| name).to_owned()
}
