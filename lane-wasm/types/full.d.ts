/** `lane`, and YAML beside JSON. The `.wasm` file is larger for it. */

import type { Config } from './config.js';
import { Router as JsonRouter, type ReadOptions } from './lane.js';

export * from './lane.js';

/** A compiled configuration. Immutable. */
export class Router extends JsonRouter {
  constructor(config: string | Uint8Array | Config, options?: ReadOptions);
  /** Compiles a configuration written as YAML. */
  static fromYaml(text: string | Uint8Array, options?: ReadOptions): Router;
  /** The configuration as data, for `JSON.stringify`. What was left out stays left out. */
  config(): Config;
}
