//! The rows of a small cell: compared with the request one after the other, in the order of their rules. For so few,
//! comparing texts costs less than turning values into numbers.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::{bytes::same_bytes, condition::ConditionId, intern::Map, pattern::Text, request::Headers, router::Plan};

use super::{
    Search,
    cell::rest,
    pass::WORTH_A_PASS,
    row::{Asked, Row},
    value::{NO_KEY, Read, Vocabulary},
};

/// Cells with at most so many rows are listed.
const FEW: usize = 8;

/// A row, with one value that it demands in place: mostly that value is another, and nothing else need be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    rule: u32,
    /// Whose value must be `text`; `NO_KEY` where the row demands no value.
    asked: u32,
    text: Text,
    /// The beginning of `text`, which tells most values apart without a look at the texts themselves.
    head: u64,
    /// What is left to check.
    rest: Option<ConditionId>,
}

/// Up to eight bytes of a text's beginning: of texts equally long and no longer, all of them.
#[inline(always)]
fn head(text: &[u8]) -> u64 {
    if let Some(bytes) = text.first_chunk() {
        return u64::from_le_bytes(*bytes);
    }
    // Two pieces overlap as they must.
    match (text.first_chunk(), text.last_chunk(), text) {
        (Some(first), Some(last), _) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
        (.., [first, rest @ ..]) => u64::from(*first) | rest.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)) << 8,
        _ => 0,
    }
}

/// Whether listing is best for these rows: there are few, and not so many without a value that a pass would find them.
pub(super) fn is_best_for(rows: &[Row]) -> bool {
    rows.len() <= FEW && rows.iter().filter(|row| row.keys.is_empty()).count() < WORTH_A_PASS
}

/// Lists rows, which are sorted by rule.
pub(super) fn list(rows: Vec<Row>, vocabulary: &mut Vocabulary, plan: &mut Plan) -> Vec<Listed> {
    let mut popularity: Map<Asked, usize> = Map::default();
    for key in rows.iter().flat_map(|row| &row.keys) {
        *popularity.entry(key.asked).or_default() += 1;
    }
    let listed = rows.into_iter().map(|mut row| {
        // What most rows ask for is read once for all of them. Presence tells little apart.
        row.keys.sort_by_key(|key| {
            let popularity = popularity.get(&key.asked).copied().unwrap_or(0);
            (matches!(key.asked, Asked::Presence(_)), Reverse(popularity), key.asked)
        });
        let mut keys = row.keys.iter();
        let (asked, text) = keys.next().map_or((NO_KEY, Text::EMPTY), |key| (vocabulary.number(key.asked), key.value));
        let others: Vec<ConditionId> = keys.map(|key| key.condition).chain(row.rest.iter().copied()).collect();
        Listed { rule: row.rule.number(), asked, text, head: head(plan.str(text).as_bytes()), rest: rest(&others, plan) }
    });
    listed.collect()
}

/// Tries the rows in order.
#[inline]
pub(super) fn search<H: Headers + ?Sized>(rows: &[Listed], vocabulary: &Vocabulary, search: &mut Search<'_, '_, H>) {
    let (mut asked, mut read, mut start) = (NO_KEY, Read::Nothing, 0);
    for row in rows {
        if row.rule >= search.best {
            return;
        }
        if row.asked != asked {
            read = search.values.read(row.asked, vocabulary, search.facts);
            asked = row.asked;
            start = if let Read::Text(text) = read { head(text) } else { 0 };
        }
        let demanded = match read {
            Read::Text(text) => {
                text.len() == row.text.len()
                    && start == row.head
                    && (text.len() <= size_of::<u64>() || same_bytes(text, search.plan.patterns.pool.bytes(row.text)))
            }
            Read::Nothing => row.asked == NO_KEY,
            Read::Lines | Read::Pieces => vocabulary.is_otherwise(asked, read, search.plan.patterns.pool.bytes(row.text), search.facts),
        };
        if demanded && search.candidate(row.rule, row.rest) {
            return;
        }
    }
}
