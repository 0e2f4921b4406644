//! Rows of one cell that no hash tells apart: one pass over a value finds those whose literal beginning it has, in a
//! tree, or whose regular expression matches it, in an automaton that they share, or of whose texts it holds one.

use alloc::{boxed::Box, vec::Vec};

use aho_corasick::{Anchored, automaton::Automaton, nfa::contiguous::NFA as Texts};

use crate::{
    attribute::Value,
    condition::{Attribute, Condition, ConditionId, joined_lines},
    intern::Map,
    pattern::{Kind, Text},
    request::Headers,
    router::Plan,
};

use super::{
    Search,
    cell::{Cells, NO_RULE, rest},
    row::{PathKey, Reach, Row},
    value,
};

/// So many rows are worth a pass of their own.
pub(super) const WORTH_A_PASS: usize = 4;

/// One pass over an attribute's value that finds rows.
#[derive(Debug)]
pub(super) struct Pass {
    attribute: Attribute,
    /// The first of the rules that it may find.
    pub(super) least: u32,
    rows: Passed,
}

/// What a pass goes through.
#[derive(Debug)]
enum Passed {
    /// An automaton; the rows by their expression's number in it, then by rule.
    Automaton(u32, Box<[PassRow]>),
    /// A tree of literal beginnings, by its root.
    Tree(u32),
    /// Texts of which the value must hold one, and the rows by their text's number, then by rule.
    Texts(Box<Texts>, Box<[PassRow]>),
}

/// The number of an expression or text in what finds it, the rule, and what is left to check.
pub(super) type PassRow = (u32, u32, Option<ConditionId>);

impl Pass {
    /// Tries the rows that the attribute's value, or one of its lines, leads to.
    pub(super) fn search<H: Headers + ?Sized>(&self, cells: &Cells, search: &mut Search<'_, '_, H>) {
        let facts = search.facts;
        match self.attribute {
            Attribute::Header { header, joined: true } => {
                let lines = facts.attributes.lines(header);
                if lines.clone().next().is_some() {
                    self.run_pieces(joined_lines(lines), cells, search);
                }
            }
            Attribute::Header { header, joined: false } => {
                for line in facts.attributes.lines(header) {
                    self.run(line, cells, search);
                }
            }
            attribute => match facts.value(attribute) {
                Some(Value::Plain(value)) => self.run(value, cells, search),
                Some(value) => self.run_pieces(value.bytes(), cells, search),
                None => {}
            },
        }
    }

    fn run<H: Headers + ?Sized>(&self, value: &[u8], cells: &Cells, search: &mut Search<'_, '_, H>) {
        match &self.rows {
            Passed::Automaton(automaton, rows) => run_automaton(*automaton, rows, value.iter().copied(), search),
            Passed::Tree(root) => cells.search_tree::<false, _>(*root, value, search),
            Passed::Texts(texts, rows) => find_texts(texts, rows, value.iter().copied(), search),
        }
    }

    #[cold]
    fn run_pieces<H: Headers + ?Sized>(&self, value: impl Iterator<Item = u8>, cells: &Cells, search: &mut Search<'_, '_, H>) {
        match &self.rows {
            Passed::Automaton(automaton, rows) => run_automaton(*automaton, rows, value, search),
            Passed::Texts(texts, rows) => find_texts(texts, rows, value, search),
            Passed::Tree(root) => {
                // No literal of a tree is longer than this, so more of the value does not matter.
                let mut start = [0; value::LONGEST];
                let mut length = 0;
                for (room, byte) in start.iter_mut().zip(value) {
                    *room = byte;
                    length += 1;
                }
                cells.search_tree::<false, _>(*root, start.get(..length).unwrap_or_default(), search);
            }
        }
    }

    /// How many rows the pass itself holds.
    pub(super) fn own_rows(&self) -> usize {
        match &self.rows {
            Passed::Automaton(_, rows) | Passed::Texts(_, rows) => rows.len(),
            Passed::Tree(_) => 0,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts = if let Passed::Texts(texts, _) = &self.rows { texts.memory_usage() + size_of::<Texts>() } else { 0 };
        texts + self.own_rows() * size_of::<PassRow>()
    }
}

fn run_automaton<H: Headers + ?Sized>(automaton: u32, rows: &[PassRow], value: impl Iterator<Item = u8>, search: &mut Search<'_, '_, H>) {
    for number in search.plan.patterns.regexes.matching(automaton, value) {
        let first = rows.partition_point(|(row, ..)| *row < number);
        for (_, rule, rest) in rows.get(first..).unwrap_or_default().iter().take_while(|(row, ..)| *row == number) {
            if *rule >= search.best || search.candidate(*rule, *rest) {
                break;
            }
        }
    }
}

/// Tries the rows whose texts the value holds.
fn find_texts<H: Headers + ?Sized>(texts: &Texts, rows: &[PassRow], value: impl Iterator<Item = u8>, search: &mut Search<'_, '_, H>) {
    // Only a search that was asked for anchored starts could fail to start.
    let Ok(mut state) = texts.start_state(Anchored::No) else { return };
    let mut tried = 0;
    for byte in value {
        state = texts.next_state(Anchored::No, state, byte);
        if !texts.is_special(state) || !texts.is_match(state) {
            continue;
        }
        for at in 0..texts.match_len(state) {
            let number = texts.match_pattern(state, at).as_u32();
            let first = rows.partition_point(|(row, ..)| *row < number);
            for (_, rule, rest) in rows.get(first..).unwrap_or_default().iter().take_while(|(row, ..)| *row == number) {
                tried += 1;
                if *rule >= search.best || search.candidate(*rule, *rest) {
                    break;
                }
            }
        }
        if tried > rows.len() {
            // A value that holds a text again and again: trying each row once is less work.
            for (_, rule, rest) in rows {
                if *rule < search.best {
                    search.candidate(*rule, *rest);
                }
            }
            return;
        }
    }
}

/// The literal beginnings that a row demands of values, unless it is in a tree already.
fn beginnings<'r>(row: &'r Row, plan: &'r Plan) -> impl Iterator<Item = (Attribute, PathKey)> + use<'r> {
    let conditions = row.rest.iter().filter(|_| !row.in_tree);
    conditions.filter_map(|id| match plan.conditions.node(*id)? {
        Condition::Test { attribute, matcher } if !matcher.not && !matcher.or_missing => {
            let (text, proves) = match matcher.kind {
                Kind::Prefix { text, fold: false } => (text, Some(*id)),
                Kind::Regex(regex) => (plan.patterns.regexes.literals(regex)?.prefix, None),
                _ => return None,
            };
            let fits = (1..=value::LONGEST).contains(&plan.str(text).len());
            fits.then_some((attribute, PathKey { text, reach: Reach::Prefix, proves }))
        }
        _ => None,
    })
}

impl Cells {
    /// Takes out the rows that a tree of literal beginnings finds, for each attribute in which enough rows have one.
    pub(super) fn tree_passes(&mut self, mut rows: Vec<Row>, plan: &mut Plan) -> (Vec<Row>, Vec<Pass>) {
        let mut passes = Vec::new();
        loop {
            let mut sizes: Map<Attribute, usize> = Map::default();
            for row in &rows {
                for (attribute, _) in beginnings(row, plan) {
                    *sizes.entry(attribute).or_default() += 1;
                }
            }
            let most = sizes.into_iter().max_by_key(|(attribute, size)| (*size, core::cmp::Reverse(*attribute)));
            let Some((attribute, _)) = most.filter(|(_, size)| *size >= WORTH_A_PASS) else { return (rows, passes) };
            let beginning = |row: &Row, plan: &Plan| beginnings(row, plan).find(|(of, _)| *of == attribute).map(|(_, path)| path);
            let (taken, kept): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| beginning(row, plan).is_some());
            rows = kept;
            let least = taken.first().map_or(NO_RULE, |row| row.rule.number());
            let with_beginning = |mut row: Row| {
                row.path = beginning(&row, plan);
                // What the tree proves need not be checked; and no row is put into a tree twice.
                row.rest.retain(|condition| row.path.is_none_or(|path| path.proves != Some(*condition)));
                row.in_tree = true;
                row
            };
            let taken: Vec<Row> = taken.into_iter().map(with_beginning).collect();
            if let Some(root) = self.add_tree(taken, plan) {
                passes.push(Pass { attribute, least, rows: Passed::Tree(root) });
            }
        }
    }
}

/// Takes out the rows whose expressions share an automaton; the others stay.
pub(super) fn automaton_passes(rows: Vec<Row>, plan: &mut Plan) -> (Vec<Row>, Vec<Pass>) {
    let expression = |row: &Row, plan: &Plan| {
        row.rest.iter().find_map(|id| match plan.conditions.node(*id)? {
            Condition::Test { attribute, matcher } if !matcher.not && !matcher.or_missing => match matcher.kind {
                Kind::Regex(regex) => plan.patterns.regexes.place(regex).map(|(automaton, number)| (attribute, automaton, number, *id)),
                _ => None,
            },
            _ => None,
        })
    };
    let mut sizes: Map<(Attribute, u32), usize> = Map::default();
    for row in &rows {
        if let Some((attribute, automaton, ..)) = expression(row, plan) {
            *sizes.entry((attribute, automaton)).or_default() += 1;
        }
    }
    let mut kept = Vec::new();
    let mut by_automaton: Map<(Attribute, u32), Vec<PassRow>> = Map::default();
    for mut row in rows {
        match expression(&row, plan) {
            Some((attribute, automaton, number, id)) if sizes.get(&(attribute, automaton)).is_some_and(|size| *size >= WORTH_A_PASS) => {
                row.rest.retain(|condition| *condition != id);
                let rest = rest(&row.rest, plan);
                by_automaton.entry((attribute, automaton)).or_default().push((number, row.rule.number(), rest));
            }
            _ => kept.push(row),
        }
    }
    let passes = by_automaton.into_iter().map(|((attribute, automaton), mut rows)| {
        rows.sort_unstable_by_key(|(number, rule, _)| (*number, *rule));
        let least = rows.iter().map(|(_, rule, _)| *rule).min().unwrap_or(u32::MAX);
        Pass { attribute, least, rows: Passed::Automaton(automaton, rows.into_boxed_slice()) }
    });
    let mut passes: Vec<Pass> = passes.collect();
    passes.sort_unstable_by_key(|pass| pass.least);
    (kept, passes)
}

/// Shorter texts stand in too many values to tell rows apart.
const SHORTEST_TEXT: usize = 3;
/// Of longer texts only the beginning is looked for.
const LONGEST_TEXT: usize = 32;

/// A text that the row demands of a value, anywhere in it. Finding it proves nothing: where a value holds texts again and
/// again, rows are tried without it.
fn required(row: &Row, plan: &Plan) -> Option<(Attribute, Text)> {
    row.rest.iter().find_map(|id| match plan.conditions.node(*id)? {
        Condition::Test { attribute, matcher } if !matcher.not && !matcher.or_missing => {
            let text = match matcher.kind {
                Kind::Contains { text, fold: false } | Kind::Suffix { text, fold: false } => text,
                Kind::Regex(regex) => plan.patterns.regexes.literals(regex)?.required,
                _ => return None,
            };
            (text.len() >= SHORTEST_TEXT).then(|| (attribute, text.part(0, text.len().min(LONGEST_TEXT))))
        }
        _ => None,
    })
}

/// Takes out the rows that a text tells apart which the value must hold; the others stay.
pub(super) fn text_passes(rows: Vec<Row>, plan: &mut Plan) -> (Vec<Row>, Vec<Pass>) {
    let mut sizes: Map<Attribute, usize> = Map::default();
    for row in &rows {
        if let Some((attribute, _)) = required(row, plan) {
            *sizes.entry(attribute).or_default() += 1;
        }
    }
    let mut kept = Vec::new();
    let mut by_attribute: Map<Attribute, Vec<(Text, Row)>> = Map::default();
    for row in rows {
        match required(&row, plan) {
            Some((attribute, text)) if sizes.get(&attribute).is_some_and(|size| *size >= WORTH_A_PASS) => {
                by_attribute.entry(attribute).or_default().push((text, row));
            }
            _ => kept.push(row),
        }
    }
    let mut passes = Vec::new();
    for (attribute, mut rows) in by_attribute {
        rows.sort_by(|(one, a), (other, b)| {
            let pool = &plan.patterns.pool;
            pool.bytes(*one).cmp(pool.bytes(*other)).then(a.rule.cmp(&b.rule))
        });
        let mut texts: Vec<Text> = rows.iter().map(|(text, _)| *text).collect();
        texts.dedup_by(|one, other| plan.patterns.pool.bytes(*one) == plan.patterns.pool.bytes(*other));
        let Ok(automaton) = Texts::builder().build(texts.iter().map(|text| plan.patterns.pool.bytes(*text))) else {
            // Too many for one automaton.
            kept.extend(rows.into_iter().map(|(_, row)| row));
            continue;
        };
        let least = rows.iter().map(|(_, row)| row.rule.number()).min().unwrap_or(NO_RULE);
        let mut numbered: Vec<PassRow> = Vec::with_capacity(rows.len());
        let mut number = 0;
        let mut last: Option<Text> = None;
        for (text, row) in rows {
            if last.is_some_and(|last| plan.patterns.pool.bytes(last) != plan.patterns.pool.bytes(text)) {
                number += 1;
            }
            last = Some(text);
            numbered.push((number, row.rule.number(), rest(&row.rest, plan)));
        }
        passes.push(Pass { attribute, least, rows: Passed::Texts(Box::new(automaton), numbered.into_boxed_slice()) });
    }
    kept.sort_by_key(|row| row.rule);
    passes.sort_unstable_by_key(|pass| pass.least);
    (kept, passes)
}
