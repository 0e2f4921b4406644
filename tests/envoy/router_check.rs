//! The cases of Envoy's own `router_check` tool, asked of lane by way of the importer.

use std::collections::BTreeMap;

use lane_core::{Options, Router};
use lane_formats::{
    Format,
    request::{Ask, Place},
};
use serde_json::Value;

use crate::importer::{self, Imported, Route};

/// What became of the cases.
#[derive(Debug, Default)]
pub struct Outcome {
    pub checked: usize,
    /// Expectations that were compared.
    pub compared: usize,
    /// Why others could not be.
    pub passed_over: BTreeMap<String, usize>,
    pub wrong: Vec<String>,
}

pub fn run() -> Outcome {
    let data: Value = serde_json::from_str(include_str!("data/router_check.json")).unwrap();
    let mut outcome = Outcome::default();
    for case in data["cases"].as_array().unwrap() {
        if let Err(reason) = check(&data["routes"], case, &mut outcome) {
            *outcome.passed_over.entry(reason).or_default() += 1;
        }
    }
    outcome
}

fn check(routes: &Value, case: &Value, outcome: &mut Outcome) -> Result<(), String> {
    let configuration = &routes[case["routes"].as_str().unwrap()];
    let imported = importer::routes(configuration)?;
    let ask = ask(&case["request"])?;
    let met = lane(&imported, &ask).map(|lane| imported.lanes[&lane].clone());
    let counted = match importer::virtual_clusters(configuration)? {
        Some(imported) => lane(&imported, &ask).and_then(|lane| imported.lanes[&lane].cluster.clone()),
        None => None,
    };
    let needs_tls = met.as_ref().is_some_and(|met| met.host.get("require_tls").is_some()) && case["request"]["ssl"] != true;
    if needs_tls {
        return Err("a redirect to TLS".into());
    }

    let before = outcome.compared;
    for (key, wanted) in case["expect"].as_object().unwrap() {
        let Some(got) = answer(key, met.as_ref(), counted.as_deref(), &ask) else { continue };
        let wanted = match wanted.as_str() {
            // Where it leads is no matter of lanes, only whether it does.
            Some(target) if key == "path_redirect" => (!target.is_empty()).to_string(),
            Some(text) => text.to_owned(),
            None => wanted.to_string(),
        };
        outcome.compared += 1;
        if got != wanted {
            outcome.wrong.push(format!("{} {}: {key}: wanted {wanted}, got {got}", case["file"], case["name"]));
        }
    }
    if outcome.compared == before {
        return Err("only headers of responses and of rewritten requests".into());
    }
    outcome.checked += 1;
    Ok(())
}

fn ask(request: &Value) -> Result<Ask, String> {
    if request.get("dynamic_metadata").is_some() {
        return Err("dynamic metadata".into());
    }
    let mut ask = Ask::new(Place::Ingress { gateway: "edge".into() });
    let text = |field: &str| request[field].as_str().map(Into::into);
    (ask.method, ask.authority, ask.path) = (text("method"), text("authority"), text("path"));
    for header in request["additional_request_headers"].as_array().into_iter().flatten() {
        ask.headers.push((header["key"].as_str().unwrap().to_owned(), header["value"].as_str().unwrap().into()));
    }
    ask.roll = Some(request["random_value"].as_u64().unwrap_or(0));
    Ok(ask)
}

/// The lane that the request comes into.
fn lane(imported: &Imported, ask: &Ask) -> Option<String> {
    let loaded = lane_formats::load(&imported.config.to_string(), Format::Json, &Options::default());
    let router: Router = loaded.unwrap_or_else(|refused| panic!("{:#?}\n{}", refused.findings, imported.config)).router;
    let decision = serde_json::to_value(ask.answer(&router).unwrap()).unwrap();
    decision["lane"].as_str().map(str::to_owned)
}

/// What an expectation is compared with; none for what lanes have no part in.
fn answer(key: &str, met: Option<&Route>, counted: Option<&str>, ask: &Ask) -> Option<String> {
    let route = met.and_then(|met| met.route.as_ref());
    let action = route.and_then(|route| route.get("route"));
    let path = ask.path.as_ref()?.as_str()?;
    Some(match key {
        "cluster_name" => met.and_then(|met| met.cluster.clone()).unwrap_or_default(),
        "virtual_host_name" => action.and(met).map(|met| met.host["name"].as_str().unwrap_or_default().to_owned()).unwrap_or_default(),
        "virtual_cluster_name" => action.and(counted).unwrap_or_default().to_owned(),
        "host_rewrite" => {
            let authority = ask.authority.as_ref()?.as_str()?;
            action.map(|action| action["host_rewrite_literal"].as_str().unwrap_or(authority).to_owned()).unwrap_or_default()
        }
        "path_rewrite" => action.map(|action| rewritten(action, &route.unwrap()["match"], path)).unwrap_or_default(),
        "path_redirect" => (route.is_some() && action.is_none()).to_string(),
        "code_redirect" => match (&route?["direct_response"]["status"], route?["redirect"]["response_code"].as_str()) {
            (Value::Null, Some("FOUND")) => "302".into(),
            (Value::Null, _) => "301".into(),
            (status, _) => status.to_string(),
        },
        _ => return None,
    })
}

fn rewritten(action: &Value, matches: &Value, path: &str) -> String {
    let matched = matches["path"].as_str().or(matches["prefix"].as_str()).map_or(0, str::len);
    match action["prefix_rewrite"].as_str() {
        Some(rewrite) => format!("{rewrite}{}", path.get(matched..).unwrap_or_default()),
        None => path.to_owned(),
    }
}
