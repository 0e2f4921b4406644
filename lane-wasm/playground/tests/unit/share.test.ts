import { describe, expect, test } from "vitest";
import { emptyDraft } from "../../src/request/model";
import { LinkError, MAX_LINK, type Shared, decode, encode, toBase64Url } from "../../src/state/share";

const state: Shared = {
  text: "version: 1\n# ünïcödé 🚦\n",
  draft: { ...emptyDraft(), url: "/mock?x=1", headers: [["x-a", "b"]], roll: "18446744073709551615" },
  chain: ["mocka", "mockc"],
  live: { "mockb.svc": { v2: [3, 1] } },
  tests: [{ name: "one", draft: { ...emptyDraft(), entry: { service: "mockb" } }, live: {}, lane: "v2", chain: { mockb: "v1" } }],
};

async function pack(value: unknown, prefix = "v1."): Promise<string> {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return prefix + toBase64Url(new Uint8Array(await new Response(stream).arrayBuffer()));
}

describe("share links", () => {
  test("the same state comes back", async () => {
    const link = await encode(state);
    expect(link).toMatch(/^v1\.[A-Za-z0-9_-]+$/);
    expect(await decode(`#${link}`)).toEqual(state);
  });

  test("other fragments are none of ours", async () => {
    for (const fragment of ["", "#", "#answer", "#vx.abc"]) expect(await decode(fragment)).toBeNull();
  });

  test("every cut of a link is told, never thrown as something else", async () => {
    const link = await encode(state);
    for (let length = 3; length < link.length; length += 1) await expect(decode(link.slice(0, length))).rejects.toThrow(LinkError);
  });

  test("every changed character is told or gives a state of the right shape", async () => {
    const link = await encode(state);
    for (let at = 3; at < link.length; at += 1) {
      const changed = link.slice(0, at) + (link[at] === "A" ? "B" : "A") + link.slice(at + 1);
      try {
        expect(Object.keys((await decode(changed))!)).toEqual(["text", "draft", "chain", "live", "tests"]);
      } catch (error) {
        expect(error).toBeInstanceOf(LinkError);
      }
    }
  });

  test("a bomb is not unpacked", async () => {
    const bomb = await pack(" ".repeat(100_000_000));
    expect(bomb.length).toBeLessThan(MAX_LINK);
    await expect(decode(bomb)).rejects.toThrow(/unpacks to more than/);
  });

  test("lengths, versions, characters", async () => {
    await expect(decode(`v1.${"A".repeat(MAX_LINK)}`)).rejects.toThrow(/more than the/);
    await expect(decode("v2.AAAA")).rejects.toThrow(/version 2/);
    await expect(decode("v1.<script>")).rejects.toThrow(/characters that no share link has/);
    await expect(encode({ ...state, text: "x".repeat(3_000_000) })).rejects.toThrow(/download the files/);
  });

  test("wrong shapes are named", async () => {
    const cases: [unknown, RegExp][] = [
      ["not json", /no state/],
      [{ ...state, text: "x".repeat(600_000) }, /this page holds/],
      [[], /`the state` is no object/],
      [{ ...state, text: 7 }, /`text` is no text/],
      [{ ...state, draft: { ...state.draft, headers: [["x"]] } }, /`draft.headers\[0\]\[1\]`/],
      [{ ...state, live: { s: { v1: [1, 2] } } }, /`live.s.v1`/],
      [{ ...state, live: { s: { v1: [1e20, 2] } } }, /`live.s.v1`/],
      [{ ...state, tests: Array(1001).fill(state.tests[0]) }, /more than 1000/],
      [{ ...state, chain: "x" }, /`chain`/],
    ];
    for (const [value, message] of cases) await expect(decode(await pack(value))).rejects.toThrow(message);
  });

  test("no prototype is reached", async () => {
    const link = await pack(JSON.stringify(state).replace('"live":{', '"live":{"__proto__":{"v1":[1,0]},'));
    const read = await decode(link);
    expect(read!.live).toEqual(state.live);
    expect(({} as Record<string, unknown>).v1).toBeUndefined();
  });
});
