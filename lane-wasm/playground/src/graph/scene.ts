// Coordinates: the picture's model as boxes and paths. Pure arithmetic, no page.

import { REASONS } from "../state/why";
import type { Edge, Graph, GraphNode } from "./model";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Scene {
  width: number;
  height: number;
  /** Without a text the entry is a dot. */
  entry: Box & { text: string };
  columns: { x: number; title: string; reached: boolean; verdict: Graph["columns"][number]["verdict"] }[];
  rows: { y: number; height: number; label: string; baseline: boolean; own: boolean }[];
  nodes: (Box & { node: GraphNode; text: string })[];
  edges: { path: string; kind: Edge["kind"] }[];
}

const ROW = 44;
const NODE = 28;
/** Room below this is a phone's: names get shorter and the entry becomes a dot. */
const NARROW = 440;
/** The least from one column to the next, elsewhere. */
const WIDE = 108;

/** Roughly as many characters as fit: the rest is an ellipsis, the whole text stands in the title. */
export function fit(text: string, width: number, perCharacter = 6.3): string {
  const room = Math.max(2, Math.floor(width / perCharacter));
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Lays a picture out for a width. It gets wider than that rather than unreadable. */
export function sceneOf(graph: Graph, available: number): Scene {
  const isNarrow = available < NARROW;
  const count = Math.max(1, graph.columns.length);
  const gap = isNarrow ? 20 : 34;
  const longest = Math.max(0, ...graph.rows.map((row) => row.label.length));
  const labels = Math.min(isNarrow ? 84 : 140, Math.max(isNarrow ? 40 : 48, longest * 7.1 + 24));
  const entryText = Math.min(108, Math.max(58, graph.entry.length * 6.2 + 18));
  // Where room is scarce the entry gives its name first.
  const isDot = isNarrow || available < labels + entryText + gap + count * WIDE - gap + 10;
  const entryWidth = isDot ? 14 : entryText;
  const left = labels + entryWidth + gap;
  const pitch = Math.min(172, Math.max(isNarrow ? 82 : WIDE, (available - left - 10 + gap) / count));
  const head = graph.columns.some((column) => column.verdict) ? 50 : 34;
  const rowsHeight = Math.max(1, graph.rows.length) * ROW;
  const middle = (row: number) => head + (row < 0 ? rowsHeight / 2 : row * ROW + ROW / 2);
  // The entry stands on the row where the way begins.
  const start = graph.edges.find((edge) => edge.from.column < 0)?.to.row ?? -1;
  const boxOf = (place: { column: number; row: number }): Box => {
    const isEntry = place.column < 0;
    const height = isEntry && isDot ? 14 : NODE;
    return {
      x: isEntry ? labels : left + place.column * pitch,
      y: middle(isEntry ? start : place.row) - height / 2,
      width: isEntry ? entryWidth : pitch - gap,
      height,
    };
  };
  return {
    width: Math.max(Math.round(left + count * pitch - gap + 10), Math.floor(available)),
    height: head + rowsHeight + 6,
    entry: { ...boxOf({ column: -1, row: -1 }), text: isDot ? "" : fit(graph.entry, entryWidth - 10, 6.1) },
    columns: graph.columns.map((column, index) => ({
      x: left + index * pitch + (pitch - gap) / 2,
      title: fit(column.title, pitch - 6, 7),
      reached: column.reached,
      verdict: column.verdict,
    })),
    rows: graph.rows.map((row, index) => ({ y: head + index * ROW, height: ROW, label: fit(row.label, labels - 14), baseline: row.baseline, own: row.own })),
    nodes: graph.nodes.map((node) => {
      const box = boxOf(node);
      const text = node.reason ? REASONS[node.reason] : node.down ? `${node.label}: down` : node.label;
      return { ...box, node, text: fit(text, box.width - 4, node.reason ? 5.5 : node.state === "serves" ? 7.2 : 6.3) };
    }),
    edges: graph.edges.map((edge) => ({
      kind: edge.kind,
      path: edge.kind === "fallback" ? within(boxOf(edge.from), boxOf(edge.to), Math.abs(edge.from.row - edge.to.row)) : across(boxOf(edge.from), boxOf(edge.to), edge.kind === "end" ? 12 : 7),
    })),
  };
}

/** From column to column: out at the right, in at the left, with room for the head. */
function across(from: Box, to: Box, head: number): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x - head, to.y + to.height / 2];
  const bend = Math.min(28, (x2 - x1) / 2 + 4);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

/** Inside a column: straight to the neighbour, around what lies between otherwise. */
function within(from: Box, to: Box, rows: number): string {
  const isUp = to.y < from.y;
  const x = from.x + from.width / 2;
  if (rows === 1) return `M${x} ${isUp ? from.y : from.y + from.height}L${x} ${isUp ? to.y + to.height + 7 : to.y - 7}`;
  const [y1, y2] = [from.y + from.height / 2, to.y + to.height / 2 + (isUp ? 7 : -7)];
  const right = from.x + from.width;
  return `M${right} ${y1}C${right + 22} ${y1} ${right + 22} ${y2} ${right + 7} ${y2}`;
}
