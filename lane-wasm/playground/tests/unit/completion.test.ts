import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Description } from "lane/full";
import { completionsAt } from "../../src/editor/complete";
import { type Schema, descriptionAt } from "../../src/editor/schema";
import { placeAt } from "../../src/editor/yamlpath";

const root = new URL("../../../../", import.meta.url);
const schema = JSON.parse(readFileSync(new URL("lane-formats/schema/lane.schema.json", root), "utf8")) as Schema;
const description = {
  groups: [{ name: "g", gateways: ["edge"], services: [{ host: "mocka.svc" }, { host: "mockb.svc" }], lanes: [{ name: "v1" }, { name: "v2" }], rules: [] }],
} as unknown as Description;

/** `|` is the cursor. */
const place = (text: string) => placeAt(text.replace("|", ""), text.indexOf("|"));
const labels = (text: string) => completionsAt(text.replace("|", ""), text.indexOf("|"), { schema, description })?.options.map((option) => option.label) ?? [];

describe("places", () => {
  const cases: [string, string, (string | number)[], string[]?][] = [
    ["gr|", "key", []],
    ["version: 1\n|", "key", [], ["version"]],
    ["groups:\n  - name: a\n    mo|\n", "key", ["groups", 0], ["name"]],
    ["groups:\n  - name: a\n    mode: |\n", "value", ["groups", 0, "mode"]],
    ["groups:\n- name: a\n- |", "key", ["groups", 1]],
    ["groups:\n  - rules:\n      - name: r\n        |\n        lane: v1\n", "key", ["groups", 0, "rules", 0], ["name", "lane"]],
    ["groups:\n  - context: {|}\n", "key", ["groups", 0, "context"]],
    ["groups:\n  - context: {baggage: x, |}\n", "key", ["groups", 0, "context"], ["baggage"]],
    ["groups:\n  - rules:\n      - match:\n          - headers: {x: {in: [a, |]}}\n", "value", ["groups", 0, "rules", 0, "match", 0, "headers", "x", "in", 1]],
    ["groups:\n  - rules:\n      - split:\n          - {lane: |, weight: 1}\n", "value", ["groups", 0, "rules", 0, "split", 0, "lane"]],
    ["groups:\n  - lanes:\n      - name: v1\n    rules:\n      - na|", "key", ["groups", 0, "rules", 0]],
    ["groups:\n  - about: |\n", "value", ["groups", 0, "about"]],
    ['"groups":\n  - "na|me": a\n', "key", ["groups", 0]],
    ["groups: # a: b {\n  - name: a\n    |", "key", ["groups", 0], ["name"]],
  ];
  test.each(cases)("%j", (text, kind, path, siblings) => {
    expect(place(text)).toMatchObject({ kind, path, ...(siblings ? { siblings } : {}) });
  });

  test("never throws, wherever the cursor stands", () => {
    const text = readFileSync(new URL("examples/sticky-canary.yaml", root), "utf8");
    for (let pos = 0; pos <= text.length; pos += 1) placeAt(text, pos);
    for (let cut = 0; cut <= text.length; cut += 7) placeAt(text.slice(0, cut), cut);
    for (const odd of ["}", "]}", "{[", "- - - a", "\t- x: |", ": :", "{a: {b: [", "'", '"\\']) for (let pos = 0; pos <= odd.length; pos += 1) placeAt(odd, pos);
  });
});

describe("completion", () => {
  test("keys, without those that are there", () => {
    expect(labels("version: 1\n|")).toEqual(["groups"]);
    const group = labels("groups:\n  - name: a\n    |\n    mode: strict\n");
    expect(group).toContain("gateways");
    expect(group).not.toContain("name");
    expect(group).not.toContain("mode");
  });
  test("kinds of matchers", () => {
    const kinds = labels("groups:\n  - rules:\n      - match: [{path: {|}}]\n");
    expect(kinds).toEqual(expect.arrayContaining(["exact", "prefix", "segments", "regex", "not"]));
  });
  test("fixed values", () => {
    expect(labels("groups:\n  - mode: |")).toEqual(["strict", "permissive"]);
    expect(labels("groups:\n  - keep_lane: |")).toEqual(["true", "false"]);
    expect(labels("groups:\n  - rules:\n      - at: [|]")).toEqual(["gateway", "hop"]);
  });
  test("names that the configuration declares", () => {
    expect(labels("groups:\n  - baseline: |")).toEqual(["v1", "v2"]);
    expect(labels("groups:\n  - rules:\n      - split: [{lane: |}]")).toEqual(["v1", "v2"]);
    expect(labels("groups:\n  - rules:\n      - service: |")).toEqual(["mocka.svc", "mockb.svc"]);
    expect(labels("groups:\n  - lanes:\n      - fallback:\n          - |")).toEqual(["v1", "v2"]);
    expect(labels("groups:\n  - gateways: [|]")).toEqual(["edge"]);
  });
  test("what a field means", () => {
    expect(descriptionAt(schema, ["groups", 0, "guiding_header"])).toMatch(/lane name/);
    expect(descriptionAt(schema, ["nonsense"])).toBeNull();
  });
});
