// Fails when the package grows beyond what was agreed:  node scripts/size.mjs
//
// In KB of 1,000 bytes, as written and as `gzip -9` packs it, which is what servers send.

import {readFileSync} from 'node:fs';
import {gzipSync} from 'node:zlib';

const LIMITS = {
  'glue/lane_bg.wasm': {raw: 790, packed: 332},
  'glue/full_bg.wasm': {raw: 1_110, packed: 450},
  'glue/mesh_bg.wasm': {raw: 1_400, packed: 590},
};

let fits = true;
for (const [name, {raw, packed}] of Object.entries(LIMITS)) {
  const bytes = readFileSync(new URL(`../pkg/${name}`, import.meta.url));
  const sizes = [bytes.length / 1_000, gzipSync(bytes, {level: 9}).length / 1_000];
  const within = sizes[0] <= raw && sizes[1] <= packed;
  fits &&= within;
  console.log(`${within ? 'ok ' : 'BIG'} ${name}: ${sizes[0].toFixed(0)} KB of ${raw}, packed ${sizes[1].toFixed(0)} of ${packed}`);
}
if (!fits) {
  console.error('lane-wasm: the package is larger than agreed; was the standard library built for size? build.sh says how');
  process.exit(1);
}
