import { describe, expect, test } from "vitest";
import { toRouteLine } from "../../src/request/line";
import { draftProblems, emptyDraft, knownLive, readLabels, readRoll, toAsk } from "../../src/request/model";
import { splitUrl } from "../../src/request/url";
import { flow, freeName, suiteCases, suiteFile } from "../../src/state/tests";

const draft = (change: object) => ({ ...emptyDraft(), ...change });

describe("URLs, as the command splits them", () => {
  test.each([
    ["http://shop.example:8080/cart?x=1", "shop.example:8080", "/cart?x=1"],
    ["shop.example/cart", "shop.example", "/cart"],
    ["/cart?next=http://a/b", undefined, "/cart?next=http://a/b"],
    ["https://me:secret@[::1]:8443", "[::1]:8443", undefined],
    ["shop.example?x=1", "shop.example", "/?x=1"],
    ["", undefined, undefined],
    ["http://", undefined, undefined],
  ])("%s", (url, authority, path) => {
    expect(splitUrl(url).authority).toBe(authority);
    expect(splitUrl(url).path).toBe(path);
  });
});

describe("drafts", () => {
  test("rolls keep all their digits", () => {
    expect(readRoll(" 18446744073709551615 ")).toEqual({ value: "18446744073709551615" });
    expect(readRoll("007")).toEqual({ value: "7" });
    expect(readRoll("")).toEqual({ value: undefined });
    for (const wrong of ["18446744073709551616", "-1", "1.5", "1e3", "x", "9".repeat(30)]) expect(readRoll(wrong)).toHaveProperty("problem");
  });

  test("labels", () => {
    expect(readLabels("a=b, c = d=e,")).toEqual({ value: { a: "b", c: "d=e" } });
    expect(readLabels("a")).toHaveProperty("problem");
    expect(readLabels("=a")).toHaveProperty("problem");
  });

  test("what is wrong is told beside its field", () => {
    expect(draftProblems(draft({ roll: "x", labels: "x", headers: [["a b", "c"], ["ok", "c"], ["", "c"], [":path", "/"], ["", ""]] }))).toEqual({
      roll: expect.stringContaining("whole number"),
      labels: expect.stringContaining("name=value"),
      headers: [expect.stringContaining("no header name"), null, expect.stringContaining("no name"), expect.stringContaining("pseudo"), null],
    });
  });

  test("as requests", () => {
    expect(toAsk(draft({ url: "https://h/p?q", roll: "5", headers: [["x", "y"], ["", ""]], ip: " 10.0.0.1 " }), ["edge", "other"], {})).toEqual({
      ingress: { gateway: "edge" },
      method: "GET",
      authority: "h",
      path: "/p?q",
      headers: [["x", "y"]],
      source: { ip: "10.0.0.1" },
      roll: "5",
    });
    expect(toAsk(draft({ entry: { service: "mockb" }, caller: "mocka", labels: "a=b" }), ["edge"], { s: { v1: [1, 0] } })).toMatchObject({
      hop: { service: "mockb" },
      source: { service: "mocka", labels: { a: "b" } },
      live: { s: { v1: [1, 0] } },
    });
  });

  test("endpoint counts of what is gone are left out", () => {
    const lanes = new Map([["a", new Set(["v1"])]]);
    expect(knownLive({ a: { v1: [1, 0], v2: [1, 0] }, b: { v1: [1, 0] } }, lanes)).toEqual({ a: { v1: [1, 0] } });
  });
});

test("a line for the command", () => {
  const { line, notes } = toRouteLine("lanes.yaml", draft({ method: "POST", url: "http://h/p?a=1&b=2", headers: [["cookie", "it's=1"]], roll: "7", entry: { gateway: "edge" } }), ["edge", "other"], {
    "b.svc": { v2: [1, 0], v3: [4, 1] },
  });
  expect(line).toBe(`lane route lanes.yaml 'http://h/p?a=1&b=2' -X POST --gateway edge -H 'cookie: it'\\''s=1' --roll 7 --down b.svc/v2 --explain`);
  expect(notes).toEqual([expect.stringContaining("b.svc/v3 has 1 of 4 healthy")]);
});

describe("test files", () => {
  test("flow style quotes what YAML would take for something else", () => {
    expect(flow({ a: ["v1", "no", "1", "", "~", "a b", "null", "x: y", "/mock", "#x"], n: [1, null], "a b": {} })).toBe(
      '{a: [v1, "no", "1", "", "~", "a b", "null", "x: y", /mock, "#x"], "n": [1, null], "a b": {}}',
    );
  });

  test("names become unique, expectations are never missing", () => {
    const one = { name: "a", draft: emptyDraft(), live: {}, lane: "", chain: {} };
    const cases = suiteCases([one, one, { ...one, name: "", lane: "!no_route" }, { ...one, chain: { mocka: "v1" } }], ["edge"]);
    expect(cases.map((test) => test.name)).toEqual(["a", "a (2)", "unnamed", "a (3)"]);
    expect(cases.map((test) => test.expect)).toEqual([{}, {}, { outcome: "no_route" }, undefined]);
    expect(freeName("a", ["a", "a (2)"])).toBe("a (3)");
    expect(suiteFile("lanes.yaml", cases)).toContain("config: lanes.yaml\ncases:\n  - name: a\n");
  });
});
