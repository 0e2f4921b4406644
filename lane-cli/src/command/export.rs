//! `lane export`: a configuration as the resources of a mesh.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lane_core::diagnostic::Severity;
use lane_formats::mesh::{self, Endpoint, EnvoyOptions, ExportOptions, MeshFormat, Report};

use crate::{
    failure::{Exit, Failure, Outcome},
    findings,
    source::Source,
    streams::Streams,
};

/// What the command does, for `--help`.
pub(super) const ABOUT: &str = "\
    Writes a configuration as the resources of a mesh that enforces it, and reports on standard error what the mesh cannot do, \
    does almost, or needs besides. What would decide otherwise in the mesh is an error, and nothing is written, unless `--lossy` \
    asks for what is left.\n\n\
    istio: for each group a TrafficLabel; for each service a DestinationRule with a subset for each lane and a VirtualService \
    that matches the guiding header, with ASM's `fallback`; a VirtualService for each set of hosts at a gateway; ASM's \
    ASMHeaderPropagation for a baggage context. asm: an ASMSwimLaneGroup and its ASMSwimLanes. gateway-api: HTTPRoutes, and a \
    Service for each subset. envoy: routes and clusters of a stock Envoy.";

/// Arguments of `lane export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lane export istio lanes.yaml > mesh.yaml
  lane export istio --upstream lanes.yaml | kubectl apply --dry-run=server -f -
  lane export asm lanes.yaml
  lane export gateway-api --lossy --group shop lanes.yaml
  lane export envoy --with-listeners lanes.yaml > envoy.yaml && envoy -c envoy.yaml
  lane export envoy --with-listeners --endpoint mocka.svc/v1=127.0.0.1:8081 lanes.yaml
  lane export envoy --module lanes.yaml

Exit codes: 0 written, 1 errors in the configuration or things that the mesh cannot do,
2 bad usage or unreadable input. `lane explain LANE0701` says more about one kind of note.")]
pub struct Export {
    /// What to write
    format: ExportFormat,
    /// Configuration; `-` is standard input
    file: PathBuf,
    /// Only this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// A gateway, NAME or NAMESPACE/NAME, for groups that name none; may be repeated [default: istio-system/ingressgateway]
    #[arg(long = "gateway", value_name = "GATEWAY")]
    gateways: Vec<String>,
    /// Namespace of the resources [default: that of the first service's host]
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// istio: leave out what only ASM has, and say what is lost
    #[arg(long)]
    upstream: bool,
    /// envoy: write a whole bootstrap, which runs at once
    #[arg(long)]
    with_listeners: bool,
    /// envoy: an endpoint of a subset, for --with-listeners; may be repeated. Other subsets answer with what reached them
    #[arg(long = "endpoint", value_name = "SERVICE/LANE=IP:PORT", value_parser = endpoint, requires = "with_listeners")]
    endpoints: Vec<Endpoint>,
    /// envoy: the address on which --with-listeners listens
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    listen: std::net::IpAddr,
    /// envoy: the cluster of requests that are none of the lanes' business [default: they get 404]
    #[arg(long, value_name = "CLUSTER")]
    pass_cluster: Option<String>,
    /// envoy: let lane's dynamic module decide, instead of routes [default NAME: lane_envoy]
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "lane_envoy")]
    module: Option<String>,
    /// envoy: a header that gives the roll of splits without a key, for tests
    #[arg(long, value_name = "HEADER")]
    roll_header: Option<String>,
    /// Write what is left where the mesh cannot do all of it; losses are warnings
    #[arg(long)]
    lossy: bool,
    /// Report as JSON objects, one a line, on standard error
    #[arg(long)]
    json: bool,
}

/// Reads `SERVICE/LANE=IP:PORT`.
fn endpoint(text: &str) -> Result<Endpoint, String> {
    let parts = text.split_once('=').and_then(|(subset, address)| Some((subset.rsplit_once('/')?, address)));
    let ((service, lane), address) = parts.ok_or("write SERVICE/LANE=IP:PORT")?;
    let address: std::net::SocketAddr = address.parse().map_err(|_| format!("`{address}` is no IP:PORT"))?;
    Ok(Endpoint { service: service.into(), lane: lane.into(), address: Some((address.ip().to_string(), address.port())), healthy: true })
}

/// What can be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExportFormat {
    /// Istio, with what ASM adds to it
    Istio,
    /// ASM's lane group and lanes
    Asm,
    /// Gateway API
    GatewayApi,
    /// Envoy
    Envoy,
}

impl From<ExportFormat> for MeshFormat {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Istio => Self::Istio,
            ExportFormat::Asm => Self::Asm,
            ExportFormat::GatewayApi => Self::GatewayApi,
            ExportFormat::Envoy => Self::Envoy,
        }
    }
}

impl Export {
    /// Runs the command.
    pub fn run(&self, streams: &mut Streams<'_>) -> Outcome {
        let source = Source::read(&self.file, streams)?;
        let loaded = source.load_or_report(streams)?;
        let options = ExportOptions {
            group: self.group.clone(),
            gateways: self.gateways.clone(),
            namespace: self.namespace.clone(),
            upstream: self.upstream,
            with_listeners: self.with_listeners,
            envoy: EnvoyOptions {
                address: self.listen.to_string(),
                endpoints: self.endpoints.clone(),
                pass_cluster: self.pass_cluster.clone(),
                module: self.module.clone(),
                roll_header: self.roll_header.clone(),
                ..EnvoyOptions::default()
            },
            lossy: self.lossy,
        };
        let mut exported = mesh::export(&loaded.config, self.format.into(), &options);
        exported.report.locate(&source.text(), &loaded.places);
        tell(&exported.report, std::slice::from_ref(&source), self.json, streams)?;
        if exported.report.has_errors() {
            return Ok(Exit::Findings);
        }
        let yaml = exported.to_yaml().map_err(|error| Failure::new(format!("cannot write YAML: {error}")))?;
        write!(streams.out, "{yaml}")?;
        Ok(Exit::Done)
    }
}

/// Reports on standard error, as `lane check` does on standard output.
pub(super) fn tell(report: &Report, sources: &[Source], json: bool, streams: &mut Streams<'_>) -> Result<(), Failure> {
    streams.out.flush()?;
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    if json {
        for note in &report.notes {
            writeln!(streams.err, "{}", note.to_json(&names))?;
        }
        return Ok(());
    }
    let nowhere = Source::nowhere();
    for (file, source) in std::iter::once((None, &nowhere)).chain(sources.iter().enumerate().map(|(file, source)| (Some(file), source))) {
        let here = report.notes.iter().filter(|note| note.place.as_ref().map(|place| place.file) == file);
        findings::draw_pictures(here.map(Into::into), source, streams.err, streams.colours.err)?;
    }
    let severities: Vec<Severity> = report.notes.iter().map(|note| note.severity).collect();
    if !severities.is_empty() {
        writeln!(streams.err, "{}", findings::summary_of(severities))?;
    }
    if report.notes.iter().any(|note| note.severity == Severity::Error && note.code.is_loss()) {
        streams.note("`--lossy` makes of losses warnings, and writes what is left")?;
    }
    Ok(())
}
