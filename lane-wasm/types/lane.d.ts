/// <reference lib="esnext.disposable" />
/**
 * lane: which version of each service does a request meet, all along its chain of calls?
 *
 *     import {init, Router} from 'lane';
 *     await init();
 *     const router = new Router(config);
 *     router.ingress({ingress: {gateway: 'edge'}, path: '/', headers: [['x-user-group', 'qa']], roll: 7n});
 *
 * A router is compiled once, is immutable, and depends on nothing but its inputs: no clock, no randomness, no network.
 * This entry point reads configurations as JSON or as objects; `lane/full` also reads YAML.
 */

import type { Config } from './config.js';
import type {
  Chain,
  Decision,
  Description,
  Diagnostic,
  DrawStep,
  Explained,
  HeaderLine,
  HopRequest,
  InboundAnswer,
  InboundRequest,
  IngressRequest,
  Live,
  Problem,
  Request,
  Simulation,
  Span,
  Stats,
  Table,
  TestRun,
} from './data.js';

export type * from './config.js';
export type * from './data.js';

/** The release, for example `0.1.0`. */
export const version: string;

/** A class of the platform, where its types are known: Node's and the browser's differ, and a project may have neither. */
type Platform<Name extends string> = typeof globalThis extends { [K in Name]: { prototype: infer Instance } } ? Instance : never;
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Instance } } } ? Instance : never;

/** The bytes of the `.wasm` file, or the module compiled from them. */
export type ModuleSource = ArrayBuffer | ArrayBufferView | CompiledModule;

/** Where the engine's `.wasm` file comes from: its address, what fetching it gives, or its content. */
export type InitSource = string | Platform<'URL'> | Platform<'Request'> | Platform<'Response'> | ModuleSource;

/**
 * Loads the engine; nothing else works before. In browsers and bundlers it is the `.wasm` file beside this module, in Node
 * it is read from the package; `source` is for everything else. Further calls wait for the first; after a failed one it may
 * be called again.
 *
 * @throws {LaneError} of kind `init`, when the file cannot be loaded
 */
export function init(source?: InitSource | Promise<InitSource>): Promise<void>;

/** Loads the engine without waiting. In Node `source` may be left out; on a browser's main thread compile the module first. */
export function initSync(source?: ModuleSource): void;

/**
 * Everything that this package throws.
 *
 * | kind | what happened |
 * |---|---|
 * | `config` | a configuration or a test file is refused: `diagnostics` says where and why |
 * | `request` | a request cannot be read, or names what the router does not have: `problems` says which fields |
 * | `usage` | a call that makes no sense, such as a rule that does not exist |
 * | `init` | the engine is not loaded |
 * | `crashed` | the engine stopped, by a mistake of its own or for want of memory; it is started anew with the next call |
 */
export class LaneError extends Error {
  private constructor();
  readonly name: 'LaneError';
  readonly kind: 'config' | 'request' | 'usage' | 'init' | 'crashed';
  /** Every problem of the text, sorted by place; the warnings beside the errors too. Empty for other kinds. */
  readonly diagnostics: readonly Diagnostic[];
  /** Whether no document could be parsed from the text at all. */
  readonly unparsable: boolean;
  /** Every problem of the request. Empty for other kinds. */
  readonly problems: readonly Problem[];
}

/** The language of a text. `lane` reads JSON only; `lane/full` reads YAML too. */
export type Format = 'json' | 'yaml';

export interface ReadOptions {
  /** Default: what `file` ends in (`.json`, `.yaml`, `.yml`); else JSON in `lane`, and YAML in `lane/full`. */
  format?: Format;
  /** The name under which the text is known, for diagnostics. */
  file?: string;
  /** What a configuration may ask for at most (S6). Each is a whole number; what is left out has its default. */
  limits?: Partial<Limits>;
}

/** What a configuration may ask for at most (S6). */
export interface Limits {
  /** Bytes of a document. Default: 16 MiB. */
  document_bytes: number;
  /** Rules in all. Default: 100,000. */
  rules: number;
  /** Bytes of all regular expressions' automata. Default: 64 MiB. */
  automata_bytes: number;
  /** Bytes of one regular expression's automaton. Default: 2 MiB. */
  regex_bytes: number;
  /** Default: 1,000. */
  groups: number;
  /** Lanes of a group. Default: 10,000. */
  lanes: number;
  /** Services of a group. Default: 10,000. */
  services: number;
  /** The sum over all lanes of the services that they contain. Default: 16 Mi. */
  subsets: number;
  /** Levels of conditions inside conditions. Default: 64. */
  condition_levels: number;
}

/** A rule: `rule`, or `group/rule` where several groups have a rule of that name. */
export type RuleName = string;

/** A compiled configuration. Immutable. */
export class Router {
  /**
   * Compiles a configuration.
   *
   * @param config text, the bytes of a file, or the configuration itself
   * @throws {LaneError} of kind `config`, with everything that is wrong
   */
  constructor(config: string | Uint8Array | Config, options?: ReadOptions);

  /** What is doubtful about the configuration, sorted by place. */
  readonly warnings: readonly Diagnostic[];

  /** Decides at a gateway: which rule, which lane, which endpoints, which headers (S16 to S20). */
  ingress(request: IngressRequest): Decision;

  /** Decides at a call inside the chain: which endpoints of the called service (S21 to S26). */
  hop(request: HopRequest): Decision;

  /** What a sidecar remembers of a request that arrives at its workload (S26a). */
  inbound(request: InboundRequest): InboundAnswer;

  /** Whichever of the three the request is for. */
  answer(request: IngressRequest | HopRequest): Decision;
  answer(request: InboundRequest): InboundAnswer;
  answer(request: Request): Decision | InboundAnswer;

  /** Decides as `ingress` and `hop` do, and tells why. It tries every rule and is slower. */
  explain(request: IngressRequest | HopRequest): Explained;

  /**
   * Follows a request through the whole chain; applications in between pass on no more than the group's context.
   * Roll and endpoint counts hold for the whole chain.
   */
  trace(request: IngressRequest | HopRequest, options?: TraceOptions): Chain;

  /** For every lane of a group, whose endpoints serve each service. With one group only it need not be named. */
  table(options?: { group?: string; live?: Live }): Table;

  /** Tries a rule's split with many clients. The conditions of the rule are not looked at. */
  simulate(options: SimulateOptions): Simulation;

  /** The lane into which a rule's sticky split sends the client with this key. The conditions of the rule are not looked at. */
  laneOf(rule: RuleName, key: string): string;

  /** The same, and how it was drawn: the ranges or the scores of all lanes. */
  draw(rule: RuleName, key: string): DrawStep;

  /** What the configuration means: groups, lanes, services, rules, defaults filled in, each with its place in the text. */
  describe(): Description;

  /**
   * Where a field stands in the text. A path is written as in diagnostics, for example `groups[0].rules[1].split[0].weight`,
   * or given as a list of names and numbers.
   * @returns the nearest value around it that exists; null where the configuration was given as an object
   */
  locate(path: string | readonly (string | number)[]): Span | null;

  /** Runs a `lane test` file; of this router, unless the file holds a configuration of its own. */
  test(suite: string | Uint8Array | object, options?: ReadOptions): TestRun;

  /** What the router costs in memory, and how its rules are found. */
  stats(): Stats;

  /** Gives the memory back at once, rather than when the garbage collector finds the time. */
  free(): void;
  [Symbol.dispose](): void;
}

export interface TraceOptions {
  /** The called services in order. Default: those of the deciding group from the first one on, in document order. */
  services?: readonly string[];
  /** Whether to explain every decision. */
  explain?: boolean;
}

export interface SimulateOptions {
  rule: RuleName;
  /** How many clients, at most 1,000,000, or their keys. Default: 10,000. */
  keys?: number | readonly string[];
  /** Numbered clients have the keys `${prefix}1`, `${prefix}2` and so on. Default: `user-`, as `lane trace`. */
  prefix?: string;
  /** Whether to tell the lane of each client. */
  each?: boolean;
}

/** Everything that is wrong or doubtful in a configuration, sorted by place. Never throws because of what the text says. */
export function check(config: string | Uint8Array | Config, options?: ReadOptions): Diagnostic[];

/** Runs a `lane test` file that holds its configuration. */
export function runTests(suite: string | Uint8Array | object, options?: ReadOptions): TestRun;

/** The JSON Schema (draft-07) of a configuration. */
export function schema(): object;

/**
 * Header lines of a request: of a `Headers` object, of Node's `rawHeaders` or `headers`, or of any list of pairs.
 *
 * HTTP libraries give bytes as characters up to U+00FF; these become the bytes that were sent.
 */
export function headerLines(
  headers:
    | Platform<'Headers'>
    | Iterable<readonly [string, string]>
    | readonly string[]
    | Record<string, string | readonly string[] | undefined>,
): HeaderLine[];
