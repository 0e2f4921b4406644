// A real browser and a server on loopback, for tests.

import {createServer} from 'node:http';
import {readFile} from 'node:fs/promises';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {extname, join, normalize} from 'node:path';
import {chromium} from 'playwright-core';

const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json'};

/** Serves folders: the longest prefix of the path that `routes` names decides. A route may also be text, which is sent as JSON. */
export async function serve(routes) {
  const server = createServer(async (request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const prefix = Object.keys(routes).filter((prefix) => pathname.startsWith(prefix)).sort((one, other) => other.length - one.length)[0];
    const route = routes[prefix];
    try {
      if (route === undefined) throw new Error('no such route');
      const body = typeof route === 'object' ? route.text : await readFile(join(route, normalize(`/${pathname.slice(prefix.length)}`)));
      response.writeHead(200, {'content-type': TYPES[extname(pathname)] ?? 'text/plain'});
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close()};
}

/** Opens a page, hands it to `work`, and closes everything. What the page logs as an error, or throws, fails. */
export async function withPage(url, work) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (executablePath === undefined) throw new Error('there is no chromium; on Debian: apt-get install chromium');
  const profile = mkdtempSync(join(tmpdir(), 'lane-chromium-'));
  const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  const context = await chromium.launchPersistentContext(profile, {executablePath, headless: true, args: flags.split(' ')});
  try {
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(url);
    const result = await work(page);
    if (errors.length > 0) throw new Error(`the page complains:\n  ${errors.join('\n  ')}`);
    return result;
  } finally {
    await context.close();
    rmSync(profile, {recursive: true, force: true});
  }
}
