// The request as it is typed into the page, and as the engine wants it. Nothing here touches the page.

import type { HopRequest, IngressRequest } from "lane/full";
import { splitUrl } from "./url";

/** A header line, in the order in which it is sent. */
export type HeaderLine = [name: string, value: string];

/** Endpoint counts by service host and lane: [endpoints, healthy]. What is not listed counts as live. */
export type Live = Record<string, Record<string, [number, number]>>;

/** Where the request enters: at a gateway, or as a call of a service inside the chain. */
export type Entry = { gateway: string | null } | { service: string };

/** The request editor's content. Empty texts stand for what the request does not carry. */
export interface Draft {
  entry: Entry;
  method: string;
  url: string;
  headers: HeaderLine[];
  /** The caller's address. */
  ip: string;
  /** The calling service, for calls inside the chain. */
  caller: string;
  /** The calling workload's labels: `a=b, c=d`. */
  labels: string;
  /** An unsigned 64-bit number in decimal digits; empty: none. */
  roll: string;
}

/** A request as the engine reads it (section 8 of the semantics). */
export type Ask = IngressRequest | HopRequest;

export const MAX_ROLL = 18446744073709551615n;

export function emptyDraft(): Draft {
  return { entry: { gateway: null }, method: "GET", url: "/", headers: [], ip: "", caller: "", labels: "", roll: "" };
}

/** A problem with what was typed, in the words of the page. */
export type Typed<T> = { value: T } | { problem: string };

/** The roll as the engine takes it, or what is wrong with it. */
export function readRoll(text: string): Typed<string | undefined> {
  const digits = text.trim();
  if (digits === "") return { value: undefined };
  if (!/^[0-9]{1,20}$/.test(digits) || BigInt(digits) > MAX_ROLL) {
    return { problem: `a roll is a whole number from 0 to ${MAX_ROLL}` };
  }
  return { value: BigInt(digits).toString() };
}

/** `a=b, c=d` as a map, or what is wrong with it. */
export function readLabels(text: string): Typed<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const part of text.split(",")) {
    const item = part.trim();
    if (item === "") continue;
    const at = item.indexOf("=");
    if (at <= 0) return { problem: `\`${item}\` is no label: write name=value` };
    labels[item.slice(0, at).trim()] = item.slice(at + 1).trim();
  }
  return { value: labels };
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with a header line, if anything; a line without name and value is not sent. */
export function headerProblem([name, value]: HeaderLine): string | null {
  if (name === "" && value === "") return null;
  if (name === "") return "the header has no name";
  if (name.startsWith(":")) return `\`${name}\` is a pseudo-header: it goes into method and URL`;
  if (!TOKEN.test(name)) return `\`${name}\` is no header name`;
  return null;
}

/** Everything that keeps a draft from being asked, by field. */
export function draftProblems(draft: Draft): { roll?: string; labels?: string; headers: (string | null)[] } {
  const roll = readRoll(draft.roll);
  const labels = readLabels(draft.labels);
  return {
    ...("problem" in roll ? { roll: roll.problem } : {}),
    ...("problem" in labels ? { labels: labels.problem } : {}),
    headers: draft.headers.map(headerProblem),
  };
}

/** The gateway asked when none is chosen: the first that the configuration names, or one without a name. */
export function gatewayOf(entry: Entry, gateways: readonly string[]): string {
  if ("service" in entry) return "";
  return entry.gateway ?? gateways[0] ?? "";
}

/** The draft as a request. What is not readable is left out; `draftProblems` tells of it. */
export function toAsk(draft: Draft, gateways: readonly string[], live: Live): Ask {
  const { authority, path } = splitUrl(draft.url.trim());
  const roll = readRoll(draft.roll);
  const labels = readLabels(draft.labels);
  const isHop = "service" in draft.entry;
  const source: { service?: string; labels?: Record<string, string>; ip?: string } = {};
  if (isHop && draft.caller.trim() !== "") source.service = draft.caller.trim();
  if (isHop && "value" in labels && Object.keys(labels.value).length > 0) source.labels = labels.value;
  if (draft.ip.trim() !== "") source.ip = draft.ip.trim();
  return {
    ...("service" in draft.entry
      ? { hop: { service: draft.entry.service } }
      : { ingress: { gateway: gatewayOf(draft.entry, gateways) } }),
    ...(draft.method === "" ? {} : { method: draft.method }),
    ...(authority === undefined ? {} : { authority }),
    path: path ?? "/",
    headers: draft.headers.filter((line) => line[0] !== "" && headerProblem(line) === null),
    ...(Object.keys(source).length > 0 ? { source } : {}),
    ...("value" in roll && roll.value !== undefined ? { roll: roll.value } : {}),
    ...(Object.keys(live).length > 0 ? { live } : {}),
  };
}

/** Keeps of the endpoint counts only what the configuration knows: an edit of the text must not make the request unreadable. */
export function knownLive(live: Live, lanesOf: ReadonlyMap<string, ReadonlySet<string>>): Live {
  const known: Live = {};
  for (const [service, lanes] of Object.entries(live)) {
    const declared = lanesOf.get(service);
    if (!declared) continue;
    const kept = Object.entries(lanes).filter(([lane]) => declared.has(lane));
    if (kept.length > 0) known[service] = Object.fromEntries(kept);
  }
  return known;
}
