//! What a compiled router costs, and how its rules are found.

use serde::Serialize;

use super::{Plan, Router, Rule};
use crate::{pattern::host::HostPattern, split::Share};

/// What a compiled router costs in memory, and how its rules are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Groups.
    pub groups: usize,
    /// Services, counted in each group.
    pub services: usize,
    /// Lanes, counted in each group.
    pub lanes: usize,
    /// Subsets: the sum over all lanes of the services that they contain.
    pub subsets: usize,
    /// Rules.
    pub rules: usize,
    /// Different regular expressions, and the automata that they share.
    pub regexes: usize,
    /// Automata of regular expressions.
    pub automata: usize,
    /// Memory.
    pub bytes: Bytes,
    /// How rules are found.
    pub index: RulesFound,
}

/// Bytes on the heap, by what holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Names and values as written.
    pub texts: usize,
    /// Condition trees, lists and header names.
    pub conditions: usize,
    /// Automata of regular expressions.
    pub automata: usize,
    /// Rules, splits, services and lanes.
    pub tables: usize,
    /// The index.
    pub index: usize,
    /// The sum.
    pub total: usize,
}

/// How rules are found. A rule counts once for each of its host patterns and entries of `match`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RulesFound {
    /// One by one: their host has only a few.
    pub scanned: usize,
    /// By what they demand of headers, cookies, query, baggage, method or caller.
    pub by_value: usize,
    /// By the beginning of a value, by a text in it, or by a pass over it for all their regular expressions together.
    pub by_regex: usize,
    /// By their host and path alone.
    pub by_path: usize,
    /// Nodes of the trees of paths and other beginnings.
    pub path_nodes: usize,
    /// Sets of things that are looked up together.
    pub tuples: usize,
}

impl Router {
    /// What the router costs, and how its rules are found.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Plan { patterns, conditions, names, groups, services, lanes, labels, rules, splits, .. } = &*self.0;
        let (regexes, automata) = patterns.regexes.counts();
        let sets = patterns.sets.iter().map(|set| size_of_val(&**set) + size_of_val(set));
        let shares = splits.iter().map(|split| size_of_val(split) + split.shares.len() * size_of::<Share>());
        let tables = rules.capacity() * size_of::<Rule>()
            + self.0.hosts.capacity() * size_of::<HostPattern>()
            + shares.sum::<usize>()
            + size_of_val(services.as_slice())
            + self.0.callees.heap_bytes()
            + self.0.lane_names.heap_bytes()
            + size_of_val(lanes.as_slice())
            + size_of_val(self.0.members.as_slice())
            + size_of_val(self.0.fallbacks.as_slice())
            + labels.iter().map(|entry| size_of_val(entry) + size_of_val(&*entry.1)).sum::<usize>();
        let mut bytes = Bytes {
            texts: patterns.pool.heap_bytes(),
            conditions: conditions.heap_bytes() + names.heap_bytes() + sets.sum::<usize>() + size_of_val(patterns.ranges.as_slice()),
            automata: patterns.regexes.heap_bytes(),
            tables,
            index: self.0.index.heap_bytes(),
            total: 0,
        };
        bytes.total = bytes.texts + bytes.conditions + bytes.automata + bytes.tables + bytes.index;
        Stats {
            groups: groups.len(),
            services: services.len(),
            lanes: lanes.len(),
            subsets: self.0.subsets as usize,
            rules: rules.len(),
            regexes,
            automata,
            bytes,
            index: self.0.index.found(),
        }
    }
}
