//! Envoy's RouteConfiguration as a lane configuration, for tests: each route becomes a rule that leads into a lane of its
//! own, each weighted cluster one into several. What lane has no word for is an error that says which field it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The only service.
pub const SERVICE: &str = "upstream.test";

/// A route configuration as lanes.
#[derive(Debug)]
pub struct Imported {
    pub config: Value,
    /// What each lane stands for.
    pub lanes: BTreeMap<String, Route>,
}

/// A route, and the weighted cluster of it.
#[derive(Clone, Debug)]
pub struct Route {
    pub host: Value,
    /// None for a request that meets the virtual host and none of its routes.
    pub route: Option<Value>,
    pub cluster: Option<String>,
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The routes.
pub fn routes(configuration: &Value) -> Result<Imported, String> {
    let mut import = Import::default();
    // Envoy takes one virtual host, the one with the most exact domain, and no other where none of its routes matches.
    let hosts = list(&configuration["virtual_hosts"]).iter().enumerate();
    let mut domains: Vec<(&str, usize, &Value)> = hosts
        .flat_map(|(number, host)| list(&host["domains"]).iter().filter_map(move |domain| Some((domain.as_str()?, number, host))))
        .collect();
    domains.sort_by_key(|(domain, ..)| (domain.starts_with('*'), std::cmp::Reverse(domain.len())));
    for (domain, number, host) in domains {
        if domain.trim_start_matches("*.").contains(['*', ':']) && domain != "*" {
            return Err(format!("the domain `{domain}`"));
        }
        for (index, route) in list(&host["routes"]).iter().enumerate() {
            let entry = matching(&route["match"])?;
            import.route(domain, &format!("v{number}.r{index}"), host, route, entry)?;
        }
        let lane = format!("v{number}.none");
        import.lane(&lane, Route { host: host.clone(), route: None, cluster: None });
        import.rule(domain, json!({}), json!({ "lane": lane }));
    }
    Ok(import.finish())
}

/// The virtual clusters, by which Envoy counts requests: first match, `other` without one.
pub fn virtual_clusters(configuration: &Value) -> Result<Option<Imported>, String> {
    let mut import = Import::default();
    let mut found = false;
    for host in list(&configuration["virtual_hosts"]) {
        for domain in list(&host["domains"]).iter().filter_map(Value::as_str) {
            for cluster in list(&host["virtual_clusters"]) {
                found = true;
                let name = cluster["name"].as_str().ok_or("a virtual cluster without name")?;
                let entry = matching(&json!({ "headers": cluster["headers"] }))?;
                import.lane(name, Route { host: host.clone(), route: None, cluster: Some(name.into()) });
                import.rule(domain, entry, json!({ "lane": name }));
            }
            import.lane("other", Route { host: host.clone(), route: None, cluster: Some("other".into()) });
            if host.get("virtual_clusters").is_some() {
                import.rule(domain, json!({}), json!({ "lane": "other" }));
            }
        }
    }
    Ok(found.then(|| import.finish()))
}

#[derive(Default)]
struct Import {
    rules: Vec<Value>,
    lanes: BTreeMap<String, Route>,
}

impl Import {
    fn lane(&mut self, name: &str, route: Route) {
        self.lanes.insert(name.to_owned(), route);
    }

    fn rule(&mut self, domain: &str, entry: Value, action: Value) {
        let mut rule = json!({ "name": format!("r{}", self.rules.len()), "hosts": [domain], "service": SERVICE, "match": [entry] });
        rule.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        self.rules.push(rule);
    }

    fn route(&mut self, domain: &str, lane: &str, host: &Value, route: &Value, entry: Value) -> Result<(), String> {
        let action = &route["route"];
        for field in ["cluster_header", "cluster_specifier_plugin", "inline_cluster_specifier_plugin"] {
            if action.get(field).is_some() {
                return Err(format!("`{field}`"));
            }
        }
        let known = |cluster: Option<&Value>| Route {
            host: host.clone(),
            route: Some(route.clone()),
            cluster: cluster.and_then(Value::as_str).map(str::to_owned),
        };
        let Some(weighted) = action.get("weighted_clusters") else {
            self.lane(lane, known(action.get("cluster")));
            self.rule(domain, entry, json!({ "lane": lane }));
            return Ok(());
        };
        let mut split = Vec::new();
        for (index, cluster) in list(&weighted["clusters"]).iter().enumerate() {
            let name = format!("{lane}.w{index}");
            split.push(json!({ "lane": name, "weight": cluster["weight"] }));
            self.lane(&name, known(cluster.get("name")));
        }
        self.rule(domain, entry, json!({ "split": split }));
        Ok(())
    }

    fn finish(self) -> Imported {
        let lanes: Vec<Value> = self.lanes.keys().map(|name| json!({ "name": name })).collect();
        let group = json!({ "name": "envoy", "mode": "strict", "services": [{ "host": SERVICE }], "lanes": lanes, "rules": self.rules });
        Imported { config: json!({ "version": 1, "groups": [group] }), lanes: self.lanes }
    }
}

/// A RouteMatch as an entry of `match`.
fn matching(matches: &Value) -> Result<Value, String> {
    let mut all: Vec<Value> = Vec::new();
    let fold = matches["case_sensitive"] == false;
    let folded = |matcher: Value| if fold { json!({ "ignore_case": matcher }) } else { matcher };
    for (field, value) in matches.as_object().into_iter().flatten() {
        match field.as_str() {
            "prefix" if value == "/" || value == "" => {}
            "prefix" => all.push(json!({ "path": folded(json!({ "prefix": value })) })),
            "path" => all.push(json!({ "path": folded(json!({ "exact": value })) })),
            "path_separated_prefix" if !fold => all.push(json!({ "path": { "segments": value } })),
            "safe_regex" => all.push(json!({ "path": { "regex": value["regex"] } })),
            "case_sensitive" => {}
            "headers" => all.extend(list(value).iter().map(header).collect::<Result<Vec<_>, _>>()?),
            "query_parameters" => all.extend(list(value).iter().map(parameter).collect::<Result<Vec<_>, _>>()?),
            // The request's content type says that it is gRPC.
            "grpc" => all.push(json!({ "headers": { "content-type": { "regex": r"application/grpc(\+.*)?" } } })),
            other => return Err(format!("`match.{other}`")),
        }
    }
    Ok(json!({ "all": all }))
}

fn header(matcher: &Value) -> Result<Value, String> {
    let name = matcher["name"].as_str().ok_or("a header matcher without name")?;
    let inverted = matcher["invert_match"] == true;
    let mut test = if let Some(string) = matcher.get("string_match") {
        self::string(string)?
    } else if let Some(range) = matcher.get("range_match") {
        json!({ "range": { "min": range["start"], "max": range["end"] } })
    } else {
        let present = matcher.get("present_match").is_none_or(|present| present == true);
        return Ok(json!({ "headers": { name: { "present": present != inverted } } }));
    };
    if inverted {
        test = json!({ "not": test });
    }
    if matcher["treat_missing_header_as_empty"] == true {
        return Err("`treat_missing_header_as_empty`".into());
    }
    Ok(match name {
        // These requests have no query, so the header is the path.
        ":path" => json!({ "path": test }),
        ":method" => json!({ "method": test }),
        name if name.starts_with(':') => return Err(format!("the header `{name}`")),
        _ => json!({ "headers": { name: test } }),
    })
}

fn parameter(matcher: &Value) -> Result<Value, String> {
    let name = matcher["name"].as_str().ok_or("a query matcher without name")?;
    let test = match matcher.get("string_match") {
        Some(string) => self::string(string)?,
        None => json!({ "present": matcher.get("present_match").is_none_or(|present| present == true) }),
    };
    Ok(json!({ "query": { name: test } }))
}

fn string(matcher: &Value) -> Result<Value, String> {
    let mut test = Map::new();
    for (field, value) in matcher.as_object().into_iter().flatten() {
        match field.as_str() {
            "exact" | "prefix" | "suffix" | "contains" => test.insert(field.clone(), value.clone()),
            "safe_regex" => test.insert("regex".into(), value["regex"].clone()),
            "ignore_case" => continue,
            other => return Err(format!("`string_match.{other}`")),
        };
    }
    let test = Value::Object(test);
    Ok(if matcher["ignore_case"] == true { json!({ "ignore_case": test }) } else { test })
}
