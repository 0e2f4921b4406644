//! Counting what became of the requests.

use std::collections::{BTreeMap, HashMap};

use lane_core::Outcome;
use lane_formats::{
    chain::{Chain, Share, Table},
    decision::Report,
};

use super::{bare, picture::Names};

/// Requests that took the same way.
#[derive(Debug)]
pub(super) struct Way {
    /// How many there were.
    pub(super) count: u64,
    /// The way, as a line.
    pub(super) line: String,
    /// The first of them.
    pub(super) first: Chain,
}

/// What became of the requests.
#[derive(Debug)]
pub(super) struct Tally {
    /// Whether each request is shown by itself.
    each: bool,
    /// How many requests there were.
    pub(super) requests: u64,
    /// Every request's way, where each is shown.
    pub(super) lines: Vec<String>,
    /// The ways, in order of appearance.
    pub(super) ways: Vec<Way>,
    known: HashMap<String, usize>,
    /// Requests by the lane to which they belong.
    pub(super) lanes: BTreeMap<String, u64>,
    /// Remarks, and on how many requests.
    pub(super) notes: BTreeMap<String, u64>,
    /// The parts of the split that decided; none where there was no split, or more than one rule decided.
    pub(super) shares: Option<Vec<Share>>,
    /// The rule that decided about all requests so far.
    rule: Option<Option<(String, String)>>,
    /// The lane table of the group that decided about the first request.
    pub(super) table: Option<Table>,
}

impl Tally {
    pub(super) fn new(each: bool) -> Self {
        Self {
            each,
            requests: 0,
            lines: Vec::new(),
            ways: Vec::new(),
            known: HashMap::new(),
            lanes: BTreeMap::new(),
            notes: BTreeMap::new(),
            shares: None,
            rule: None,
            table: None,
        }
    }

    pub(super) fn add(&mut self, mut chain: Chain, names: &Names<'_>) {
        self.requests += 1;
        if chain.ingress.as_ref().is_some_and(|report| report.outcome == Outcome::Pass) {
            // It goes wherever other traffic goes; that it would meet this chain is nobody's decision.
            chain.hops.clear();
            chain.complete = false;
        }
        let (table, shares) = (chain.table.take(), chain.shares.take());
        self.table = self.table.take().or(table);
        let decided = chain.ingress.as_ref().and_then(decided_by);
        match &self.rule {
            None => (self.rule, self.shares) = (Some(decided), shares),
            Some(rule) if *rule != decided => self.shares = None,
            Some(_) => {}
        }
        if let Some(lane) = chain.ingress.as_ref().and_then(|report| report.lane.clone()) {
            *self.lanes.entry(lane).or_default() += 1;
        }
        let mut notes: Vec<_> = chain.decisions().flat_map(|report| &report.notes).cloned().collect();
        notes.sort_unstable();
        notes.dedup();
        for note in notes {
            *self.notes.entry(note).or_default() += 1;
        }
        let line = names.line(&chain);
        if self.each {
            self.lines.push(line.clone());
        }
        match self.known.get(&line).and_then(|way| self.ways.get_mut(*way)) {
            Some(way) => way.count += 1,
            None => {
                self.known.insert(line.clone(), self.ways.len());
                self.ways.push(Way { count: 1, line, first: bare(chain) });
            }
        }
    }

    /// The ways, the most frequent first.
    pub(super) fn by_count(&self) -> Vec<&Way> {
        let mut ways: Vec<_> = self.ways.iter().collect();
        ways.sort_by_key(|way| std::cmp::Reverse(way.count));
        ways
    }
}

fn decided_by(report: &Report) -> Option<(String, String)> {
    report.group.clone().zip(report.rule.clone())
}
