// A request as a `lane route` line for the command, and as a line of `lane route --requests`.

import { type Ask, type Draft, type Live, gatewayOf, readLabels, readRoll } from "./model";
import { quote } from "./shell";

/** `lane route FILE …` with what the command has options for. Partly healthy subsets have none; `notes` tells. */
export function toRouteLine(file: string, draft: Draft, gateways: readonly string[], live: Live): { line: string; notes: string[] } {
  const words = ["lane", "route", file];
  const notes: string[] = [];
  const isHop = "service" in draft.entry;
  const url = draft.url.trim();
  // An URL that looks like an option would be read as one.
  if (url !== "" && !url.startsWith("-")) words.push(url);
  if (draft.method !== "" && draft.method !== "GET") words.push("-X", draft.method);
  if ("service" in draft.entry) words.push("--service", draft.entry.service);
  else if (gateways.length !== 1 || draft.entry.gateway !== null) {
    const gateway = gatewayOf(draft.entry, gateways);
    if (gateway !== "" && !(gateways.length === 1 && gateways[0] === gateway)) words.push("--gateway", gateway);
  }
  for (const [name, value] of draft.headers) if (name !== "") words.push("-H", `${name}: ${value}`);
  const labels = readLabels(draft.labels);
  if (isHop && draft.caller.trim() !== "") words.push("--from-service", draft.caller.trim());
  if (isHop && "value" in labels) for (const [name, value] of Object.entries(labels.value)) words.push("--from", `${name}=${value}`);
  if (draft.ip.trim() !== "") words.push("--from-ip", draft.ip.trim());
  const roll = readRoll(draft.roll);
  if ("value" in roll && roll.value !== undefined) words.push("--roll", roll.value);
  for (const [service, lanes] of Object.entries(live)) {
    for (const [lane, [endpoints, healthy]] of Object.entries(lanes)) {
      if (healthy === 0) words.push("--down", `${service}/${lane}`);
      else if (healthy < endpoints) notes.push(`${service}/${lane} has ${healthy} of ${endpoints} healthy: only a line for \`--requests\` can say that`);
    }
  }
  words.push("--explain");
  return { line: words.map(quote).join(" "), notes };
}

/** The request as one line for `lane route FILE --requests -`. */
export function toRequestLine(ask: Ask): string {
  return JSON.stringify(ask);
}
