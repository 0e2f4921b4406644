/**
 * A configuration as data: what `lanes.json` holds, and what `lanes.yaml` means. Numbers such as S7 point to the sentences of
 * `docs/semantics.md`. `check` finds what types cannot tell: names that refer to nothing, weights that cannot be shared out.
 */

/** Exactly one of these fields. */
export type OneOf<T> = {
  [K in keyof T]: { [P in K]: T[P] } & { [P in Exclude<keyof T, K>]?: never };
}[keyof T];

/** One configuration document (section 2). */
export interface Config {
  /** The version of this schema. */
  version: 1;
  /** The lane groups, in the order in which a gateway tries them (S16). */
  groups: Group[];
}

/** Whether a lane may lack services (S2). */
export type Mode = 'strict' | 'permissive';

/** Services that form call chains, the lanes over them, and the rules that lead into the lanes. */
export interface Group {
  /** A Kubernetes label value, unique in the document (S1). */
  name: string;
  mode: Mode;
  /** The gateways at which the rules hold. Left out: every gateway. */
  gateways?: string[];
  /** The request header whose value is the lane name. Default: `x-asm-prefer-tag`. */
  guiding_header?: string;
  /** How the lane name survives the chain. Default: `header`. */
  context?: Context;
  /** Further headers that a hop restores from baggage members of the same name (S26). */
  restore_headers?: string[];
  /** The lane that contains every service; permissive mode falls back to it and needs it (S2). */
  baseline?: string;
  /** The workload label that marks a lane's endpoints. Default: `ASM_TRAFFIC_TAG`. */
  tag_label?: string;
  /** What becomes of a name that no lane has (S23). Default: permissive `baseline`, strict `reject`. */
  unknown_lane?: UnknownLane;
  /** Whether a second gateway keeps a known lane that the request already carries (S16). Default: false. */
  keep_lane?: boolean;
  /** Whether lane context sent by clients is left in place (S18). Default: false. */
  trust_client?: boolean;
  /** How several lines of one header are matched (S10). Default: `each`. */
  header_values?: HeaderValues;
  services: Service[];
  lanes: Lane[];
  /** In the order in which they are tried. */
  rules?: Rule[];
}

/** The application passes the guiding header on, or a baggage member carries the lane (S27), or a trace id stands for it (S28). */
export type Context = 'header' | OneOf<{ baggage: string; trace_id: string }>;

/** What becomes of a lane name that no lane has (S23). */
export type UnknownLane = 'baseline' | 'reject' | 'nearest_ancestor';

/** Each line on its own, as Envoy since 1.39, or the lines joined with `,` (S10). */
export type HeaderValues = 'each' | 'joined';

/** One member of the chain. */
export interface Service {
  /** For example `mocka.default.svc.cluster.local`. */
  host: string;
  /** Other names under which it is called. */
  aliases?: string[];
  /** The share of healthy endpoints, in percent, that a subset needs to serve (S24). Default 0: one is enough. */
  min_healthy_percent?: number;
}

/** An isolated runtime environment: one version of the services it contains. */
export interface Lane {
  /** The name that requests carry: a Kubernetes label value, unique in the group (S1). */
  name: string;
  /** The value of the tag label that marks the lane's endpoints. Default: the name. */
  service_tag?: string;
  /** The hosts of the services that the lane contains. Default: all of the group's. */
  services?: string[];
  /** Labels of the lane's subset of a service, by host, where they are not just the service tag. */
  labels?: Record<string, Record<string, string>>;
  /** The lanes that serve in this one's place, in order (S3). Left out in permissive mode: the baseline; `[]`: none. */
  fallback?: string[];
}

interface RuleBase {
  /** Unique in the group. */
  name: string;
  /** Where the rule holds. Default: `['gateway']`. */
  at?: ('gateway' | 'hop')[];
  /** `*`, `*.suffix`, or a host (S13). Default: `['*']`. */
  hosts?: string[];
  /** The host of the service to which the rule leads; at a hop, the called service. */
  service: string;
  /** Entries of which one must hold. Default: every request. */
  match?: Entry[];
}

/** Conditions that send a request into a lane, or split it by weight over several (S4). */
export type Rule = RuleBase &
  (
    | { lane: string; lane_from?: never; split?: never; sticky?: never }
    | { lane_from: LaneFrom; lane?: never; split?: never; sticky?: never }
    | { split: SplitShare[]; sticky?: Sticky; lane?: never; lane_from?: never }
  );

/** The request attribute that names the lane; the rule holds only when it names a lane of the group. */
export type LaneFrom = OneOf<{ header: string; cookie: string; query: string; baggage: string }>;

/** One lane of a split. */
export interface SplitShare {
  lane: string;
  /** An integer from 0; the lane's part is weight over the sum of all, which is at most 2^32 - 1 (S4). */
  weight: number;
}

/** How a split keeps a client in its lane (S19, S20). */
export interface Sticky {
  /** Where the client's key is looked for, in order; the first that is present and not empty counts. */
  keys?: Key[];
  /** A cookie that is set when no key is present, and is the last key. */
  generate?: { cookie: string; ttl_seconds: number };
  /** Default: `rendezvous`. */
  method?: Method;
  /** Text put before the key, so that two splits do not choose alike. */
  salt?: string;
}

/** Weighted rendezvous hashing, where a key moves only when it must, or the hash modulo the sum of weights, as Envoy does. */
export type Method = 'rendezvous' | 'ranges';

/** A value of the request that identifies a client. */
export type Key = OneOf<{ cookie: string; header: string; query: string; baggage: string; trace_id: string; source_ip: true }>;

/** Conditions that must all hold; an entry without any holds for every request (S15). */
export interface Entry {
  method?: Matcher;
  /** The path without query and fragment (S11). */
  path?: PathMatcher;
  headers?: Record<string, Matcher>;
  query?: Record<string, Matcher>;
  cookies?: Record<string, Matcher>;
  baggage?: Record<string, Matcher>;
  /** The caller: its service, its workload's labels, its address in one of the ranges (CIDR). */
  source?: { service?: Matcher; labels?: Record<string, Matcher>; ip?: string[] };
  /** A stable share of all keys (S14): `below` is a decimal from 0 to 100 with at most two places. Default salt: `GROUP/RULE`. */
  percent?: { of: Key; below: number; salt?: string };
  all?: Entry[];
  any?: Entry[];
  not?: Entry;
}

interface TextKinds {
  exact: string;
  prefix: string;
  suffix: string;
  contains: string;
  in: string[];
}

interface Kinds extends TextKinds {
  /** RE2 on bytes; the whole value must match (S9). */
  regex: string;
  /** Decimal integers: `min` inclusive, `max` exclusive. Beyond 2^53 write the configuration as text. */
  range: { min?: number; max?: number };
}

interface PathKinds extends Kinds {
  /** `/a` holds for `/a` and `/a/b`, not for `/ab` (S11). */
  segments: string;
}

type Fold = { ignore_case: OneOf<TextKinds> };
type Wrapped<K> = OneOf<K> | Fold | { not: OneOf<K> | Fold };

/** A test of one value: `or_missing`, `not` and `ignore_case`, in this order and each at most once, around a kind (S7). */
export type Matcher = Wrapped<Kinds> | { or_missing: Wrapped<Kinds> } | { present: boolean };

/** A test of a path. */
export type PathMatcher = Wrapped<PathKinds> | { or_missing: Wrapped<PathKinds> } | { present: boolean };
