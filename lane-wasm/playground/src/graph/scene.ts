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
  labels: number;
  entry: Box & { text: string };
  columns: { x: number; width: number; title: string; reached: boolean; verdict: string | null; y: number }[];
  rows: { y: number; height: number; label: string; baseline: boolean; own: boolean }[];
  nodes: (Box & { node: GraphNode; text: string; strike: boolean })[];
  edges: { path: string; kind: Edge["kind"] }[];
}

const ROW = 44;
const HEAD = 34;
const NODE = 28;
const GAP = 34;

/** Roughly as many characters as fit: the rest is an ellipsis, the whole text stands in the title. */
export function fit(text: string, width: number, perCharacter = 6.9): string {
  const room = Math.max(2, Math.floor(width / perCharacter));
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Lays a picture out for a width. It gets wider than that rather than unreadable. */
export function sceneOf(graph: Graph, available: number): Scene {
  const longest = Math.max(0, ...graph.rows.map((row) => row.label.length + (row.baseline ? 2 : 0)));
  const labels = Math.min(132, Math.max(48, longest * 6.9 + 22));
  const entryWidth = Math.min(104, Math.max(58, graph.entry.length * 6.6 + 16));
  const count = Math.max(1, graph.columns.length);
  const room = (available - labels - entryWidth - GAP) / count;
  const pitch = Math.min(172, Math.max(112, room));
  const rowsHeight = Math.max(1, graph.rows.length) * ROW;
  const height = HEAD + rowsHeight + 6;
  const left = labels + entryWidth + GAP;
  const columns = graph.columns.map((column, index) => ({ ...column, x: left + index * pitch, width: pitch - GAP, y: HEAD + rowsHeight / 2 }));
  const boxOf = (place: { column: number; row: number }): Box => {
    if (place.column < 0) return { x: labels, y: HEAD + rowsHeight / 2 - NODE / 2, width: entryWidth, height: NODE };
    return { x: columns[place.column]!.x, y: HEAD + place.row * ROW + (ROW - NODE) / 2, width: pitch - GAP, height: NODE };
  };
  return {
    width: Math.round(left + count * pitch - GAP + 20),
    height,
    labels,
    entry: { ...boxOf({ column: -1, row: -1 }), text: fit(graph.entry, entryWidth - 8, 6.4) },
    columns: columns.map((column) => ({ x: column.x, width: column.width, title: fit(column.title, pitch - 8, 7.2), reached: column.reached, verdict: column.verdict, y: column.y })),
    rows: graph.rows.map((row, index) => ({ y: HEAD + index * ROW, height: ROW, label: fit(row.label, labels - 22), baseline: row.baseline, own: row.own })),
    nodes: graph.nodes.map((node) => {
      const box = boxOf(node);
      const text = node.reason ? REASONS[node.reason] : node.down ? `${node.label} · down` : node.label;
      return { ...box, node, text: fit(text, box.width - 8, 6.4), strike: node.down };
    }),
    edges: graph.edges.map((edge) => ({ kind: edge.kind, path: edge.kind === "path" ? across(boxOf(edge.from), boxOf(edge.to)) : within(boxOf(edge.from), boxOf(edge.to), Math.abs(edge.from.row - edge.to.row)) })),
  };
}

/** From column to column: out at the right, in at the left. */
function across(from: Box, to: Box): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x - 7, to.y + to.height / 2];
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
