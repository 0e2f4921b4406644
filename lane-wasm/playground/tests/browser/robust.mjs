// Large pastes, slow configurations, many rules, and what the page sends: nothing.

import { manyRules } from "../rules.mjs";
import { assert, check } from "./harness.mjs";

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

check("200 rules: how long an answer takes", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.after(() => stage.paste(manyRules(200)));
  await page.getByText("13 lanes, 200 rules").waitFor();
  const took = async () => {
    const [, compile, answer] = /compiling ([\d.]+) ms, answering ([\d.]+) ms/.exec(await page.locator(".took").getAttribute("title"));
    return { compile: Number(compile), answer: Number(answer) };
  };
  const answers = [];
  for (let i = 0; i < 25; i += 1) {
    await stage.after(() => page.getByLabel("URL").fill(`https://shop.example/api/v${i}x`));
    answers.push((await took()).answer);
  }
  const compiles = [];
  for (let i = 0; i < 15; i += 1) {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await stage.after(() => page.keyboard.type("#"));
    const both = await took();
    compiles.push(both.compile + both.answer);
  }
  const show = (list) => `${median(list).toFixed(1)} ms (fastest ${Math.min(...list).toFixed(1)} ms)`;
  console.log(`     200 rules in the browser, engine time: a new request ${show(answers)}, a new text ${show(compiles)}`);
  // The goal is 5 ms on a machine of one's own. Others on this one stretch the clock, so the fastest run is judged, and
  // loosely; tests/unit/speed.test.ts counts processor time.
  assert.ok(Math.min(...answers) < 15, `a new request takes ${Math.min(...answers)} ms`);
  assert.ok(Math.min(...compiles) < 40, `a new text takes ${Math.min(...compiles)} ms`);
});

check("a paste of 5 MB is refused with a word, and the page lives", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  for (const content of [`${"# a comment line of some length, as in a real file\n".repeat(110_000)}`, "x".repeat(5_500_000), "[".repeat(5_500_000)]) {
    await stage.paste(content);
    await page.locator(".notice.problem", { hasText: "was not taken" }).waitFor();
    assert.match(await page.locator(".notice.problem").innerText(), /5,\d{3},\d{3} characters/);
    await page.getByRole("button", { name: "Close the message" }).click();
  }
  await page.getByLabel("A curl line").count();
  await stage.after(() => page.getByLabel("Roll", { exact: true }).fill("99"));
  assert.match(await page.locator(".headline .way").innerText(), /mocka v3/);
});

check("5 MB into other fields", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.getByRole("button", { name: "Paste a curl line" }).click();
  await page.evaluate(() => {
    const field = document.querySelector(".request textarea");
    field.value = `curl http://h/ -H 'x: ${"y".repeat(5_000_000)}'`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.locator(".problem-text").first().waitFor();
  assert.match(await page.locator(".problem-text").first().innerText(), /characters/);
  await stage.after(() => page.getByLabel("Roll", { exact: true }).fill("1"));
});

check("half a megabyte of one kind or another: an answer or a message, never a dead page", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const texts = {
    "nested lists": "a: " + "[".repeat(200_000),
    "one long line": `version: 1 # ${"x".repeat(500_000)}`,
    aliases: `a: &a [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: &b${i} [${Array(9).fill(i === 0 ? "*a" : `*b${i - 1}`).join(", ")}]`).join("\n")}`,
    "thousands of rules": manyRules(4_000),
    "thousands of services": `version: 1\ngroups: [{name: g, mode: strict, services: [${Array.from({ length: 9_000 }, (_, i) => `{host: s${i}.svc}`).join(", ")}], lanes: [{name: a}], rules: [{name: r, service: s0.svc, lane: a}]}]`,
    "thousands of lanes": `version: 1\ngroups: [{name: g, mode: permissive, baseline: b, services: [{host: a.svc}, {host: c.svc}], lanes: [{name: b}, ${Array.from({ length: 9_000 }, (_, i) => `{name: l${i}, services: [a.svc]}`).join(", ")}], rules: [{name: rules, service: a.svc, lane: l77}]}]`,
    "errors on every line": "- {nonsense: 1}\n".repeat(20_000),
    "heavy expressions": manyRules(60).replaceAll(/path: \{prefix: [^}]*\}/g, 'path: {regex: "(a|b)*a(a|b){11}"}'),
  };
  for (const [name, text] of Object.entries(texts)) {
    const started = Date.now();
    const before = await page.locator("#answer").getAttribute("data-generation");
    await stage.paste(text);
    await page.waitForFunction((old) => document.querySelector(".problems") || document.querySelector("#answer").dataset.generation !== old, before, { timeout: 20_000 });
    console.log(`     ${name}: ${Date.now() - started} ms`);
    await stage.after(() => stage.example("Strict lanes")).catch((error) => {
      throw new Error(`after ${name}: ${error}`);
    });
    assert.match(await page.locator(".headline .way").innerText(), /mocka s2/, name);
    // Another example in between, so that choosing this one is a change.
    await stage.example("Permissive lanes");
  }
});

check("an engine that cannot be loaded is told", async (stage) => {
  await stage.context?.close();
  stage.context = await stage.browser.newContext();
  const page = (stage.page = await stage.context.newPage());
  await page.route("**/*.wasm", (route) => route.fulfill({ status: 404, body: "gone" }));
  await page.goto(stage.origin);
  await page.locator(".problems", { hasText: "the engine could not be loaded" }).waitFor();
  assert.match(await page.locator("#answer").innerText(), /There is no answer, because the engine stopped/);
  await page.getByRole("button", { name: "Examples" }).click();
  await page.locator(".gallery button").nth(1).click();
  await page.locator(".cm-line", { hasText: "Strict lanes" }).waitFor();
});

check("nobody outside is talked to: the page and its worker are not even allowed to", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const tried = await page.evaluate(() => fetch("http://127.0.0.2:9/").then(() => "sent", (error) => error.name));
  assert.equal(tried, "TypeError");
  const worker = page.workers()[0];
  assert.ok(worker, "there is a worker");
  assert.match(await page.evaluate(() => document.querySelector("meta[http-equiv]").content), /connect-src 'self'/);
  const refused = await worker.evaluate(() => new Promise((resolve) => {
    self.addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective));
    fetch("http://127.0.0.2:9/").catch(() => setTimeout(() => resolve("no violation was told"), 500));
  }));
  assert.equal(refused, "connect-src");
  stage.foreign.length = 0; // the attempts themselves
  stage.errors.length = 0;
});
