// The request's way, drawn. Pressing a subset switches it off and on.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Graph, type GraphNode, graphOf } from "../graph/model";
import { type Scene, sceneOf } from "../graph/scene";
import { answer, chainOrder, live } from "../state/store";
import { gateway } from "../state/view";
import { REASONS } from "../state/why";
import { toggle } from "./Endpoints";

/** The drawing on the page, for export. */
export const drawing = signal<SVGSVGElement | null>(null);

export function currentGraph(): Graph | null {
  const now = answer.value;
  return now?.chain ? graphOf(now.chain, now.description, gateway.value, live.value, chainOrder.value) : null;
}

export function GraphView() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(560);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const graph = currentGraph();
  return (
    <section class="block" aria-labelledby="graph-title">
      <header class="block-head">
        <h3 id="graph-title">The way of this request</h3>
        <span class="hint">press a subset to switch it off or on</span>
      </header>
      <div class="scroll graph" ref={box} tabIndex={0} role="region" aria-label="Drawing of the chain">
        {graph && <Drawing graph={graph} scene={sceneOf(graph, width)} />}
      </div>
      {graph && graph.hidden > 0 && <p class="hint">{graph.hidden} further lanes are not drawn.</p>}
    </section>
  );
}

function Drawing({ graph, scene }: { graph: Graph; scene: Scene }) {
  const { entry } = scene;
  return (
    <svg
      ref={(element) => {
        drawing.value = element;
      }}
      width={scene.width}
      height={scene.height}
      viewBox={`0 0 ${scene.width} ${scene.height}`}
      role="group"
      aria-label="One column a service, one row a lane; the request's way is bold, falling back is dashed"
    >
      <defs>
        {(["path", "fallback"] as const).map((kind) => (
          <marker key={kind} id={`head-${kind}`} viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
            <path d="M0 0L8 4L0 8z" class={`head ${kind}`} />
          </marker>
        ))}
        <marker id="head-end" viewBox="0 0 10 10" refX="3" refY="5" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse">
          <path d="M1 1L9 9M9 1L1 9" class="head end" />
        </marker>
      </defs>
      {scene.rows.map((row, index) => (
        <g key={index}>
          <rect x={0} y={row.y + 3} width={scene.width} height={row.height - 6} rx={6} class={`band ${row.own ? "own" : ""}`} />
          <text x={10} y={row.y + row.height / 2} class={`row-label ${row.own ? "own" : ""}`}>
            {row.label}
            {row.baseline && <title>the baseline</title>}
          </text>
        </g>
      ))}
      {scene.columns.map((column, index) => (
        <g key={index}>
          <text x={column.x} y={18} class={`column-label ${column.reached ? "" : "unreached"}`}>
            {column.title}
            <title>{graph.columns[index]!.host}</title>
          </text>
          {column.verdict && (
            <text x={column.x} y={36} class={`verdict-label ${column.verdict.bad ? "bad" : ""}`}>
              {column.verdict.text}
            </text>
          )}
        </g>
      ))}
      {scene.edges.map((edge, index) => (
        <path key={index} d={edge.path} class={`edge ${edge.kind}`} marker-end={`url(#head-${edge.kind})`} />
      ))}
      <g>
        <rect x={entry.x} y={entry.y} width={entry.width} height={entry.height} rx={entry.height / 2} class="entry" />
        {entry.text && (
          <text x={entry.x + entry.width / 2} y={entry.y + entry.height / 2} class="entry-label">
            {entry.text}
          </text>
        )}
        <title>{graph.entry}</title>
      </g>
      {scene.nodes.map((box, index) => (
        <Subset key={index} box={box} node={box.node} reached={graph.columns[box.node.column]!.reached} />
      ))}
    </svg>
  );
}

function Subset({ box, node, reached }: { box: Scene["nodes"][number]; node: GraphNode; reached: boolean }) {
  const state = node.state === "serves" ? "serves" : node.state === "passed" ? `passed over: ${REASONS[node.reason!]}` : node.down ? "down" : "not used";
  // What is read out begins with what is seen.
  const label = `${box.text}, ${node.host} in lane ${node.lane}: ${state}`;
  const press = node.exists ? () => toggle(node.host, node.lane) : undefined;
  return (
    <g
      class={`subset ${node.state} ${node.down ? "down" : ""} ${reached ? "" : "unreached"}`}
      {...(press
        ? {
            role: "button",
            tabIndex: 0,
            "aria-pressed": node.down,
            "aria-label": `${label}. Switch ${node.down ? "on" : "off"}`,
            onClick: press,
            onKeyDown: (event: KeyboardEvent) => {
              if (event.key !== "Enter" && event.key !== " ") return;
              event.preventDefault();
              press();
            },
          }
        : { role: "img", "aria-label": label })}
    >
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={6} />
      <text x={box.x + box.width / 2} y={box.y + box.height / 2}>
        {box.text}
      </text>
      <title>{label}</title>
    </g>
  );
}
