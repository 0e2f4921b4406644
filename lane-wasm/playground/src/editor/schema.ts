// The configuration's JSON Schema, walked along a path: which keys and values may stand there, and what they mean.

import type { PathStep } from "./yamlpath";

/** As much of JSON Schema as ours uses. */
export interface Schema {
  $ref?: string;
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  required?: string[];
  definitions?: Record<string, Schema>;
}

export interface Offer {
  label: string;
  description: string;
  /** Whether the value is a map, a list, or plain. */
  shape: "map" | "list" | "plain";
  required: boolean;
}

/** The schemas without references and combinators that a schema stands for. */
function* plain(schema: Schema, root: Schema, depth = 0): Generator<Schema> {
  if (depth > 16) return;
  if (schema.$ref) {
    const target = root.definitions?.[schema.$ref.replace("#/definitions/", "")];
    if (target) yield* plain(target, root, depth + 1);
    return;
  }
  const combined = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  yield schema;
  for (const inner of combined) yield* plain(inner, root, depth + 1);
}

/** All schemas that may stand at a path. */
export function schemasAt(root: Schema, path: readonly PathStep[]): Schema[] {
  let here = [root];
  for (const step of path) {
    const next: Schema[] = [];
    for (const schema of here.flatMap((one) => [...plain(one, root)])) {
      if (typeof step === "number") {
        if (schema.items) next.push(schema.items);
      } else {
        const property = schema.properties?.[step];
        if (property) next.push(property);
        else if (typeof schema.additionalProperties === "object") next.push(schema.additionalProperties);
      }
    }
    here = next;
  }
  return here.flatMap((one) => [...plain(one, root)]);
}

/** The keys that may stand in the map at a path. */
export function keysAt(root: Schema, path: readonly PathStep[]): Offer[] {
  const offers = new Map<string, Offer>();
  for (const schema of schemasAt(root, path)) {
    for (const [label, property] of Object.entries(schema.properties ?? {})) {
      if (offers.has(label)) continue;
      const inner = [...plain(property, root)];
      offers.set(label, {
        label,
        description: inner.find((one) => one.description)?.description ?? "",
        shape: inner.some((one) => one.type === "array") ? "list" : inner.some((one) => one.type === "object" && !one.const) ? "map" : "plain",
        required: schema.required?.includes(label) ?? false,
      });
    }
  }
  return [...offers.values()];
}

/** The fixed values that may stand at a path. */
export function valuesAt(root: Schema, path: readonly PathStep[]): Offer[] {
  const offers: Offer[] = [];
  const add = (value: unknown, description: string) => {
    const label = String(value);
    if (!offers.some((offer) => offer.label === label)) offers.push({ label, description, shape: "plain", required: false });
  };
  for (const schema of schemasAt(root, path)) {
    if (schema.const !== undefined) add(schema.const, schema.description ?? "");
    for (const value of schema.enum ?? []) add(value, schema.description ?? "");
    if (schema.type === "boolean") for (const value of [true, false]) add(value, "");
  }
  return offers;
}

/** What a field means, for hover. */
export function descriptionAt(root: Schema, path: readonly PathStep[]): string | null {
  return schemasAt(root, path).find((schema) => schema.description)?.description ?? null;
}
