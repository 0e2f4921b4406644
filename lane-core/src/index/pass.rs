//! Rows of one cell that no hash tells apart: one pass over a value finds those whose literal beginning it has, in a
//! tree, or whose regular expression matches it, in an automaton that they share.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    attribute::Value,
    condition::{Attribute, Condition, ConditionId, joined_lines},
    intern::{Map, RuleId},
    pattern::Kind,
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
}

/// An expression's number in its automaton, the rule, and what is left to check.
pub(super) type PassRow = (u32, u32, Option<ConditionId>);

impl Pass {
    /// Tries the rows that the attribute's value, or one of its lines, leads to.
    pub(super) fn search<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        cells: &Cells,
        search: &mut Search<'_, '_, H, L, J>,
    ) {
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

    fn run<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        value: &[u8],
        cells: &Cells,
        search: &mut Search<'_, '_, H, L, J>,
    ) {
        match &self.rows {
            Passed::Automaton(automaton, rows) => run_automaton(*automaton, rows, value.iter().copied(), search),
            Passed::Tree(root) => cells.search_tree::<false, _, _, _>(*root, value, search),
        }
    }

    #[cold]
    fn run_pieces<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
        &self,
        value: impl Iterator<Item = u8>,
        cells: &Cells,
        search: &mut Search<'_, '_, H, L, J>,
    ) {
        match &self.rows {
            Passed::Automaton(automaton, rows) => run_automaton(*automaton, rows, value, search),
            Passed::Tree(root) => {
                // No literal of a tree is longer than this, so more of the value does not matter.
                let mut start = [0; value::LONGEST];
                let mut length = 0;
                for (room, byte) in start.iter_mut().zip(value) {
                    *room = byte;
                    length += 1;
                }
                cells.search_tree::<false, _, _, _>(*root, start.get(..length).unwrap_or_default(), search);
            }
        }
    }

    /// How many rows an automaton finds.
    pub(super) fn automaton_rows(&self) -> usize {
        match &self.rows {
            Passed::Automaton(_, rows) => rows.len(),
            Passed::Tree(_) => 0,
        }
    }
}

fn run_automaton<H: Headers + ?Sized, L, J: FnMut(RuleId) -> Option<L>>(
    automaton: u32,
    rows: &[PassRow],
    value: impl Iterator<Item = u8>,
    search: &mut Search<'_, '_, H, L, J>,
) {
    for number in search.plan.patterns.regexes.matching(automaton, value) {
        let first = rows.partition_point(|(row, ..)| *row < number);
        for (_, rule, rest) in rows.get(first..).unwrap_or_default().iter().take_while(|(row, ..)| *row == number) {
            if *rule >= search.best.rule || search.candidate(*rule, *rest) {
                break;
            }
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
                Kind::Regex(regex) => (plan.patterns.regexes.prefix(regex)?, None),
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
            let least = taken.first().map_or(NO_RULE, |row| row.rule.0);
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
                by_automaton.entry((attribute, automaton)).or_default().push((number, row.rule.0, rest));
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
