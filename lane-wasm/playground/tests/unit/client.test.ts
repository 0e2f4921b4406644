import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineClient, EngineError, Superseded } from "../../src/engine/client";
import type { Input, ToWorker } from "../../src/engine/protocol";

/** A worker that answers when the test says so. */
class FakeWorker extends EventTarget {
  static all: FakeWorker[] = [];
  asked: ToWorker[] = [];
  isEnded = false;
  constructor() {
    super();
    FakeWorker.all.push(this);
  }
  postMessage(message: ToWorker): void {
    this.asked.push(message);
  }
  terminate(): void {
    this.isEnded = true;
  }
  say(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  answer(result: unknown): void {
    this.say({ kind: "done", id: this.asked.at(-1)!.id, result });
  }
}

const input = (text: string) => ({ text }) as Input;
const latest = () => FakeWorker.all.at(-1)!;
let ready: string[] = [];
let client: EngineClient;

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all = [];
  ready = [];
  client = new EngineClient(
    () => new FakeWorker() as unknown as Worker,
    (version) => ready.push(version),
    1000,
  );
});
afterEach(() => vi.useRealTimers());

describe("the page's side of the worker", () => {
  test("one question at a time, and of those that wait the newest", async () => {
    const first = client.evaluate(input("1"));
    const second = client.evaluate(input("2"));
    const third = client.evaluate(input("3"));
    expect(latest().asked).toHaveLength(1);
    latest().answer("one");
    expect(await first).toBe("one");
    await expect(second).rejects.toThrow(Superseded);
    latest().answer("three");
    expect(await third).toBe("three");
    expect(latest().asked.map((one) => one.kind === "evaluate" && one.input.text)).toEqual(["1", "3"]);
  });

  test("other kinds of questions wait beside, and answers that nobody waits for are dropped", async () => {
    const evaluated = client.evaluate(input("1"));
    const split = client.split({ rule: "r", keys: 1, prefix: "", key: "" });
    latest().say({ kind: "done", id: 99, result: "late" });
    latest().answer("one");
    latest().answer("shares");
    expect([await evaluated, await split]).toEqual(["one", "shares"]);
  });

  test("a worker that takes too long is ended, told of, and replaced", async () => {
    const slow = client.evaluate(input("slow"));
    const caught = expect(slow).rejects.toThrow(/longer than 1 s/);
    await vi.advanceTimersByTimeAsync(1001);
    await caught;
    expect(FakeWorker.all[0]!.isEnded).toBe(true);
    const again = client.evaluate(input("quick"));
    // What the old one still says is not heard.
    FakeWorker.all[0]!.say({ kind: "ready", version: "old", schema: {} });
    latest().answer("fine");
    expect(await again).toBe("fine");
    expect([FakeWorker.all.length, ready]).toEqual([2, []]);
  });

  test("a worker that falls over is replaced; one that cannot be loaded is not tried for ever", async () => {
    const lost = client.evaluate(input("1"));
    latest().dispatchEvent(Object.assign(new Event("error", { cancelable: true }), { message: "boom" }));
    await expect(lost).rejects.toThrow("boom");
    latest().dispatchEvent(Object.assign(new Event("error", { cancelable: true }), { message: "" }));
    await expect(client.evaluate(input("2"))).rejects.toThrow(EngineError);
    expect(FakeWorker.all).toHaveLength(2);
  });

  test("an engine that cannot be loaded answers every question so", async () => {
    const waiting = client.evaluate(input("1"));
    latest().say({ kind: "failed", message: "status 404" });
    await expect(waiting).rejects.toThrow(/could not be loaded: status 404/);
    await expect(client.evaluate(input("2"))).rejects.toThrow(/could not be loaded/);
  });

  test("readiness is passed on", () => {
    latest().say({ kind: "ready", version: "1.2.3", schema: {} });
    expect(ready).toEqual(["1.2.3"]);
  });
});
