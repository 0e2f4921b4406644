//! Which rules can possibly match a request, so that the others need not be tried. The index only ever leaves
//! out rules that cannot hold, and of those that do it gives the first in document order, so the answer is the
//! linear walk's, always. Walks that explain, or whose request was only partly recorded, do not use it.
//!
//! A request is narrowed down in three steps, each a room:
//!
//! 1. **Host** (here): one look-up of the exact host, one for each `*.suffix`, and the rules for any host. What
//!    was found so far bounds what a later step may find.
//! 2. **Path** ([`tree`]): a radix tree over exact paths, prefixes and the literal beginnings of regular
//!    expressions; walking the request's path visits every node that can apply, deepest last.
//! 3. **Cell** ([`cell`]): the rules of one node. A few are listed and compared one by one ([`list`]). Where all look up
//!    one and the same thing, a hash of its text leads to them ([`single`]). Others are told apart by hash of the values
//!    that they demand, at most two each, chosen where they tell most rules apart. Rows that no hash tells apart are told
//!    by the literal beginnings of a value in a tree of their own, and expressions without one that share an automaton by
//!    one pass over the value.
//!
//! What a row of the index has not proved is checked on the few candidates ([`row`]). Where a host has only a few
//! rules a scan wins, and it is what is done. What is left of linear cost: rules of one cell that differ only in
//! conditions which no look-up can tell apart (negations, ranges, suffixes, parts), and
//! expressions too large to share an automaton.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    bytes::same_bytes,
    condition::{ConditionId, Facts, Truth},
    config::At,
    intern::{FixedSeed, Map, RuleId, ServiceId, Table, dense},
    pattern::{Text, host, host::HostPattern},
    request::Headers,
    router::{Plan, RulesFound},
};

pub(crate) mod cell;
mod key;
mod list;
mod pass;
mod row;
mod single;
mod tree;
mod value;

use cell::{Cell, Cells, NO_RULE};
use row::Row;
use value::Values;

/// Hosts with at most this many rows are scanned: for so few that is faster.
pub(crate) const SCANNED: usize = 3;

/// The index of a router.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Rules of the groups that hold at one set of gateways.
    classes: Vec<Class>,
    /// The classes that hold at each gateway that the configuration names, and at all others.
    by_gateway: Vec<Box<[u32]>>,
    elsewhere: Box<[u32]>,
    /// Rules that hold at hops, by service.
    by_service: Map<ServiceId, Class>,
    hosts: Vec<HostRules>,
    cells: Cells,
    seed: FixedSeed,
    /// Hosts with at most so many rows are scanned; and how many rows are.
    scanned: usize,
    scanned_rows: usize,
}

/// Rules that are looked up together.
#[derive(Debug, Default)]
struct Class {
    rules: Vec<RuleId>,
    any: Option<u32>,
    exact: HostTable,
    suffix: HostTable,
}

/// Host patterns of one kind, and the rules of each.
#[derive(Debug, Default)]
enum HostTable {
    #[default]
    None,
    /// A single one is compared without hashing.
    One(Text, u32),
    Many(Table<(Text, u32)>),
}

impl HostTable {
    fn of(hosts: Vec<(Text, u32)>, plan: &Plan, seed: &FixedSeed) -> Self {
        match *hosts {
            [] => Self::None,
            [(text, host)] => Self::One(text, host),
            _ => {
                let mut table = Table::default();
                for entry in hosts {
                    table.insert(seed.hash_bytes(plan.patterns.pool.bytes(entry.0)), entry);
                }
                Self::Many(table)
            }
        }
    }

    /// The rules of a lower-case name.
    #[inline(always)]
    fn find(&self, name: &[u8], plan: &Plan, seed: &FixedSeed) -> Option<u32> {
        let same = |text: Text| same_bytes(plan.patterns.pool.bytes(text), name);
        match self {
            Self::None => None,
            Self::One(text, host) => same(*text).then_some(*host),
            Self::Many(table) => table.find(seed.hash_bytes(name), |(text, _)| same(*text)).map(|(_, host)| *host),
        }
    }
}

/// The rules of one host pattern.
#[derive(Clone, Copy, Debug)]
struct HostRules {
    /// The first of them.
    least: u32,
    /// The cell of those that do not look at the path.
    anywhere: Option<Cell>,
    /// The root of the tree of the others.
    tree: Option<u32>,
}

/// A search under way.
pub(crate) struct Search<'s, 'r, H: Headers + ?Sized> {
    plan: &'s Plan,
    facts: &'s Facts<'s, 'r, H>,
    at: At,
    values: Values<'s>,
    /// The first rule found so far that holds; beyond every rule where there is none.
    best: u32,
}

impl<'s, 'r, H: Headers + ?Sized> Search<'s, 'r, H> {
    #[inline]
    fn new(plan: &'s Plan, facts: &'s Facts<'s, 'r, H>, at: At) -> Self {
        Self { plan, facts, at, values: Values::new(), best: NO_RULE }
    }

    /// Tries a candidate: what the index has not proved, then the action.
    #[inline]
    fn candidate(&mut self, rule: u32, rest: Option<ConditionId>) -> bool {
        if let Some(rest) = rest
            && self.plan.conditions.holds(rest, self.facts) != Truth::Yes
        {
            return false;
        }
        let leads = self.plan.leads_anywhere(RuleId::of(rule), self.at, self.facts.attributes);
        if leads {
            self.best = rule;
        }
        leads
    }

    /// The rule found.
    fn found(&self) -> Option<RuleId> {
        (self.best != NO_RULE).then_some(RuleId::of(self.best))
    }
}

impl Index {
    /// Indexes the rules of a plan; adds to its conditions what is left to check of rules that are partly proved.
    /// Hosts with at most `scanned` rows are left to a scan.
    pub(crate) fn build(plan: &mut Plan, scanned: usize) -> Self {
        let mut index = Self { scanned, ..Self::default() };
        // Groups with one set of gateways share a class, so that every rule is indexed once.
        let mut by_set: Map<Option<Box<[u32]>>, usize> = Map::default();
        for group in &plan.groups {
            let class = *by_set.entry(group.gateways.clone()).or_insert_with(|| {
                index.classes.push(Class::default());
                index.classes.len() - 1
            });
            for rule in group.rules.iter().map(RuleId::of) {
                if plan.rule(rule).at_gateway
                    && let Some(class) = index.classes.get_mut(class)
                {
                    class.rules.push(rule);
                }
                if plan.rule(rule).at_hop {
                    index.by_service.entry(plan.rule(rule).service).or_default().rules.push(rule);
                }
            }
        }
        let holding = |gateway: Option<u32>| -> Box<[u32]> {
            let holds = |set: &Option<Box<[u32]>>| set.as_ref().is_none_or(|set| gateway.is_some_and(|gateway| set.contains(&gateway)));
            let mut classes: Vec<u32> = by_set.iter().filter(|(set, _)| holds(set)).map(|(_, class)| dense(*class)).collect();
            classes.sort_unstable();
            classes.into_boxed_slice()
        };
        index.by_gateway = (0..plan.gateways.len()).map(|gateway| holding(Some(dense(gateway)))).collect();
        index.elsewhere = holding(None);

        let mut services: Vec<ServiceId> = index.by_service.keys().copied().collect();
        services.sort_unstable();
        for class in 0..index.classes.len() {
            let rules = index.classes.get_mut(class).map(|class| core::mem::take(&mut class.rules)).unwrap_or_default();
            let built = index.class(rules, plan);
            if let Some(class) = index.classes.get_mut(class) {
                *class = built;
            }
        }
        for service in services {
            let rules = index.by_service.get_mut(&service).map(|class| core::mem::take(&mut class.rules)).unwrap_or_default();
            let built = index.class(rules, plan);
            index.by_service.insert(service, built);
        }
        index.cells.finish();
        index
    }

    /// Indexes rules that are looked up together, by host.
    fn class(&mut self, rules: Vec<RuleId>, plan: &mut Plan) -> Class {
        let mut class = Class { rules, ..Class::default() };
        let mut any = Vec::new();
        let mut exact: Map<Text, Vec<RuleId>> = Map::default();
        let mut suffix: Map<Text, Vec<RuleId>> = Map::default();
        for rule in &class.rules {
            for pattern in plan.host_patterns(plan.rule(*rule)) {
                let list = match *pattern {
                    HostPattern::Any => &mut any,
                    HostPattern::Exact(text) => exact.entry(text).or_default(),
                    HostPattern::Suffix(text) => suffix.entry(text).or_default(),
                };
                if list.last() != Some(rule) {
                    list.push(*rule);
                }
            }
        }
        if !any.is_empty() {
            class.any = Some(self.host(&any, plan));
        }
        for (by_host, table) in [(exact, &mut class.exact), (suffix, &mut class.suffix)] {
            let mut by_host: Vec<_> = by_host.into_iter().collect();
            by_host.sort_unstable_by_key(|(_, rules)| rules.first().copied());
            let hosts = by_host.into_iter().map(|(text, rules)| (text, self.host(&rules, plan))).collect();
            *table = HostTable::of(hosts, plan, &self.seed);
        }
        class
    }

    fn host(&mut self, rules: &[RuleId], plan: &mut Plan) -> u32 {
        let least = rules.first().map_or(0, |rule| rule.number());
        let rows: Vec<Row> = rules.iter().flat_map(|rule| Row::of(*rule, plan)).collect();
        let host = if rows.len() <= self.scanned {
            let rows: Vec<Row> = rules.iter().map(|rule| Row::unproved(*rule, plan)).collect();
            self.scanned_rows += rows.len();
            HostRules { least, anywhere: self.cells.add(rows, plan), tree: None }
        } else {
            let (anywhere, below): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.path.is_none());
            HostRules { least, anywhere: self.cells.add(anywhere, plan), tree: self.cells.add_tree(below, plan) }
        };
        self.hosts.push(host);
        dense(self.hosts.len() - 1)
    }

    /// The first rule that holds at a gateway, and whether the hosts of any rule there do.
    #[inline]
    pub(crate) fn gateway<H: Headers + ?Sized>(
        &self,
        plan: &Plan,
        gateway: Option<u32>,
        facts: &Facts<'_, '_, H>,
    ) -> (bool, Option<RuleId>) {
        let classes = gateway.and_then(|gateway| self.by_gateway.get(gateway as usize)).unwrap_or(&self.elsewhere);
        let mut search = Search::new(plan, facts, At::Gateway);
        let host_held = match **classes {
            // Mostly all groups hold at the same gateways.
            [class] => self.classes.get(class as usize).is_some_and(|class| self.search(class, &mut search)),
            ref classes => self.search_all(classes, &mut search),
        };
        (host_held, search.found())
    }

    #[inline(never)]
    fn search_all<H: Headers + ?Sized>(&self, classes: &[u32], search: &mut Search<'_, '_, H>) -> bool {
        let mut host_held = false;
        for class in classes.iter().filter_map(|class| self.classes.get(*class as usize)) {
            host_held |= self.search(class, search);
        }
        host_held
    }

    /// The first rule that holds at hops of a service.
    pub(crate) fn hop<H: Headers + ?Sized>(&self, plan: &Plan, service: ServiceId, facts: &Facts<'_, '_, H>) -> Option<RuleId> {
        let class = self.by_service.get(&service)?;
        let mut search = Search::new(plan, facts, At::Hop);
        self.search(class, &mut search);
        search.found()
    }

    /// How rules are found.
    pub(crate) fn found(&self) -> RulesFound {
        let found = self.cells.found();
        RulesFound { scanned: self.scanned_rows, by_path: found.by_path - self.scanned_rows, ..found }
    }

    /// What the index costs in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        let classes = self.classes.iter().chain(self.by_service.values());
        let rules: usize = classes.map(|class| class.rules.len() * size_of::<RuleId>()).sum();
        rules + self.hosts.capacity() * size_of::<HostRules>() + self.cells.heap_bytes()
    }

    /// All rules that hold at hops of a service, in order.
    pub(crate) fn hop_rules(&self, service: ServiceId) -> impl Iterator<Item = RuleId> {
        self.by_service.get(&service).into_iter().flat_map(|class| class.rules.iter().copied())
    }

    /// Searches the rules of a class; returns whether the hosts of any hold.
    #[inline(always)]
    fn search<H: Headers + ?Sized>(&self, class: &Class, search: &mut Search<'_, '_, H>) -> bool {
        let mut held = false;
        if let Some(host) = class.any {
            held = true;
            self.search_other_host(host, search);
        }
        let Some(authority) = search.facts.attributes.request.authority else { return held };
        let plan = search.plan;
        // Mostly the authority is a host as it is: lower case, without port.
        let as_given = class.exact.find(authority, plan, &self.seed);
        if let Some(host) = as_given {
            held = true;
            self.search_host(host, search);
            if matches!(class.suffix, HostTable::None) {
                return held;
            }
        }
        let name = host::of_authority(authority);
        let lowered;
        let name = if name.iter().any(u8::is_ascii_uppercase) {
            // A name longer than any exact one can still end in a suffix, but not one that is longer itself.
            lowered = host::Lowered::of(host::ending(name));
            lowered.as_ref().map_or(&b""[..], host::Lowered::get)
        } else {
            name
        };
        if as_given.is_none()
            && let Some(host) = class.exact.find(name, plan, &self.seed)
        {
            held = true;
            self.search_other_host(host, search);
        }
        if !matches!(class.suffix, HostTable::None) {
            // The suffix of a pattern is shorter than what it holds for, so a dot in front does not count.
            for dot in memchr::memchr_iter(b'.', name).filter(|dot| *dot > 0) {
                if let Some(host) = class.suffix.find(name.get(dot..).unwrap_or_default(), plan, &self.seed) {
                    held = true;
                    self.search_other_host(host, search);
                }
            }
        }
        held
    }

    /// The same, where it is rare: the code stands once.
    #[inline(never)]
    fn search_other_host<H: Headers + ?Sized>(&self, host: u32, search: &mut Search<'_, '_, H>) {
        self.search_host(host, search);
    }

    #[inline(always)]
    fn search_host<H: Headers + ?Sized>(&self, host: u32, search: &mut Search<'_, '_, H>) {
        let Some(host) = self.hosts.get(host as usize).filter(|host| host.least < search.best) else { return };
        if let Some(cell) = &host.anywhere {
            self.cells.search(cell, search);
        }
        if let (Some(tree), Some(path)) = (host.tree, search.facts.attributes.request.path) {
            self.cells.search_tree::<true, _>(tree, path, search);
        }
    }
}
