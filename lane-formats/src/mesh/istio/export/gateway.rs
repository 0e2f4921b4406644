//! The VirtualServices of gateways. Istio chooses a virtual host first and never leaves it, so each host pattern gets
//! all rules that hold for it, in order; patterns with the same rules share a VirtualService.

use super::*;
use crate::mesh::{
    report::listed,
    view::{GATEWAY, GATEWAY_NAMESPACE},
};

/// Gateways and the groups whose rules hold there.
type Gateways<'c> = Vec<(Vec<String>, Vec<View<'c>>)>;

/// Rules with their groups, in the order in which they are tried.
type Rules<'c> = Vec<(View<'c>, &'c Rule)>;

/// Writes the VirtualServices of all gateways.
pub(super) fn write(writer: &mut Writer<'_, '_>) {
    for (gateways, views) in gateways(writer) {
        let mut patterns: Vec<String> = Vec::new();
        for view in &views {
            for rule in view.rules(At::Gateway) {
                let hosts = rule.hosts.clone().unwrap_or_else(|| vec!["*".into()]);
                let path = view.rule_path(&rule.name).field("hosts");
                for host in hosts.iter().map(|host| host.to_ascii_lowercase()) {
                    if host.starts_with('[') {
                        writer.report.lost(
                            &path,
                            format!("Istio's hosts are no IPv6 addresses, and `{host}` is one"),
                            "give the gateway a name",
                        );
                    } else if !patterns.contains(&host) {
                        patterns.push(host);
                    }
                }
            }
        }
        let mut lists: Vec<(Vec<String>, Rules<'_>)> = Vec::new();
        for pattern in patterns {
            let mut rules = Vec::new();
            for view in &views {
                rules.extend(view.rules(At::Gateway).filter(|rule| holds_for(rule, &pattern)).map(|rule| (*view, rule)));
            }
            let same = |others: &[(View<'_>, &Rule)]| {
                others.len() == rules.len() && others.iter().zip(&rules).all(|((_, one), (_, other))| std::ptr::eq(*one, *other))
            };
            match lists.iter_mut().find(|(_, others)| same(others)) {
                Some((patterns, _)) => patterns.push(pattern),
                None => lists.push((vec![pattern], rules)),
            }
        }
        let base = views.iter().map(|view| slug(&view.group.name)).collect::<Vec<_>>().join("-");
        for (hosts, rules) in lists {
            let mut routes: Vec<Value> = Vec::new();
            let mut taken: Option<View<'_>> = None;
            for (view, rule) in rules {
                if let Some(before) = taken {
                    // A group whose rules come later is not the same at each of its gateways.
                    if before.index != view.index {
                        let message = format!(
                            "group `{}` takes every request to {} first, so this rule is left out there",
                            before.group.name,
                            listed(hosts.iter().map(String::as_str))
                        );
                        writer.report.approximated(&view.rule_path(&rule.name), message, "give the groups hosts of their own");
                    }
                    continue;
                }
                let remove = removed(writer, view, &gateways);
                let written = writer.rule(view, rule, Side::Gateway, &remove);
                if written.iter().any(|route| route.get("match").is_none()) {
                    taken = Some(view);
                }
                routes.extend(written);
            }
            if routes.is_empty() {
                continue;
            }
            let only = match views.as_slice() {
                [view] => Some(*view),
                _ => None,
            };
            let base: String = base.chars().take(60).collect();
            let namespace = views.first().and_then(|view| view.group.services.first()).and_then(|service| kubernetes(&service.host));
            let meta = writer.metadata(&format!("{base}-ingress"), only, namespace.map(|(_, namespace)| namespace));
            let names: Vec<String> = gateways.iter().map(|gateway| full_name(gateway)).collect();
            writer.push("networking.istio.io/v1", "VirtualService", meta, json!({ "hosts": hosts, "gateways": names, "http": routes }));
        }
    }
}

/// The gateways, those together at which the same groups hold.
fn gateways<'c>(writer: &mut Writer<'_, 'c>) -> Gateways<'c> {
    let mut all: Vec<String> = Vec::new();
    let views: Vec<View<'c>> = writer.views.iter().copied().filter(|view| view.rules(At::Gateway).next().is_some()).collect();
    let mut add = |name: &String| {
        if !all.contains(name) {
            all.push(name.clone());
        }
    };
    views.iter().flat_map(|view| view.group.gateways.iter().flatten()).for_each(&mut add);
    writer.options.gateways.iter().for_each(&mut add);
    let everywhere = views.iter().find(|view| view.group.gateways.is_none());
    if let Some(view) = everywhere.filter(|_| writer.options.gateways.is_empty()) {
        if all.is_empty() {
            all.push(GATEWAY.into());
        }
        let message =
            format!("group `{}` names no gateways; its rules are written for {}", view.group.name, listed(all.iter().map(String::as_str)));
        writer.report.assumed(&view.path(), message, "name them as `gateways`, or with `--gateway`");
    }
    let mut together: Gateways<'c> = Vec::new();
    for gateway in all {
        let here: Vec<View<'c>> = views.iter().copied().filter(|view| holds_at(*view, &gateway)).collect();
        match together.iter_mut().find(|(_, views)| views.iter().map(|view| view.index).eq(here.iter().map(|view| view.index))) {
            Some((gateways, _)) => gateways.push(gateway),
            None => together.push((vec![gateway], here)),
        }
    }
    together.retain(|(_, views)| !views.is_empty());
    together
}

fn holds_at(view: View<'_>, gateway: &str) -> bool {
    view.group.gateways.as_ref().is_none_or(|gateways| gateways.iter().any(|name| name == gateway))
}

/// The guiding headers of other groups, which requests lose (S18).
fn removed(writer: &Writer<'_, '_>, view: View<'_>, gateways: &[String]) -> Vec<String> {
    let trusted = |other: &View<'_>| other.group.trust_client && gateways.iter().all(|gateway| holds_at(*other, gateway));
    let others = writer.views.iter().filter(|other| other.index != view.index && !trusted(other));
    let names: BTreeSet<String> = others.map(|other| other.guiding().to_ascii_lowercase()).collect();
    names.into_iter().filter(|name| !name.eq_ignore_ascii_case(view.guiding())).collect()
}

/// Whether the rule holds for every host that Istio gives to this pattern.
fn holds_for(rule: &Rule, pattern: &str) -> bool {
    let covers = |wider: &str| match wider.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => wider == pattern || (pattern.len() > suffix.len() && pattern.ends_with(suffix)),
        None => wider == pattern,
    };
    rule.hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|host| covers(&host.to_ascii_lowercase())))
}

/// A gateway with its namespace.
fn full_name(gateway: &str) -> String {
    if gateway.contains('/') { gateway.to_owned() } else { format!("{GATEWAY_NAMESPACE}/{gateway}") }
}
