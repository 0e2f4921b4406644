// The shared vectors in Node, by both entry points of the package.

import {manifest, vectorFiles} from './files.mjs';
import {runVectors} from './vectors.mjs';

const files = vectorFiles();
if (files.length !== manifest.files) throw new Error(`there are ${files.length} files, the manifest says ${manifest.files}`);
const counts = new Set();
for (const entry of ['lane', 'full']) {
  const lane = await import(`../pkg/${entry}.node.js`);
  await lane.init();
  const {count, failures} = runVectors(lane, files);
  if (failures.length > 0) {
    console.error(`${entry}: ${failures.length} vectors fail:\n  ${failures.join('\n  ')}`);
    process.exit(1);
  }
  counts.add(count);
}
if (counts.size !== 1) throw new Error('the entry points ran different numbers of vectors');
console.log(`vectors: node ${[...counts][0]}`);
