// Text and request in, everything that the page shows out. One compiled router is kept for as long as the text stays.

import * as lane from "lane/full";
import type { Description, Diagnostic, Router, Table } from "lane/full";
import { type Live, knownLive, toAsk } from "../request/model";
import { CONFIG_FILE, gatewaysOf, lanesOf } from "./facts";
import { suiteCases } from "../state/tests";
import { type Answer, type Evaluation, type Input, MAX_CALLS, MAX_ROWS, type SplitAnswer, type SplitQuestion } from "./protocol";

interface Compiled {
  text: string;
  router: Router;
  description: Description;
  lanesOf: Map<string, Set<string>>;
  gateways: string[];
}

export class Evaluator {
  private compiled: Compiled | null = null;
  private diagnostics: Diagnostic[] = [];
  private tables: { router: Router; key: string; tables: Table[] } | null = null;

  evaluate(input: Input): Evaluation {
    const started = performance.now();
    const isNew = this.compiled?.text !== input.text;
    try {
      if (isNew) this.compile(input.text);
    } catch (error) {
      const compile = performance.now() - started;
      if (error instanceof lane.LaneError && error.kind === "config") {
        return { answer: null, diagnostics: [...error.diagnostics], crash: null, timing: { compile, answer: 0 } };
      }
      return { answer: null, diagnostics: [], crash: message(error), timing: { compile, answer: 0 } };
    }
    const compiledAt = performance.now();
    const timing = { compile: isNew ? compiledAt - started : 0, answer: 0 };
    try {
      const answer = this.answer(this.compiled!, input);
      timing.answer = performance.now() - compiledAt;
      return { answer, diagnostics: this.diagnostics, crash: null, timing };
    } catch (error) {
      // A crashed engine has lost its routers.
      this.compiled = null;
      return { answer: null, diagnostics: [], crash: message(error), timing };
    }
  }

  split(question: SplitQuestion): SplitAnswer {
    const router = this.compiled?.router;
    if (!router) return { simulation: null, lane: null, problem: "there is no configuration that compiles" };
    try {
      const simulation = router.simulate({ rule: question.rule, keys: question.keys, prefix: question.prefix });
      const isKeyed = simulation.by === "key" && question.key !== "";
      return { simulation, lane: isKeyed ? router.laneOf(question.rule, question.key) : null, problem: null };
    } catch (error) {
      return { simulation: null, lane: null, problem: message(error) };
    }
  }

  private compile(text: string): void {
    const router = new lane.Router(text, { format: "yaml", file: CONFIG_FILE });
    const description = router.describe();
    this.compiled?.router.free();
    this.compiled = { text, router, description, lanesOf: lanesOf(description), gateways: gatewaysOf(description) };
    this.diagnostics = [...router.warnings];
  }

  /** Tables depend on the text and the endpoints only: another request needs no new ones. */
  private tablesOf(router: Router, description: Description, live: Live): Table[] {
    const key = JSON.stringify(live);
    if (this.tables?.router !== router || this.tables.key !== key) {
      const tables = description.groups.map((group) => shortened(router.table({ group: group.name, live })));
      this.tables = { router, key, tables };
    }
    return this.tables.tables;
  }

  private answer({ router, description, lanesOf, gateways }: Compiled, input: Input): Answer {
    const live: Live = knownLive(input.live, lanesOf);
    const answer: Answer = { description, chain: null, moreCalls: 0, problems: [], tables: [], tests: null, testsProblem: null };
    answer.tables = this.tablesOf(router, description, live);
    const ask = toAsk(input.draft, gateways, live);
    try {
      answer.chain = router.trace(ask, { explain: true, ...(input.chain ? { services: input.chain } : {}) });
    } catch (error) {
      if (!(error instanceof lane.LaneError) || error.kind === "crashed") throw error;
      answer.problems = error.problems.length > 0 ? [...error.problems] : [{ path: "", message: error.message, help: null }];
    }
    if (input.tests.length > 0) {
      try {
        answer.tests = router.test({ cases: suiteCases(input.tests, gateways, lanesOf) });
      } catch (error) {
        if (!(error instanceof lane.LaneError) || error.kind === "crashed") throw error;
        answer.testsProblem = message(error);
      }
    }
    if (answer.chain) {
      answer.chain.table = null; // `tables` has it
      answer.moreCalls = answer.chain.hops.splice(MAX_CALLS).length;
    }
    return answer;
  }
}

function shortened(table: Table): Table {
  const rows = table.rows.slice(0, MAX_ROWS).map((row) => ({ ...row, cells: row.cells.slice(0, MAX_CALLS) }));
  return { ...table, services: table.services.slice(0, MAX_CALLS), rows };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
