// The test table: requests with what is expected of them, as the page keeps them, as the engine runs them
// (`lane test` files) and as a file for CI.

import { type Draft, type Live, knownLive, toAsk } from "../request/model";

/** One row of the test table. */
export interface TestCase {
  name: string;
  draft: Draft;
  live: Live;
  /** The expected lane, or one of `OUTCOMES` behind a `!` where no lane serves; empty: not looked at. */
  lane: string;
  /** The lane that is to serve each service of the chain; empty: not looked at. */
  chain: Record<string, string>;
}

/** Outcomes that may be expected instead of a lane. */
export const OUTCOMES = ["no_route", "unavailable", "pass", "undetermined"] as const;

/** One case of a `lane test` file. */
export interface SuiteCase {
  name: string;
  request: object;
  expect?: Record<string, string>;
  chain?: Record<string, string>;
}

/** A name that no case has yet. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!taken.includes(`${wanted} (${n})`)) return `${wanted} (${n})`;
}

/** The cases as `lane test` reads them. A case must expect something, or the file would be refused. */
export function suiteCases(tests: readonly TestCase[], gateways: readonly string[], lanesOf?: ReadonlyMap<string, ReadonlySet<string>>): SuiteCase[] {
  const taken: string[] = [];
  return tests.map((test) => {
    const name = freeName(test.name.trim() === "" ? "unnamed" : test.name, taken);
    taken.push(name);
    const expect = test.lane === "" ? {} : test.lane.startsWith("!") ? { outcome: test.lane.slice(1) } : { lane: test.lane };
    const hasChain = Object.keys(test.chain).length > 0;
    return {
      name,
      request: toAsk(test.draft, gateways, lanesOf ? knownLive(test.live, lanesOf) : test.live),
      ...(Object.keys(expect).length > 0 || !hasChain ? { expect } : {}),
      ...(hasChain ? { chain: test.chain } : {}),
    };
  });
}

/** A `lane test` file beside a configuration of this name. */
export function suiteFile(config: string, cases: readonly SuiteCase[]): string {
  const lines = [`# lane test ${config.replace(/\.[^.]*$/, "")}.test.yaml`, `config: ${flow(config)}`];
  lines.push(cases.length === 0 ? "cases: []" : "cases:");
  for (const one of cases) {
    lines.push(`  - name: ${flow(one.name)}`, `    request: ${flow(one.request)}`);
    if (one.expect) lines.push(`    expect: ${flow(one.expect)}`);
    if (one.chain) lines.push(`    chain: ${flow(one.chain)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** YAML in flow style. Text is quoted as JSON unless it is plainly a word: YAML takes `no`, `1e3` and `~` for other things. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${flow(key)}: ${flow(inner)}`)
      .join(", ")}}`;
  }
  if (typeof value !== "string") return JSON.stringify(value);
  const isWord = /^[A-Za-z_/][A-Za-z0-9_./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isWord ? value : JSON.stringify(value);
}
