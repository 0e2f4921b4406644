//! The rules of one place in the index, told apart by the values that they demand.
//!
//! Rows are grouped by *which* values they look up (at most two each, a tuple); one probe of a hash table then
//! finds those of a tuple that demand the request's values. Tuples are visited by their first rule and cut off
//! by the best match. Which keys a row gives for this is chosen so that probes and candidates are fewest:
//! its two rarest, or its rarest alone; and where even those make too many tuples, the request's own headers
//! say what to probe. (Tuple space search as in packet classification, with access predicates as in
//! publish/subscribe matching.)

use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::{
    attribute::names::HeaderId,
    condition::{Attribute, ConditionId, Facts, joined_lines},
    intern::{FixedSeed, Map, RuleId, dense},
    pattern::Text,
    request::Headers,
    router::Plan,
};

use super::{
    RulesFound, Search,
    key::{KEYS, Scheme, TUPLES, choose_keys},
    pass::{Pass, PassRow, WORTH_A_PASS, automaton_passes},
    row::{Asked, Row},
    tree::Trees,
    value::{Found, mix},
};

/// All cells.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    tuples: Vec<Tuple>,
    postings: HashTable<Posting>,
    /// Rows of postings, by rule.
    rows: Vec<(u32, Option<ConditionId>)>,
    passes: Vec<Pass>,
    pub(super) trees: Trees,
    /// What is looked up, by number.
    asked: Vec<Asked>,
    numbers: Map<Asked, u32>,
    /// What is looked up of each header, for cells that the request's headers probe.
    by_header: Map<HeaderId, Vec<u32>>,
    /// How rows are found, counted while building.
    found: RulesFound,
    /// What is looked up and is no header.
    no_headers: Vec<u32>,
    seed: FixedSeed,
}

/// The rules of one place.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// The first of them.
    least: u32,
    /// The rows that look nothing up.
    loose: Rows,
    /// Tuples in `Cells::tuples`, by their first rule.
    first_tuple: u32,
    tuples: u32,
    /// Whether the request's headers say which of the tuples to probe; they are then sorted by what they look up.
    by_header: bool,
}

/// Rows that look up the same things.
#[derive(Clone, Copy, Debug)]
struct Tuple {
    least: u32,
    asked: [u32; KEYS],
}

/// A key that is not there.
const NO_KEY: u32 = u32::MAX;
/// A rule that is not there, behind all others.
pub(super) const NO_RULE: u32 = u32::MAX;

/// The rows of a tuple that demand the same values.
#[derive(Clone, Copy, Debug)]
struct Posting {
    tuple: u32,
    values: [Text; KEYS],
    rows: Rows,
}

/// Rows that nothing more tells apart by look-up.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// The first, in place: mostly it is the only one, or ends the search. No rule where there is none.
    first: (u32, Option<ConditionId>),
    /// The others, in `Cells::rows`.
    more: u32,
    count: u32,
    /// Passes over values that find still more.
    passes: u32,
    pass_count: u32,
}

impl Cells {
    /// A cell for these rows, which are sorted by rule; none where there are none.
    pub(super) fn add(&mut self, mut rows: Vec<Row>, plan: &mut Plan) -> Option<u32> {
        let least = rows.first()?.rule.0;
        let scheme = choose_keys(&mut rows);
        let mut loose = Vec::new();
        let mut by_tuple: Map<[u32; KEYS], Vec<Row>> = Map::default();
        for row in rows {
            if row.keys.is_empty() {
                loose.push(row);
                continue;
            }
            let mut asked = [NO_KEY; KEYS];
            for (room, key) in asked.iter_mut().zip(&row.keys) {
                *room = self.number(key.asked);
            }
            by_tuple.entry(asked).or_default().push(row);
        }
        let loose = self.rows(loose, false, plan);
        let mut tuples: Vec<_> = by_tuple.into_iter().collect();
        let by_header = scheme == Scheme::Single && tuples.len() > TUPLES;
        if by_header {
            tuples.sort_unstable_by_key(|(asked, _)| *asked);
        } else {
            tuples.sort_unstable_by_key(|(asked, rows)| (rows.first().map(|row| row.rule), *asked));
        }
        // All at once, because what their rows need beyond may add tuples of other cells.
        let first_tuple = dense(self.tuples.len());
        self.tuples
            .extend(tuples.iter().map(|(asked, rows)| Tuple { least: rows.first().map_or(NO_RULE, |row| row.rule.0), asked: *asked }));
        let count = dense(tuples.len());
        for ((_, rows), tuple) in tuples.into_iter().zip(first_tuple..) {
            self.postings_of(tuple, rows, plan);
        }
        self.cells.push(Cell { least, loose, first_tuple, tuples: count, by_header });
        Some(dense(self.cells.len() - 1))
    }

    fn number(&mut self, asked: Asked) -> u32 {
        if let Some(number) = self.numbers.get(&asked) {
            return *number;
        }
        let number = dense(self.asked.len());
        self.asked.push(asked);
        self.numbers.insert(asked, number);
        if let Asked::Value(Attribute::Header { header, .. }) | Asked::Presence(Attribute::Header { header, .. }) = asked {
            self.by_header.entry(header).or_default().push(number);
        } else {
            self.no_headers.push(number);
        }
        number
    }

    /// Stores the rows of a tuple by the values that they demand.
    fn postings_of(&mut self, tuple: u32, rows: Vec<Row>, plan: &mut Plan) {
        let mut by_values: Map<[Text; KEYS], Vec<Row>> = Map::default();
        for row in rows {
            let mut values = [Text::EMPTY; KEYS];
            for (room, key) in values.iter_mut().zip(&row.keys) {
                *room = key.value;
            }
            by_values.entry(values).or_default().push(row);
        }
        let mut lists: Vec<([Text; KEYS], Vec<Row>)> = by_values.into_iter().collect();
        lists.sort_unstable_by_key(|(values, rows)| (rows.first().map(|row| row.rule), *values));
        for (values, rows) in lists {
            let rows = self.rows(rows, true, plan);
            let Self { postings, tuples, seed, .. } = self;
            let hash_of = |posting: &Posting| posting_hash(posting, tuples, seed, plan);
            let posting = Posting { tuple, values, rows };
            postings.insert_unique(hash_of(&posting), posting, hash_of);
        }
    }

    /// Stores rows that no more hashes tell apart; whether a value was looked up to get here.
    fn rows(&mut self, rows: Vec<Row>, by_value: bool, plan: &mut Plan) -> Rows {
        let (rows, passes) = if rows.len() < WORTH_A_PASS {
            (rows, Vec::new())
        } else {
            let (rows, mut passes) = self.tree_passes(rows, plan);
            let (rows, automata) = automaton_passes(rows, plan);
            passes.extend(automata);
            passes.sort_by_key(|pass| pass.least);
            (rows, passes)
        };
        self.found.by_regex += passes.iter().map(Pass::automaton_rows).sum::<usize>();
        for row in &rows {
            let counter = match (row.in_tree, by_value) {
                (true, _) => &mut self.found.by_regex,
                (false, true) => &mut self.found.by_value,
                (false, false) => &mut self.found.by_path,
            };
            *counter += 1;
        }
        let mut rows = rows.into_iter().map(|row| (row.rule.0, rest(&row.rest, plan))).collect::<Vec<_>>().into_iter();
        let first = rows.next().unwrap_or((NO_RULE, None));
        let stored = Rows {
            first,
            more: dense(self.rows.len()),
            count: dense(rows.len()),
            passes: dense(self.passes.len()),
            pass_count: dense(passes.len()),
        };
        self.rows.extend(rows);
        self.passes.extend(passes);
        stored
    }

    /// Ends building.
    pub(super) fn finish(&mut self) {
        self.cells.shrink_to_fit();
        self.tuples.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.numbers = Map::default();
    }

    /// Searches a cell for a rule before the best one.
    pub(super) fn search<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(&self, cell: u32, search: &mut Search<'_, '_, H, L, J>) {
        let Some(cell) = self.cells.get(cell as usize).filter(|cell| cell.least < search.best.rule) else { return };
        self.search_rows(&cell.loose, search);
        if cell.by_header {
            return self.search_by_header(*cell, search);
        }
        let first = cell.first_tuple as usize;
        let Some(tuples) = self.tuples.get(first..first + cell.tuples as usize) else { return };
        for (tuple, number) in tuples.iter().zip(cell.first_tuple..) {
            // Tuples are sorted by their first rule.
            if tuple.least >= search.best.rule {
                return;
            }
            match tuple.asked {
                [only, NO_KEY] => self.probe_one(number, only, search),
                asked => self.probe(number, asked, search),
            }
        }
    }

    /// Probes a tuple of one key: the commonest.
    #[inline]
    fn probe_one<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        tuple: u32,
        asked: u32,
        search: &mut Search<'_, '_, H, L, J>,
    ) {
        let Some(what) = self.asked.get(asked as usize) else { return };
        match search.values.get(asked, *what, search.facts, &self.seed) {
            Found::Absent => {}
            Found::One(hash, value) => {
                let pool = &search.plan.patterns.pool;
                let same = |posting: &Posting| {
                    let [wanted, _] = posting.values;
                    posting.tuple == tuple && pool.bytes(wanted) == value
                };
                if let Some(posting) = self.postings.find(mix(tuple_hash(tuple), hash), same) {
                    self.search_rows(&posting.rows, search);
                }
            }
            Found::Pieces(_) | Found::Lines => {
                self.probe_lines(tuple, [asked, NO_KEY], 0, tuple_hash(tuple), &mut [Found::Absent; KEYS], search);
            }
        }
    }

    /// Probes what the request's own headers can meet, then what is no header.
    fn search_by_header<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(&self, cell: Cell, search: &mut Search<'_, '_, H, L, J>) {
        let first = cell.first_tuple as usize;
        let Some(tuples) = self.tuples.get(first..first + cell.tuples as usize) else { return };
        let tuple_of =
            |number: u32| tuples.binary_search_by_key(&[number, NO_KEY], |tuple| tuple.asked).ok().map(|at| cell.first_tuple + dense(at));
        let attributes = search.facts.attributes;
        for (header, line) in attributes.asked_lines() {
            for number in self.by_header.get(&header).into_iter().flatten() {
                let (Some(tuple), Some(asked)) = (tuple_of(*number), self.asked.get(*number as usize)) else { continue };
                let value: &[u8] = match asked {
                    Asked::Value(Attribute::Header { joined: true, .. }) => {
                        // All lines make one value: it is looked up once, at the first.
                        if attributes.lines(header).next().is_some_and(|first| core::ptr::eq(first, line)) {
                            self.probe(tuple, [*number, NO_KEY], search);
                        }
                        continue;
                    }
                    Asked::Value(_) => line,
                    Asked::Presence(_) => b"",
                };
                let value_hash = self.seed.hash_bytes(value);
                let found = [Found::One(value_hash, value), Found::Absent];
                self.look_up(tuple, mix(tuple_hash(tuple), value_hash), [*number, NO_KEY], &found, search);
            }
        }
        for number in &self.no_headers {
            if let Some(tuple) = tuple_of(*number) {
                self.probe(tuple, [*number, NO_KEY], search);
            }
        }
    }

    /// Probes a tuple with the request's values.
    #[inline]
    fn probe<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        tuple: u32,
        asked: [u32; KEYS],
        search: &mut Search<'_, '_, H, L, J>,
    ) {
        let mut probe = tuple_hash(tuple);
        let mut found = [Found::Absent; KEYS];
        for (room, number) in found.iter_mut().zip(asked) {
            let Some(what) = self.asked.get(number as usize) else { break };
            *room = search.values.get(number, *what, search.facts, &self.seed);
            match *room {
                Found::Absent => return,
                Found::One(hash, _) | Found::Pieces(hash) => probe = mix(probe, hash),
                Found::Lines => return self.probe_lines(tuple, asked, 0, tuple_hash(tuple), &mut [Found::Absent; KEYS], search),
            }
        }
        self.look_up(tuple, probe, asked, &found, search);
    }

    /// Probes a tuple where a header has several lines, any of which may match: with each of them.
    #[cold]
    fn probe_lines<'s, H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        tuple: u32,
        asked: [u32; KEYS],
        position: usize,
        probe: u64,
        found: &mut [Found<'s>; KEYS],
        search: &mut Search<'s, '_, H, L, J>,
    ) {
        let number = asked.get(position).copied().unwrap_or(NO_KEY);
        let Some(what) = self.asked.get(number as usize) else {
            return self.look_up(tuple, probe, asked, found, search);
        };
        let mut go_on = |value: Found<'s>, hash: u64, search: &mut Search<'s, '_, H, L, J>| {
            if let Some(room) = found.get_mut(position) {
                *room = value;
            }
            self.probe_lines(tuple, asked, position + 1, mix(probe, hash), found, search);
        };
        match search.values.get(number, *what, search.facts, &self.seed) {
            Found::Absent => {}
            one @ (Found::One(hash, _) | Found::Pieces(hash)) => go_on(one, hash, search),
            Found::Lines => {
                let Asked::Value(Attribute::Header { header, .. }) = *what else { return };
                for line in search.facts.attributes.lines(header) {
                    let hash = self.seed.hash_bytes(line);
                    go_on(Found::One(hash, line), hash, search);
                }
            }
        }
    }

    /// Searches the rows of a tuple that demand the values found.
    #[inline]
    fn look_up<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        tuple: u32,
        probe: u64,
        asked: [u32; KEYS],
        found: &[Found<'_>; KEYS],
        search: &mut Search<'_, '_, H, L, J>,
    ) {
        let (facts, pool) = (search.facts, &search.plan.patterns.pool);
        let [first, second] = found;
        let [first_asked, second_asked] = asked;
        let same = |posting: &Posting| {
            let [first_value, second_value] = posting.values;
            posting.tuple == tuple
                && self.is_value(first_asked, first, pool.bytes(first_value), facts)
                && (second_asked == NO_KEY || self.is_value(second_asked, second, pool.bytes(second_value), facts))
        };
        if let Some(posting) = self.postings.find(probe, same) {
            self.search_rows(&posting.rows, search);
        }
    }

    /// Whether what was found is the value that a row demands.
    #[inline]
    fn is_value<H: Headers + ?Sized>(&self, asked: u32, found: &Found<'_>, wanted: &[u8], facts: &Facts<'_, '_, H>) -> bool {
        match found {
            Found::One(_, value) => *value == wanted,
            Found::Pieces(_) => self.are_pieces_of(asked, wanted, facts),
            Found::Absent | Found::Lines => false,
        }
    }

    #[cold]
    fn are_pieces_of<H: Headers + ?Sized>(&self, asked: u32, wanted: &[u8], facts: &Facts<'_, '_, H>) -> bool {
        let wanted = wanted.iter().copied();
        match self.asked.get(asked as usize) {
            Some(Asked::Value(Attribute::Header { header, .. })) => joined_lines(facts.attributes.lines(*header)).eq(wanted),
            Some(Asked::Value(attribute)) => facts.value(*attribute).is_some_and(|value| value.bytes().eq(wanted)),
            Some(Asked::Presence(_)) | None => false,
        }
    }

    /// Tries rows in order, then what passes over values find.
    #[inline]
    fn search_rows<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(&self, rows: &Rows, search: &mut Search<'_, '_, H, L, J>) {
        let (rule, rest) = rows.first;
        let ended = rule >= search.best.rule || search.candidate(rule, rest);
        if !ended && rows.count > 0 {
            self.search_more(rows, search);
        }
        if rows.pass_count > 0 {
            self.search_passes(rows, search);
        }
    }

    fn search_more<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(&self, rows: &Rows, search: &mut Search<'_, '_, H, L, J>) {
        let first = rows.more as usize;
        for (rule, rest) in self.rows.get(first..first + rows.count as usize).unwrap_or_default() {
            if *rule >= search.best.rule || search.candidate(*rule, *rest) {
                return;
            }
        }
    }

    fn search_passes<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(&self, rows: &Rows, search: &mut Search<'_, '_, H, L, J>) {
        let first = rows.passes as usize;
        for pass in self.passes.get(first..first + rows.pass_count as usize).unwrap_or_default() {
            if pass.least < search.best.rule {
                pass.search(self, search);
            }
        }
    }

    /// How rows are found.
    pub(super) fn found(&self) -> RulesFound {
        RulesFound { path_nodes: self.trees.len(), tuples: self.tuples.len(), ..self.found }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let passes = self.passes.iter().map(|pass| pass.automaton_rows() * size_of::<PassRow>() + size_of::<Pass>());
        self.cells.capacity() * size_of::<Cell>()
            + self.tuples.capacity() * size_of::<Tuple>()
            + self.postings.allocation_size()
            + self.rows.capacity() * size_of::<(u32, Option<ConditionId>)>()
            + self.asked.capacity() * size_of::<Asked>()
            + passes.sum::<usize>()
            + self.trees.heap_bytes()
    }
}

fn tuple_hash(tuple: u32) -> u64 {
    mix(u64::from(tuple), 0)
}

fn posting_hash(posting: &Posting, tuples: &[Tuple], seed: &FixedSeed, plan: &Plan) -> u64 {
    let asked = tuples.get(posting.tuple as usize).map_or([NO_KEY; KEYS], |tuple| tuple.asked);
    let keys = asked.into_iter().zip(posting.values).filter(|(number, _)| *number != NO_KEY);
    keys.fold(tuple_hash(posting.tuple), |probe, (_, value)| mix(probe, seed.hash_bytes(plan.patterns.pool.bytes(value))))
}

/// What is left to check, as one condition.
pub(super) fn rest(conditions: &[ConditionId], plan: &mut Plan) -> Option<ConditionId> {
    if conditions.is_empty() { None } else { Some(plan.conditions.all(conditions)) }
}
