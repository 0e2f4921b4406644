//! The VirtualService of each service, in its callers' sidecars: the order of S22 as a list of routes.

use super::*;

/// Writes the VirtualServices of a group's services.
pub(super) fn write<'c>(writer: &mut Writer<'_, 'c>, view: View<'c>, taken: &[&str]) {
    let own = |host: &str| taken.iter().any(|other| std::ptr::eq(other.as_ptr(), host.as_ptr()));
    let mut shown = view.group.baseline.is_none();
    for service in &view.group.services {
        if own(&service.host) {
            let (routes, shows) = routes(writer, view, &service.host);
            shown |= shows;
            let aliases = service.aliases.iter().filter(|alias| !short_names(&lower(&service.host)).contains(&lower(alias)));
            let hosts: Vec<String> = std::iter::once(&service.host).chain(aliases).map(|host| lower(host)).collect();
            if routes.is_empty() {
                continue;
            }
            let short = kubernetes(&service.host);
            let base = format!("{}-{}", slug(&view.group.name), slug(short.map_or(&service.host, |(name, _)| name)));
            let meta = writer.metadata(&format!("{base}-lanes"), Some(view), short.map(|(_, namespace)| namespace));
            writer.push("networking.istio.io/v1", "VirtualService", meta, json!({ "hosts": hosts, "http": routes }));
        }
    }
    if !shown {
        let message = "rules take every call without a lane, so no route says which lane is the baseline";
        writer.report.lost(&view.path().field("baseline"), message, "let one service have no rule of hops that holds for every call");
    }
}

/// The routes of a service, and whether they show which lane is the baseline.
fn routes<'c>(writer: &mut Writer<'_, 'c>, view: View<'c>, host: &str) -> (Vec<Value>, bool) {
    let mut routes = Vec::new();
    if !view.permissive() {
        own_lane(writer, view, host, &mut routes);
    }
    by_header(writer, view, host, &mut routes);
    if view.permissive() {
        own_lane(writer, view, host, &mut routes);
    }
    let mut all_taken = false;
    for rule in view.rules(At::Hop).filter(|rule| view::same_host(&rule.service, host)) {
        if rule.hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|host| host == "*")) {
            let path = view.rule_path(&rule.name).field("hosts");
            writer.report.lost(
                &path,
                "inside the mesh a VirtualService is chosen by the called host alone",
                "ask for the host at the gateway only",
            );
            continue;
        }
        let written = writer.rule(view, rule, Side::Mesh, &[]);
        all_taken = written.iter().any(|route| route.get("match").is_none());
        routes.extend(written);
        if all_taken {
            break;
        }
    }
    if let Some(baseline) = view.baseline().filter(|_| !all_taken)
        && let Some(to) = writer.lane(view, host, baseline, None, &[], &view.path())
    {
        routes.push(to);
    }
    let shows = !all_taken || view.unknown() != UnknownLane::Reject;
    (routes, shows)
}

/// The guiding header names the lane, an ancestor of which there is none, or nothing that is known.
fn by_header<'c>(writer: &mut Writer<'_, 'c>, view: View<'c>, host: &str, routes: &mut Vec<Value>) {
    let guiding = view.guiding().to_ascii_lowercase();
    let asks = |wanted: Value| json!([{ "headers": { (&*guiding): wanted } }]);
    let mut add = |requests: Value, to: Option<Value>| {
        if let Some(Value::Object(to)) = to {
            let mut route = Map::from_iter([("match".to_owned(), requests)]);
            route.extend(to);
            routes.push(route.into());
        }
    };
    for lane in &view.group.lanes {
        let to = writer.lane(view, host, lane, None, &[], &view.lane_path(&lane.name));
        add(asks(json!({ "exact": lane.name })), to);
    }
    if view.unknown() == UnknownLane::NearestAncestor {
        let mut lanes: Vec<&Lane> = view.group.lanes.iter().collect();
        lanes.sort_by_key(|lane| std::cmp::Reverse(lane.name.len()));
        for lane in lanes {
            let to = writer.lane(view, host, lane, Some(&lane.name), &[], &view.lane_path(&lane.name));
            add(asks(json!({ "prefix": format!("{}.", lane.name) })), to);
        }
    }
    // An empty value counts as absent.
    let any = asks(json!({ "regex": ".+" }));
    match (view.unknown(), view.baseline()) {
        (UnknownLane::Baseline | UnknownLane::NearestAncestor, Some(baseline)) => {
            add(any, writer.lane(view, host, baseline, Some(&baseline.name), &[], &view.path()));
        }
        _ => add(any, Some(json!({ "directResponse": { "status": 404 } }))),
    }
}

/// The caller's own lane, known by the labels of its workload.
fn own_lane<'c>(writer: &mut Writer<'_, 'c>, view: View<'c>, host: &str, routes: &mut Vec<Value>) {
    let mut seen: Vec<Value> = Vec::new();
    for lane in &view.group.lanes {
        let own = json!({ view.tag_label(): service_tag(lane) });
        if seen.contains(&own) {
            continue;
        }
        seen.push(own.clone());
        // In permissive mode the baseline as own lane counts as none, and so does a lane behind it of the same tag.
        if view.permissive() && view.group.baseline.as_deref() == Some(&lane.name) {
            continue;
        }
        if !lane.labels.is_empty() {
            let path = view.lane_path(&lane.name).field("labels");
            let message = format!("a caller is known to be of lane `{}` by its service tag alone", lane.name);
            writer.report.lost(&path, message, "give the lane's workloads the service tag, and no other labels here");
        }
        if let Some(Value::Object(to)) = writer.lane(view, host, lane, Some(&lane.name), &[], &view.lane_path(&lane.name)) {
            let mut route = Map::from_iter([("match".to_owned(), json!([{ "sourceLabels": own }]))]);
            route.extend(to);
            routes.push(route.into());
        }
    }
}
