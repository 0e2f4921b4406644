import { describe, expect, test } from "vitest";
import { graphOf } from "../../src/graph/model";
import { mermaid } from "../../src/graph/mermaid";
import { fit, sceneOf } from "../../src/graph/scene";
import { toAsk } from "../../src/request/model";
import { EXAMPLES } from "../../src/state/bundled";
import { suiteCases, suiteFile } from "../../src/state/tests";
import { ruleMarks } from "../../src/state/why";
import { Evaluator } from "../../src/engine/evaluate";
import { gatewaysOf } from "../../src/engine/facts";
import type { Draft, Live } from "../../src/request/model";
import { loadEngine } from "./engine";

await loadEngine();

function answered(id: string, change: Partial<Draft> = {}, live?: Live) {
  const example = EXAMPLES.find((one) => one.id === id)!;
  const input = { text: example.text, draft: { ...example.draft, ...change }, chain: null, live: live ?? example.live, tests: example.tests };
  const result = new Evaluator().evaluate(input);
  const answer = result.answer!;
  const gateway = gatewaysOf(answer.description)[0] ?? "";
  return { example, input, answer, graph: graphOf(answer.chain!, answer.description, gateway, input.live, null), gateway };
}

describe("the picture", () => {
  test("a column a service, a row a lane, the way bold, fallbacks dashed with the reason", () => {
    const { graph } = answered("permissive");
    expect(graph.columns.map((column) => column.title)).toEqual(["mocka", "mockb", "mockc"]);
    expect(graph.rows.map((row) => [row.lane, row.own, row.baseline])).toEqual([["v1", false, true], ["v2", true, false], ["v3", false, false]]);
    expect(graph.nodes.filter((node) => node.state === "serves").map((node) => [node.column, node.row])).toEqual([[0, 1], [1, 0], [2, 1]]);
    expect(graph.nodes.filter((node) => node.state === "passed").map((node) => [node.column, node.row, node.reason])).toEqual([[1, 1, "not_in_lane"]]);
    expect(graph.edges.filter((edge) => edge.kind === "path")).toHaveLength(3);
    expect(graph.edges.filter((edge) => edge.kind === "fallback")).toEqual([{ from: { column: 1, row: 1 }, to: { column: 1, row: 0 }, kind: "fallback", label: "not_in_lane" }]);
  });

  test("what is not reached stays, with the verdict", () => {
    const { graph } = answered("strict", {}, { "mockb.default.svc.cluster.local": { s2: [1, 0] } });
    expect(graph.columns.map((column) => [column.title, column.reached, column.verdict])).toEqual([["mocka", true, null], ["mockb", true, { text: "503 unavailable", bad: true }], ["mockc", false, null]]);
    expect(graph.edges.map((edge) => [edge.kind, edge.to])).toEqual([["path", { column: 0, row: 1 }], ["end", { column: 1, row: 1 }]]);
  });

  test("no rule: a verdict and no way", () => {
    const { graph } = answered("strict", { url: "/nowhere" });
    expect(graph.columns.map((column) => [column.title, column.reached, column.verdict?.text])).toEqual([["mocka", false, "404 no route"], ["mockb", false, undefined], ["mockc", false, undefined]]);
    expect(answered("permissive", { roll: "" }).graph.columns[0]!.verdict).toEqual({ text: "undetermined", bad: false });
    expect(answered("multi-group", { url: "http://nobody.example/" }).graph.edges).toEqual([]);
    expect(graph.edges.map((edge) => [edge.kind, edge.to])).toEqual([["end", { column: 0, row: -1 }]]);
  });

  test.each(EXAMPLES.map((example) => example.id))("%s is drawn at any width without boxes on boxes", (id) => {
    const { graph } = answered(id);
    for (const width of [1, 300, 560, 2000]) {
      const scene = sceneOf(graph, width);
      for (const [i, a] of scene.nodes.entries()) {
        expect(a.x).toBeGreaterThanOrEqual(scene.entry.x + scene.entry.width);
        expect(a.x + a.width).toBeLessThanOrEqual(scene.width);
        expect(scene.width).toBeGreaterThanOrEqual(width);
        for (const b of scene.nodes.slice(i + 1)) expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
      }
      expect(JSON.stringify(scene)).not.toMatch(/null,"height"|NaN/);
    }
    expect(fit("a long name", 40)).toMatch(/…$/);
  });

  test("many lanes: those of the request, and a few more", () => {
    const lanes = Array.from({ length: 40 }, (_, i) => `      - {name: l${i}, services: [a.svc]}`).join("\n");
    const text = `version: 1\ngroups:\n  - name: g\n    mode: permissive\n    baseline: base\n    services: [{host: a.svc}, {host: b.svc}]\n    lanes:\n${lanes}\n      - name: base\n    rules: [{name: all, service: a.svc, lane: l39}]\n`;
    const { input } = answered("permissive");
    const answer = new Evaluator().evaluate({ ...input, text, live: {}, tests: [] }).answer!;
    const graph = graphOf(answer.chain!, answer.description, "", {}, null);
    expect(graph.rows.map((row) => row.lane)).toEqual(["l0", "l1", "l2", "l3", "l4", "l5", "l39", "base"]);
    expect(graph.hidden).toBe(33);
  });

  test("as Mermaid text: names cannot leave their quotes", () => {
    const { graph } = answered("permissive");
    graph.entry = 'a"]; click x "javascript:alert(1)';
    const text = mermaid(graph);
    expect(text).toContain("c0r1 ==> c1r0");
    expect(text).toContain('c1r1 -. "not in lane" .-> c1r0');
    expect(text.split("\n")[1]).toBe('  entry(["a#34;#93;#59; click x #34;javascript:alert#40;1#41;"])');
  });
});

describe("marks beside the rules", () => {
  test("matched, tried with wanted and actual, not reached", () => {
    const { answer, example, gateway } = answered("sticky-canary", { headers: [["x-user-id", "u-7"], ["user-agent", "a Bot"]] });
    const marks = ruleMarks(answer.description, answer.chain, gateway);
    expect(marks.map((mark) => mark.state)).toEqual(["tried", "matched", "unreached"]);
    expect(marks[0]!.note).toBe('header x-user-id: wanted in: ["u-1001", "u-1002"], and it is "u-7" (and 2 more)');
    expect(example.text.slice(marks[1]!.from, marks[1]!.to)).toMatch(/^name: robots[^]*lane: stable$/);
  });
});

describe("evaluation", () => {
  test("every example compiles, answers, and passes its own tests", () => {
    for (const example of EXAMPLES) {
      const result = new Evaluator().evaluate({ text: example.text, draft: example.draft, chain: null, live: example.live, tests: example.tests });
      expect(result.crash).toBeNull();
      expect(result.diagnostics).toEqual([]);
      expect(result.answer!.problems).toEqual([]);
      const failing = result.answer!.tests!.cases.filter((one) => one.verdict !== "passed");
      expect(failing, `${example.id}: ${JSON.stringify(failing)}`).toEqual([]);
      expect(example.title, example.id).not.toBe("");
    }
  });

  test("problems of the text and of the request are told apart", () => {
    const evaluator = new Evaluator();
    const { input } = answered("permissive");
    const wrong = evaluator.evaluate({ ...input, text: input.text.replace("baseline: v1", "baseline: v9") });
    expect(wrong.answer).toBeNull();
    expect(wrong.diagnostics[0]).toMatchObject({ code: "LANE0102", severity: "error" });
    const [first] = wrong.diagnostics;
    expect(input.text.replace("baseline: v1", "baseline: v9").slice(first!.start, first!.end)).toBe("v9");
    const strange = evaluator.evaluate({ ...input, chain: ["nobody.svc"] });
    expect(strange.crash).toBeNull();
    expect(strange.answer!.chain!.hops.at(-1)!.decision.outcome).toBe("pass");
  });

  test("offsets count as the editor counts, also behind characters of two units", () => {
    const { input } = answered("permissive");
    const text = `# 🚦🚦 ünï\n${input.text.replace("baseline: v1", "baseline: v9")}`;
    const [first] = new Evaluator().evaluate({ ...input, text }).diagnostics;
    expect(text.slice(first!.start, first!.end)).toBe("v9");
  });

  test("the test file that is exported is one that `lane test` reads, and passes", async () => {
    const { Router } = await import("lane/full");
    for (const example of EXAMPLES) {
      const router = new Router(example.text, { format: "yaml" });
      const file = suiteFile("lanes.yaml", suiteCases(example.tests, gatewaysOf(router.describe())));
      const run = router.test(file, { format: "yaml" });
      expect([run.passed, run.failed, run.cases.length], `${example.id}:\n${file}`).toEqual([example.tests.length, 0, example.tests.length]);
    }
  });

  test("thousands of services: what is shown is cut, and said so", () => {
    const hosts = Array.from({ length: 2000 }, (_, i) => `{host: s${i}.svc}`).join(", ");
    const text = `version: 1\ngroups: [{name: g, mode: strict, services: [${hosts}], lanes: [{name: a}], rules: [{name: r, service: s0.svc, lane: a}]}]`;
    const { answer } = new Evaluator().evaluate({ ...answered("strict").input, text, live: {}, tests: [] });
    expect(answer!.chain!.hops).toHaveLength(50);
    expect(answer!.moreCalls).toBe(1949);
    expect(answer!.tables[0]!.services).toHaveLength(50);
  });

  test("splits: exact shares, ten thousand keys, one key", () => {
    const evaluator = new Evaluator();
    const { input } = answered("sticky-canary");
    evaluator.evaluate(input);
    const answer = evaluator.split({ rule: "shop/canary-share", keys: 10_000, prefix: "user-", key: "7" });
    expect(answer.problem).toBeNull();
    expect(answer.lane).toBe("stable");
    expect(answer.simulation!.shares.reduce((sum, share) => sum + share.count, 0)).toBe(10_000);
    expect(evaluator.split({ rule: "nobody", keys: 10, prefix: "", key: "" }).problem).toMatch(/nobody/);
  });

  test("a request as the page writes it is one that the engine reads", () => {
    const { input, answer } = answered("permissive");
    expect(toAsk(input.draft, gatewaysOf(answer.description), {})).toMatchObject({ ingress: { gateway: "ingressgateway" }, authority: "mock.example", path: "/mock", roll: "45" });
  });
});
