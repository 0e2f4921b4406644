// What page and worker say to each other, and what an evaluation is.

import type { Chain, Description, Diagnostic, Problem, Simulation, Table, TestRun } from "lane/full";
import type { Draft, Live } from "../request/model";
import type { TestCase } from "../state/tests";

/** Everything that the answer depends on. */
export interface Input {
  text: string;
  draft: Draft;
  chain: string[] | null;
  live: Live;
  tests: TestCase[];
}

/** What the engine says to a configuration that compiles. */
export interface Answer {
  description: Description;
  /** The request's way; null where the request could not be asked. Calls beyond `MAX_CALLS` are left out. */
  chain: Chain | null;
  /** How many calls were left out. */
  moreCalls: number;
  /** Why it could not. */
  problems: Problem[];
  /** For every group, the lane table. Rows beyond `MAX_ROWS`, and columns beyond `MAX_CALLS`, are left out. */
  tables: Table[];
  /** What came of the tests; null without any, or where they could not be run. */
  tests: TestRun | null;
  testsProblem: string | null;
}

/** Times in milliseconds, inside the worker. */
export interface Timing {
  /** Compiling, when the text is new; else 0. */
  compile: number;
  /** Chain, tables and tests. */
  answer: number;
}

export interface Evaluation {
  /** Null where the text does not compile, or makes the engine give up. */
  answer: Answer | null;
  /** Problems and warnings of the text. */
  diagnostics: Diagnostic[];
  /** The engine itself failed: what it said. */
  crash: string | null;
  timing: Timing;
}

/** Rows of a lane table that are worth sending to a page. */
export const MAX_ROWS = 200;
/** Calls of a chain, and services of a table, likewise. */
export const MAX_CALLS = 50;

/** What a split does with many keys, and with one. */
export interface SplitQuestion {
  rule: string;
  keys: number;
  prefix: string;
  /** The key looked up; empty: none. */
  key: string;
}

export interface SplitAnswer {
  simulation: Simulation | null;
  lane: string | null;
  problem: string | null;
}

export type ToWorker =
  | { kind: "evaluate"; id: number; input: Input }
  | { kind: "split"; id: number; question: SplitQuestion };

export type FromWorker =
  | { kind: "ready"; version: string; schema: object }
  | { kind: "failed"; message: string }
  | { kind: "done"; id: number; result: unknown };
