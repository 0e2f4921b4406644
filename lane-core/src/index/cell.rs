//! The rules of one place in the index, told apart by the values that they demand. A few rows are listed ([`list`]);
//! where all look up one thing, its text leads to them ([`single`](super::single)).
//!
//! Other rows are grouped by *which* values they look up (at most two each, a tuple); one probe of a hash table then
//! finds those of a tuple that demand the request's values. Tuples are visited by their first rule and cut off
//! by the best match. Which keys a row gives for this is chosen so that probes and candidates are fewest:
//! its two rarest, or its rarest alone; and where even those make too many tuples, the request's own headers
//! say what to probe. (Tuple space search as in packet classification, with access predicates as in
//! publish/subscribe matching.)

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    condition::{Attribute, ConditionId},
    intern::{Ids, Map, Table, dense},
    request::Headers,
    router::{Plan, RulesFound},
};

use super::{
    Search,
    key::{KEYS, Scheme, TUPLES, choose_keys},
    list::{self, Listed},
    pass::{Pass, WORTH_A_PASS, automaton_passes, text_passes},
    row::{Asked, Row},
    single::{Demand, only_asked},
    tree::Trees,
    value::{ABSENT, LINES, NO_KEY, Vocabulary, mix},
};

/// All cells.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    listed: Vec<Listed>,
    tuples: Vec<Tuple>,
    postings: Vec<Posting>,
    /// Tuple and posting of large tuples, by tuple and values.
    hashed: Table<(u32, u32)>,
    /// What rows of cells that look up one thing demand of it, and how many such cells there are.
    pub(super) demands: Table<Demand>,
    pub(super) singles: usize,
    /// Rows of postings, by rule.
    rows: Vec<(u32, Option<ConditionId>)>,
    more: Vec<More>,
    passes: Vec<Pass>,
    pub(super) trees: Trees,
    /// What is looked up, and the values demanded of it.
    pub(super) vocabulary: Vocabulary,
    /// How rows are found, counted while building.
    found: RulesFound,
}

/// The rules of one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// The first of them.
    least: u32,
    found: FoundBy,
}

/// How the rules of a cell are found.
#[derive(Clone, Copy, Debug)]
enum FoundBy {
    /// They are tried one by one; in `Cells::listed`.
    List(Ids),
    /// By the one thing that they look up.
    Single {
        /// The rows that look nothing up.
        loose: Rows,
        /// What is looked up, and the cell's number among those of this kind.
        asked: u32,
        single: u32,
    },
    /// By what they look up.
    Tuples {
        /// The rows that look nothing up.
        loose: Rows,
        /// In `Cells::tuples`, by their first rule.
        tuples: Ids,
        /// Whether the request's headers say which of the tuples to probe; they are then sorted by what they look up.
        by_header: bool,
    },
}

/// Rows that look up the same things.
#[derive(Clone, Copy, Debug)]
struct Tuple {
    least: u32,
    asked: [u32; KEYS],
    /// Its postings, by their first rule.
    first: u32,
    count: u32,
    how: How,
}

/// How the posting of a request's values is found.
#[derive(Clone, Copy, Debug)]
enum How {
    /// By comparing: there are only a few.
    Scan,
    /// By hash.
    Hash,
}

/// So few postings are compared one by one.
const COMPARED: usize = 8;

/// A rule that is not there, behind all others.
pub(super) const NO_RULE: u32 = u32::MAX;
const NO_MORE: u32 = u32::MAX;

/// The rows of a tuple that demand the same values.
#[derive(Clone, Copy, Debug)]
struct Posting {
    values: [u32; KEYS],
    rows: Rows,
}

/// Rows that nothing more tells apart by look-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// The first, in place: mostly it is the only one, or ends the search. No rule where there is none.
    first: (u32, Option<ConditionId>),
    /// The others in `Cells::more`, or `NO_MORE`.
    more: u32,
}

/// What comes behind the first of some rows.
#[derive(Clone, Copy, Debug)]
struct More {
    /// In `Cells::rows`.
    rows: u32,
    count: u32,
    /// Passes over values that find still more.
    passes: u32,
    pass_count: u32,
}

impl Cells {
    /// A cell for these rows, which are sorted by rule; none where there are none.
    pub(super) fn add(&mut self, mut rows: Vec<Row>, plan: &mut Plan) -> Option<Cell> {
        let least = rows.first()?.rule.number();
        if list::is_best_for(&rows) {
            let ids = Ids { first: dense(self.listed.len()), count: dense(rows.len()) };
            for row in &rows {
                let counter = if row.keys.is_empty() { &mut self.found.by_path } else { &mut self.found.by_value };
                *counter += 1;
            }
            let listed = list::list(rows, &mut self.vocabulary, plan);
            self.listed.extend(listed);
            return Some(Cell { least, found: FoundBy::List(ids) });
        }
        let scheme = choose_keys(&mut rows);
        if let Some(asked) = only_asked(&rows) {
            let asked = self.vocabulary.number(asked);
            let (loose, looking) = rows.into_iter().partition(|row| row.keys.is_empty());
            let loose = self.rows(loose, false, plan);
            let single = self.add_single(looking, plan);
            return Some(Cell { least, found: FoundBy::Single { loose, asked, single } });
        }
        let mut loose = Vec::new();
        let mut by_tuple: Map<[u32; KEYS], Vec<Row>> = Map::default();
        for mut row in rows {
            if row.keys.is_empty() {
                loose.push(row);
                continue;
            }
            // What was asked for first is mostly asked for most: tuples then agree in the value that is read first.
            row.keys.sort_by_key(|key| self.vocabulary.number(key.asked));
            let mut asked = [NO_KEY; KEYS];
            for (room, key) in asked.iter_mut().zip(&row.keys) {
                *room = self.vocabulary.number(key.asked);
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
        self.tuples.extend(tuples.iter().map(|(asked, rows)| Tuple {
            least: rows.first().map_or(NO_RULE, |row| row.rule.number()),
            asked: *asked,
            first: 0,
            count: 0,
            how: How::Scan,
        }));
        let ids = Ids { first: first_tuple, count: dense(tuples.len()) };
        for ((asked, rows), tuple) in tuples.into_iter().zip(first_tuple..) {
            self.postings_of(tuple, asked, rows, plan);
        }
        Some(Cell { least, found: FoundBy::Tuples { loose, tuples: ids, by_header } })
    }

    /// Stores the rows of a tuple by the values that they demand.
    fn postings_of(&mut self, tuple: u32, asked: [u32; KEYS], rows: Vec<Row>, plan: &mut Plan) {
        let mut by_values: Map<[u32; KEYS], Vec<Row>> = Map::default();
        for row in rows {
            let mut values = [ABSENT; KEYS];
            for ((room, key), asked) in values.iter_mut().zip(&row.keys).zip(asked) {
                *room = self.vocabulary.add(asked, key.value, &plan.patterns.pool);
            }
            by_values.entry(values).or_default().push(row);
        }
        let mut lists: Vec<([u32; KEYS], Vec<Row>)> = by_values.into_iter().collect();
        lists.sort_unstable_by_key(|(values, rows)| (rows.first().map(|row| row.rule), *values));
        // What rows need beyond may add postings of other cells, so they are stored first.
        let postings: Vec<Posting> =
            lists.into_iter().map(|(values, rows)| Posting { values, rows: self.rows(rows, true, plan) }).collect();
        let first = dense(self.postings.len());
        let count = dense(postings.len());
        self.postings.extend(postings);
        let how = self.how(tuple, first..first + count);
        if let Some(tuple) = self.tuples.get_mut(tuple as usize) {
            (tuple.first, tuple.count, tuple.how) = (first, count, how);
        }
    }

    /// Decides how the postings of a tuple are found, and prepares it.
    fn how(&mut self, tuple: u32, postings: Range<u32>) -> How {
        if postings.len() <= COMPARED {
            return How::Scan;
        }
        let Self { postings: all, hashed, .. } = self;
        for id in postings {
            let values = all.get(id as usize).map_or([ABSENT; KEYS], |posting| posting.values);
            hashed.insert(probe_hash(tuple, values), (tuple, id));
        }
        How::Hash
    }

    /// Stores rows that no more hashes tell apart; whether a value was looked up to get here.
    pub(super) fn rows(&mut self, rows: Vec<Row>, by_value: bool, plan: &mut Plan) -> Rows {
        let (rows, passes) = if rows.len() < WORTH_A_PASS {
            (rows, Vec::new())
        } else {
            let (rows, mut passes) = self.tree_passes(rows, plan);
            let (rows, automata) = automaton_passes(rows, plan);
            passes.extend(automata);
            let (rows, texts) = text_passes(rows, plan);
            passes.extend(texts);
            passes.sort_by_key(|pass| pass.least);
            (rows, passes)
        };
        self.found.by_regex += passes.iter().map(Pass::own_rows).sum::<usize>();
        for row in &rows {
            let counter = match (row.in_tree, by_value) {
                (true, _) => &mut self.found.by_regex,
                (false, true) => &mut self.found.by_value,
                (false, false) => &mut self.found.by_path,
            };
            *counter += 1;
        }
        let mut rows = rows.into_iter().map(|row| (row.rule.number(), rest(&row.rest, plan))).collect::<Vec<_>>().into_iter();
        let first = rows.next().unwrap_or((NO_RULE, None));
        if rows.len() == 0 && passes.is_empty() {
            return Rows { first, more: NO_MORE };
        }
        self.more.push(More {
            rows: dense(self.rows.len()),
            count: dense(rows.len()),
            passes: dense(self.passes.len()),
            pass_count: dense(passes.len()),
        });
        self.rows.extend(rows);
        self.passes.extend(passes);
        Rows { first, more: dense(self.more.len() - 1) }
    }

    /// Ends building.
    pub(super) fn finish(&mut self) {
        self.listed.shrink_to_fit();
        self.tuples.shrink_to_fit();
        self.postings.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.more.shrink_to_fit();
        self.vocabulary.finish();
    }

    /// Searches a cell for a rule before the best one.
    pub(super) fn search<H: Headers + ?Sized>(&self, cell: &Cell, search: &mut Search<'_, '_, H>) {
        if cell.least >= search.best {
            return;
        }
        match &cell.found {
            FoundBy::List(rows) => list::search(rows.of(&self.listed), &self.vocabulary, search),
            FoundBy::Single { loose, asked, single } => {
                self.search_rows(loose, search);
                self.search_single(*single, *asked, search);
            }
            FoundBy::Tuples { loose, tuples, by_header: false } => self.search_tuples(loose, *tuples, search),
            FoundBy::Tuples { loose, tuples, by_header: true } => self.search_by_header(loose, *tuples, search),
        }
    }

    /// Probes tuples, which are sorted by their first rule. Not inlined, so that searching a list stays small.
    #[inline(never)]
    fn search_tuples<H: Headers + ?Sized>(&self, loose: &Rows, tuples: Ids, search: &mut Search<'_, '_, H>) {
        self.search_rows(loose, search);
        for (tuple, number) in tuples.of(&self.tuples).iter().zip(tuples.first..) {
            if tuple.least >= search.best {
                return;
            }
            self.probe(number, tuple, search);
        }
    }

    /// Probes what the request's own headers can meet, then what is no header.
    #[inline(never)]
    fn search_by_header<H: Headers + ?Sized>(&self, loose: &Rows, ids: Ids, search: &mut Search<'_, '_, H>) {
        self.search_rows(loose, search);
        let tuples = ids.of(&self.tuples);
        let tuple_of = |number: u32| {
            let at = tuples.binary_search_by_key(&[number, NO_KEY], |tuple| tuple.asked).ok()?;
            Some((ids.first + dense(at), tuples.get(at)?))
        };
        let (attributes, pool) = (search.facts.attributes, &search.plan.patterns.pool);
        for (header, line) in attributes.asked_lines() {
            for number in self.vocabulary.of_header(header) {
                let (Some((id, tuple)), Some(asked)) = (tuple_of(*number), self.vocabulary.asked(*number)) else { continue };
                let value: &[u8] = match asked {
                    Asked::Value(Attribute::Header { joined: true, .. }) => {
                        // All lines make one value: it is looked up once, at the first.
                        if attributes.lines(header).next().is_some_and(|first| core::ptr::eq(first, line)) {
                            self.probe(id, tuple, search);
                        }
                        continue;
                    }
                    Asked::Value(_) => line,
                    Asked::Presence(_) => b"",
                };
                let found = self.vocabulary.find(*number, value, pool);
                if found != ABSENT {
                    self.look_up(id, tuple, [found, ABSENT], search);
                }
            }
        }
        for number in self.vocabulary.of_no_header() {
            if let Some((id, tuple)) = tuple_of(*number) {
                self.probe(id, tuple, search);
            }
        }
    }

    /// Probes a tuple with the request's values.
    #[inline(always)]
    fn probe<H: Headers + ?Sized>(&self, id: u32, tuple: &Tuple, search: &mut Search<'_, '_, H>) {
        let [first, second] = tuple.asked;
        let one = search.values.number(first, &self.vocabulary, search.facts);
        if one == ABSENT {
            return;
        }
        if one == LINES {
            return self.probe_lines(id, tuple, 0, &mut [ABSENT; KEYS], search);
        }
        if let How::Scan = tuple.how {
            for posting in self.postings_of_tuple(tuple) {
                let [wanted, wanted_too] = posting.values;
                if wanted != one {
                    continue;
                }
                // The second value is read only where the first is demanded.
                if wanted_too != ABSENT {
                    let other = search.values.number(second, &self.vocabulary, search.facts);
                    if other == LINES {
                        return self.probe_lines(id, tuple, 0, &mut [ABSENT; KEYS], search);
                    }
                    if other != wanted_too {
                        continue;
                    }
                }
                return self.search_rows(&posting.rows, search);
            }
            return;
        }
        let other = if second == NO_KEY { ABSENT } else { search.values.number(second, &self.vocabulary, search.facts) };
        match other {
            LINES => self.probe_lines(id, tuple, 0, &mut [ABSENT; KEYS], search),
            ABSENT if second != NO_KEY => {}
            other => self.look_up(id, tuple, [one, other], search),
        }
    }

    /// Probes a tuple where a header has several lines, any of which may match: with each of them.
    #[cold]
    fn probe_lines<H: Headers + ?Sized>(
        &self,
        id: u32,
        tuple: &Tuple,
        position: usize,
        values: &mut [u32; KEYS],
        search: &mut Search<'_, '_, H>,
    ) {
        let number = tuple.asked.get(position).copied().unwrap_or(NO_KEY);
        let Some(asked) = self.vocabulary.asked(number) else { return self.look_up(id, tuple, *values, search) };
        let mut go_on = |value: u32, search: &mut Search<'_, '_, H>| {
            if let Some(room) = values.get_mut(position).filter(|_| value != ABSENT) {
                *room = value;
                self.probe_lines(id, tuple, position + 1, values, search);
            }
        };
        match (search.values.number(number, &self.vocabulary, search.facts), asked) {
            (LINES, Asked::Value(Attribute::Header { header, .. })) => {
                for line in search.facts.attributes.lines(header) {
                    go_on(self.vocabulary.find(number, line, &search.plan.patterns.pool), search);
                }
            }
            (value, _) => go_on(value, search),
        }
    }

    #[inline]
    fn postings_of_tuple(&self, tuple: &Tuple) -> &[Posting] {
        let first = tuple.first as usize;
        self.postings.get(first..first + tuple.count as usize).unwrap_or_default()
    }

    /// Searches the rows of a tuple that demand these values.
    #[inline(always)]
    fn look_up<H: Headers + ?Sized>(&self, id: u32, tuple: &Tuple, values: [u32; KEYS], search: &mut Search<'_, '_, H>) {
        let posting = match tuple.how {
            How::Scan => self.postings_of_tuple(tuple).iter().find(|posting| posting.values == values),
            How::Hash => {
                let is_posting = |posting: u32| self.postings.get(posting as usize).is_some_and(|posting| posting.values == values);
                let found = self.hashed.find(probe_hash(id, values), |(tuple, posting)| *tuple == id && is_posting(*posting));
                found.and_then(|(_, posting)| self.postings.get(*posting as usize))
            }
        };
        if let Some(posting) = posting {
            self.search_rows(&posting.rows, search);
        }
    }

    /// Tries rows in order, then what passes over values find.
    #[inline(always)]
    pub(super) fn search_rows<H: Headers + ?Sized>(&self, rows: &Rows, search: &mut Search<'_, '_, H>) {
        let (rule, rest) = rows.first;
        let ended = rule >= search.best || search.candidate(rule, rest);
        if rows.more != NO_MORE {
            self.search_more(rows.more, ended, search);
        }
    }

    /// Tries what comes behind the first row, which ended the rows or not.
    fn search_more<H: Headers + ?Sized>(&self, more: u32, ended: bool, search: &mut Search<'_, '_, H>) {
        let Some(more) = self.more.get(more as usize) else { return };
        if !ended {
            let first = more.rows as usize;
            for (rule, rest) in self.rows.get(first..first + more.count as usize).unwrap_or_default() {
                if *rule >= search.best || search.candidate(*rule, *rest) {
                    break;
                }
            }
        }
        let first = more.passes as usize;
        for pass in self.passes.get(first..first + more.pass_count as usize).unwrap_or_default() {
            if pass.least < search.best {
                pass.search(self, search);
            }
        }
    }

    /// How rows are found.
    pub(super) fn found(&self) -> RulesFound {
        RulesFound { path_nodes: self.trees.len(), tuples: self.tuples.len(), ..self.found }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let passes = self.passes.iter().map(|pass| pass.heap_bytes() + size_of::<Pass>());
        self.listed.capacity() * size_of::<Listed>()
            + self.tuples.capacity() * size_of::<Tuple>()
            + self.postings.capacity() * size_of::<Posting>()
            + self.hashed.heap_bytes()
            + self.demands.heap_bytes()
            + self.rows.capacity() * size_of::<(u32, Option<ConditionId>)>()
            + self.more.capacity() * size_of::<More>()
            + self.vocabulary.heap_bytes()
            + passes.sum::<usize>()
            + self.trees.heap_bytes()
    }
}

fn probe_hash(tuple: u32, [one, other]: [u32; KEYS]) -> u64 {
    mix(u64::from(tuple), u64::from(one) << 32 | u64::from(other))
}

/// What is left to check, as one condition.
pub(super) fn rest(conditions: &[ConditionId], plan: &mut Plan) -> Option<ConditionId> {
    if conditions.is_empty() { None } else { Some(plan.conditions.all(conditions)) }
}
