//! Radix trees over the beginnings of values: over the paths that rules demand, and over the literal prefixes of
//! other attributes where many rules of one cell differ in them. Children stand side by side from the smallest first
//! byte to the largest, so that a step down is one load; where most of these bytes have none, in a table of where they stand.

use alloc::vec::Vec;

use crate::{
    intern::dense,
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
    /// Where the children of nodes with few of them stand; `NONE` where there is none.
    scattered: Vec<u32>,
    /// How many nodes stand for something.
    count: usize,
}

const NONE: u32 = u32::MAX;
/// Children stand side by side where at least one in so many places is taken.
const SPARSE: usize = 2;
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
    /// The children, by first byte: nodes, or places in `Trees::scattered`.
    children: u32,
    lowest: u8,
    /// The largest first byte less the smallest.
    span: u8,
    /// Whether there is any such cell: mostly there is none.
    ends: bool,
    below_it: Children,
}

/// How the children of a node are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Children {
    None,
    /// They stand side by side.
    Nodes,
    /// A table says where each stands.
    Scattered,
}

impl Node {
    /// A place without a node: nothing is found there.
    const NONE: Self = Self {
        label: Text::EMPTY,
        least: NONE,
        exact: NONE,
        below: NONE,
        prefix: NONE,
        children: 0,
        lowest: 0,
        span: 0,
        ends: false,
        below_it: Children::None,
    };
}

impl Trees {
    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.scattered.capacity() * 4
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
        self.trees.nodes.push(Node::NONE);
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
        let least = rows.iter().map(|row| row.rule.number()).min().unwrap_or(NONE);
        // The step from the node above has compared the first byte already.
        let label = first.part(if level == 0 { 0 } else { depth + 1 }, common);
        self.trees.count += 1;

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
        let span = groups.last().map_or(0, |(byte, _)| byte - lowest);
        let places = usize::from(span) + 1;
        let Trees { nodes, scattered, .. } = &mut self.trees;
        let (below_it, children, first) = match groups.len() {
            0 => (Children::None, 0, 0),
            count if count * SPARSE >= places => {
                let first = nodes.len();
                nodes.resize(first + places, Node::NONE);
                (Children::Nodes, first, first)
            }
            count => {
                let (table, first) = (scattered.len(), nodes.len());
                scattered.resize(table + places, NONE);
                for ((byte, _), child) in groups.iter().zip(first..) {
                    if let Some(room) = scattered.get_mut(table + usize::from(byte - lowest)) {
                        *room = dense(child);
                    }
                }
                nodes.resize(first + count, Node::NONE);
                (Children::Scattered, table, first)
            }
        };
        if let Some(node) = nodes.get_mut(place) {
            let ends = [exact, below, prefix] != [NONE; 3];
            *node = Node { label, least, exact, below, prefix, children: dense(children), lowest, span, ends, below_it };
        }
        for (position, (byte, group)) in groups.into_iter().enumerate() {
            let beside = if below_it == Children::Nodes { usize::from(byte - lowest) } else { position };
            self.fill(first + beside, group, level + 1, common, plan);
        }
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
            let step = next.wrapping_sub(node.lowest);
            if step > node.span {
                return;
            }
            let child = node.children + u32::from(step);
            at = match node.below_it {
                Children::Nodes => child,
                Children::Scattered => self.trees.scattered.get(child as usize).copied().unwrap_or(NONE),
                Children::None => return,
            };
            rest = after;
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
