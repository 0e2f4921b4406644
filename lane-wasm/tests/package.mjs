// The package as others get it: packed, installed into an empty project, and used from there by Node, TypeScript, Vite,
// webpack and a browser.

import {execFileSync, spawn} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {publint} from 'publint';
import {formatMessage} from 'publint/utils';

import {serve, withPage} from './browser.mjs';
import {manifest, read, root, workshop} from './files.mjs';
import {writeTypeTests} from './types.mjs';

const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const project = join(target, 'lane-wasm/project');
const pkg = join(workshop, 'pkg');
const bin = (name) => join(workshop, 'node_modules/.bin', name);

const run = (command, ...args) => execFileSync(command, args, {cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
const write = (path, text) => {
  mkdirSync(join(project, path, '..'), {recursive: true});
  writeFileSync(join(project, path), text);
};
const same = (what, actual, wanted) => {
  if (actual !== wanted) throw new Error(`${what}:\n  wanted ${wanted}\n  got    ${actual}`);
  console.log(`ok  ${what}`);
};

// Every way to use the package answers this.
const PROGRAM = `
  const group = {
    name: 'mock', mode: 'permissive', gateways: ['ingressgateway'], guiding_header: 'version', context: {baggage: 'version'}, baseline: 'v1',
    services: [{host: 'mocka'}, {host: 'mockb'}, {host: 'mockc'}],
    lanes: [{name: 'v1'}, {name: 'v2', services: ['mocka', 'mockc']}, {name: 'v3', services: ['mocka', 'mockb']}],
    rules: [{name: 'everyone', service: 'mocka', split: [{lane: 'v1', weight: 40}, {lane: 'v2', weight: 30}, {lane: 'v3', weight: 30}]}],
  };
  const router = new Router({version: 1, groups: [group]});
  const chain = (roll) => {
    const {ingress, hops} = router.trace({ingress: {gateway: 'ingressgateway'}, roll});
    return [ingress, ...hops.map((hop) => hop.decision)].map(({service, subset}) => service + '(' + subset.lane + ')').join('->');
  };
  const answer = [0n, 40n, 70n].map(chain).join(' ');
`;
const ANSWER = 'mocka(v1)->mockb(v1)->mockc(v1) mocka(v2)->mockb(v1)->mockc(v2) mocka(v3)->mockb(v3)->mockc(v1)';

// The scenario of section 9, from the example itself.
const PERMISSIVE = `
  const {init, Router} = require('lane/full');
  init().then(() => {
    const router = Router.fromYaml(require('node:fs').readFileSync(process.argv[1]));
    console.log(router.table().rows.map(({lane, cells}) => lane + ': ' + cells.map((cell) => cell.lane + (cell.fallback ? '*' : '')).join(' ')).join('; '));
  });
`;

rmSync(project, {recursive: true, force: true});
mkdirSync(project, {recursive: true});

const {messages, pkg: about} = await publint({pkgDir: pkg, strict: true});
same('publint has nothing to say', messages.map((message) => formatMessage(message, about)).join('\n'), '');

const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', project, pkg], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}));
// npm 11 lists packages, npm 12 names them.
const [{filename}] = Array.isArray(packed) ? packed : Object.values(packed);
write('package.json', '{"name": "project", "private": true, "type": "module"}\n');
run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--silent', join(project, basename(filename)));

same('node: import', run('node', '--input-type=module', '-e', `import {init, Router} from 'lane'; await init(); ${PROGRAM} console.log(answer)`).trim(), ANSWER);
same('node: require', run('node', '--input-type=commonjs', '-e', `const {initSync, Router} = require('lane'); initSync(); ${PROGRAM} console.log(answer)`).trim(), ANSWER);
same(
  'node -e answers the permissive scenario',
  run('node', '--input-type=commonjs', '-e', PERMISSIVE, join(root, 'examples/permissive.yaml')).trim(),
  'v1: v1 v1 v1; v2: v2 v1* v2; v3: v3 v3 v1*',
);

// The README's first block prints what its comments say.
const [block] = /```js\n([^]*?)```/.exec(readFileSync(join(pkg, 'README.md'), 'utf8')).slice(1);
write('readme.mjs', block);
const promised = [...block.matchAll(/console\.log\(.*?\);\s*\/\/ (.*)/g)].map(([, comment]) => comment.replace(/(^v1):.*/, '$1'));
if (promised.length !== 3) throw new Error('the README promises other things than this test knows of');
same('the README runs', run('node', 'readme.mjs').trim(), promised.join('\n'));

// Types, as each way of resolving modules finds them.
const full = await import(join(pkg, 'full.node.js'));
const mesh = await import(join(pkg, 'mesh.node.js'));
await Promise.all([full.init(), mesh.init()]);
const typed = writeTypeTests(full, mesh, project);
same('vectors that are typed', String(typed), String(manifest.cases));
for (const [module, resolution, lib] of [
  ['nodenext', 'nodenext', 'es2022,dom,dom.iterable'],
  ['node16', 'node16', 'es2022'],
  ['preserve', 'bundler', 'es2022,dom,dom.iterable'],
]) {
  const files = lib === 'es2022' ? ['vectors.ts', 'examples.ts'] : ['vectors.ts', 'examples.ts', 'usage.ts'];
  const options = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', '', '--lib', lib];
  let complaint = '';
  try {
    run(bin('tsc'), ...options, '--module', module, '--moduleResolution', resolution, ...files);
  } catch (error) {
    complaint = `${error.stdout}`.slice(0, 2000);
  }
  same(`tsc --strict, ${resolution}, ${lib}`, complaint, '');
}

// Bundlers, and what they make in a browser.
const page = (script) => `<!doctype html><link rel="icon" href="data:,"><title>lane</title><body>…</body><script type="module" src="${script}"></script>\n`;
write('index.html', page('/main.js'));
write('main.js', `import {init, Router} from 'lane';\nawait init();\n${PROGRAM}\ndocument.body.textContent = answer;\n`);
const shown = (url) => withPage(url, async (page) => {
  await page.waitForFunction(() => document.body.textContent !== '…', undefined, {timeout: 30_000});
  return page.textContent('body');
});
const inBrowser = async (folder) => {
  const server = await serve({'/': folder});
  try {
    return (await shown(`${server.origin}/index.html`)).trim();
  } finally {
    server.close();
  }
};

run(bin('vite'), 'build', '--logLevel', 'warn', '--outDir', 'vite');
same('vite build, in a browser', await inBrowser(join(project, 'vite')), ANSWER);

const vite = spawn(process.execPath, [bin('vite'), '--host', '127.0.0.1', '--port', '0'], {cwd: project, env: {...process.env, NO_COLOR: '1'}});
try {
  const address = await new Promise((found, failed) => {
    let said = '';
    const hear = (text) => {
      said += text;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (url !== undefined) found(url);
    };
    vite.stdout.on('data', hear);
    vite.stderr.on('data', hear);
    vite.on('exit', () => failed(new Error(`vite ended: ${said}`)));
  });
  same('vite, development server', (await shown(`${address}/index.html`)).trim(), ANSWER);
} finally {
  vite.kill();
}

const {default: webpack} = await import('webpack');
const stats = await new Promise((done, failed) => {
  const options = {mode: 'production', context: project, entry: './main.js', output: {path: join(project, 'webpack')}, performance: {hints: false}};
  webpack(options, (error, stats) => (error ? failed(error) : done(stats)));
});
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({all: false, errors: true, warnings: true}));
write('webpack/index.html', page('main.js'));
same('webpack, in a browser', await inBrowser(join(project, 'webpack')), ANSWER);

copyFileSync(join(project, basename(filename)), join(target, 'lane-wasm/lane.tgz'));
