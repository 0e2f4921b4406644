// Serves the built page on loopback, opens it in Chromium, and runs named checks. A check is a function that throws.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

export { assert };

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const SHOTS = here("../../../../target/playground-screenshots/");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

function browserPath() {
  const path = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((one) => existsSync(one));
  if (!path) throw new Error("there is no Chromium: install Debian's `chromium`, or name one in the variable CHROMIUM");
  return path;
}

const checks = [];
export const check = (name, run) => checks.push({ name, run });

/** Everything a check needs. */
export class Stage {
  constructor(browser, origin) {
    this.browser = browser;
    this.origin = origin;
    this.foreign = [];
    this.errors = [];
  }

  /** A fresh page in a fresh profile; `hash` is the fragment. */
  async open({ width = 1400, height = 900, hash = "", dark = false } = {}) {
    await this.context?.close();
    this.context = await this.browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce" });
    const page = await this.context.newPage();
    this.page = page;
    page.setDefaultTimeout(8_000);
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith(`blob:${this.origin}`) && !url.startsWith("data:")) this.foreign.push(url);
    });
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
    await page.goto(`${this.origin}/${hash}`);
    await page.locator("#answer").waitFor();
    return page;
  }

  /** Waits until the page has answered at least once. */
  async answered(page = this.page) {
    await page.waitForFunction(() => Number(document.querySelector("#answer")?.dataset.generation) > 0);
  }

  /** Does something and waits for the answer that follows it. */
  async after(act, page = this.page) {
    const before = await page.locator("#answer").getAttribute("data-generation");
    await act();
    await page.waitForFunction((old) => document.querySelector("#answer")?.dataset.generation !== old, before);
  }

  /** Replaces the configuration's text as a paste does. */
  async paste(text, page = this.page) {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+A");
    await page.evaluate((content) => {
      const data = new DataTransfer();
      data.setData("text/plain", content);
      document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, text);
  }

  async example(title, page = this.page) {
    await page.getByRole("button", { name: "Examples" }).click();
    await this.after(() => page.locator(".gallery button", { hasText: title }).click());
  }

  async tab(name, page = this.page) {
    await page.getByRole("tab", { name }).click();
  }

  /** The lane table as rows of texts. */
  table(page = this.page) {
    return page.locator("table.lanes tbody tr").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText.replace(/\s+/g, " ").trim())));
  }

  async shot(name, page = this.page) {
    await mkdir(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}${name}.png` });
  }
}

export async function run() {
  const server = await preview({ root: here("../../"), preview: { host: "127.0.0.1", port: 0 }, logLevel: "error" });
  const address = server.httpServer.address();
  const browser = await chromium.launch({ executablePath: browserPath(), args: FLAGS, headless: true });
  const stage = new Stage(browser, `http://127.0.0.1:${address.port}`);
  const only = process.argv[2];
  let [failed, skipped, ran] = [0, 0, 0];
  try {
    for (const { name, run } of checks) {
      if (only && !name.includes(only)) continue;
      if (failed === 3) {
        console.log(`left out after three failures: ${name}`);
        skipped += 1;
        continue;
      }
      ran += 1;
      stage.foreign.length = 0;
      stage.errors.length = 0;
      const started = performance.now();
      try {
        await run(stage);
        assert.deepEqual(stage.foreign, [], "the page talked to somebody else");
        assert.deepEqual(stage.errors, [], "the page had errors");
        console.log(`pass ${name} (${Math.round(performance.now() - started)} ms)`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${name}\n${error.stack ?? error}`);
        for (const one of [...stage.errors, ...stage.foreign]) console.log(`     the page: ${one}`);
        await stage.shot(`failed-${failed}`).catch(() => {});
      }
    }
  } finally {
    await browser.close();
    await server.close();
  }
  console.log(`playground: ${ran - failed} of ${ran + skipped} checks passed`);
  process.exitCode = failed > 0 || ran === 0 ? 1 : 0;
}
