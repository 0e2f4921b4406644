// A request's way as a picture: a column for every call, a row for every lane, a node for every subset. Columns are the
// order of the calls and rows the order of the lanes, so the data itself is the layout, and falling back shows as a change of row.

import type { Chain, Decision, Description, GroupDescription, Reason } from "lane/full";
import { shortName } from "../engine/facts";
import { MAX_CALLS } from "../engine/protocol";
import type { Live } from "../request/model";
import { type Stage, stages } from "../state/why";

export interface Column {
  title: string;
  /** The service's host; null for the entry. */
  host: string | null;
  /** Whether the request got here. */
  reached: boolean;
  /** What to say where no subset serves, for example `404 no route`, and whether that is bad. */
  verdict: { text: string; bad: boolean } | null;
}

export interface Row {
  id: string;
  group: string;
  lane: string;
  label: string;
  baseline: boolean;
  /** Whether this is the request's own lane. */
  own: boolean;
}

export type NodeState = "serves" | "passed" | "idle";

export interface GraphNode {
  column: number;
  row: number;
  state: NodeState;
  /** What tells this subset apart: its service tag, or why it was passed over. */
  label: string;
  reason: Reason | null;
  host: string;
  lane: string;
  /** Whether the lane contains the service at all. */
  exists: boolean;
  /** Switched off by hand. */
  down: boolean;
}

/** An arrow between nodes. The entry is column -1; row -1 is no lane's. */
export interface Edge {
  from: { column: number; row: number };
  to: { column: number; row: number };
  kind: "path" | "fallback" | "end";
  label: string;
}

export interface Graph {
  entry: string;
  columns: Column[];
  rows: Row[];
  /** Lanes left out, so that the picture stays one. */
  hidden: number;
  nodes: GraphNode[];
  edges: Edge[];
}

/** Rows that one can still take in at a glance. */
const MAX_ROWS = 8;

const VERDICTS: Partial<Record<Decision["outcome"], { text: string; bad: boolean }>> = {
  no_route: { text: "404 no route", bad: true },
  unavailable: { text: "503 unavailable", bad: true },
  pass: { text: "pass", bad: false },
  undetermined: { text: "undetermined", bad: false },
};
/** Services drawn behind the end of a way. */
const MAX_UNREACHED = 8;

/** The picture of a chain; `order` are the services called, where that is known. */
export function graphOf(chain: Chain, description: Description, gateway: string, live: Live, order: readonly string[] | null): Graph {
  const all = stages(chain, gateway);
  const first = all[0];
  const entry = first?.kind === "gateway" ? gateway || "gateway" : (first?.hop?.from ?? "caller");
  const involved = groupsOf(all, description);
  const { rows, hidden } = rowsOf(all, involved);
  const columns = first && !first.decision.service && first.kind === "gateway" ? turnedAway(first, involved[0], description) : all.map((stage) => column(stage, description));
  if (first?.decision.service) columns.push(...unreached(all, involved[0], description, order));
  const graph: Graph = { entry: entry === gateway ? entry : shortName(description, entry), columns, rows, hidden, nodes: [], edges: [] };
  columns.forEach((one, index) => {
    const stage = one.reached ? all[index] : undefined;
    rows.forEach((row, rowIndex) => {
      const node = nodeOf(one, row, stage, involved, live);
      if (node) graph.nodes.push({ column: index, row: rowIndex, ...node });
    });
  });
  connect(graph, all);
  return graph;
}

function column(stage: Stage, description: Description): Column {
  const { service, outcome, subset } = stage.decision;
  const host = service ?? stage.name;
  return { title: shortName(description, host), host, reached: true, verdict: subset ? null : (VERDICTS[outcome] ?? null) };
}

/** A request that the gateway gives to nobody: the services stand there all the same, none of them reached. */
function turnedAway(stage: Stage, group: GroupDescription | undefined, description: Description): Column[] {
  const services = (group?.services ?? []).slice(0, MAX_UNREACHED);
  const verdict = VERDICTS[stage.decision.outcome] ?? null;
  return services.map(({ host }, index) => ({ title: shortName(description, host), host, reached: false, verdict: index === 0 ? verdict : null }));
}

/** Services that the request would have gone on to. */
function unreached(all: Stage[], group: GroupDescription | undefined, description: Description, order: readonly string[] | null): Column[] {
  const last = all.at(-1)?.decision;
  if (!last?.service || last.outcome === "pass") return [];
  const hosts = order ?? group?.services.map((service) => service.host) ?? [];
  const position = hosts.findLastIndex((name) => name === last.service || shortName(description, name) === shortName(description, last.service!));
  if (position < 0 || all.length >= Math.min(hosts.length, MAX_CALLS)) return [];
  return hosts.slice(position + 1, position + 1 + MAX_UNREACHED).map((host) => ({ title: shortName(description, host), host: hostOf(description, host), reached: false, verdict: null }));
}

function hostOf(description: Description, name: string): string {
  for (const group of description.groups) for (const service of group.services) if (service.host === name || service.aliases.includes(name)) return service.host;
  return name;
}

function groupsOf(all: Stage[], description: Description): GroupDescription[] {
  const names = new Set(all.flatMap((stage) => (stage.decision.group ? [stage.decision.group] : [])));
  const found = description.groups.filter((group) => names.has(group.name));
  return found.length > 0 ? found : description.groups.slice(0, 1);
}

const rowId = (group: string, lane: string) => `${group}\n${lane}`;

function rowsOf(all: Stage[], groups: GroupDescription[]): { rows: Row[]; hidden: number } {
  const wanted = new Set<string>();
  const own = new Set<string>();
  for (const { decision, explanation } of all) {
    if (!decision.group) continue;
    if (decision.lane) own.add(rowId(decision.group, decision.lane));
    if (decision.subset) wanted.add(rowId(decision.group, decision.subset.lane));
    for (const step of explanation?.steps ?? []) if (step.step === "candidate") wanted.add(rowId(decision.group, step.lane));
  }
  const every = groups.flatMap((group) =>
    group.lanes.map((lane): Row => {
      const id = rowId(group.name, lane.name);
      return { id, group: group.name, lane: lane.name, label: lane.name, baseline: lane.baseline, own: own.has(id) };
    }),
  );
  const must = (row: Row) => row.own || wanted.has(row.id);
  let room = Math.max(0, MAX_ROWS - every.filter(must).length);
  const kept = every.filter((row) => must(row) || (row.baseline && room-- > 0));
  const rows = every.filter((row) => kept.includes(row) || room-- > 0);
  return { rows, hidden: every.length - rows.length };
}

function nodeOf(one: Column, row: Row, stage: Stage | undefined, groups: GroupDescription[], live: Live): Omit<GraphNode, "column" | "row"> | null {
  if (one.host === null) return null;
  const group = groups.find((candidate) => candidate.name === row.group);
  const lane = group?.lanes.find((candidate) => candidate.name === row.lane);
  if (!group || !lane || !group.services.some((service) => service.host === one.host)) return null;
  const subset = lane.subsets.find((candidate) => candidate.service === one.host);
  const counts = live[one.host]?.[row.lane];
  const down = counts !== undefined && counts[1] === 0;
  const tag = subset?.labels[group.tag_label] ?? lane.service_tag;
  const base = { label: tag, reason: null, host: one.host, lane: row.lane, exists: subset !== undefined, down };
  const isHere = stage?.decision.group === row.group;
  if (isHere && stage.decision.subset?.lane === row.lane) return { ...base, state: "serves" };
  const candidate = isHere ? stage.explanation?.steps.find((step) => step.step === "candidate" && step.lane === row.lane) : undefined;
  if (candidate?.step === "candidate" && candidate.passed_over) return { ...base, state: "passed", reason: candidate.passed_over };
  return subset ? { ...base, state: "idle" } : null;
}

function connect(graph: Graph, all: Stage[]): void {
  let from: Edge["from"] | null = { column: -1, row: -1 };
  all.forEach((stage, index) => {
    const group = stage.decision.group;
    const rowOf = (lane: string) => graph.rows.findIndex((row) => row.group === group && row.lane === lane);
    const steps = stage.explanation?.steps ?? [];
    const tried = steps.flatMap((step) => (step.step === "candidate" ? [step] : [])).filter((step) => rowOf(step.lane) >= 0);
    const serving = stage.decision.subset ? rowOf(stage.decision.subset.lane) : -1;
    const passed = tried.filter((step) => step.passed_over && step.lane !== stage.decision.subset?.lane);
    passed.forEach((step, at) => {
      const next = passed[at + 1] ? rowOf(passed[at + 1]!.lane) : serving;
      if (next >= 0) graph.edges.push({ from: { column: index, row: rowOf(step.lane) }, to: { column: index, row: next }, kind: "fallback", label: step.passed_over! });
    });
    if (serving >= 0) {
      if (from) graph.edges.push({ from, to: { column: index, row: serving }, kind: "path", label: "" });
      from = { column: index, row: serving };
    } else if (from && VERDICTS[stage.decision.outcome]?.bad) {
      // The way ends here: at the lane that cannot serve, or at no lane at all.
      const own = stage.decision.lane ? rowOf(stage.decision.lane) : -1;
      graph.edges.push({ from, to: { column: index, row: own }, kind: "end", label: "" });
      from = null;
    } else if (stage.decision.outcome !== "pass") from = null;
  });
}
