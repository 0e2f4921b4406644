// Node reads the engine from the package's own file, and fetches nothing.

import {readFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';

export function files(own) {
  return {
    open(source = own) {
      return source instanceof URL && source.protocol === 'file:' ? readFile(source) : source;
    },
    openSync: () => readFileSync(own),
  };
}
