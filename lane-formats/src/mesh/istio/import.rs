//! Istio's resources as a configuration. A VirtualService inside the mesh tells who serves which lane; one at a
//! gateway becomes rules; subsets become lanes.
//!
//! Lanes decide by fixed steps (S22, S24) where a VirtualService is any list of routes. So what was understood is
//! compared, route by route, with what the configuration will do; what differs is told.

use lane_core::config::Config;

use self::{
    group::Draft,
    resource::{Subset, Virtual},
};
use crate::mesh::{
    Code, ImportOptions, Input, Report,
    read::{At, Reading},
};

mod gateway;
mod group;
mod hop;
pub(in crate::mesh) mod resource;

pub(in crate::mesh) use resource::string_match;

const KINDS: &[(&str, &str)] = &[
    ("networking.istio.io", "VirtualService"),
    ("networking.istio.io", "DestinationRule"),
    ("istio.alibabacloud.com", "TrafficLabel"),
    ("istio.alibabacloud.com", "ASMHeaderPropagation"),
];

/// Everything that was read.
#[derive(Default)]
pub(in crate::mesh) struct Mesh<'n> {
    pub(in crate::mesh) subsets: Vec<Subset<'n>>,
    pub(in crate::mesh) virtuals: Vec<Virtual<'n>>,
    labels: Vec<Label<'n>>,
    propagated: Vec<Propagated<'n>>,
}

/// A label of a TrafficLabel: a header, and where its value comes from.
struct Label<'n> {
    name: &'n str,
    from: Vec<&'n str>,
}

/// Headers that ASM restores from baggage.
struct Propagated<'n> {
    headers: Vec<&'n str>,
    at: At<'n>,
}

impl Mesh<'_> {
    /// The subset, if a DestinationRule declares it.
    fn subset(&self, host: &str, name: &str) -> Option<&Subset<'_>> {
        self.subsets.iter().find(|subset| subset.host == host && subset.name == name)
    }
}

/// Reads all resources of the files.
pub(in crate::mesh) fn import(inputs: &[Input<'_>], options: &ImportOptions, report: &mut Report) -> Option<Config> {
    let (mut reading, documents) = Reading::new(inputs, report);
    let help = |group: &str, kind: &str| match (group, kind) {
        ("gateway.networking.k8s.io", _) => Some("`lane import gateway-api` reads it".to_owned()),
        (_, "ASMSwimLaneGroup" | "ASMSwimLane") => Some("`lane import asm` reads it".to_owned()),
        _ => None,
    };
    let resources = reading.resources(&documents, KINDS, &help);
    let mut mesh = Mesh::default();
    for resource in &resources {
        match resource.kind {
            "DestinationRule" => {
                for subset in resource::destination_rule(&mut reading, resource) {
                    match mesh.subsets.iter().find(|other| (&other.host, other.name) == (&subset.host, subset.name)) {
                        None => mesh.subsets.push(subset),
                        Some(other) if other.labels == subset.labels => {}
                        Some(other) => {
                            let message = format!("subset `{}` of `{}` is declared twice, with other labels", subset.name, subset.host);
                            let help = "keep one of them; the mesh takes the older one";
                            reading.note_related(Code::Conflict, &subset.at, message, help, &other.at.clone(), "declared here too");
                        }
                    }
                }
            }
            "VirtualService" => mesh.virtuals.extend(resource::virtual_service(&mut reading, resource)),
            "TrafficLabel" => labels(&mut reading, &resource.at, &mut mesh),
            _ => propagated(&mut reading, &resource.at, &mut mesh),
        }
    }
    read_mesh(&mut reading, mesh, options)
}

/// What was read, as a configuration.
pub(in crate::mesh) fn read_mesh<'n>(reading: &mut Reading<'_, '_>, mut mesh: Mesh<'n>, options: &ImportOptions) -> Option<Config> {
    served_by_fallback(reading, &mut mesh);
    // The order in which the mesh takes them: by age, then by name.
    mesh.virtuals.sort_by(|one, other| {
        let key = |found: &Virtual<'_>| {
            (found.resource.created.map(str::to_owned), found.resource.name.to_owned(), found.resource.namespace.to_owned())
        };
        match (one.resource.created, other.resource.created) {
            // What was not created yet comes last.
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => key(one).cmp(&key(other)),
        }
    });
    if mesh.subsets.is_empty() {
        let message = "these files hold no subset: lanes are made of the subsets of DestinationRules";
        if !reading.report.has_errors() {
            let note = crate::mesh::Note::new(Code::NothingThere, lane_core::diagnostic::FieldPath::root(), message);
            reading.report.add(note.help("import the DestinationRules as well"));
        }
        return None;
    }
    let mut drafts = group::drafts(reading, &mesh, options);
    gateway::rules(reading, &mesh, &mut drafts);
    let groups = drafts.into_iter().filter_map(|draft| Draft::finish(draft, reading)).collect::<Vec<_>>();
    reading.report.sort();
    (!groups.is_empty()).then_some(Config { version: 1, groups })
}

/// A subset that is not there has no endpoints, so its fallback serves always: ASM's documents write lanes so.
fn served_by_fallback(reading: &mut Reading<'_, '_>, mesh: &mut Mesh<'_>) {
    let declared = |host: &str, name: &str| mesh.subsets.iter().any(|subset| subset.host == host && subset.name == name);
    for target in mesh.virtuals.iter_mut().flat_map(|found| &mut found.routes).flat_map(resource::targets_mut) {
        let (Some(subset), Some(fallback)) = (target.subset, target.fallback) else { continue };
        if !declared(&target.host, subset) && declared(&target.host, fallback) {
            let message = format!("`{}` has no subset `{subset}`, so its fallback `{fallback}` always serves", target.host);
            reading.note(Code::Ignored, &target.at, message, None);
            target.subset = Some(fallback);
            target.fallback = None;
        }
    }
}

fn labels<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, mesh: &mut Mesh<'n>) {
    let Some(spec) = at.field("spec") else { return };
    reading.known(&spec, &["rules"], &["workloadSelector", "hosts"], &[]);
    for rule in spec.field("rules").map(|at| reading.items(&at)).unwrap_or_default() {
        reading.known(&rule, &["labels"], &["attachTo", "protocols", "http"], &[]);
        for label in rule.field("labels").map(|at| reading.items(&at)).unwrap_or_default() {
            reading.known(&label, &["name", "valueFrom"], &["overwrite"], &[]);
            let Some(name) = label.field("name").and_then(|at| reading.text(&at)) else { continue };
            let from = label.field("valueFrom").map(|at| reading.texts(&at)).unwrap_or_default();
            mesh.labels.push(Label { name, from });
        }
    }
}

fn propagated<'n>(reading: &mut Reading<'_, '_>, at: &At<'n>, mesh: &mut Mesh<'n>) {
    let Some(spec) = at.field("spec") else { return };
    reading.known(&spec, &["headers"], &["workloadSelector", "headerPrefixes", "prefixes"], &[]);
    if let Some(at) = spec.field("headers") {
        let headers = reading.texts(&at);
        mesh.propagated.push(Propagated { headers, at });
    }
}
