// The page's state: what the user gives (signals), what came of it, and the loop between them.

import { batch, computed, effect, signal } from "@preact/signals";
import type { Description, Diagnostic } from "lane/full";
import { EngineClient, Superseded } from "../engine/client";
import { gatewaysOf, lanesOf } from "../engine/facts";
import { startWorker } from "../engine/start";
import type { Answer, Input, Timing } from "../engine/protocol";
import type { Schema } from "../editor/schema";
import type { Draft, Live } from "../request/model";
import { EXAMPLES } from "./bundled";
import type { Example } from "./examples";
import { LinkError, PREFIX, type Shared, decode, encode, readState } from "./share";
import type { TestCase } from "./tests";

const first = EXAMPLES[0]!;

// What the user gives.
export const text = signal(first.text);
export const draft = signal<Draft>(first.draft);
/** The order of the calls; null: as the configuration says. */
export const chainOrder = signal<string[] | null>(null);
export const live = signal<Live>(first.live);
export const tests = signal<TestCase[]>(first.tests);

// What came of it.
export const answer = signal<Answer | null>(null);
export const diagnostics = signal<Diagnostic[]>([]);
/** The text to which `diagnostics` belong, and that of the last good answer. */
export const checkedText = signal<string | null>(null);
export const answerText = signal<string | null>(null);
export const timing = signal<Timing | null>(null);
export const engineProblem = signal<string | null>(null);
export const engine = signal<{ version: string; schema: Schema } | null>(null);
/** Counts good answers, for what is asked of the engine besides. */
export const generation = signal(0);

/** Whether the answer belongs to an earlier text than the one in the editor. */
export const stale = computed(() => answer.value !== null && (engineProblem.value !== null || diagnostics.value.some((one) => one.severity === "error")));
export const description = computed<Description | null>(() => answer.value?.description ?? null);
export const gateways = computed(() => (description.value ? gatewaysOf(description.value) : []));
export const knownLanes = computed(() => (description.value ? lanesOf(description.value) : new Map<string, Set<string>>()));

/** A message for the user; it stays until it is closed or replaced. */
export interface Notice {
  tone: "info" | "problem";
  text: string;
}
export const notice = signal<Notice | null>(null);

export const client = new EngineClient(
  startWorker,
  (version, schema) => {
    engine.value = { version, schema: schema as Schema };
  },
);

const input = computed<Input>(() => ({ text: text.value, draft: draft.value, chain: chainOrder.value, live: live.value, tests: tests.value }));

async function evaluate(given: Input): Promise<void> {
  try {
    const result = await client.evaluate(given);
    batch(() => {
      diagnostics.value = result.diagnostics;
      checkedText.value = given.text;
      timing.value = result.timing;
      engineProblem.value = result.crash;
      if (result.answer) {
        answer.value = result.answer;
        answerText.value = given.text;
        generation.value += 1;
      }
    });
  } catch (error) {
    if (error instanceof Superseded) return;
    batch(() => {
      engineProblem.value = error instanceof Error ? error.message : String(error);
      diagnostics.value = [];
      checkedText.value = given.text;
    });
  }
}

/** Typing is answered when it pauses for as long as a finger needs for the next key. */
const PAUSE_MS = 60;

export function startEvaluating(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  return effect(() => {
    const given = input.value;
    clearTimeout(timer);
    timer = setTimeout(() => void evaluate(given), isFirst ? 0 : PAUSE_MS);
    isFirst = false;
  });
}

export function patchDraft(change: Partial<Draft>): void {
  draft.value = { ...draft.value, ...change };
}

/** Puts a whole state into the page. */
export function load(state: Shared): void {
  batch(() => {
    text.value = state.text;
    draft.value = state.draft;
    chainOrder.value = state.chain;
    live.value = state.live;
    tests.value = state.tests;
  });
}

export function loadExample(example: Example): void {
  load({ text: example.text, draft: example.draft, chain: null, live: example.live, tests: example.tests });
  // A link in the address would now lie.
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  notice.value = null;
}

export const shared = (): Shared => ({ text: text.value, draft: draft.value, chain: chainOrder.value, live: live.value, tests: tests.value });

const KEPT = "lane-playground-state";

/** Keeps the state for a reload of this tab, and takes a link out of the address once it no longer tells the truth. */
export function startKeeping(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return effect(() => {
    const state = shared();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const content = JSON.stringify(state);
      if (location.hash.startsWith(`#${PREFIX}`) && content !== linked) history.replaceState(null, "", location.pathname + location.search);
      try {
        sessionStorage.setItem(KEPT, content);
      } catch {
        // Storage is switched off or full: a reload begins anew.
      }
    }, 300);
  });
}

/** The state that the link in the address holds. */
let linked = "";

/** What this tab held before it was reloaded. */
function openKept(): void {
  try {
    const content = sessionStorage.getItem(KEPT);
    if (content) load(readState(content));
  } catch {
    // Nothing is kept, or an older page kept something else.
  }
}

/** Opens the link in the address, or what the tab held before. */
export async function openFirst(): Promise<void> {
  if (location.hash.length > 1) await openLink();
  else openKept();
}

/** Opens the link in the address, if there is one. A bad one is told, and the page stays as it is. */
export async function openLink(): Promise<void> {
  try {
    const state = await decode(location.hash);
    if (!state) return;
    load(state);
    linked = JSON.stringify(shared());
    notice.value = null;
  } catch (error) {
    const why = error instanceof LinkError ? error.message : "the link is damaged";
    notice.value = { tone: "problem", text: `The link could not be opened: ${why}.` };
  }
}

/** Writes the state into the address, and the address onto the clipboard. */
export async function shareLink(): Promise<void> {
  try {
    const link = `#${await encode(shared())}`;
    linked = JSON.stringify(shared());
    history.replaceState(null, "", link);
    const isCopied = await copy(location.href);
    const where = isCopied ? "The link is on the clipboard." : "The link is in the address bar.";
    notice.value = { tone: "info", text: `${where} It holds everything itself (${location.href.length.toLocaleString("en")} characters); nothing was uploaded.` };
  } catch (error) {
    notice.value = { tone: "problem", text: `No link was made: ${error instanceof Error ? error.message : String(error)}.` };
  }
}

export async function copy(what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(what);
    return true;
  } catch {
    return false; // no permission, or no secure context
  }
}

export function download(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
