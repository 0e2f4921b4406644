//! Cells whose rows all look up the value of one and the same thing, as lanes by a header do: a hash table leads from its
//! text to the rows.

use alloc::vec::Vec;

use crate::{
    bytes::same_bytes,
    intern::{Map, dense},
    pattern::Text,
    request::Headers,
    router::Plan,
};

use super::{
    Search,
    cell::{Cells, Rows},
    row::{Asked, Row},
    value::{LONGEST, Read},
};

/// Rows that demand this text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// The cell, by its number among those of this kind.
    single: u32,
    text: Text,
    rows: Rows,
}

/// What the rows look up that look something up, if it is one thing for all of them.
pub(super) fn only_asked(rows: &[Row]) -> Option<Asked> {
    let mut looking = rows.iter().filter(|row| !row.keys.is_empty());
    let [only] = *looking.next()?.keys else { return None };
    looking.all(|row| matches!(*row.keys, [key] if key.asked == only.asked)).then_some(only.asked)
}

impl Cells {
    /// Stores rows of which each has one key, all of one kind; the number of their cell among those of this kind.
    pub(super) fn add_single(&mut self, rows: Vec<Row>, plan: &mut Plan) -> u32 {
        let single = dense(self.singles);
        self.singles += 1;
        let mut by_text: Map<Text, Vec<Row>> = Map::default();
        for row in rows {
            if let [key] = *row.keys {
                by_text.entry(key.value).or_default().push(row);
            }
        }
        let mut by_text: Vec<(Text, Vec<Row>)> = by_text.into_iter().collect();
        by_text.sort_unstable_by_key(|(_, rows)| rows.first().map(|row| row.rule));
        for (text, rows) in by_text {
            let rows = self.rows(rows, true, plan);
            let hash = self.vocabulary.hash(single, plan.patterns.pool.bytes(text));
            self.demands.insert(hash, Demand { single, text, rows });
        }
        single
    }

    /// Searches the rows that demand the request's value.
    #[inline(always)]
    pub(super) fn search_single<H: Headers + ?Sized>(&self, single: u32, asked: u32, search: &mut Search<'_, '_, H>) {
        match search.values.read(asked, &self.vocabulary, search.facts) {
            Read::Nothing => {}
            Read::Text(text) => self.search_demand(single, text, search),
            Read::Lines | Read::Pieces => self.search_single_otherwise(single, asked, search),
        }
    }

    /// The same for a value in several lines, any of which may be demanded, or in pieces.
    #[cold]
    fn search_single_otherwise<H: Headers + ?Sized>(&self, single: u32, asked: u32, search: &mut Search<'_, '_, H>) {
        if let Read::Pieces = search.values.read(asked, &self.vocabulary, search.facts) {
            let mut room = [0; LONGEST];
            if let Some(text) = self.vocabulary.whole(asked, search.facts, &mut room) {
                self.search_demand(single, text, search);
            }
            return;
        }
        for line in self.vocabulary.lines(asked, search.facts) {
            self.search_demand(single, line, search);
        }
    }

    #[inline(always)]
    fn search_demand<H: Headers + ?Sized>(&self, single: u32, text: &[u8], search: &mut Search<'_, '_, H>) {
        let pool = &search.plan.patterns.pool;
        let is_it = |demand: &Demand| demand.single == single && same_bytes(pool.bytes(demand.text), text);
        if let Some(demand) = self.demands.find(self.vocabulary.hash(single, text), is_it) {
            self.search_rows(&demand.rows, search);
        }
    }
}
