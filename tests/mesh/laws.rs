//! What is exported and read back decides as before, unless the export said what it lost.
//!
//! Left out are requests that no mesh can tell apart or that never reach one: several lines of a guiding header, no
//! method or path, paths that do not begin with `/`, names that the configuration does not know, and records that do not show every header.

use lane_core::{Options, diagnostic::Severity};
use lane_formats::{
    Format, Loaded, load,
    mesh::{self, ExportOptions, Exported, ImportOptions, Input, MeshFormat},
    request::Ask,
};
use lane_tests::generate::{self, Rng};
use serde_json::{Value, json};

use crate::plain;

const REQUESTS: usize = 60;

fn loaded(config: &Value) -> Loaded {
    load(&config.to_string(), Format::Json, &Options::default()).unwrap_or_else(|refused| panic!("{refused}\n{config}"))
}

fn exported(config: &Loaded, format: MeshFormat) -> Exported {
    let gateways = ["gw1", "gw2", "gw3"].map(str::to_owned).to_vec();
    mesh::export(&config.config, format, &ExportOptions { gateways, lossy: true, ..ExportOptions::default() })
}

/// Whether the export said of no decision that it is lost; the caller's own lane is left out of what is asked.
fn lossless(exported: &Exported) -> bool {
    exported
        .report
        .notes
        .iter()
        .all(|note| !(note.code.is_loss() || note.code == mesh::Code::Approximated) || note.message.contains("the caller's own lane"))
}

/// Reads an export back; what is exported without loss is read without a note that weighs.
fn imported(exported: &Exported, format: MeshFormat) -> Result<Option<Loaded>, String> {
    let text = exported.to_yaml().unwrap();
    let lossless = lossless(exported);
    let imported =
        mesh::import(&[Input { name: "mesh.yaml", text: &text }], format, &ImportOptions { lossy: !lossless, ..ImportOptions::default() });
    if lossless {
        let notes: Vec<String> =
            imported.report.notes.iter().filter(|note| note.severity == Severity::Error).map(ToString::to_string).collect();
        if !notes.is_empty() {
            return Err(format!("exported without loss, and not read back: {notes:#?}"));
        }
    }
    let Some(yaml) = imported.to_yaml().unwrap() else { return Ok(None) };
    match load(&yaml, Format::Yaml, &Options::default()) {
        Ok(loaded) => Ok(Some(loaded)),
        Err(refused) => Err(format!("the import does not compile: {refused}")),
    }
}

/// The request, where a mesh could tell it from others.
fn telling(config: &Value, request: &Value, format: MeshFormat) -> Option<Value> {
    let mut request = request.clone();
    if format == MeshFormat::GatewayApi {
        request.as_object_mut()?.remove("source");
    }
    let guiding: Vec<String> = config["groups"]
        .as_array()?
        .iter()
        .map(|group| group["guiding_header"].as_str().unwrap_or("x-asm-prefer-tag").to_ascii_lowercase())
        .collect();
    let lines = request["headers"].as_array().cloned().unwrap_or_default();
    let several = guiding
        .iter()
        .any(|name| lines.iter().filter(|line| line[0].as_str().is_some_and(|header| header.eq_ignore_ascii_case(name))).count() > 1);
    let elsewhere = request.pointer("/ingress/gateway").is_some_and(|name| !["gw1", "gw2", "gw3"].iter().any(|known| name == known));
    if several || elsewhere || request.get("recorded").is_some() || request.get("inbound").is_some() {
        return None;
    }
    if request.get("method").is_none() {
        request["method"] = json!("GET");
    }
    if !request["path"].as_str().is_some_and(|path| path.starts_with('/')) {
        request["path"] = json!(format!("/{}", request["path"].as_str().unwrap_or_default()));
    }
    Some(request)
}

/// What a mesh does about a request: everything of the decision but the names of rules.
fn done(decision: &Value) -> Value {
    let routed = ["routed", "fell_back"].contains(&decision["outcome"].as_str().unwrap_or_default());
    let mut fields = vec!["outcome", "status", "group", "lane", "subset", "fallback", "reason"];
    if routed {
        fields.extend(["set_headers", "remove_headers", "set_cookie", "remember"]);
    }
    let mut done: Value = fields.iter().map(|field| ((*field).to_owned(), decision[*field].clone())).collect();
    done["service"] = json!(decision["service"].as_str().map(str::to_ascii_lowercase));
    // Nothing decided: which of the two it is depends on hosts that the mesh has no rule for.
    if decision["outcome"] == "pass" || decision["outcome"] == "no_route" {
        done = json!({ "outcome": "none" });
    }
    done
}

/// Compares original and import on requests; tells the first that differs.
fn difference(config: &Value, one: &Loaded, other: &Loaded, format: MeshFormat, seed: u64) -> Option<String> {
    let mut rng = Rng::new(seed ^ 0x5eed);
    for _ in 0..REQUESTS {
        let request = generate::request(config, &mut rng);
        let Some(request) = telling(config, &request, format) else { continue };
        let Ok(ask) = Ask::from_value(&request) else { continue };
        let Ok(answer) = ask.answer(&one.router) else { continue };
        let wanted = serde_json::to_value(answer).unwrap();
        // A name that is no service's may be one of another group, or a short name that the mesh knows.
        if request.get("hop").is_some() && wanted["outcome"] == "pass" {
            continue;
        }
        let given = ask.answer(&other.router).map(|answer| serde_json::to_value(answer).unwrap());
        let given = given.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        if done(&given) != done(&wanted) {
            return Some(format!("request {request}\nwanted {}\ngiven  {}\nwhole  {given}", done(&wanted), done(&given)));
        }
    }
    None
}

/// Tries a configuration; whether it was exported without loss.
fn try_one(config: &Value, format: MeshFormat, seed: u64) -> Result<bool, String> {
    let one = loaded(config);
    let exported = exported(&one, format);
    let lossless = lossless(&exported);
    let about = |problem: String| {
        let yaml = exported.to_yaml().unwrap();
        format!("{} seed {seed}\n{config}\n{problem}\n{yaml}", format.name())
    };
    match imported(&exported, format).map_err(about)? {
        None if lossless && !exported.documents.is_empty() => Err(about("exported without loss, and nothing read back".into())),
        None => Ok(lossless),
        Some(other) => match difference(config, &one, &other, format, seed).filter(|_| lossless) {
            Some(difference) => Err(about(format!(
                "decides otherwise, and no loss was told\n{difference}\n{}",
                serde_json::to_string(&other.config).unwrap()
            ))),
            None => Ok(lossless),
        },
    }
}

/// The groups by themselves, each with one of its rules: what is lost in one does not hide the others.
fn pieces(config: &Value) -> Vec<Value> {
    let mut pieces = Vec::new();
    for group in config["groups"].as_array().unwrap() {
        let rules = group["rules"].as_array().cloned().unwrap_or_default();
        for rule in rules {
            let mut group = group.clone();
            group["rules"] = json!([rule]);
            for field in ["header_values", "trust_client", "keep_lane"] {
                group.as_object_mut().unwrap().remove(field);
            }
            if let Some(services) = group["services"].as_array_mut() {
                services.iter_mut().for_each(|service| drop(service.as_object_mut().unwrap().remove("min_healthy_percent")));
            }
            pieces.push(json!({ "version": 1, "groups": [group] }));
        }
    }
    pieces
}

fn law(format: MeshFormat, config: fn(u64) -> Value, count: u64, least: u64) {
    let (mut plain, mut wild, mut failures) = ((0, 0), (0, 0), Vec::new());
    let mut count_one = |config: &Value, seed: u64, counts: &mut (u64, u64)| {
        counts.0 += 1;
        match try_one(config, format, seed) {
            Ok(lossless) => counts.1 += u64::from(lossless),
            Err(failure) => failures.push(failure),
        }
    };
    for seed in 0..count {
        count_one(&config(seed), seed, &mut plain);
        // Most of what these ask no mesh can do, so one in three will do.
        if seed % 3 != 0 {
            continue;
        }
        let config = generate::config(seed);
        for config in std::iter::once(config.clone()).chain(pieces(&config)) {
            count_one(&config, seed, &mut wild);
        }
    }
    println!(
        "{}: {} of {} plain and {} of {} wild configurations were exported without loss",
        format.name(),
        plain.1,
        plain.0,
        wild.1,
        wild.0
    );
    failures.sort_by_key(String::len);
    if let Some(folder) = std::env::var_os("LANE_MESH_FAILURES") {
        failures.iter().enumerate().for_each(|(index, failure)| {
            std::fs::write(std::path::Path::new(&folder).join(format!("{}-{index:03}", format.name())), failure).unwrap();
        });
    }
    assert!(failures.is_empty(), "{} failures, the shortest:\n{}", failures.len(), failures[0]);
    assert!(plain.1 * 100 >= plain.0 * least, "{} of {} plain configurations are too few", plain.1, plain.0);
}

#[test]
fn asm_decides_as_before() {
    law(MeshFormat::Asm, plain::asm, 600, 60);
}

#[test]
fn istio_decides_as_before() {
    law(MeshFormat::Istio, plain::istio, 600, 60);
}

/// But for the caller's own lane, of which the Gateway API never knows: requests say nothing of their callers.
#[test]
fn gateway_api_decides_as_before() {
    law(MeshFormat::GatewayApi, plain::gateway_api, 600, 30);
}
