//! The headers of one row, lent to the engine as they stand in their columns.

use core::ops::Range;

use lane_core::Headers;

use super::cells::{Cells, Pairs};

/// Columns of one batch that hold headers.
pub(super) struct HeaderColumns {
    /// Columns of one header each: its name, and its values.
    pub(super) single: Vec<(String, Cells)>,
    /// A column of all headers of a request.
    pub(super) pairs: Option<Pairs>,
    /// Columns of one cookie each.
    pub(super) cookies: Vec<(String, Cells)>,
}

impl HeaderColumns {
    /// Writes the cookies of a row as one line; none of them, none at all.
    pub(super) fn write_cookies(&self, row: usize, line: &mut Vec<u8>) {
        line.clear();
        for (name, cells) in &self.cookies {
            let Some(value) = cells.get(row) else { continue };
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(name.as_bytes());
            line.push(b'=');
            // What stands behind a `;` would be another cookie, which nobody sent.
            line.extend(value.iter().take_while(|byte| **byte != b';'));
        }
    }
}

/// The headers of one row.
pub(super) struct Row<'b> {
    pub(super) columns: &'b HeaderColumns,
    pub(super) row: usize,
    /// The row's cookies, where they stand in columns of their own.
    pub(super) cookies: &'b [u8],
}

/// The lines of one row.
#[derive(Clone)]
pub(super) struct Lines<'h> {
    row: &'h Row<'h>,
    single: usize,
    has_cookies: bool,
    pairs: Range<usize>,
}

impl<'h> Iterator for Lines<'h> {
    type Item = (&'h [u8], &'h [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Row { columns, row, cookies } = *self.row;
        while let Some((name, cells)) = columns.single.get(self.single) {
            self.single += 1;
            if let Some(value) = cells.get(row) {
                return Some((name.as_bytes(), value));
            }
        }
        if self.has_cookies {
            self.has_cookies = false;
            return Some((b"cookie", cookies));
        }
        let pairs = columns.pairs.as_ref()?;
        self.pairs.find_map(|entry| pairs.get(entry))
    }
}

/// Rows of which every header that matters is there.
pub(super) struct Complete<'b>(pub(super) Row<'b>);

/// Rows of which only these headers were recorded; names are lower case.
pub(super) struct Partial<'b> {
    pub(super) row: Row<'b>,
    pub(super) recorded: &'b [String],
}

impl Row<'_> {
    #[inline]
    fn lines(&self) -> Lines<'_> {
        let pairs = self.columns.pairs.as_ref().map_or(0..0, |pairs| pairs.entries(self.row));
        Lines { row: self, single: 0, has_cookies: !self.cookies.is_empty(), pairs }
    }
}

impl Headers for Complete<'_> {
    type Lines<'h>
        = Lines<'h>
    where
        Self: 'h;

    #[inline]
    fn lines(&self) -> Lines<'_> {
        self.0.lines()
    }
}

impl Headers for Partial<'_> {
    type Lines<'h>
        = Lines<'h>
    where
        Self: 'h;

    const PARTIAL: bool = true;

    #[inline]
    fn lines(&self) -> Lines<'_> {
        self.row.lines()
    }

    fn recorded(&self, name: &str) -> bool {
        self.recorded.iter().any(|recorded| recorded == name)
    }
}
