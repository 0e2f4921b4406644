//! A group as exports look at it: defaults filled in, names made fit for resources, and who serves whom.

use std::collections::BTreeMap;

use lane_core::{
    config::{At, Config, Context, Group, Lane, Mode, Rule, UnknownLane},
    diagnostic::FieldPath,
};

/// The guiding header where none is configured.
pub(super) const GUIDING_HEADER: &str = "x-asm-prefer-tag";
/// The label where none is configured.
pub(super) const TAG_LABEL: &str = "ASM_TRAFFIC_TAG";
/// The gateway where none is configured.
pub(super) const GATEWAY: &str = "ingressgateway";
/// The namespace of gateways.
pub(super) const GATEWAY_NAMESPACE: &str = "istio-system";

/// A group with its place in the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'c> {
    pub(super) group: &'c Group,
    pub(super) index: usize,
}

/// All groups.
pub(super) fn views(config: &Config) -> Vec<View<'_>> {
    config.groups.iter().enumerate().map(|(index, group)| View { group, index }).collect()
}

impl<'c> View<'c> {
    pub(super) fn path(&self) -> FieldPath {
        FieldPath::root().field("groups").index(self.index)
    }

    pub(super) fn guiding(&self) -> &'c str {
        self.group.guiding_header.as_deref().unwrap_or(GUIDING_HEADER)
    }

    pub(super) fn tag_label(&self) -> &'c str {
        self.group.tag_label.as_deref().unwrap_or(TAG_LABEL)
    }

    pub(super) fn permissive(&self) -> bool {
        self.group.mode == Mode::Permissive
    }

    pub(super) fn context(&self) -> &'c Context {
        self.group.context.as_ref().unwrap_or(&Context::Header)
    }

    pub(super) fn unknown(&self) -> UnknownLane {
        self.group.unknown_lane.unwrap_or(if self.permissive() { UnknownLane::Baseline } else { UnknownLane::Reject })
    }

    pub(super) fn baseline(&self) -> Option<&'c Lane> {
        self.group.baseline.as_ref().and_then(|name| self.lane(name))
    }

    pub(super) fn lane(&self, name: &str) -> Option<&'c Lane> {
        self.group.lanes.iter().find(|lane| lane.name == name)
    }

    pub(super) fn lane_path(&self, name: &str) -> FieldPath {
        let index = self.group.lanes.iter().position(|lane| lane.name == name).unwrap_or_default();
        self.path().field("lanes").index(index)
    }

    pub(super) fn rule_path(&self, name: &str) -> FieldPath {
        let index = self.group.rules.iter().position(|rule| rule.name == name).unwrap_or_default();
        self.path().field("rules").index(index)
    }

    /// The rules that hold there, in order.
    pub(super) fn rules(&self, at: At) -> impl Iterator<Item = &'c Rule> + use<'c> {
        self.group.rules.iter().filter(move |rule| rule.at.as_deref().unwrap_or(&[At::Gateway]).contains(&at))
    }

    /// The lanes that may serve the service for this one, in order (S24).
    pub(super) fn candidates(&self, lane: &'c Lane, host: &str) -> Vec<&'c Lane> {
        let by_default: Vec<&str> = match (&lane.fallback, self.permissive()) {
            (Some(names), _) => names.iter().map(String::as_str).collect(),
            (None, true) => self.group.baseline.iter().map(String::as_str).filter(|name| *name != lane.name).collect(),
            (None, false) => Vec::new(),
        };
        let others = by_default.into_iter().filter_map(|name| self.lane(name));
        std::iter::once(lane).chain(others).filter(|lane| contains(lane, host)).collect()
    }

    /// The labels of the lane's endpoints of the service.
    pub(super) fn labels(&self, lane: &Lane, host: &str) -> BTreeMap<String, String> {
        let own = lane.labels.iter().find(|(name, _)| same_host(name, host)).map(|(_, labels)| labels.clone());
        own.unwrap_or_else(|| BTreeMap::from([(self.tag_label().to_owned(), service_tag(lane).to_owned())]))
    }
}

/// The service tag of a lane.
pub(super) fn service_tag(lane: &Lane) -> &str {
    lane.service_tag.as_deref().unwrap_or(&lane.name)
}

/// Whether the lane contains the service.
pub(super) fn contains(lane: &Lane, host: &str) -> bool {
    lane.services.as_ref().is_none_or(|services| services.iter().any(|service| same_host(service, host)))
}

/// Whether two names are one host (S13).
pub(super) fn same_host(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

/// Name and namespace of a Kubernetes service, from a host as `mocka.default.svc.cluster.local`.
pub(super) fn kubernetes(host: &str) -> Option<(&str, &str)> {
    let mut labels = host.splitn(4, '.');
    let (name, namespace, service) = (labels.next()?, labels.next()?, labels.next()?);
    (service == "svc").then_some((name, namespace))
}

/// The shorter names that the mesh knows such a host by.
pub(super) fn short_names(host: &str) -> Vec<String> {
    kubernetes(host)
        .map_or_else(Vec::new, |(name, namespace)| vec![name.to_owned(), format!("{name}.{namespace}"), format!("{name}.{namespace}.svc")])
}

/// Whether the text is a DNS label, as names of subsets must be.
pub(super) fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= 63 && bytes.iter().copied().all(inner) && ends(bytes.first()) && ends(bytes.last())
}

/// The name of a lane's subset: its own, or one made of it where that is no DNS label. The same name gives the same,
/// two names give two, so that an import knows the lane again.
pub(super) fn subset_name(lane: &str) -> String {
    if is_dns_label(lane) {
        return lane.to_owned();
    }
    // FNV-1a: short, known, and all that is wanted is to tell `v2.1` from `v2_1`.
    let hash = lane.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let plain: String = slug(lane).chars().take(50).collect();
    format!("{}-{hash:08x}", plain.trim_end_matches('-'))
}

/// A text as part of a resource's name.
pub(super) fn slug(text: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let plain: String = text.chars().map(letter).take(80).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "x".into() } else { plain.to_owned() }
}

/// Names that are given once.
#[derive(Debug, Default)]
pub(super) struct Names(std::collections::HashSet<String>);

impl Names {
    /// The name, or the name with a number.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !self.0.contains(name)).unwrap_or_default();
        self.0.insert(name.clone());
        name
    }
}
