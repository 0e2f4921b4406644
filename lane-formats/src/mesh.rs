//! Lanes as the resources of a mesh that enforces them, and back: Istio, ASM, Gateway API, Envoy.
//!
//! [`export`] turns a configuration into documents, [`import`] resources into a configuration. Both tell in a
//! [`Report`] what the other side cannot say: a thing is never left out silently. What would change a decision is an
//! error, unless losses are asked for ([`ExportOptions::lossy`], [`ImportOptions::lossy`]); then it is a warning.
//! All of it works on [`Config`], which is plain data; the router is asked only whether it takes what was imported.

use lane_core::{
    config::Config,
    diagnostic::{FieldPath, Severity},
};
use serde_json::Value;

mod asm;
mod envoy;
mod flat;
mod gateway_api;
mod istio;
mod read;
mod report;
mod view;

pub use envoy::{Endpoint, EnvoyOptions};
pub use report::{Code, Note, Place, Report};

/// What can be written, and read except for [`Envoy`](Self::Envoy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeshFormat {
    /// Istio's VirtualService and DestinationRule, with ASM's TrafficLabel, ASMHeaderPropagation and `fallback`.
    Istio,
    /// ASM's ASMSwimLaneGroup and ASMSwimLane.
    Asm,
    /// The Gateway API's HTTPRoute.
    GatewayApi,
    /// Routes and clusters of a stock Envoy.
    Envoy,
}

impl MeshFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Istio, Self::Asm, Self::GatewayApi, Self::Envoy];

    /// The name on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Istio => "istio",
            Self::Asm => "asm",
            Self::GatewayApi => "gateway-api",
            Self::Envoy => "envoy",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// How to export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Only this group. Default: all.
    pub group: Option<String>,
    /// The gateways of groups that name none, as `NAME` or `NAMESPACE/NAME`. Default: `ingressgateway`.
    pub gateways: Vec<String>,
    /// The namespace of the resources. Default: that of the first service's host, or `default`.
    pub namespace: Option<String>,
    /// Istio: only what upstream Istio has.
    pub upstream: bool,
    /// Envoy: a whole bootstrap with listeners.
    pub with_listeners: bool,
    /// Envoy: addresses, endpoints and the like.
    pub envoy: EnvoyOptions,
    /// Losses are warnings.
    pub lossy: bool,
}

/// What an export gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The documents, in the order in which they are applied. With errors in the report they are not what was asked for.
    pub documents: Vec<Value>,
    /// What the documents do not say.
    pub report: Report,
}

impl Exported {
    /// The documents as YAML.
    ///
    /// # Errors
    ///
    /// None that is known: documents are plain JSON values.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        // Long texts stay on one line: patterns hold blanks, and folding them would be right but hard to read.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        serde_saphyr::to_string_multiple_with_options(&self.documents, options).map_err(|error| YamlError(error.to_string()))
    }
}

/// A configuration as documents of a mesh. The configuration must be one that compiles.
#[must_use]
pub fn export(config: &Config, format: MeshFormat, options: &ExportOptions) -> Exported {
    let mut report = Report::new(options.lossy);
    let Some(config) = chosen(config, options, &mut report) else { return Exported { documents: Vec::new(), report } };
    let documents = match format {
        MeshFormat::Istio => istio::export(&config, options, &mut report),
        MeshFormat::Asm => asm::export(&config, options, &mut report),
        MeshFormat::GatewayApi => gateway_api::export(&config, options, &mut report),
        MeshFormat::Envoy => envoy::export(&config, options, &mut report),
    };
    Exported { documents, report }
}

/// The configuration with the group that is asked for, at its place, so that paths lead to it.
fn chosen<'c>(config: &'c Config, options: &ExportOptions, report: &mut Report) -> Option<std::borrow::Cow<'c, Config>> {
    let Some(name) = &options.group else { return Some(std::borrow::Cow::Borrowed(config)) };
    if config.groups.iter().any(|group| group.name == *name) {
        let all = config.groups.len();
        let mut config = config.clone();
        report.keep_places(config.groups.iter().position(|group| group.name == *name));
        config.groups.retain(|group| group.name == *name);
        if all > 1 {
            let message = format!(
                "the other groups are left out: their context is not removed from requests that `{name}` takes, and their rules come neither before nor after"
            );
            report.approximated(&FieldPath::root().field("groups").index(0), message, "export all groups, where they share a gateway");
        }
        return Some(std::borrow::Cow::Owned(config));
    }
    let names = config.groups.iter().map(|group| group.name.as_str());
    let help = lane_core::diagnostic::did_you_mean(name, names.clone());
    let help = help.unwrap_or_else(|| format!("the configuration has {}", report::listed(names)));
    let path = FieldPath::root().field("groups");
    report.add(Note::new(Code::NothingThere, path, format!("there is no group `{name}`")).help(help));
    None
}

/// A resource file.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t> {
    /// What messages call it.
    pub name: &'t str,
    /// Its text, YAML or JSON, of one or many documents.
    pub text: &'t str,
}

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The name of a group for which the resources have no name. Default: `imported`.
    pub group: Option<String>,
    /// The guiding header, where it cannot be told from the resources.
    pub guiding_header: Option<String>,
    /// Losses are warnings.
    pub lossy: bool,
}

/// What an import gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The configuration; none when there is nothing to make one of. With errors in the report it decides otherwise than the mesh does.
    pub config: Option<Config>,
    /// What it does not say.
    pub report: Report,
}

impl Imported {
    /// The configuration as YAML, if there is one.
    ///
    /// # Errors
    ///
    /// None that is known: a configuration is plain data.
    pub fn to_yaml(&self) -> Result<Option<String>, YamlError> {
        // By way of JSON, so that what is written is what `lane schema` describes.
        let write = |config: &Config| {
            let value = serde_json::to_value(config).map_err(|error| YamlError(error.to_string()))?;
            serde_saphyr::to_string(&value).map_err(|error| YamlError(error.to_string()))
        };
        self.config.as_ref().map(write).transpose()
    }
}

/// Why YAML could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError(String);

impl core::fmt::Display for YamlError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for YamlError {}

/// Resources of a mesh as a configuration.
#[must_use]
pub fn import(inputs: &[Input<'_>], format: MeshFormat, options: &ImportOptions) -> Imported {
    let mut report = Report::new(options.lossy);
    let config = match format {
        MeshFormat::Istio => istio::import(inputs, options, &mut report),
        MeshFormat::Asm => asm::import(inputs, options, &mut report),
        MeshFormat::GatewayApi => gateway_api::import(inputs, options, &mut report),
        MeshFormat::Envoy => {
            let path = FieldPath::root();
            report.add(
                Note::new(Code::NothingThere, path, "Envoy's configuration is written, not read")
                    .help("import the resources that it was made from"),
            );
            None
        }
    };
    let config = config.filter(|config| compiles(config, &mut report));
    Imported { config, report }
}

/// Whether the configuration is one that lane takes; a note for each reason why not.
fn compiles(config: &Config, report: &mut Report) -> bool {
    let Err(error) = lane_core::Router::compile(config, &lane_core::Options::default()) else { return true };
    for diagnostic in error.diagnostics.into_iter().filter(|diagnostic| diagnostic.severity() == Severity::Error) {
        let message = format!("lane would refuse what the resources say: {diagnostic}");
        let mut note = Note::new(Code::Malformed, FieldPath::root(), message);
        note.help = diagnostic.help;
        report.add(note);
    }
    false
}
