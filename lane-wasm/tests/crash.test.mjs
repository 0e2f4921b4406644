// After a crash the instance is not touched again: the next call has a new one, and routers go on. There is no input
// that crashes the engine, so one is made that does: its `handle_answer` is replaced by a trap.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import binaryen from 'binaryen';

import {LaneError, Router, init} from '../pkg/lane.node.js';

const module = binaryen.readBinary(readFileSync(new URL('../pkg/glue/lane_bg.wasm', import.meta.url)));
const answer = binaryen.getFunctionInfo(module.getFunction(binaryen.getExportInfo(module.getExport('handle_answer')).value));
module.removeFunction(answer.name);
module.addFunction(answer.name, answer.params, answer.results, [], module.unreachable());
await init(module.emitBinary());

const config = {
  version: 1,
  groups: [{name: 'g', mode: 'strict', services: [{host: 'a.svc'}], lanes: [{name: 's1'}], rules: [{name: 'r', service: 'a.svc', lane: 's1'}]}],
};
const request = {ingress: {gateway: 'e'}};

test('a crash is an error, and the next call works', () => {
  const [one, other, freed] = [new Router(config), new Router(config), new Router(config)];
  for (let turn = 0; turn < 3; turn += 1) {
    assert.throws(() => one.answer(request), (error) => error instanceof LaneError && error.kind === 'crashed' && error.cause instanceof Error);
    assert.equal(one.explain(request).decision.lane, 's1');
    assert.equal(other.explain(request).decision.lane, 's1');
  }
  assert.throws(() => one.answer(request), {kind: 'crashed'});
  freed.free();
  assert.throws(() => freed.stats(), {kind: 'usage'});
  assert.equal(other.stats().rules, 1);
  // What the collector frees of lost instances does not reach into the present one.
  for (let turn = 0; turn < 200; turn += 1) new Router(config);
  globalThis.gc?.();
  assert.equal(other.explain(request).decision.lane, 's1');
});

test('a failed init may be tried again', async () => {
  const fresh = await import('../pkg/full.node.js');
  await assert.rejects(fresh.init(new Uint8Array([1, 2, 3])), {kind: 'init'});
  await assert.rejects(fresh.init(Promise.reject(new Error('no network'))), {kind: 'init'});
  assert.throws(() => fresh.initSync(new Uint8Array(7)), {kind: 'init'});
  await fresh.init();
  await fresh.init('https://nobody.invalid/'); // it is loaded: nothing is fetched
  assert.equal(fresh.check('').length, 1);
});
