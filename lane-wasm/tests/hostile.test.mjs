// Bad input: whatever is handed in, a LaneError comes out, soon, and the engine goes on. None of this may reach a crash.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {LaneError, Router, check, headerLines, init, runTests} from '../pkg/full.node.js';
import {read} from './files.mjs';

await init();
const PERMISSIVE = read('examples/permissive.yaml');
const at = {ingress: {gateway: 'ingressgateway'}};

/** Runs `work`, which may answer or throw a LaneError that is no crash. */
function survives(what, work) {
  try {
    work();
  } catch (error) {
    assert(error instanceof LaneError, `${what}: ${error?.stack ?? error}`);
    assert.notEqual(error.kind, 'crashed', `${what}: ${error.message}`);
    assert(error.message.length < 1_500, `${what}: ${error.message.length} characters of message`);
    return error;
  }
}

const everywhere = (what, value) => {
  const router = Router.fromYaml(PERMISSIVE);
  for (const [name, work] of Object.entries({
    Router: () => new Router(value),
    check: () => check(value),
    runTests: () => runTests(value),
    answer: () => router.answer(value),
    ingress: () => router.ingress(value),
    explain: () => router.explain(value),
    trace: () => router.trace(value),
    services: () => router.trace({...at, roll: 1}, {services: value}),
    live: () => router.table({live: value}),
    locate: () => router.locate(typeof value === 'symbol' || value === null || value === undefined ? [] : value),
    headers: () => router.answer({...at, roll: 1, headers: value}),
    header: () => router.answer({...at, roll: 1, headers: [['a', value]]}),
    headerLines: () => headerLines(value),
    test: () => router.test(value),
    key: () => router.laneOf('everyone', value),
    rule: () => router.laneOf(value, 'a'),
  })) {
    survives(`${what} as ${name}`, work);
  }
  assert.equal(router.ingress({...at, roll: 0}).lane, 'v1', what);
};

test('values that are no plain data', () => {
  const cycle = {version: 1};
  cycle.groups = [cycle];
  const throwing = {
    get version() {
      throw new Error('no');
    },
  };
  const thrown = {
    get version() {
      throw null; // not even an error
    },
  };
  const trap = () => {
    throw new RangeError('trapped');
  };
  const proxy = new Proxy({}, {get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap});
  const unprintable = {
    get version() {
      throw {get message() { throw new Error('no'); }, toString() { throw new Error('no'); }};
    },
  };
  const deep = () => {
    let value = {};
    for (let level = 0; level < 100_000; level += 1) value = {not: value};
    return value;
  };
  const values = {
    cycle, throwing, thrown, proxy, unprintable, deep: deep(),
    undefined: undefined, null: null, number: 7, nan: NaN, bigint: 2n ** 70n, symbol: Symbol('x'), function: () => 1, boolean: true,
    date: new Date(0), map: new Map([[1, 2]]), set: new Set([1]), array: [], holes: [, 1], bytes: new Uint8Array([0xff]), buffer: new ArrayBuffer(8),
    shared: new DataView(new ArrayBuffer(8)), regexp: /x/, error: new Error('x'), bare: Object.create(null), promise: Promise.resolve(1),
    toJSON: {toJSON: () => undefined}, toJSONThrows: {toJSON() { throw new Error('no'); }}, big: {version: 2n ** 64n, groups: [2n ** 70n]},
    prototype: JSON.parse('{"__proto__": {"version": 1}, "constructor": 1}'),
  };
  for (const [what, value] of Object.entries(values)) everywhere(what, value);
});

test('texts of every kind', () => {
  const texts = {
    empty: '', blank: ' \n\t', nul: '\0', bom: `\ufeff${PERMISSIVE}`, lone: '\ud800', loneInside: PERMISSIVE.replace('everyone', 'every\udfffone'),
    number: '7', list: '[]', open: '{', openText: '"', closes: '}', tag: '!!binary aGk=', alias: '*a', merge: '<<: {a: 1}', tabs: '\tversion: 1',
    brackets: '['.repeat(200_000), braces: '{a: '.repeat(200_000), quotes: '"'.repeat(200_000), dashes: '- '.repeat(200_000),
    bomb: `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefghi'[index]},`.repeat(9)}]`).join('\n')}`,
    stream: 'version: 1\n---\nversion: 1\n', control: 'version: \x07', separators: 'version: 1\u2028groups: \u2029',
  };
  for (const [what, text] of Object.entries(texts)) everywhere(what, text);
});

test('a configuration that ends anywhere', () => {
  for (const [text, options] of [[PERMISSIVE, {format: 'yaml'}], [JSON.stringify(Router.fromYaml(PERMISSIVE).config()), {format: 'json'}]]) {
    for (let end = 0; end < text.length; end += 7) {
      survives(`cut at ${end}`, () => {
        const found = check(text.slice(0, end), options);
        for (const {start, end: behind} of found) assert(0 <= start && start <= behind && behind <= end, `${start}..${behind} of ${end}`);
      });
    }
  }
});

test('5 MB of everything', () => {
  const size = 5 * 2 ** 20;
  const rule = '      - {name: r, service: mocka.default.svc.cluster.local, lane: v1}\n';
  const texts = {
    words: 'word '.repeat(size / 5), letters: 'x'.repeat(size), lines: '\n'.repeat(size), comment: `# ${'x'.repeat(size)}`, wide: '\u{1f600}'.repeat(size / 4),
    rules: PERMISSIVE + rule.repeat(size / rule.length), json: `{"version": 1, "groups": [${'{"name": "g"},'.repeat(size / 14)}{}]}`, zeros: `version: ${'0'.repeat(size)}`,
  };
  for (const [what, text] of Object.entries(texts)) {
    const begun = performance.now();
    const found = check(text);
    assert(found.length > 0, what);
    assert(found.length <= 10_001, `${what}: ${found.length} findings`);
    survives(what, () => new Router(text));
    assert(performance.now() - begun < 60_000, `${what} takes ${Math.round(performance.now() - begun)} ms`);
  }
  const router = Router.fromYaml(PERMISSIVE);
  const long = 'x'.repeat(size);
  assert.equal(router.ingress({...at, roll: 0, path: `/${long}`, headers: [['x', long], ['baggage', `a=${long}`], ['cookie', long]]}).lane, 'v1');
});

test('regular expressions that are costly are refused', () => {
  const config = Router.fromYaml(PERMISSIVE).config();
  for (const regex of ['(a|b)*a(a|b){20}', '(x{1000}){1000}', '('.repeat(5_000), 'a{,1000}{1000}', '(?P<n>a)(?P<n>b)', '\\p{Greek}', '[\\', '(?=a)']) {
    config.groups[0].rules[0].match = [{path: {regex}}];
    survives(regex.slice(0, 20), () => new Router(config));
  }
});
