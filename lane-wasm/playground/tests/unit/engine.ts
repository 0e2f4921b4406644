// The engine for tests in Node: the same WebAssembly file as the page's, read from the built package.

import { readFileSync } from "node:fs";
import { init } from "lane/full";

export async function loadEngine(): Promise<void> {
  await init(readFileSync(new URL("../../../pkg/glue/full_bg.wasm", import.meta.url)));
}
