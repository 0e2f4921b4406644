//! Which rules can possibly match a request, so that the others need not be tried. An index only ever leaves
//! out rules that cannot hold; those it lets through are tried in their order, so the answer is the linear
//! walk's, always. Walks that explain, or whose request was only partly recorded, do not use it.
//!
//! Rules are told apart by host.

use alloc::{boxed::Box, vec::Vec};

use hashbrown::HashTable;

use crate::{
    attribute::Attributes,
    intern::{FixedSeeds, Map, RuleId, ServiceId},
    pattern::{Text, host, host::HostPattern},
    request::Headers,
    router::Plan,
};

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
}

/// Rules that are looked up together.
#[derive(Debug, Default)]
struct Class {
    all: Vec<RuleId>,
    any: Bucket,
    exact: HashTable<(Text, Bucket)>,
    suffix: HashTable<(Text, Bucket)>,
    seeds: FixedSeeds,
}

/// The rules of one host pattern, in order.
type Bucket = Vec<RuleId>;

/// More lists than this are not worth merging: the class is walked as a whole.
const MOST_LISTS: usize = 16;

/// Lists of rules, merged in their order.
struct Lists<'i> {
    lists: [&'i [RuleId]; MOST_LISTS],
    count: usize,
}

impl<'i> Lists<'i> {
    fn add(&mut self, list: &'i [RuleId]) {
        if list.is_empty() {
            return;
        }
        if let Some(room) = self.lists.get_mut(self.count) {
            *room = list;
        }
        self.count += 1;
    }
}

impl Iterator for Lists<'_> {
    type Item = RuleId;

    fn next(&mut self) -> Option<RuleId> {
        let lists = self.lists.get_mut(..self.count)?;
        let least = lists.iter().filter_map(|list| list.first()).min().copied()?;
        for list in lists {
            if list.first() == Some(&least) {
                *list = list.get(1..).unwrap_or_default();
            }
        }
        Some(least)
    }
}

impl Index {
    /// Indexes the rules of a plan.
    pub(crate) fn build(plan: &Plan) -> Self {
        let mut index = Self { by_gateway: Vec::new(), ..Self::default() };
        // Groups with one set of gateways share a class, so that every rule is indexed once.
        let mut by_set: Map<Option<&[u32]>, usize> = Map::default();
        for group in &plan.groups {
            let class = *by_set.entry(group.gateways.as_deref()).or_insert_with(|| {
                index.classes.push(Class::default());
                index.classes.len() - 1
            });
            for rule in group.rules.iter().map(RuleId) {
                if plan.rule(rule).at_gateway
                    && let Some(class) = index.classes.get_mut(class)
                {
                    class.add(plan, rule);
                }
                if plan.rule(rule).at_hop {
                    index.by_service.entry(plan.rule(rule).service).or_default().add(plan, rule);
                }
            }
        }
        let holding = |gateway: Option<u32>| -> Box<[u32]> {
            let holds = |set: &Option<&[u32]>| set.is_none_or(|set| gateway.is_some_and(|gateway| set.contains(&gateway)));
            let mut classes: Vec<u32> =
                by_set.iter().filter(|(set, _)| holds(set)).map(|(_, class)| crate::intern::dense(*class)).collect();
            classes.sort_unstable();
            classes.into_boxed_slice()
        };
        index.by_gateway = (0..plan.gateways.len()).map(|gateway| holding(Some(crate::intern::dense(gateway)))).collect();
        index.elsewhere = holding(None);
        index
    }

    /// Tries the rules that may hold at a gateway, in order, until `attempt` says that one ended the walk.
    /// Returns whether the hosts of a rule held, as far as that was seen here.
    pub(crate) fn gateway<H: Headers + ?Sized>(
        &self,
        plan: &Plan,
        gateway: Option<u32>,
        attributes: &Attributes<'_, H>,
        attempt: &mut impl FnMut(RuleId) -> bool,
    ) -> bool {
        let classes = gateway.and_then(|gateway| self.by_gateway.get(gateway as usize)).unwrap_or(&self.elsewhere);
        let mut lists = Lists { lists: [&[]; MOST_LISTS], count: 0 };
        let mut host_held = false;
        for class in classes {
            if let Some(class) = self.classes.get(*class as usize) {
                host_held |= class.find(plan, attributes, &mut lists);
            }
        }
        if lists.count <= MOST_LISTS {
            lists.any(attempt);
        } else {
            plan.gateway_rules(gateway).any(attempt);
        }
        host_held
    }

    /// Tries the rules that may hold at hops of a service.
    pub(crate) fn hop<H: Headers + ?Sized>(
        &self,
        plan: &Plan,
        service: ServiceId,
        attributes: &Attributes<'_, H>,
        attempt: &mut impl FnMut(RuleId) -> bool,
    ) {
        let Some(class) = self.by_service.get(&service) else { return };
        let mut lists = Lists { lists: [&[]; MOST_LISTS], count: 0 };
        class.find(plan, attributes, &mut lists);
        if lists.count <= MOST_LISTS {
            lists.any(attempt);
        } else {
            class.all.iter().copied().any(attempt);
        }
    }

    /// All rules that hold at hops of a service, in order.
    pub(crate) fn hop_rules(&self, service: ServiceId) -> impl Iterator<Item = RuleId> {
        self.by_service.get(&service).into_iter().flat_map(|class| class.all.iter().copied())
    }
}

impl Class {
    fn add(&mut self, plan: &Plan, id: RuleId) {
        self.all.push(id);
        let rule = plan.rule(id);
        for pattern in plan.host_patterns(rule) {
            let seeds = &self.seeds;
            let hash = |text: Text| host::fold_hash(seeds, plan.patterns.pool.bytes(text));
            let same = |text: Text| move |entry: &(Text, Bucket)| plan.str(entry.0) == plan.str(text);
            let bucket = match *pattern {
                HostPattern::Any => &mut self.any,
                HostPattern::Exact(text) => {
                    let entry = self.exact.entry(hash(text), same(text), |entry| hash(entry.0));
                    &mut entry.or_insert_with(|| (text, Bucket::default())).into_mut().1
                }
                HostPattern::Suffix(text) => {
                    let entry = self.suffix.entry(hash(text), same(text), |entry| hash(entry.0));
                    &mut entry.or_insert_with(|| (text, Bucket::default())).into_mut().1
                }
            };
            if bucket.last() != Some(&id) {
                bucket.push(id);
            }
        }
    }

    /// Adds the lists of rules that may hold; returns whether the hosts of some rule hold.
    fn find<'i, H: Headers + ?Sized>(&'i self, plan: &Plan, attributes: &Attributes<'_, H>, lists: &mut Lists<'i>) -> bool {
        lists.add(&self.any);
        let mut held = !self.any.is_empty();
        let Some(name) = attributes.host() else { return held };
        let same = |wanted: &[u8], text: Text| plan.patterns.pool.bytes(text).eq_ignore_ascii_case(wanted);
        if let Some((_, bucket)) = self.exact.find(host::fold_hash(&self.seeds, name), |(text, _)| same(name, *text)) {
            lists.add(bucket);
            held = true;
        }
        if !self.suffix.is_empty() {
            for dot in memchr::memchr_iter(b'.', name.get(1..).unwrap_or_default()) {
                let suffix = name.get(dot + 1..).unwrap_or_default();
                if let Some((_, bucket)) = self.suffix.find(host::fold_hash(&self.seeds, suffix), |(text, _)| same(suffix, *text)) {
                    lists.add(bucket);
                    held = true;
                }
            }
        }
        held
    }
}
