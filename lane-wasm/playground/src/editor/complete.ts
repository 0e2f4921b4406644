// Completion and hover from the schema, and from the names that the last good configuration declares.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { hoverTooltip } from "@codemirror/view";
import type { Description } from "lane/full";
import { type Offer, type Schema, descriptionAt, keysAt, valuesAt } from "./schema";
import { type PathStep, placeAt } from "./yamlpath";

/** What completion knows: the schema once the engine has told it, and the last configuration that compiled. */
export interface Knowledge {
  schema: Schema | null;
  description: Description | null;
}

/** Names of the configuration that may stand at a path: lanes, services, gateways. */
export function namesAt(description: Description | null, path: readonly PathStep[]): string[] {
  if (!description) return [];
  const field = path.findLast((step) => typeof step === "string");
  const group = typeof path[1] === "number" ? description.groups[path[1]] : undefined;
  if (!group) return [];
  switch (field) {
    case "lane":
    case "baseline":
    case "fallback":
      return group.lanes.map((lane) => lane.name);
    case "service":
      return path.includes("rules") && !path.includes("source") ? group.services.map((service) => service.host) : [];
    case "services":
    case "labels":
      return path.includes("lanes") ? group.services.map((service) => service.host) : [];
    case "gateways":
      return [...new Set(description.groups.flatMap((one) => one.gateways ?? []))];
    default:
      return [];
  }
}

/** What may be written at a position. Pure, so that it can be tested without a browser. */
export function completionsAt(text: string, pos: number, knowledge: Knowledge): { from: number; options: Completion[] } | null {
  const place = placeAt(text, pos);
  if (!place || !knowledge.schema) return null;
  const { schema, description } = knowledge;
  const isInline = !/^\s*(- )*\s*$/.test(text.slice(text.lastIndexOf("\n", pos - 1) + 1, place.from));
  const options: Completion[] = [];
  if (place.kind === "key") {
    const colon = /^[^\n]*?:/.test(text.slice(pos)) && /^[\w-]*\s*:/.test(text.slice(pos)) ? "" : ": ";
    const keys = keysAt(schema, place.path).filter((offer) => !place.siblings.includes(offer.label));
    options.push(...keys.map((offer) => keyOption(offer, colon, isInline)));
    if (place.path.at(-1) === "labels") options.push(...namesAt(description, place.path).map((name) => ({ label: name, apply: `${name}${colon}`, type: "variable" })));
  }
  // A word alone may also be the item of a list.
  if (place.kind === "value" || typeof place.path.at(-1) === "number") {
    options.push(...namesAt(description, place.path).map((name) => ({ label: name, type: "variable", boost: 1 })));
    options.push(...valuesAt(schema, place.path).map((offer) => ({ label: offer.label, type: "constant", info: offer.description })));
  }
  return options.length > 0 ? { from: place.from, options } : null;
}

function keyOption(offer: Offer, colon: string, isInline: boolean): Completion {
  const open = colon === "" ? "" : offer.shape === "plain" || isInline ? colon : ":";
  return {
    label: offer.label,
    type: "property",
    apply: offer.label + open,
    info: offer.description,
    detail: offer.required ? "required" : "",
    boost: offer.required ? 2 : 0,
  };
}

export function source(knowledge: () => Knowledge) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\w.@-]*/);
    const isAfterSpace = /[:{[,-]\s$/.test(context.state.sliceDoc(Math.max(0, context.pos - 2), context.pos));
    if (!context.explicit && (!word || word.from === word.to) && !isAfterSpace) return null;
    const found = completionsAt(context.state.doc.toString(), context.pos, knowledge());
    return found && { from: Math.min(found.from, context.pos), options: found.options, validFor: /^[\w.@-]*$/ };
  };
}

/** What a field means, where the pointer rests on its key. */
export function fieldHover(knowledge: () => Knowledge) {
  return hoverTooltip((view, pos) => {
    const { schema } = knowledge();
    if (!schema) return null;
    const text = view.state.doc.toString();
    const word = view.state.wordAt(pos);
    const place = word && placeAt(text, word.from);
    if (!place || place.kind !== "key" || !/^[\w"'-]*\s*:/.test(text.slice(word.from, word.to + 3))) return null;
    const key = text.slice(word.from, word.to);
    const about = descriptionAt(schema, [...place.path, key]);
    if (!about) return null;
    return {
      pos: word.from,
      end: word.to,
      above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-field-hover";
        dom.textContent = about;
        return { dom };
      },
    };
  });
}
