//! What the routes of a VirtualService inside the mesh are to lanes.

use std::collections::BTreeMap;

use lane_core::config::{Entry, Matcher, Source};

use super::resource::{Action, Match, Route};

/// A route's part in the steps of S22, for one of its matches.
#[expect(clippy::large_enum_variant, reason = "one for each match of a route, and gone with it")]
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    /// The guiding header is this.
    Lane(String),
    /// The guiding header begins with this and a dot.
    Ancestor(String),
    /// The guiding header is anything.
    Unknown,
    /// The caller's workload has these labels, and nothing else is asked.
    Own(BTreeMap<String, String>),
    /// Anything else; the condition, if there is one.
    Rule(Option<Entry>),
    /// No condition, and one destination.
    Default,
}

impl Part {
    /// The place in the order in which lanes are looked for.
    pub(super) fn rank(&self, own_first: bool) -> u8 {
        match self {
            Self::Own(_) if own_first => 0,
            Self::Lane(_) => 1,
            Self::Ancestor(_) => 2,
            Self::Unknown => 3,
            Self::Own(_) => 4,
            Self::Rule(_) => 5,
            Self::Default => 6,
        }
    }
}

/// The parts of a route, one for each match that holds inside the mesh.
pub(super) fn parts(route: &Route<'_>, guiding: &str) -> Vec<Part> {
    let one = matches!(&route.action, Action::To(targets) if targets.len() == 1) || matches!(route.action, Action::Status(_));
    // A rule sets the guiding header to its lane; a request without a lane stays so (S26).
    let sets = matches!(&route.action, Action::To(targets) if targets.iter().any(|target| target.sets(guiding).is_some()));
    let Some(matches) = &route.matches else { return vec![if one && !sets { Part::Default } else { Part::Rule(None) }] };
    let here = matches.iter().filter(|found| found.gateways.as_ref().is_none_or(|gateways| gateways.iter().any(|name| name == "mesh")));
    here.map(|found| if one { part(found, guiding) } else { Part::Rule(Some(entry(found))) }).collect()
}

fn part(found: &Match, guiding: &str) -> Part {
    if !found.source_labels.is_empty() && found.entry == Entry::default() {
        return Part::Own(found.source_labels.clone());
    }
    if let Some(wanted) = only_header(found, guiding) {
        match wanted {
            Matcher::Exact(name) if !name.is_empty() => return Part::Lane(name.clone()),
            Matcher::Prefix(text) => {
                if let Some(name) = text.strip_suffix('.').filter(|name| !name.is_empty()) {
                    return Part::Ancestor(name.to_owned());
                }
            }
            Matcher::Regex(text) if text == ".+" => return Part::Unknown,
            Matcher::Present(true) => return Part::Unknown,
            _ => {}
        }
    }
    Part::Rule(Some(entry(found)))
}

/// Labels of callers as an entry of a rule.
pub(super) fn from_callers(labels: &BTreeMap<String, String>) -> Entry {
    entry(&Match { gateways: None, entry: Entry::default(), source_labels: labels.clone() })
}

/// What is asked of this header, if nothing else is asked.
pub(super) fn only_header<'m>(found: &'m Match, name: &str) -> Option<&'m Matcher> {
    let mut rest = found.entry.clone();
    rest.headers.clear();
    let mut headers = found.entry.headers.iter();
    match (headers.next(), headers.next()) {
        (Some((header, matcher)), None)
            if header.eq_ignore_ascii_case(name) && rest == Entry::default() && found.source_labels.is_empty() =>
        {
            Some(matcher)
        }
        _ => None,
    }
}

/// A match as an entry of a rule.
pub(super) fn entry(found: &Match) -> Entry {
    let mut entry = found.entry.clone();
    if !found.source_labels.is_empty() {
        let labels = found.source_labels.iter().map(|(name, value)| (name.clone(), Matcher::Exact(value.clone()))).collect();
        entry.source = Some(Source { labels, ..Source::default() });
    }
    entry
}
