// What the classes and functions promise beside the decisions, which the shared vectors pin.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as full from '../pkg/full.node.js';
import * as lane from '../pkg/lane.node.js';
import * as mesh from '../pkg/mesh.node.js';
import {read} from './files.mjs';

const {LaneError, Router} = full;
const notLoaded = catching(() => lane.schema());
await Promise.all([lane.init(), lane.init(), full.init(), mesh.init()]);

const PERMISSIVE = read('examples/permissive.yaml');
const at = {ingress: {gateway: 'ingressgateway'}};

function catching(work) {
  try {
    work();
  } catch (error) {
    assert(error instanceof LaneError, `${error} is no LaneError`);
    assert.equal(error.name, 'LaneError');
    return error;
  }
  throw new Error('nothing was thrown');
}

test('nothing works before init, and the error says what to do', () => {
  assert.equal(notLoaded.kind, 'init');
  assert.match(notLoaded.message, /await init\(\)/);
});

test('the two entry points read what they say', () => {
  const config = Router.fromYaml(PERMISSIVE).config();
  assert.equal(new lane.Router(JSON.stringify(config)).ingress({...at, roll: 0n}).lane, 'v1');
  assert.equal(new lane.Router(new TextEncoder().encode(JSON.stringify(config))).ingress({...at, roll: 0n}).lane, 'v1');
  assert.equal(new Router(JSON.stringify(config), {file: 'lanes.json'}).ingress({...at, roll: 0n}).lane, 'v1');
  assert.match(catching(() => new lane.Router(PERMISSIVE, {file: 'lanes.yaml'})).message, /import from 'lane\/full'/);
  assert.equal(catching(() => new lane.Router(PERMISSIVE)).unparsable, true);
  assert.equal(lane.version, full.version);
  assert.deepEqual(lane.schema(), JSON.parse(read('lane-formats/schema/lane.schema.json')));
});

test('diagnostics point into the text as JavaScript counts', () => {
  const text = PERMISSIVE.replace('name: everyone', 'name: "\u{1f6e4} für alle"').replace('lane: v3, weight', 'lane: v33, weight');
  const error = catching(() => new Router(text, {file: 'lanes.yaml'}));
  assert.equal(error.kind, 'config');
  const [found] = error.diagnostics;
  assert.equal(found.code, 'LANE0102');
  assert.equal(text.slice(found.start, found.end), 'v33');
  assert.equal(text.split('\n')[found.line - 1].slice(found.column - 1, found.column + 2), 'v33');
  assert.equal(error.message, `lanes.yaml:${found.line}:${found.column}: LANE0102: ${found.path}: ${found.message} (${found.help})`);
  assert.deepEqual(full.check(text, {file: 'lanes.yaml'}), error.diagnostics);
  assert(Object.isFrozen(error.diagnostics));
});

test('warnings stand beside success', () => {
  const text = PERMISSIVE.replace('weight: 30}', 'weight: 0}').replace('split:', 'match: [{path: {regex: abc}}]\n        split:');
  const router = Router.fromYaml(text, {file: 'x.yaml'});
  assert(router.warnings.some(({code, severity, file}) => code === 'LANE0607' && severity === 'warning' && file === 'x.yaml'));
  assert.deepEqual(full.check(text, {file: 'x.yaml'}), router.warnings);
});

test('rolls are exact in every form', () => {
  const router = Router.fromYaml(PERMISSIVE);
  const largest = 2n ** 64n - 1n; // modulo 100 it is 15
  for (const roll of [largest, String(largest), 15, '15', 15n]) assert.equal(router.ingress({...at, roll}).lane, 'v1');
  assert.equal(router.ingress({...at, roll: 2n ** 53n + 48n}).lane, 'v2'); // 40 modulo 100
  for (const roll of [largest + 1n, -1n, -1, 1.5, NaN, Infinity, 1e21, 'x', '', true, {}, null]) {
    const error = catching(() => router.ingress({...at, roll}));
    assert.equal(error.kind, 'request', String(roll));
    assert.equal(error.problems[0].path, 'roll');
  }
});

test('a call with a request for another place says so', () => {
  const router = Router.fromYaml(PERMISSIVE);
  assert.match(catching(() => router.hop({...at})).message, /`hop` was called with a request that is for `ingress`/);
  assert.deepEqual(router.inbound({inbound: {}}), {remember: []});
  assert.equal(catching(() => router.explain({inbound: {}})).problems[0].path, 'inbound');
  assert.equal(catching(() => router.trace({inbound: {}})).kind, 'request');
});

test('a chain tells the request of every call, and why', () => {
  const router = Router.fromYaml(PERMISSIVE);
  const live = {'mockc.default.svc.cluster.local': {v2: [1, 0]}};
  const chain = router.trace({...at, roll: 40n, live}, {explain: true});
  assert.equal(chain.complete, true);
  assert.equal(chain.explanation.steps[0].result, 'holds');
  assert.deepEqual(chain.hops.map(({decision}) => decision.reason), ['not_in_lane', 'none_healthy']);
  for (const {request, decision, explanation} of chain.hops) {
    assert.deepEqual(router.hop(request), decision);
    assert.deepEqual(router.explain(request), {decision, explanation});
  }
  assert.deepEqual(router.trace({...at, roll: 40n, live}).hops.map((hop) => 'explanation' in hop), [false, false]);
  assert.deepEqual(router.trace({...at, roll: 0}, {services: ['mocka', 'mockc']}).hops.map(({service}) => service), ['mockc']);
  assert.equal(router.table({live}).rows[1].cells[2].reason, 'none_healthy');
});

test('splits: exact shares, many clients, one client', () => {
  const router = Router.fromYaml(read('examples/sticky-canary.yaml'));
  const [{gateways, rules}] = router.describe().groups;
  const gateway = gateways?.[0] ?? 'edge';
  const rule = rules.find(({sticky}) => sticky !== null).name;
  const simulation = router.simulate({rule, each: true});
  assert.equal(simulation.shares.reduce((sum, {count}) => sum + count, 0), 10_000);
  for (const {numerator, denominator, count} of simulation.shares) assert(Math.abs(count / 10_000 - numerator / denominator) < 0.02);
  // The simulation, the draw, and a whole decision put a client into the same lane.
  for (const client of [0, 1, 2, 3, 4711]) {
    const key = `user-${client + 1}`;
    assert.equal(router.laneOf(rule, key), simulation.lanes[client]);
    assert.equal(router.ingress({ingress: {gateway}, authority: 'shop.example', path: '/', headers: [['cookie', `uid=${key}`]]}).lane, simulation.lanes[client]);
  }
  assert.deepEqual(router.simulate({rule, keys: ['user-1', 'ä; %', ' ']}).lanes, ['user-1', 'ä; %', ' '].map((key) => router.laneOf(rule, key)));
  assert.equal(router.draw(`shop/${rule}`, '7').by.key.key, 'cookie uid');

  const rolled = Router.fromYaml(PERMISSIVE);
  assert.deepEqual(rolled.simulate({rule: 'everyone', keys: 100}).shares.map(({count}) => count), [40, 30, 30]);
  assert.match(catching(() => rolled.laneOf('everyone', '7')).message, /sticky/);
  assert.match(catching(() => rolled.laneOf('everyon', '7')).message, /did you mean `everyone`/);
  for (const keys of [0, 1.5, 1_000_001, NaN, [], 'abc', [7]]) assert.equal(catching(() => router.simulate({rule, keys})).kind, 'usage');
  for (const wrong of [undefined, null, 7, {}]) assert.equal(catching(() => router.simulate({rule: wrong})).kind, 'usage');
});

test('a description has places in the text, and fields can be located', () => {
  const router = Router.fromYaml(PERMISSIVE);
  const [{rules, lanes, fallback}] = router.describe().groups;
  assert.equal(fallback, undefined);
  assert.deepEqual(lanes.map(({fallback}) => fallback), [[], ['v1'], ['v1']]);
  assert(PERMISSIVE.slice(rules[0].span.start, rules[0].span.end).startsWith('name: everyone'));
  const {start, end, line} = router.locate('groups[0].rules[0].split[1].weight');
  assert.equal(PERMISSIVE.slice(start, end), '30');
  assert(PERMISSIVE.split('\n')[line - 1].includes('weight: 30'));
  assert.deepEqual(router.locate(['groups', 0, 'rules', 0, 'split', 1, 'weight']), router.locate('groups[0].rules[0].split[1].weight'));
  for (const path of ['groups[', '..', 'a b[x]', '["a]']) assert.equal(catching(() => router.locate(path)).kind, 'usage');
  const object = new Router(router.config());
  assert.equal(object.locate('groups[0]'), null);
  assert.equal(object.describe().groups[0].span, null);
});

test('a test file is run, and rules are counted', () => {
  const cases = [
    {name: 'right', request: {...at, roll: 40}, expect: {lane: 'v2'}, chain: {mocka: 'v2', mockb: 'v1', mockc: 'v2'}},
    {name: 'wrong', request: {...at, roll: 0}, expect: {lane: 'v2', subset: {lane: 'v1'}}},
    {name: 'broken', request: {...at, live: {nobody: {v1: [1, 1]}}}, expect: {lane: 'v2'}},
  ];
  const ran = Router.fromYaml(PERMISSIVE).test({config: 'lanes.yaml', cases});
  assert.deepEqual(ran.cases.map(({name, verdict}) => `${name} ${verdict}`), ['right passed', 'wrong failed', 'broken broken']);
  assert.deepEqual(ran.cases[1].differences, [{key: 'lane', wanted: 'v2', actual: 'v1'}]);
  assert.deepEqual([ran.passed, ran.failed, ran.coverage], [1, 2, [{group: 'mock', rule: 'everyone', cases: 2}]]);
  assert.equal(catching(() => full.runTests({cases})).kind, 'usage');
  const text = 'cases:\n  - name: a\n    reqest: {}\n';
  const [found] = catching(() => full.runTests(text, {file: 'x.test.yaml'})).diagnostics;
  assert.equal(found.file, 'x.test.yaml');
});

test('header lines of what Node and browsers have', () => {
  assert.deepEqual(full.headerLines(new Headers({'X-A': '1', cookie: 'a=b'})), [['cookie', 'a=b'], ['x-a', '1']]);
  assert.deepEqual(full.headerLines(['X-A', '1', 'X-A', '2']), [['X-A', '1'], ['X-A', '2']]);
  assert.deepEqual(full.headerLines({a: ['1', '2'], b: undefined, c: '3'}), [['a', '1'], ['a', '2'], ['c', '3']]);
  assert.deepEqual(full.headerLines([]), []);
  // Bytes as characters become what was sent.
  assert.deepEqual(full.headerLines({a: Buffer.from('zürich').toString('latin1'), b: '\xff'}), [['a', 'zürich'], ['b', {base64: '/w=='}]]);
  for (const wrong of [undefined, null, 'a: b', ['a'], [['a']], [[1, 2, 3]]]) assert.equal(catching(() => full.headerLines(wrong)).kind, 'usage');
});

test('bytes cross the border whole', () => {
  const router = new Router({
    version: 1,
    groups: [{name: 'g', mode: 'strict', services: [{host: 'a.svc'}], lanes: [{name: 's1'}], rules: [{name: 'r', service: 'a.svc', lane_from: {header: 'x'}}]}],
  });
  const {steps} = router.explain({ingress: {gateway: 'e'}, headers: [['x', new Uint8Array([0xff, 0x61])]]}).explanation;
  assert.equal(steps[0].result.failed[0].actual, '\\xffa');
  assert.deepEqual(router.explain({ingress: {gateway: 'e'}, headers: [['x', Buffer.from([0xff, 0x61])]]}).explanation.steps, steps);
  assert.deepEqual(router.explain({ingress: {gateway: 'e'}, headers: [['x', {base64: '/2E='}]]}).explanation.steps, steps);
});

test('a mesh gets its resources, and gives them back', () => {
  const {documents, yaml, notes} = mesh.exportMesh(PERMISSIVE, 'istio', {file: 'lanes.yaml'});
  assert(documents.some(({kind}) => kind === 'DestinationRule') && yaml.includes('kind: DestinationRule'));
  for (const {file, start, end, severity} of notes) {
    assert.equal(file, 'lanes.yaml');
    assert(0 <= start && start <= end && end <= PERMISSIVE.length);
    assert.notEqual(severity, 'error');
  }
  const {config, notes: lost} = mesh.importMesh([{name: 'mesh.yaml', text: yaml}], 'istio', {lossy: true});
  assert.deepEqual(lost.filter(({severity}) => severity === 'error'), []);
  const [one, other] = [config, PERMISSIVE].map((config) => new mesh.Router(config).table().rows);
  assert.deepEqual(one.map(({lane, cells}) => [lane, ...cells.map((cell) => cell.lane)]), other.map(({lane, cells}) => [lane, ...cells.map((cell) => cell.lane)]));
  assert(mesh.exportMesh(config, 'envoy').notes.every(({file, start}) => file === null && start === null));
  assert.equal(mesh.exportMesh(PERMISSIVE, 'gateway-api').notes.length > 0, true);
  assert.equal(mesh.importMesh('kind: [', 'istio').config, null);
  assert.equal(catching(() => mesh.exportMesh('version: 1', 'istio')).kind, 'config');
  assert.match(catching(() => mesh.exportMesh(PERMISSIVE, 'linkerd')).message, /there are istio, asm, gateway-api, envoy/);
  for (const [files, options] of [[7], [[{}]], ['', {lane: 1}], [[null]]]) assert.equal(catching(() => mesh.importMesh(files, 'istio', options)).kind, 'usage');
});

test('options are checked', () => {
  for (const options of [{formt: 'json'}, {format: 'toml'}, {file: 7}, {limits: {rule: 1}}, {limits: {rules: -1}}, {limits: {rules: 1.5}}]) {
    assert.equal(catching(() => new Router(PERMISSIVE, options)).kind, 'usage', JSON.stringify(options));
  }
  assert.equal(catching(() => new Router(PERMISSIVE, {limits: {document_bytes: 10}})).diagnostics[0].code, 'LANE0006');
  assert.equal(catching(() => new Router(PERMISSIVE, {limits: {rules: 0}})).diagnostics[0].code, 'LANE0501');
});

test('a freed router says so, and may be freed again', () => {
  const router = Router.fromYaml(PERMISSIVE);
  router.free();
  router.free();
  assert.match(catching(() => router.stats()).message, /freed/);
});

test('a router is no data, and an error prints what matters', () => {
  assert.throws(() => new LaneError(Symbol('lane'), {}), TypeError);
  assert.throws(() => Router.prototype.stats.call({}), TypeError);
  assert.deepEqual(JSON.parse(JSON.stringify(catching(() => Router.fromYaml('{')))), {kind: 'config'});
});
