// TypeScript files that prove the types: every vector's configuration and request, every whole answer to it, and what
// the other calls give for the examples, each as a literal that is assigned to its type. A literal may neither lack a
// field nor have one too many.

import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {read, root, vectorFiles} from './files.mjs';

/** Writes the files into a folder and says how many vectors they hold. */
export function writeTypeTests(lane, mesh, folder) {
  let count = 0;
  const files = vectorFiles();
  const lines = ["import type {Config, Decision, Explained, InboundAnswer, Request} from 'lane';", ''];
  const assign = (type, json) => lines.push(`((_: ${type}) => {})(${json});`);
  for (const {text, cases} of files) {
    assign('Config', text);
    const router = new lane.Router(text, {format: 'json'});
    for (const {request, expect} of cases) {
      count += 1;
      const inbound = 'inbound' in request;
      const type = inbound ? 'InboundAnswer' : 'Decision';
      assign('Request', JSON.stringify(request));
      assign(`Partial<${type}>`, JSON.stringify(expect));
      assign(type, JSON.stringify(router.answer(request)));
      if (!inbound) assign('Explained', JSON.stringify(router.explain(request)));
    }
    router.free();
  }
  writeFileSync(join(folder, 'vectors.ts'), `${lines.join('\n')}\n`);

  lines.length = 0;
  lines.push("import type {Chain, Config, Description, Diagnostic, DrawStep, Simulation, Span, Stats, Table, TestRun} from 'lane/full';", '');
  for (const name of readdirSync(join(root, 'examples')).filter((name) => /^[\w-]+\.yaml$/.test(name) && !name.includes('.test.'))) {
    const router = new lane.Router(read(`examples/${name}`), {file: name});
    assign('Config', JSON.stringify(router.config()));
    assign('Description', JSON.stringify(router.describe()));
    assign('Stats', JSON.stringify(router.stats()));
    for (const {name: group, gateways, rules} of router.describe().groups) {
      assign('Table', JSON.stringify(router.table({group})));
      const request = {ingress: {gateway: gateways?.[0] ?? 'edge'}, authority: 'shop.example', path: '/mock', roll: 7n};
      assign('Chain', JSON.stringify(router.trace(request, {explain: true})));
      assign('Chain', JSON.stringify(router.trace(request)));
      for (const {name, split, sticky} of rules.filter(({split}) => split !== null)) {
        assign('Simulation', JSON.stringify(router.simulate({rule: `${group}/${name}`, keys: 10, each: true})));
        if (sticky !== null) assign('DrawStep', JSON.stringify(router.draw(`${group}/${name}`, '7')));
        assign('Span | null', JSON.stringify(router.locate(`groups[0].rules[${rules.findIndex((rule) => rule.split === split)}].split`)));
      }
    }
    router.free();
  }
  const refused = lane.check('version: 2\ngroups:\n  - {name: a b, mode: strict, mode: strict, services: [], lanes: []}\n');
  if (refused.length === 0) throw new Error('the diagnostics are to be typed, and there are none');
  assign('Diagnostic[]', JSON.stringify(refused));
  assign('TestRun', JSON.stringify(lane.runTests(SUITE)));
  lines.unshift("import type {MeshExport, MeshImport} from 'lane/mesh';");
  for (const format of ['istio', 'asm', 'gateway-api', 'envoy']) {
    const exported = mesh.exportMesh(read('examples/permissive.yaml'), format, {lossy: true});
    assign('MeshExport', JSON.stringify(exported));
    if (format !== 'envoy') assign('MeshImport', JSON.stringify(mesh.importMesh(exported.yaml, format, {lossy: true})));
  }
  writeFileSync(join(folder, 'examples.ts'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'usage.ts'), USAGE);
  return count;
}

const SUITE = `
config:
  version: 1
  groups:
    - {name: g, mode: strict, services: [{host: a.svc}], lanes: [{name: s1}], rules: [{name: all, service: a.svc, lane: s1}]}
cases:
  - {name: holds, request: {ingress: {gateway: edge}}, expect: {lane: s1}}
  - {name: does not, request: {ingress: {gateway: edge}}, expect: {lane: s2, subset: {lane: s1}}}
  - {name: cannot be asked, request: {ingress: {gateway: edge}, live: {b.svc: {s1: [1, 1]}}}, expect: {lane: s1}}
`;

// What people write, and what must not compile.
const USAGE = `
import {LaneError, Router, check, headerLines, init, initSync, runTests, schema, version} from 'lane';
import {Router as FullRouter} from 'lane/full';
import type {Config, Decision, Matcher, PathMatcher, Request, Rule} from 'lane';

export async function main(text: string): Promise<Decision> {
  await init();
  await init(new URL('https://example.org/lane.wasm'));
  initSync(new Uint8Array());
  const router: Router = FullRouter.fromYaml(text, {file: 'lanes.yaml', limits: {document_bytes: 1 << 20}});
  const decision = router.ingress({ingress: {gateway: 'edge'}, headers: headerLines(new Headers({a: 'b'})), roll: 2n ** 64n - 1n});
  const remembered: string[] = router.answer({inbound: {}}).remember.map(({lane}) => lane);
  const hop: Decision = router.answer({hop: {service: 'b'}, remembered: {shop: remembered[0] ?? ''}});
  for (const step of router.explain({hop: {service: 'b'}}).explanation.steps) {
    if (step.step === 'rule' && typeof step.result === 'object') step.result.failed.map(({wanted}) => wanted.length);
    if (step.step === 'candidate') step.passed_over satisfies string | null;
  }
  try {
    check(schema() as unknown as string);
    runTests({cases: []});
  } catch (error) {
    if (error instanceof LaneError && error.kind === 'config') error.diagnostics.map(({start, end}) => end - start);
  }
  return decision.outcome === 'pass' && version !== '' ? decision : hop;
}

const rule = {name: 'r', service: 'a.svc'};
export const right: Rule[] = [{...rule, lane: 's1'}, {...rule, split: [{lane: 's1', weight: 1}], sticky: {keys: [{source_ip: true}]}}];
export const matchers: Matcher[] = [{exact: 'a'}, {or_missing: {not: {ignore_case: {in: ['a']}}}}, {present: false}, {range: {min: 1}}];
export const paths: PathMatcher[] = [{segments: '/a'}, {not: {segments: '/a'}}];

// @ts-expect-error a rule has one action
export const twoActions: Rule = {...rule, lane: 's1', split: [{lane: 's1', weight: 1}]};
// @ts-expect-error sticky goes with split only
export const stickyAlone: Rule = {...rule, lane: 's1', sticky: {keys: [{cookie: 'uid'}]}};
// @ts-expect-error wrappers stand in one order
export const wrongOrder: Matcher = {ignore_case: {not: {exact: 'a'}}};
// @ts-expect-error present takes no wrapper
export const wrappedPresent: Matcher = {not: {present: true}};
// @ts-expect-error only paths have segments
export const segments: Matcher = {segments: '/a'};
// @ts-expect-error a matcher is of one kind
export const twoKinds: Matcher = {exact: 'a', prefix: 'b'};
// @ts-expect-error a request is for one place
export const twoPlaces: Request = {ingress: {gateway: 'a'}, hop: {service: 'b'}};
// @ts-expect-error a mistyped field
export const mistyped: Config = {version: 1, groups: [], group: []};
// @ts-expect-error errors are made by lane only
export const error = new LaneError('no');
`;
