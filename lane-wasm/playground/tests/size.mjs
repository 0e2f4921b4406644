// The page's weight, compressed as a server would: JavaScript at most 200 KB, WebAssembly at most 450 KB.

import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const folder = new URL("../dist/assets/", import.meta.url);
const LIMITS = { js: 200_000, wasm: 450_000 };
let isOver = false;
for (const [ending, limit] of Object.entries(LIMITS)) {
  const files = readdirSync(folder).filter((name) => name.endsWith(`.${ending}`));
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length, 0);
  const verdict = files.length === 0 ? "MISSING" : bytes > limit ? "TOO LARGE" : "ok";
  isOver ||= verdict !== "ok";
  console.log(`size: ${ending} ${bytes.toLocaleString("en")} bytes compressed of at most ${limit.toLocaleString("en")}: ${verdict}`);
}
process.exitCode = isOver ? 1 : 0;
