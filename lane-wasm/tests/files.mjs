// What the tests read: the vectors and the manifest.

import {readFileSync, readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {join} from 'node:path';

export const workshop = fileURLToPath(new URL('..', import.meta.url));
export const root = join(workshop, '..');
const vectors = join(root, 'tests/vectors');

export const read = (path) => readFileSync(join(root, path), 'utf8');

/** Every vector file, as `{name: topic/NN-name, config, text, cases}`; `text` is the configuration as it is written. */
export function vectorFiles() {
  const topics = readdirSync(vectors, {withFileTypes: true}).filter((entry) => entry.isDirectory());
  return topics.flatMap(({name: topic}) =>
    readdirSync(join(vectors, topic))
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => {
        const written = readFileSync(join(vectors, topic, file), 'utf8');
        return {name: `${topic}/${file.replace(/\.json$/, '')}`, text: fieldText(written, 'config'), ...JSON.parse(written)};
      }),
  );
}

/** A top-level field of a JSON object as it is written: numbers of 64 bits do not survive `JSON.parse`. */
export function fieldText(json, field) {
  const token = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g;
  let depth = 0;
  let key;
  let start;
  for (const {0: text, index} of json.matchAll(token)) {
    if (text === '}' || text === ']') depth -= 1;
    if (start === undefined && depth === 1 && text.startsWith('"')) key = JSON.parse(text);
    else if (depth === 1 && text === ':' && key === field) start = index + 1;
    else if (start !== undefined && ((depth === 1 && text === ',') || depth === 0)) return json.slice(start, index).trim();
    if (text === '{' || text === '[') depth += 1;
  }
  throw new Error(`there is no field ${field}`);
}

export const manifest = JSON.parse(readFileSync(join(vectors, 'manifest.json'), 'utf8'));
