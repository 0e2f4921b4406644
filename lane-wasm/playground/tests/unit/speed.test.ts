import { expect, test } from "vitest";
import { Evaluator } from "../../src/engine/evaluate";
import { emptyDraft } from "../../src/request/model";
import { manyRules } from "../rules.mjs";
import { loadEngine } from "./engine";

await loadEngine();

/** Processor milliseconds of one run: what others do on the machine does not count. */
function cost(runs: number, work: (run: number) => void): number {
  for (let run = 0; run < 150; run += 1) work(run); // V8 compiles in steps, in the background, and that would count
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run += 1) work(run);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
}

test("200 rules: what an answer costs", () => {
  const text = manyRules(200);
  const evaluator = new Evaluator();
  const ask = (run: number, text: string) => {
    const draft = { ...emptyDraft(), url: `https://shop.example/api/v${run}x`, headers: [["cookie", `uid=${run}`]] as [string, string][] };
    const result = evaluator.evaluate({ text, draft, chain: null, live: {}, tests: [] });
    if (!result.answer?.chain?.complete) throw new Error("there is no answer");
  };
  const request = cost(60, (run) => ask(run, text));
  const edited = cost(40, (run) => ask(run, `${text}# ${run}\n`));
  console.log(`200 rules, processor time: a new request ${request.toFixed(1)} ms, a new text ${edited.toFixed(1)} ms`);
  // The goal is 5 ms for both. Two shared cores of an EPYC server gave 1 ms and 4 ms; slower machines are right, too.
  expect(request).toBeLessThan(12);
  expect(edited).toBeLessThan(30);
}, 60_000);
