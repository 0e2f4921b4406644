// The page's weight, compressed as a server would: JavaScript at most 200 KB, WebAssembly at most 450 KB. What is
// loaded only when a mesh format is asked for is weighed apart.

import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const folder = new URL("../dist/assets/", import.meta.url);
const isMesh = (name) => name.startsWith("mesh");
const PARTS = [
  { what: "JavaScript", limit: 200_000, is: (name) => name.endsWith(".js") && !isMesh(name) },
  { what: "WebAssembly", limit: 450_000, is: (name) => name.endsWith(".wasm") && !isMesh(name) },
  { what: "mesh formats, on demand", limit: 800_000, is: isMesh },
];
let isOver = false;
for (const { what, limit, is } of PARTS) {
  const files = readdirSync(folder).filter(is);
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length, 0);
  const verdict = files.length === 0 ? "MISSING" : bytes > limit ? "TOO LARGE" : "ok";
  isOver ||= verdict !== "ok";
  console.log(`size: ${what} ${bytes.toLocaleString("en")} bytes compressed of at most ${limit.toLocaleString("en")}: ${verdict}`);
}
process.exitCode = isOver ? 1 : 0;
