//! Radix trees over the beginnings of values: over the paths that rules demand, and over the literal prefixes of
//! other attributes where many rules of one cell differ in them. Children stand in a table from the smallest first
//! byte to the largest, so that a step down is one load.

use alloc::vec::Vec;

use crate::{
    intern::{RuleId, dense},
    pattern::{Text, same_bytes},
    request::Headers,
    router::Plan,
};

use super::{
    Search,
    cell::Cells,
    row::{Reach, Row},
};

/// All trees.
#[derive(Debug, Default)]
pub(super) struct Trees {
    nodes: Vec<Node>,
    /// Children of all nodes; `NONE` where there is none.
    children: Vec<u32>,
}

const NONE: u32 = u32::MAX;
/// Deeper than this literals are not told apart: building must not need a stack as deep as the longest path.
const DEEPEST: usize = 256;

/// A literal, as far as it goes beyond the node above.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Without its first byte, by which the node is found; the root's is whole.
    label: Text,
    /// The first rule here and below.
    least: u32,
    /// Cells of rules whose literal ends here, by what may follow.
    exact: u32,
    below: u32,
    prefix: u32,
    /// The children, by first byte from `lowest` on.
    children: u32,
    lowest: u8,
    /// Whether there is any such cell: mostly there is none.
    ends: bool,
    span: u16,
}

impl Trees {
    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.children.capacity() * 4
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
        Some(self.node(rows, 0, 0, plan))
    }

    /// A node, so many below the root, for rows, sorted, whose literals agree up to `depth`.
    fn node(&mut self, rows: Vec<Row>, level: usize, depth: usize, plan: &mut Plan) -> u32 {
        let literal = |row: &Row| row.path.map_or(Text::EMPTY, |path| path.text);
        let (first, last) = (rows.first().map_or(Text::EMPTY, literal), rows.last().map_or(Text::EMPTY, literal));
        // Sorted, so what the first and the last have in common all have.
        let common = {
            let pool = &plan.patterns.pool;
            pool.bytes(first).iter().zip(pool.bytes(last)).take_while(|(one, other)| one == other).count()
        };
        let least = rows.iter().map(|row| row.rule).min().unwrap_or(RuleId(NONE)).0;
        let id = self.trees.nodes.len();
        // The step from the node above has compared the first byte already.
        let label = first.part(if level == 0 { 0 } else { depth + 1 }, common);
        self.trees.nodes.push(Node { label, least, exact: NONE, below: NONE, prefix: NONE, children: 0, lowest: 0, ends: false, span: 0 });

        let byte_at = |row: &Row, plan: &Plan| plan.patterns.pool.bytes(literal(row)).get(common).copied();
        let mut ends: [Vec<Row>; 3] = Default::default();
        let mut groups: Vec<(u8, Vec<Row>)> = Vec::new();
        for mut row in rows {
            match byte_at(&row, plan) {
                Some(_) if level == DEEPEST => {
                    row.rest.extend(row.path.and_then(|path| path.proves));
                    let [.., prefix] = &mut ends;
                    prefix.push(row);
                }
                None => {
                    let [exact, below, prefix] = &mut ends;
                    match row.path.map(|path| path.reach) {
                        Some(Reach::Exact) => exact.push(row),
                        Some(Reach::Below) => below.push(row),
                        Some(Reach::Prefix) | None => prefix.push(row),
                    }
                }
                Some(byte) => match groups.last_mut() {
                    Some((last, group)) if *last == byte => group.push(row),
                    _ => groups.push((byte, alloc::vec![row])),
                },
            }
        }
        let [exact, below, prefix] = ends.map(|mut rows| {
            rows.sort_by_key(|row| row.rule);
            self.add(rows, plan).unwrap_or(NONE)
        });
        let lowest = groups.first().map_or(0, |(byte, _)| *byte);
        let span = groups.last().map_or(0, |(byte, _)| u16::from(byte - lowest) + 1);
        let children = self.trees.children.len();
        self.trees.children.resize(children + usize::from(span), NONE);
        for (byte, group) in groups {
            let child = self.node(group, level + 1, common, plan);
            if let Some(room) = self.trees.children.get_mut(children + usize::from(byte - lowest)) {
                *room = child;
            }
        }
        if let Some(node) = self.trees.nodes.get_mut(id) {
            let ends = [exact, below, prefix] != [NONE; 3];
            *node = Node { label, least, exact, below, prefix, children: dense(children), lowest, ends, span };
        }
        dense(id)
    }

    /// Searches the cells of every literal that the value is, or begins with. A path may be given as received: it ends
    /// where a query or fragment begins, and no literal goes beyond.
    #[inline]
    pub(super) fn search_tree<const IS_PATH: bool, H: Headers + ?Sized>(&self, root: u32, value: &[u8], search: &mut Search<'_, '_, H>) {
        let pool = &search.plan.patterns.pool;
        let (mut at, mut rest) = (root, value);
        while let Some(node) = self.trees.nodes.get(at as usize) {
            if node.least >= search.best {
                return;
            }
            if !node.label.is_empty() {
                let Some((start, after)) = rest.split_at_checked(node.label.len()) else { return };
                if !same_bytes(start, pool.bytes(node.label)) {
                    return;
                }
                rest = after;
            }
            if node.ends {
                let next = rest.first().copied().filter(|next| !IS_PATH || !matches!(next, b'?' | b'#'));
                self.search_ends(node, next, search);
            }
            // No literal of a path goes beyond a `?`, so there is no such child.
            let [next, after @ ..] = rest else { return };
            let step = u16::from(next.wrapping_sub(node.lowest));
            if step >= node.span {
                return;
            }
            let Some(child) = self.trees.children.get(node.children as usize + usize::from(step)) else { return };
            (at, rest) = (*child, after);
        }
    }

    /// Searches the cells of a node, after which the value goes on with `next`.
    #[inline]
    fn search_ends<H: Headers + ?Sized>(&self, node: &Node, next: Option<u8>, search: &mut Search<'_, '_, H>) {
        if node.prefix != NONE {
            self.search(node.prefix, search);
        }
        if node.below != NONE && matches!(next, None | Some(b'/')) {
            self.search(node.below, search);
        }
        if node.exact != NONE && next.is_none() {
            self.search(node.exact, search);
        }
    }
}
