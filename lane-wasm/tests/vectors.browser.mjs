// The shared vectors in a real browser, by both entry points of the package.

import {join} from 'node:path';

import {serve, withPage} from './browser.mjs';
import {manifest, vectorFiles, workshop} from './files.mjs';

const server = await serve({
  '/pkg/': join(workshop, 'pkg'),
  '/tests/': join(workshop, 'tests'),
  '/vectors.json': {text: JSON.stringify(vectorFiles())},
  '/index.html': {text: '<!doctype html><link rel="icon" href="data:,"><title>vectors</title>'},
});
try {
  const results = await withPage(`${server.origin}/index.html`, (page) =>
    page.evaluate(async () => {
      const files = await (await fetch('/vectors.json')).json();
      const {runVectors} = await import('/tests/vectors.mjs');
      const results = [];
      for (const entry of ['lane', 'full']) {
        const lane = await import(`/pkg/${entry}.js`);
        await lane.init();
        results.push({entry, files: files.length, ...runVectors(lane, files)});
      }
      return {agent: navigator.userAgent, results};
    }),
  );
  for (const {entry, files, count, failures} of results.results) {
    if (files !== manifest.files) throw new Error(`there are ${files} files, the manifest says ${manifest.files}`);
    if (failures.length > 0) throw new Error(`${entry}: ${failures.length} vectors fail:\n  ${failures.join('\n  ')}`);
    if (count !== results.results[0].count) throw new Error('the entry points ran different numbers of vectors');
  }
  console.log(results.agent);
  console.log(`vectors: browser ${results.results[0].count}`);
} finally {
  server.close();
}
