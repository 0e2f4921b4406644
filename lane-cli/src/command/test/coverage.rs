//! Which rules the cases were decided by.

use std::collections::{BTreeMap, BTreeSet};

use lane_formats::Loaded;

use super::run::Ran;

/// Coverage by configuration, as its file is named.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<String, Rules>);

/// The rules of one configuration.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Group and name, in document order.
    all: Vec<(String, String)>,
    covered: BTreeSet<(String, String)>,
}

impl Coverage {
    /// The rules of a configuration; files that test the same one cover it together.
    pub(super) fn rules(&mut self, config: &str, loaded: &Loaded) -> &mut Rules {
        self.0.entry(config.to_owned()).or_insert_with(|| {
            let groups = loaded.config.groups.iter();
            let all = groups.flat_map(|group| group.rules.iter().map(|rule| (group.name.clone(), rule.name.clone()))).collect();
            Rules { all, covered: BTreeSet::new() }
        })
    }

    /// How many rules are covered, and how many there are.
    pub(super) fn totals(&self) -> (usize, usize) {
        (self.0.values().map(|rules| rules.covered.len()).sum(), self.0.values().map(|rules| rules.all.len()).sum())
    }

    /// Whether so many percent are covered. Of no rules all are.
    pub(super) fn reaches(&self, percent: u8) -> bool {
        let (covered, all) = self.totals();
        covered * 100 >= all * usize::from(percent)
    }

    /// The rules that are not covered: configuration, group, name.
    pub(super) fn missing(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().flat_map(|(config, rules)| {
            let missing = rules.all.iter().filter(|rule| !rules.covered.contains(*rule));
            missing.map(move |(group, rule)| (config.as_str(), group.as_str(), rule.as_str()))
        })
    }
}

impl Rules {
    /// Counts the rules by which a case was decided.
    pub(super) fn count(&mut self, ran: &Ran) {
        self.covered.extend(ran.rules.iter().cloned());
    }
}
