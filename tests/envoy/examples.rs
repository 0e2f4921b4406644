//! What a person runs: the examples, exported as YAML, by the words of the README.

use std::{fs, net::TcpListener, path::Path, process::Command};

use lane_core::Options;
use lane_formats::{
    Format, Loaded,
    mesh::{self, EnvoyOptions, ExportOptions, MeshFormat},
};

use crate::proxy::{Client, Envoy, binary, workspace};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"))
}

fn example(path: &Path) -> Loaded {
    lane_formats::load(&fs::read_to_string(path).unwrap(), Format::Yaml, &Options::default()).unwrap()
}

fn bootstrap(path: &Path, envoy: EnvoyOptions) -> String {
    let options = ExportOptions { with_listeners: true, lossy: true, envoy, ..ExportOptions::default() };
    let exported = mesh::export(&example(path).config, MeshFormat::Envoy, &options);
    assert!(!exported.report.has_errors(), "{}", path.display());
    exported.to_yaml().unwrap()
}

/// Envoy takes every example, as routes and with the module.
pub fn validate(modules: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        for module in [None, Some("lane_envoy".to_owned())] {
            let text = bootstrap(&path, EnvoyOptions { module, ..EnvoyOptions::default() });
            let file = workspace().join("example.yaml");
            fs::write(&file, &text).unwrap();
            let mut command = Command::new(binary());
            command.args(["--mode", "validate", "--use-dynamic-base-id", "--log-level", "error", "--config-path"]).arg(&file);
            let output = command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", modules).output().unwrap();
            assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
    }
    count
}

/// The lane table of `permissive.yaml`, asked of Envoy as a person does: no backend runs, and the stand-ins tell what they got.
pub fn table(module: Option<&Path>) -> Vec<String> {
    // Ports that are free now; who takes one meanwhile makes Envoy fail loudly.
    let held: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    let echo = free_run(8);
    drop(held);
    let envoy = EnvoyOptions {
        gateway_port: ports[0],
        sidecar_port: ports[1],
        admin_port: ports[2],
        echo_port: echo,
        module: module.map(|_| "lane_envoy".into()),
        ..EnvoyOptions::default()
    };
    let text = bootstrap(&folder().join("permissive.yaml"), envoy);
    let environment = module.map(|modules| ("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", modules));
    let envoy = Envoy::start_text("permissive", &text, environment.as_slice());

    let ask = |port: u16, host: &str, lane: Option<&str>| {
        let mut lines = vec![("host".to_owned(), host.as_bytes().to_vec())];
        lines.extend(lane.map(|lane| ("baggage".to_owned(), format!("version={lane},user=7").into_bytes())));
        let answer = Client::connect(([127, 0, 0, 1], port).into()).unwrap().send("GET", "/", &lines).unwrap();
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    };
    let mut rows = Vec::new();
    for lane in ["v1", "v2", "v3"] {
        for service in ["mocka", "mockb", "mockc"] {
            rows.push(ask(ports[1], service, Some(lane)));
        }
    }
    // At the gateway a client's lane does not count.
    let entered = ask(ports[0], "shop.example", Some("v9"));
    assert!(["v1", "v2", "v3"].iter().any(|lane| entered == row("mocka", lane, lane)), "{entered}");
    drop(envoy);
    rows
}

/// What the stand-in for a subset answers.
pub fn row(service: &str, serving: &str, lane: &str) -> String {
    format!("{service}.default.svc.cluster.local {serving}\n  version: {lane}\n  baggage: version={lane},user=7\n")
}

/// The first of so many ports in a row that are free.
fn free_run(count: u16) -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (20_000..60_000).step_by(usize::from(count)).find(|first| (*first..*first + count).all(is_free)).unwrap()
}
