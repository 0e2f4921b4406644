/**
 * Requests, decisions and what surrounds them as data: the same JSON that every front-end of lane reads and writes
 * (sections 7 and 8 of `docs/semantics.md`, to whose sentences numbers such as S29 point).
 */

import type { Context, HeaderValues, LaneFrom, Method, Mode, SplitShare, Sticky, UnknownLane } from './config.js';

/** A value of a request: text, or the bytes where they are not UTF-8. Answers never hold a `Uint8Array`. */
export type Value = string | { base64: string } | Uint8Array;

/** A value in an answer: text, or base64 where the bytes are not UTF-8. */
export type Bytes = string | { base64: string };

/** One header line: name and value. A header of several lines stands several times. */
export type HeaderLine = readonly [name: string, value: Value];

/** Endpoint counts, `[endpoints, healthy]` by service host and lane; what is not listed counts as live. */
export type Live = { readonly [host: string]: { readonly [lane: string]: readonly [endpoints: number, healthy: number] } };

interface RequestFacts {
  method?: Value;
  /** The authority (`host`), with or without port. */
  authority?: Value;
  /** The path as received, with its query. */
  path?: Value;
  /** The header lines, in order; cookies and baggage are headers too. `headerLines` makes them of a `Headers` object. */
  headers?: readonly HeaderLine[];
  /** Who calls. What is no address as `ip` counts as absent. */
  source?: { service?: string; labels?: { readonly [name: string]: string }; lane?: string; ip?: string };
  /** The lanes remembered for the request's trace id: group to lane (S28). */
  remembered?: { readonly [group: string]: string };
  /** An unsigned 64-bit integer, drawn once a request: what a split without a sticky key draws by (S19). */
  roll?: bigint | number | string;
  live?: Live;
  /** The headers that the recorder could see, for requests from logs. Left out: it saw them all. */
  recorded?: { headers: readonly string[] };
}

/** A request at a gateway. */
export interface IngressRequest extends RequestFacts {
  ingress: { gateway: string };
  hop?: never;
  inbound?: never;
}

/** A call inside the chain. */
export interface HopRequest extends RequestFacts {
  /** The called name: a host or an alias, in any case, with or without port. */
  hop: { service: string };
  ingress?: never;
  inbound?: never;
}

/** A request that arrives at its workload; nothing is decided there (S26a). */
export interface InboundRequest extends RequestFacts {
  inbound: Record<string, never>;
  ingress?: never;
  hop?: never;
}

/** A request as data (section 8). */
export type Request = IngressRequest | HopRequest | InboundRequest;

export type Outcome = 'routed' | 'fell_back' | 'pass' | 'no_route' | 'unavailable' | 'undetermined';

/** Why a candidate was passed over (S24). */
export type Reason = 'not_in_lane' | 'no_endpoints' | 'none_healthy' | 'below_min_healthy';

/** Where a lane name was found (S22, S29). */
export type FoundIn = 'header' | 'baggage' | 'cookie' | 'query' | 'trace_id' | 'source' | 'rule';

/** A remark beside a decision (S29). */
export type Note = 'below_min_healthy' | 'context_full' | 'no_trace_id' | 'unknown_lane';

/** One decision (section 7, S29). */
export interface Decision {
  outcome: Outcome;
  /** 200 for `routed`, `fell_back` and `pass`; 404 `no_route`; 503 `unavailable`; 0 `undetermined`. */
  status: 200 | 404 | 503 | 0;
  /** The group that decided. */
  group: string | null;
  /** The rule that decided. */
  rule: string | null;
  /** The lane to which the request belongs; `subset.lane` is the one that serves. */
  lane: string | null;
  /** The called service's host; the name as given where it is nobody's. */
  service: string | null;
  /** The endpoints that serve. */
  subset: { lane: string; labels: Record<string, string> } | null;
  /** Which lane serves in which one's place. */
  fallback: { from: string; to: string } | null;
  /** Why the lane itself does not serve. */
  reason: Reason | null;
  /** The lane name as found, and where. */
  found: { value: Bytes; in: FoundIn } | null;
  /** Headers to set, by name as configured. */
  set_headers: Record<string, Bytes>;
  /** Headers to remove: lower-case names, sorted. */
  remove_headers: string[];
  /** A cookie to set for the client, with the attributes that the gateway likes. */
  set_cookie: { name: string; value: string; ttl_seconds: number } | null;
  /** What a sidecar is to remember. */
  remember: Remembered[];
  notes: Note[];
  /** What the decision depends on and the request does not tell: `header NAME` or `roll`. */
  undetermined: string[];
}

/** A lane to remember for a trace id (S28). */
export interface Remembered {
  group: string;
  trace_id: Bytes;
  lane: string;
}

/** What a sidecar remembers of a request that arrives at its workload (S26a). */
export interface InboundAnswer {
  remember: Remembered[];
}

/** Why a decision is what it is (S30). */
export interface Explanation {
  undetermined: string[];
  /** What was done, in order. */
  steps: Step[];
}

/** A decision, and how it came about. */
export interface Explained {
  decision: Decision;
  explanation: Explanation;
}

/** One thing that was done on the way to a decision. */
export type Step = RuleStep | LookStep | DrawStep | CandidateStep;

/** A rule was tried (S16). Rules after the one that holds are not tried. */
export interface RuleStep {
  step: 'rule';
  group: string;
  rule: string;
  /** Failed: for each entry of `match` the first condition that does not hold; or the hosts, or `lane_from`. */
  result: 'holds' | 'undetermined' | { failed: Failure[] };
}

/** A condition that does not hold. */
export interface Failure {
  /** What was looked at, for example `header x-user-group`. */
  attribute: string;
  /** What was wanted, for example `in: ["qa", "staff"]`. */
  wanted: string;
  /** What the request has; null if it has nothing of the kind. */
  actual: string | null;
}

/** A lane name was looked for at a hop (S22). */
export interface LookStep {
  step: 'look';
  group: string;
  place: 'guiding_header' | 'context' | 'source';
  found: string | null;
  /** Whether a header that was asked for was not recorded. */
  unseen: boolean;
}

/** A split was drawn (S19, S20). */
export interface DrawStep {
  step: 'draw';
  rule: string;
  by:
    | 'only_weight'
    | { roll: { value: number; total: number } }
    | { key: { key: string; method: Method; value?: number } };
  shares: Drawn[];
  lane: string;
}

/** A lane's part in a draw. */
export interface Drawn {
  lane: string;
  weight: number;
  /** The first value of its range, and the first behind it. */
  range?: [first: number, behind: number];
  /** Its rendezvous score; the smallest wins. */
  score?: number;
}

/** A lane was considered for serving (S24). */
export interface CandidateStep {
  step: 'candidate';
  service: string;
  lane: string;
  /** Null if it serves. */
  passed_over: Reason | null;
}

/** A request's way through the chain. */
export interface Chain {
  /** The gateway's decision; null where the request enters at a call. */
  ingress: Decision | null;
  /** Why, if `explain` was asked for; null where the request enters at a call. */
  explanation?: Explanation | null;
  /** The calls, in order, up to the first that nobody serves. */
  hops: Hop[];
  /** Whether every service was reached. */
  complete: boolean;
  /** For every lane of the deciding group, who serves each service. */
  table: Table | null;
  /** The parts of the deciding rule's split. */
  shares: Share[] | null;
}

/** One call of a chain. */
export interface Hop {
  /** The calling service's host; null where it is not known. */
  from: string | null;
  /** The called name. */
  service: string;
  /** The header lines that the calling application passed on. */
  passed_on: [name: string, value: Bytes][];
  /** What the caller's sidecar remembered of the request that it serves. */
  remembered: Remembered[];
  decision: Decision;
  /** The call as a request of its own, with which `hop` and `explain` give the same decision. */
  request: HopRequest;
  /** Why, if `explain` was asked for. */
  explanation?: Explanation;
}

/** For every lane of a group, whose endpoints serve each service. */
export interface Table {
  group: string;
  /** The services' hosts, in document order: the columns. */
  services: string[];
  /** One row a lane, in document order; a row has a cell for each service. */
  rows: { lane: string; cells: Cell[] }[];
}

/** Who serves a lane's requests at one service. */
export interface Cell {
  outcome: Outcome;
  /** The lane whose endpoints serve; null where none does. */
  lane: string | null;
  /** Whether that is another lane than the request's. */
  fallback: boolean;
  /** Why the lane itself does not serve. */
  reason: Reason | null;
}

/** One lane's exact part of a split, as a fraction in lowest terms. */
export interface Share {
  lane: string;
  weight: number;
  numerator: number;
  denominator: number;
}

/** A split tried with many clients. */
export interface Simulation {
  group: string;
  rule: string;
  /** What clients are drawn by: their sticky key, or, without `sticky`, rolls spread evenly. */
  by: 'key' | 'roll';
  /** How a key chooses; null when drawn by roll. */
  method: Method | null;
  /** How many clients. */
  keys: number;
  /** Lanes in document order: the exact part, and how many of the clients came into the lane. */
  shares: (Share & { count: number })[];
  /** The lane of each client, in order, if `each` was asked for or keys were given. */
  lanes?: string[];
}

/** Where something stands in the text of the configuration. */
export interface Span {
  /** Offset of the first character, in UTF-16 units as JavaScript strings count. */
  start: number;
  /** Offset behind the last character. */
  end: number;
  /** The line of `start`, counted from 1. */
  line: number;
  /** The line of the last character. */
  end_line: number;
}

/** What a configuration means, defaults filled in. A `span` is null where the configuration was given as an object. */
export interface Description {
  groups: GroupDescription[];
}

export interface GroupDescription {
  name: string;
  mode: Mode;
  /** Null: every gateway. */
  gateways: string[] | null;
  guiding_header: string;
  context: Context;
  restore_headers: string[];
  baseline: string | null;
  tag_label: string;
  unknown_lane: UnknownLane;
  keep_lane: boolean;
  trust_client: boolean;
  header_values: HeaderValues;
  services: { host: string; aliases: string[]; min_healthy_percent: number; span: Span | null }[];
  lanes: LaneDescription[];
  rules: RuleDescription[];
  span: Span | null;
}

export interface LaneDescription {
  name: string;
  service_tag: string;
  /** Whether the lane is the group's baseline. */
  baseline: boolean;
  /** The services that it contains, in document order, and the labels of its endpoints there. */
  subsets: { service: string; labels: Record<string, string> }[];
  /** The lanes that serve in its place, in order. */
  fallback: string[];
  span: Span | null;
}

export interface RuleDescription {
  name: string;
  at: ('gateway' | 'hop')[];
  hosts: string[];
  service: string;
  /** How many entries of `match` there are; 0: the rule holds for every request. */
  entries: number;
  /** One of these three is not null. */
  lane: string | null;
  lane_from: LaneFrom | null;
  split: SplitShare[] | null;
  sticky: Sticky | null;
  span: Span | null;
}

/** What a compiled router costs in memory, and how its rules are found. */
export interface Stats {
  groups: number;
  services: number;
  lanes: number;
  /** The sum over all lanes of the services that they contain. */
  subsets: number;
  rules: number;
  /** Different regular expressions, and the automata that they share. */
  regexes: number;
  automata: number;
  /** Bytes on the heap, by what holds them. */
  bytes: { texts: number; conditions: number; automata: number; tables: number; index: number; total: number };
  /** How many rules are found in which way. */
  index: { scanned: number; by_value: number; by_regex: number; by_path: number; path_nodes: number; tuples: number };
}

/** A problem of a configuration. The fields up to `help` are those of `lane check --json`. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** A stable code, for example `LANE0102`. */
  code: string;
  /** The name under which the text is known; null if none was given. */
  file: string | null;
  /** Counted from 1. */
  line: number;
  /** In characters, counted from 1. */
  column: number;
  /** The field at fault, for example `groups[0].rules[1].lane`. */
  path: string;
  /** What is wrong: lower-case start, no final period, what was written in backticks. */
  message: string;
  /** What to do about it. */
  help: string | null;
  /** Offsets in UTF-16 units as JavaScript strings count; of a value of many lines those of its first. */
  start: number;
  end: number;
  /** Another place that belongs to the problem, and what it has to do with it. */
  related: { start: number; end: number; message: string } | null;
}

/** A problem of a request. */
export interface Problem {
  /** The field at fault, for example `headers[1]`; empty for the whole request. */
  path: string;
  message: string;
  help: string | null;
}

/** What came of a `lane test` file. */
export interface TestRun {
  passed: number;
  failed: number;
  cases: TestCase[];
  /** Every rule of the configuration, in document order, and how many cases it decided. */
  coverage: { group: string; rule: string; cases: number }[];
}

/** What came of one case. */
export interface TestCase {
  name: string;
  /** Where the case stands in the test file. */
  span: Span;
  /** `broken`: the request could not be asked of this configuration. */
  verdict: 'passed' | 'failed' | 'broken';
  /** What was not as expected. */
  differences: { key: string; wanted: unknown; actual: unknown }[];
  /** Why the case is broken. */
  error: string | null;
}
