// The picture as Mermaid text, for a README or an issue.

import { REASONS } from "../state/why";
import type { Graph } from "./model";

/** Mermaid reads `#…;` as a character by its number; whatever is no plain text is written so. */
const quoted = (text: string): string => `"${text.replace(/[^\p{L}\p{N} ./_:–-]/gu, (char) => `#${char.codePointAt(0)};`)}"`;

export function mermaid(graph: Graph): string {
  const id = (place: { column: number; row: number }) => (place.column < 0 ? "entry" : `c${place.column}r${place.row}`);
  const lines = ["flowchart LR", `  entry([${quoted(graph.entry)}])`];
  graph.columns.forEach((column, index) => {
    lines.push(`  subgraph c${index} [${quoted(column.title)}]`);
    for (const node of graph.nodes.filter((one) => one.column === index)) {
      const lane = graph.rows[node.row]!.lane;
      const text = node.reason ? `${lane}: ${REASONS[node.reason]}` : lane;
      lines.push(`    ${id(node)}[${quoted(text)}]${node.state === "serves" ? ":::serves" : node.state === "passed" ? ":::passed" : ""}`);
    }
    if (column.verdict) lines.push(`    v${index}{{${quoted(column.verdict.text)}}}`);
    lines.push("  end");
  });
  for (const edge of graph.edges) {
    if (edge.kind === "end") lines.push(`  ${id(edge.from)} ==x v${edge.to.column}`);
    else lines.push(edge.kind === "path" ? `  ${id(edge.from)} ==> ${id(edge.to)}` : `  ${id(edge.from)} -. ${quoted(REASONS[edge.label as keyof typeof REASONS] ?? edge.label)} .-> ${id(edge.to)}`);
  }
  lines.push("  classDef serves stroke-width:3px,font-weight:bold", "  classDef passed stroke-dasharray:4 3");
  return `${lines.join("\n")}\n`;
}
