// From JavaScript's values to the text that crosses the border, and to header lines.

import {LaneError, fail} from './error.js';

/** JSON of a request: bigints become decimal text, which is how rolls survive, and bytes become base64. */
export function requestText(request) {
  return stringify(request, 'request', (value) => (typeof value === 'bigint' ? value.toString() : bytes(value)));
}

/** JSON of a configuration or a test file that was given as an object. */
export function documentText(value, what) {
  return stringify(value, what, (value) => {
    if (typeof value !== 'bigint') return bytes(value);
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw fail('usage', `the ${what} holds ${value}, which is beyond what a number in an object can be`, 'give it as text');
  });
}

/** The text of a file's bytes. */
export function decoded(bytes, what) {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch (cause) {
    throw fail('usage', `the ${what} is not UTF-8`, 'save the file as UTF-8', cause);
  }
}

function stringify(value, what, replace) {
  if (value === null || typeof value !== 'object') {
    throw fail('usage', `a ${what} is an object, not ${value === null ? 'null' : typeof value}`);
  }
  let text;
  try {
    text = JSON.stringify(value, (_, value) => replace(value));
  } catch (cause) {
    // Getters and proxies that throw, cycles, and nesting without end.
    if (cause instanceof LaneError) throw cause;
    throw fail('usage', `the ${what} is no plain data: ${reason(cause)}`, undefined, cause);
  }
  if (text === undefined) throw fail('usage', `the ${what} is no plain data`);
  return text;
}

/** Reads what people hand in, whose getters, iterators and proxies may throw anything. */
export function guarded(what, read) {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LaneError) throw cause;
    throw fail('usage', `the ${what} cannot be read: ${reason(cause)}`, undefined, cause);
  }
}

/** A list of texts; none where there is none. */
export function texts(list, what) {
  return guarded(what, () => {
    const texts = typeof list === 'object' && list !== null && typeof list[Symbol.iterator] === 'function' ? [...list] : undefined;
    if (!texts?.every((text) => typeof text === 'string')) throw fail('usage', `\`${what}\` is a list of texts`);
    return texts;
  });
}

/** What was thrown, in one line; it may be anything. */
export function reason(cause) {
  try {
    return String(cause?.message ?? cause).split('\n', 1)[0].slice(0, 200);
  } catch {
    return 'reading it throws';
  }
}

function bytes(value) {
  // `toJSON` of Node's Buffer runs before the replacer.
  if (value?.type === 'Buffer' && Array.isArray(value.data)) return base64(Uint8Array.from(value.data));
  return value instanceof Uint8Array ? base64(value) : value;
}

function base64(bytes) {
  let text = '';
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  return {base64: btoa(text)};
}

/** Steps of a field path as diagnostics write it: `groups[0].lanes[1].labels["a.b"]`. */
export function pathSteps(path) {
  if (Array.isArray(path)) {
    const steps = guarded('path', () => [...path]);
    if (!steps.every((step) => typeof step === 'string' || Number.isSafeInteger(step))) throw fail('usage', 'a path is made of names and whole numbers');
    return steps;
  }
  if (typeof path !== 'string') throw fail('usage', 'a path is text, or a list of names and numbers');
  const step = /\.?([^.[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  const steps = [];
  while (step.lastIndex < path.length) {
    const [, name, index, quoted] = step.exec(path) ?? [];
    if (name === undefined && index === undefined && quoted === undefined) {
      throw fail('usage', `\`${path.slice(0, 100)}\` is no field path`, 'write for example groups[0].rules[1].lane');
    }
    steps.push(name ?? (index === undefined ? JSON.parse(quoted) : Number(index)));
  }
  return steps;
}

export function headerLines(headers) {
  return guarded('headers', () => lines(headers));
}

function lines(headers) {
  if (headers === null || typeof headers !== 'object') throw fail('usage', 'headers are an object or a list');
  const lines = [];
  const add = (name, value) => lines.push([String(name), value instanceof Uint8Array ? value : octets(String(value))]);
  const entries = typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers);
  // Node's `rawHeaders`: names and values in turn.
  if (entries.length > 0 && entries.every((entry) => typeof entry === 'string')) {
    if (entries.length % 2 !== 0) throw fail('usage', 'a flat list of headers holds names and values in turn');
    for (let at = 0; at < entries.length; at += 2) add(entries[at], entries[at + 1]);
    return lines;
  }
  for (const entry of entries) {
    if (!Array.isArray(entry) || entry.length !== 2) throw fail('usage', 'a header line is a list of its name and its value');
    const [name, value] = entry;
    if (Array.isArray(value)) value.forEach((value) => add(name, value));
    else if (value !== undefined) add(name, value);
  }
  return lines;
}

/** HTTP libraries show each byte as one character; what is UTF-8 in these bytes is meant as text. */
function octets(value) {
  if (/^[\0-\x7f]*$/.test(value) || /[^\0-\xff]/.test(value)) return value;
  const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    return base64(bytes);
  }
}
