// Share links: the whole state as JSON, deflated, base64url, behind a version in the fragment. A fragment is never
// sent to a server. Whatever comes in is foreign: its length, its inflated length and its shape are checked.

import type { Draft, Entry, HeaderLine, Live } from "../request/model";
import { MAX_TEXT } from "./limits";
import type { TestCase } from "./tests";

/** What a link carries. */
export interface Shared {
  text: string;
  draft: Draft;
  /** The order of the calls; null: as the configuration says. */
  chain: string[] | null;
  live: Live;
  tests: TestCase[];
}

export const PREFIX = "v1.";
/** Characters of a link's payload; browsers take far more, chats do not. */
export const MAX_LINK = 200_000;
/** Bytes of the state once inflated: the largest text that the page takes, and room for the rest. */
export const MAX_STATE = 2_000_000;

export class LinkError extends Error {}

/** The fragment (without `#`) for a state. */
export async function encode(state: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  if (bytes.length > MAX_STATE) throw new LinkError(`the state has ${bytes.length} bytes, and a link holds at most ${MAX_STATE}; download the files instead`);
  const packed = await all(through(bytes, new CompressionStream("deflate-raw")), Infinity);
  const link = PREFIX + toBase64Url(packed);
  if (link.length > MAX_LINK) throw new LinkError(`the link would have ${link.length} characters, and ${MAX_LINK} is the limit; download the files instead`);
  return link;
}

/** The state in a fragment; null where the fragment is no share link. */
export async function decode(fragment: string): Promise<Shared | null> {
  const link = fragment.replace(/^#/, "");
  const version = /^v([0-9]+)\./.exec(link);
  if (!version) return null;
  if (version[0] !== PREFIX) throw new LinkError(`the link is of version ${version[1]}, and this page reads version 1: it was made by a newer page`);
  if (link.length > MAX_LINK) throw new LinkError(`the link has ${link.length} characters, more than the ${MAX_LINK} that this page makes`);
  const packed = fromBase64Url(link.slice(PREFIX.length));
  let bytes: Uint8Array;
  try {
    bytes = await all(through(packed, new DecompressionStream("deflate-raw")), MAX_STATE);
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError("the link is damaged: its content cannot be unpacked. Perhaps it was cut off when it was copied");
  }
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new LinkError("the link is damaged: its content is no state of this page");
  }
  return readState(content);
}

/** A state written as JSON. */
export function readState(content: string): Shared {
  let state: unknown;
  try {
    state = JSON.parse(content);
  } catch {
    throw new LinkError("the link is damaged: its content is no state of this page");
  }
  return shape(state);
}

function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  return new Blob([bytes as BlobPart]).stream().pipeThrough(stream as unknown as ReadableWritablePair<Uint8Array, Uint8Array>);
}

/** Reads a stream to its end, or to the limit: a few bytes may inflate to gigabytes. */
async function all(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      reader.cancel().catch(() => {});
      throw new LinkError(`the link unpacks to more than ${limit} bytes: no page made it`);
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function fromBase64Url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new LinkError("the link is damaged: it holds characters that no share link has");
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    throw new LinkError("the link is damaged: it was cut off");
  }
}

// The shape. Unknown fields are dropped, wrong ones refused: a link is either right or told to be wrong.

function shape(value: unknown): Shared {
  const state = record(value, "the state");
  const chain = state.chain ?? null;
  return {
    text: configuration(state.text),
    draft: draft(state.draft, "draft"),
    chain: chain === null ? null : list(chain, "chain", 1000).map((service, i) => text(service, `chain[${i}]`)),
    live: live(state.live ?? {}),
    tests: list(state.tests ?? [], "tests", 1000).map((test, i) => testCase(test, `tests[${i}]`)),
  };
}

function configuration(value: unknown): string {
  const given = text(value, "text");
  if (given.length > MAX_TEXT) throw new LinkError(`its configuration has ${given.length} characters, and this page holds ${MAX_TEXT}`);
  return given;
}

function wrong(what: string, wanted: string): never {
  throw new LinkError(`the link is damaged: \`${what}\` is no ${wanted}`);
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(what, "object");
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string, most: number): unknown[] {
  if (!Array.isArray(value)) wrong(what, "list");
  if (value.length > most) throw new LinkError(`the link is damaged: \`${what}\` has more than ${most} entries`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") wrong(what, "text");
  return value;
}

function texts(value: unknown, what: string): Record<string, string> {
  return map(value, what, text);
}

/** A map whose keys cannot reach a prototype. */
function map<T>(value: unknown, what: string, read: (value: unknown, what: string) => T): Record<string, T> {
  const entries = Object.entries(record(value, what)).filter(([key]) => key !== "__proto__");
  return Object.fromEntries(entries.map(([key, inner]) => [key, read(inner, `${what}.${key}`)]));
}

function draft(value: unknown, what: string): Draft {
  const given = record(value, what);
  const field = (name: string) => text(given[name] ?? "", `${what}.${name}`);
  const headers = list(given.headers ?? [], `${what}.headers`, 1000).map((line, i): HeaderLine => {
    const pair = list(line, `${what}.headers[${i}]`, 2);
    return [text(pair[0], `${what}.headers[${i}][0]`), text(pair[1], `${what}.headers[${i}][1]`)];
  });
  return {
    entry: entry(given.entry, `${what}.entry`),
    method: field("method"),
    url: field("url"),
    headers,
    ip: field("ip"),
    caller: field("caller"),
    labels: field("labels"),
    roll: field("roll"),
  };
}

function entry(value: unknown, what: string): Entry {
  const given = record(value, what);
  if ("service" in given) return { service: text(given.service, `${what}.service`) };
  return { gateway: given.gateway == null ? null : text(given.gateway, `${what}.gateway`) };
}

function live(value: unknown): Live {
  return map(value, "live", (lanes, what) =>
    map(lanes, what, (counts, what): [number, number] => {
      const [endpoints, healthy] = list(counts, what, 2);
      const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0 && (n as number) <= 0xffff_ffff;
      if (!isCount(endpoints) || !isCount(healthy) || healthy > endpoints) wrong(what, "pair of [endpoints, healthy]");
      return [endpoints, healthy];
    }),
  );
}

function testCase(value: unknown, what: string): TestCase {
  const given = record(value, what);
  return {
    name: text(given.name, `${what}.name`),
    draft: draft(given.draft, `${what}.draft`),
    live: live(given.live ?? {}),
    lane: text(given.lane ?? "", `${what}.lane`),
    chain: texts(given.chain ?? {}, `${what}.chain`),
  };
}
