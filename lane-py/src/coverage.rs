//! Which rules decided anything, for the pytest plugin. Nothing is counted until somebody asks for it, and then of
//! routers that are read from then on.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use lane_core::config::Config;
use pyo3::prelude::*;

/// The rules of one router, in document order, and whether each decided something.
pub(crate) struct Coverage {
    name: String,
    rules: Vec<(String, String, AtomicBool)>,
    positions: HashMap<String, HashMap<String, usize>>,
}

static TRACKING: AtomicBool = AtomicBool::new(false);
static TRACKED: Mutex<Vec<Arc<Coverage>>> = Mutex::new(Vec::new());

impl Coverage {
    /// Begins to count for a router of a named text, if anybody wants to know.
    pub(crate) fn of(name: Option<&str>, config: &Config) -> Option<Arc<Self>> {
        // A configuration that a test writes for itself is no part of what is to be covered.
        let name = name.filter(|_| TRACKING.load(Ordering::Relaxed))?;
        let mut coverage = Self { name: name.into(), rules: Vec::new(), positions: HashMap::new() };
        for group in &config.groups {
            let positions = coverage.positions.entry(group.name.clone()).or_default();
            for rule in &group.rules {
                positions.insert(rule.name.clone(), coverage.rules.len());
                coverage.rules.push((group.name.clone(), rule.name.clone(), AtomicBool::new(false)));
            }
        }
        let coverage = Arc::new(coverage);
        TRACKED.lock().unwrap_or_else(PoisonError::into_inner).push(coverage.clone());
        Some(coverage)
    }

    /// The rule of this group decided.
    pub(crate) fn decided(&self, group: Option<&str>, rule: Option<&str>) {
        let position = group.zip(rule).and_then(|(group, rule)| self.positions.get(group)?.get(rule));
        if let Some(position) = position {
            self.decided_at(*position);
        }
    }

    /// The rule at this position in the document decided.
    pub(crate) fn decided_at(&self, position: usize) {
        if let Some((.., decided)) = self.rules.get(position) {
            decided.store(true, Ordering::Relaxed);
        }
    }
}

/// Counts, from now on, which rules of routers read from files decide anything; or no longer.
#[pyfunction]
pub fn track_coverage(on: bool) {
    TRACKING.store(on, Ordering::Relaxed);
    if !on {
        TRACKED.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Every rule of the routers that were counted: file, group, rule, and whether it decided anything.
#[pyfunction]
pub fn covered_rules() -> Vec<(String, String, String, bool)> {
    let tracked = TRACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let rules = |router: &Arc<Coverage>| {
        let rule = |(group, rule, decided): &(String, String, AtomicBool)| {
            (router.name.clone(), group.clone(), rule.clone(), decided.load(Ordering::Relaxed))
        };
        router.rules.iter().map(rule).collect::<Vec<_>>()
    };
    tracked.iter().flat_map(rules).collect()
}
