//! Radix trees over the beginnings of values: over the paths that rules demand, and over the literal prefixes of
//! other attributes where many rules of one cell differ in them. Children stand side by side, by their first bytes; a node
//! says in bits which bytes have one, so that a step down is one load.

use alloc::vec::Vec;

use crate::{
    bytes::same_bytes,
    intern::{Ids, dense},
    pattern::{Pool, Text},
    request::Headers,
    router::Plan,
};

use super::{
    Search,
    cell::{Cell, Cells},
    row::{Reach, Row},
};

/// All trees.
#[derive(Debug, Default)]
pub(super) struct Trees {
    nodes: Vec<Node>,
    /// What rules demand whose literals end at nodes, node by node.
    ends: Vec<End>,
    /// Labels that do not fit into their nodes.
    long_labels: Vec<Text>,
    /// Where children stand whose first bytes are too far apart for bits; `NONE` where there is none.
    tables: Vec<u32>,
    /// How many nodes stand for something.
    count: usize,
}

const NONE: u32 = u32::MAX;
/// Where at least one in so many bytes has a child, the others have an empty one: bits would cost more.
const SPARSE: usize = 2;
/// Deeper than this literals are not told apart: building must not need a stack as deep as the longest path.
const DEEPEST: usize = 256;

/// A literal, as far as it goes beyond the node above. Aligned, so that it lies in one line of a cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Node {
    /// Without its first byte, by which the node is found; the root's is whole.
    label: Label,
    children: Children,
    /// The smallest first byte of a child, and the largest less that.
    lowest: u8,
    span: u8,
    /// How many ends there are, and the first of them in `Trees::ends`.
    end_count: u8,
    first_end: u32,
    /// The first child, or the place of its table.
    first: u32,
    /// Which bytes have a child, from the lowest on.
    bits: u32,
}

/// The rules whose literal ends at a node, by what may follow.
#[derive(Clone, Copy, Debug)]
struct End {
    reach: Reach,
    cell: Cell,
}

/// The bytes on the way to a node: in place where they fit, mostly they do.
#[derive(Clone, Copy, Debug)]
struct Label {
    bytes: [u8; FITS],
    /// `LONG` where the bytes are a position in `Trees::long_labels`.
    length: u8,
}

/// So many bytes fit.
const FITS: usize = 8;
const LONG: u8 = u8::MAX;

/// How the children of a node are found.
#[derive(Clone, Copy, Debug)]
enum Children {
    /// Every byte has one, though some are empty; or there are none at all.
    All,
    /// Bits say which bytes have one.
    Bits,
    /// A table says where each stands.
    Table,
}

impl Node {
    /// A node that leads nowhere.
    const EMPTY: Self = Self {
        label: Label { length: 0, bytes: [0; FITS] },
        children: Children::All,
        lowest: 0,
        span: 0,
        end_count: 0,
        first_end: 0,
        first: NONE,
        bits: 0,
    };
}

impl Trees {
    /// Puts a label into its node, or into the list of long ones.
    fn label(&mut self, text: Text, pool: &Pool) -> Label {
        let mut bytes = [0; FITS];
        let long = (dense(self.long_labels.len())).to_le_bytes();
        let (text_bytes, length) = match u8::try_from(text.len()) {
            Ok(length) if text.len() <= FITS => (pool.bytes(text), length),
            _ => {
                self.long_labels.push(text);
                (&long[..], LONG)
            }
        };
        bytes.iter_mut().zip(text_bytes).for_each(|(room, byte)| *room = *byte);
        Label { bytes, length }
    }

    /// What stands behind a label, if the value begins with it.
    #[inline(always)]
    fn behind<'v>(&self, label: &Label, value: &'v [u8], pool: &Pool) -> Option<&'v [u8]> {
        if label.length == 0 {
            return Some(value);
        }
        let Some(start) = value.first_chunk().filter(|_| usize::from(label.length) <= FITS) else {
            return self.behind_any(label, value, pool);
        };
        // Only the label's own bytes count: they are the lower ones.
        let difference = u64::from_le_bytes(*start) ^ u64::from_le_bytes(label.bytes);
        if difference.wrapping_shl(u64::BITS - u32::from(label.length) * 8) != 0 {
            return None;
        }
        value.get(usize::from(label.length)..)
    }

    /// The same for a long label, and for a value that is shorter than a word.
    #[inline(never)]
    fn behind_any<'v>(&self, Label { bytes, length }: &Label, value: &'v [u8], pool: &Pool) -> Option<&'v [u8]> {
        if *length != LONG {
            return value.strip_prefix(bytes.get(..usize::from(*length))?);
        }
        let [place @ .., _, _, _, _] = bytes;
        let label = pool.bytes(*self.long_labels.get(u32::from_le_bytes(*place) as usize)?);
        let (start, after) = value.split_at_checked(label.len())?;
        same_bytes(start, label).then_some(after)
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.ends.capacity() * size_of::<End>()
            + self.long_labels.capacity() * size_of::<Text>()
            + self.tables.capacity() * 4
    }
}

impl Cells {
    /// A tree of the rows, which all demand a literal; its root.
    pub(super) fn add_tree(&mut self, mut rows: Vec<Row>, plan: &mut Plan) -> Option<u32> {
        if rows.is_empty() {
            return None;
        }
        // By literal; a stable sort, so that rules of one literal stay in order.
        rows.sort_by(|one, other| {
            let text = |row: &Row| row.path.map_or(&b""[..], |path| plan.patterns.pool.bytes(path.text));
            text(one).cmp(text(other))
        });
        let root = self.trees.nodes.len();
        self.trees.nodes.push(Node::EMPTY);
        self.fill(root, rows, 0, 0, plan);
        Some(dense(root))
    }

    /// Puts a node into its place, so many below the root, for rows, sorted, whose literals agree up to `depth`.
    fn fill(&mut self, place: usize, rows: Vec<Row>, level: usize, depth: usize, plan: &mut Plan) {
        let literal = |row: &Row| row.path.map_or(Text::EMPTY, |path| path.text);
        let (first, last) = (rows.first().map_or(Text::EMPTY, literal), rows.last().map_or(Text::EMPTY, literal));
        // Sorted, so what the first and the last have in common all have.
        let common = {
            let pool = &plan.patterns.pool;
            pool.bytes(first).iter().zip(pool.bytes(last)).take_while(|(one, other)| one == other).count()
        };
        // The step from the node above has compared the first byte already.
        self.trees.count += 1;
        let label = self.trees.label(first.part(if level == 0 { 0 } else { depth + 1 }, common), &plan.patterns.pool);

        let byte_at = |row: &Row, plan: &Plan| plan.patterns.pool.bytes(literal(row)).get(common).copied();
        let mut ends: [(Reach, Vec<Row>); 3] = [Reach::Prefix, Reach::Below, Reach::Exact].map(|reach| (reach, Vec::new()));
        let mut groups: Vec<(u8, Vec<Row>)> = Vec::new();
        for mut row in rows {
            match byte_at(&row, plan) {
                Some(_) if level == DEEPEST => {
                    row.rest.extend(row.path.and_then(|path| path.proves));
                    let [(_, prefix), ..] = &mut ends;
                    prefix.push(row);
                }
                None => {
                    let reach = row.path.map_or(Reach::Prefix, |path| path.reach);
                    if let Some((_, rows)) = ends.iter_mut().find(|(of, _)| *of == reach) {
                        rows.push(row);
                    }
                }
                Some(byte) => match groups.last_mut() {
                    Some((last, group)) if *last == byte => group.push(row),
                    _ => groups.push((byte, alloc::vec![row])),
                },
            }
        }
        let ends = ends.map(|(reach, mut rows)| {
            rows.sort_by_key(|row| row.rule);
            self.add(rows, plan).map(|cell| End { reach, cell })
        });
        let Trees { nodes, ends: all_ends, tables, .. } = &mut self.trees;
        let first_end = dense(all_ends.len());
        all_ends.extend(ends.into_iter().flatten());
        let end_count = (all_ends.len() - first_end as usize) as u8;

        let first = nodes.len();
        let mut node = Node { label, first_end, end_count, ..Node::EMPTY };
        if let (Some((lowest, _)), Some((highest, _))) = (groups.first(), groups.last()) {
            (node.lowest, node.span, node.first) = (*lowest, highest - lowest, dense(first));
            let step = |byte: u8| byte - lowest;
            let places = usize::from(node.span) + 1;
            let is_dense = groups.len() * SPARSE >= places;
            nodes.resize(first + if is_dense { places } else { groups.len() }, Node::EMPTY);
            if is_dense {
                node.children = Children::All;
            } else if u32::from(node.span) < u32::BITS {
                node.children = Children::Bits;
                node.bits = groups.iter().fold(0, |bits, (byte, _)| bits | 1 << step(*byte));
            } else {
                node.children = Children::Table;
                node.first = dense(tables.len());
                tables.resize(tables.len() + places, NONE);
                for ((byte, _), child) in groups.iter().zip(first..) {
                    if let Some(room) = tables.get_mut(node.first as usize + usize::from(step(*byte))) {
                        *room = dense(child);
                    }
                }
            }
        }
        if let Some(room) = nodes.get_mut(place) {
            *room = node;
        }
        for ((byte, group), child) in groups.into_iter().zip(first..) {
            let child = if let Children::All = node.children { first + usize::from(byte - node.lowest) } else { child };
            self.fill(child, group, level + 1, common, plan);
        }
    }

    /// Searches the cells of every literal that the value is, or begins with. A path may be given as received: it ends
    /// where a query or fragment begins, and no literal goes beyond.
    #[inline]
    pub(super) fn search_tree<const IS_PATH: bool, H: Headers + ?Sized>(&self, root: u32, value: &[u8], search: &mut Search<'_, '_, H>) {
        let pool = &search.plan.patterns.pool;
        let (mut at, mut rest) = (root, value);
        while let Some(node) = self.trees.nodes.get(at as usize) {
            let Some(after) = self.trees.behind(&node.label, rest, pool) else { return };
            rest = after;
            if node.end_count > 0 {
                let next = rest.first().copied().filter(|next| !IS_PATH || !matches!(next, b'?' | b'#'));
                self.search_ends(node, next, search);
            }
            // No literal of a path goes beyond a `?`, so there is no such child.
            let [next, after @ ..] = rest else { return };
            let step = next.wrapping_sub(node.lowest);
            if step > node.span {
                return;
            }
            at = match node.children {
                Children::All => node.first.wrapping_add(u32::from(step)),
                Children::Bits => {
                    let bit = 1_u32 << step;
                    if node.bits & bit == 0 {
                        return;
                    }
                    node.first + (node.bits & (bit - 1)).count_ones()
                }
                Children::Table => self.trees.tables.get(node.first as usize + usize::from(step)).copied().unwrap_or(NONE),
            };
            rest = after;
        }
    }

    /// Searches the cells of a node, after which the value goes on with `next`.
    #[inline(always)]
    fn search_ends<H: Headers + ?Sized>(&self, node: &Node, next: Option<u8>, search: &mut Search<'_, '_, H>) {
        let ends = Ids { first: node.first_end, count: u32::from(node.end_count) };
        for end in ends.of(&self.trees.ends) {
            let goes_on = match end.reach {
                Reach::Prefix => true,
                Reach::Below => matches!(next, None | Some(b'/')),
                Reach::Exact => next.is_none(),
            };
            if goes_on {
                self.search(&end.cell, search);
            }
        }
    }
}
