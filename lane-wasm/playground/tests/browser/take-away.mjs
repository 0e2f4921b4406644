// What can be taken away and brought back: tests, exports, share links.

import { readFile } from "node:fs/promises";
import { assert, check } from "./harness.mjs";

check("every example answers as its tests say", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.getByRole("button", { name: "Examples" }).click();
  const titles = await page.locator(".gallery b").allInnerTexts();
  await page.keyboard.press("Escape");
  assert.equal(titles.length, 7);
  await stage.tab("Tests");
  for (const [index, title] of titles.entries()) {
    if (index > 0) await stage.example(title);
    const count = await page.getByRole("tab", { name: /Tests/ }).innerText();
    const [, passed, total] = /✓ (\d+)\/(\d+)/.exec(count.replace(/\s+/g, " ")) ?? [];
    assert.ok(passed && passed === total && Number(total) >= 3, `${title}: ${count} ${await page.locator(".case-details").allInnerTexts()}`);
    assert.equal(await page.locator(".problems").count(), 0, title);
  }
});

check("a test is added, fails after an edit, and its file says the same", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.tab("Tests");
  await stage.after(() => page.getByRole("button", { name: "This request, with this answer" }).click());
  assert.match(await page.getByRole("tab", { name: /Tests/ }).innerText(), /✓ 4\/4/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download for lane test" }).click()]);
  assert.equal(download.suggestedFilename(), "lanes.test.yaml");
  const file = await readFile(await download.path(), "utf8");
  assert.match(file, /config: lanes\.yaml\ncases:\n {2}- name: "v1 has everything"\n {4}request: \{ingress: \{gateway: ingressgateway\}/);
  assert.match(file, /chain: \{mocka: v2, mockb: v1, mockc: v2\}/);
  await stage.after(() => page.getByLabel("Expected lane of v1 has everything").selectOption("v3"));
  assert.match(await page.getByRole("tab", { name: /Tests/ }).innerText(), /✗ 3\/4/);
  assert.match(await page.locator(".case-details").innerText(), /lane: wanted "v3", got "v1"/);
});

check("a share link opens as the same state", async (stage) => {
  let page = await stage.open();
  await stage.answered();
  await stage.example("A canary that grows");
  await stage.after(() => page.getByLabel("URL").fill("https://www.shop.example/ünï?x=1"));
  await stage.after(() => page.getByRole("switch", { name: "cart in stable is up" }).click());
  await stage.after(() => page.getByRole("button", { name: "Do not call frontend" }).click());
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.locator(".notice", { hasText: "nothing was uploaded" }).waitFor();
  const hash = new URL(page.url()).hash;
  assert.match(hash, /^#v1\.[A-Za-z0-9_-]+$/);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
  const facts = async () => ({
    text: await page.locator(".cm-content").innerText(),
    url: await page.getByLabel("URL").inputValue(),
    header: await page.getByLabel("Value of header 1").inputValue(),
    down: await page.getByRole("switch", { name: "cart in stable is up" }).getAttribute("aria-checked"),
    way: await page.locator(".headline .way").innerText(),
    tests: await page.getByRole("tab", { name: /Tests/ }).innerText(),
    table: await stage.table(),
    calls: await page.locator(".chain li").allInnerTexts(),
  });
  const before = await facts();
  page = await stage.open({ hash });
  await stage.answered();
  assert.deepEqual(await facts(), before);
  assert.equal(before.down, "false");
});

check("a reload keeps the work; a link that no longer holds leaves the address", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.after(() => page.getByLabel("Roll", { exact: true }).fill("99"));
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.waitForFunction(() => location.hash.startsWith("#v1."));
  await stage.after(() => page.getByLabel("Roll", { exact: true }).fill("98"));
  await page.waitForFunction(() => location.hash === "");
  await page.reload();
  await stage.answered();
  assert.equal(await page.getByLabel("Roll", { exact: true }).inputValue(), "98");
});

check("hostile links: a clear message and a living page", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const pack = (text) =>
    page.evaluate(async (content) => {
      const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate-raw"));
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
      let binary = "";
      for (const byte of bytes) binary += String.fromCharCode(byte);
      return `#v1.${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
    }, text);
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.locator(".notice.info").waitFor();
  const good = new URL(page.url()).hash;
  const draft = { entry: { gateway: null }, method: "GET", url: "/", headers: [] };
  const deep = await pack(JSON.stringify({ text: `a: ${"[".repeat(100_000)}`, draft, tests: [], live: { "x.svc": { v1: [1, 0] } } }));
  const links = [
    [good.slice(0, -40), /damaged/],
    ["#v1.", /damaged/],
    ["#v1.<img src=x onerror=alert(1)>", /characters that no share link has/],
    ["#v7.AAAA", /version 7/],
    [await pack(" ".repeat(20_000_000)), /unpacks to more than/],
    [await pack('{"text": 1}'), /`text` is no text/],
    [await pack(JSON.stringify({ text: "", draft: { ...draft, headers: "x" } })), /`draft.headers` is no list/],
    [`#v1.${"A".repeat(300_000)}`, /more than the/],
  ];
  for (const [hash, message] of links) {
    const fresh = await stage.open({ hash });
    await fresh.locator(".notice.problem").waitFor();
    assert.match(await fresh.locator(".notice.problem").innerText(), message);
    await stage.answered();
    assert.equal((await stage.table()).length, 3, "the page shows its first example");
  }
  // A text that no engine likes, in a link that is right: the page tells of it and lives.
  const fresh = await stage.open({ hash: deep });
  await fresh.locator(".problems").waitFor();
  await stage.example("Strict lanes");
  assert.match(await fresh.locator(".headline .way").innerText(), /mocka s2/);
});

check("scripts in names stay names", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.getByRole("button", { name: "Header", exact: true }).click();
  await page.getByLabel("Name of header 1").fill("x-evil");
  await stage.after(() => page.getByLabel("Value of header 1").fill("<img src=x onerror=\"document.title='pwned'\">"));
  await stage.tab("Headers");
  assert.match(await page.locator(".stages").innerText(), /<img src=x/);
  assert.equal(await page.title(), "lane playground");
});

check("exports: curl, lane route, JSON, tests, Mermaid, SVG", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.after(() => page.getByRole("switch", { name: "mockc in v2 is up" }).click());
  await page.getByRole("button", { name: "Export" }).click();
  const take = async (label) => {
    await page.getByRole("radio", { name: label, exact: true }).check();
    return page.locator(".made textarea").inputValue();
  };
  assert.equal(await take("curl line"), "curl http://mock.example/mock");
  assert.equal(await take("lane route line"), "lane route lanes.yaml http://mock.example/mock --roll 45 --down mockc.default.svc.cluster.local/v2 --explain");
  assert.deepEqual(JSON.parse(await take("Request as JSON")).live, { "mockc.default.svc.cluster.local": { v2: [1, 0] } });
  assert.match(await take("lane test file"), /^# lane test lanes\.test\.yaml\nconfig: lanes\.yaml/);
  const mermaid = await take("Mermaid");
  assert.match(mermaid, /^flowchart LR\n {2}entry\(\["ingressgateway"\]\)/);
  assert.match(mermaid, /c0r1 ==> c1r0/);
  assert.match(mermaid, /-\. "none healthy" \.->/);
  const svg = await take("SVG");
  const parsed = await page.evaluate((text) => {
    const image = new DOMParser().parseFromString(text, "image/svg+xml");
    return { error: image.querySelector("parsererror")?.textContent ?? null, classes: image.querySelectorAll("[class]").length, fills: image.querySelectorAll("rect[fill]").length, texts: image.documentElement.textContent };
  }, svg);
  assert.equal(parsed.error, null);
  assert.equal(parsed.classes, 0);
  assert.ok(parsed.fills > 5);
  assert.match(parsed.texts, /not in lane/);
  await page.getByRole("button", { name: "Copy" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), svg);
});

check("mesh formats are written on demand, with what a mesh cannot say", async (stage) => {
  const page = await stage.open();
  const loaded = [];
  page.on("response", (response) => loaded.push(response.url()));
  await stage.answered();
  assert.ok(!loaded.some((url) => url.includes("mesh")), "nothing of it is loaded before");
  await page.getByRole("button", { name: "Export" }).click();
  for (const [label, kind] of [["Istio", /kind: "?VirtualService/], ["Istio with ASM", /ASMHeaderPropagation/], ["ASM lanes", /ASMSwimLane/], ["Gateway API", /HTTPRoute/], ["Envoy", /weighted_clusters|clusters:/]]) {
    await page.getByRole("radio", { name: label, exact: true }).check();
    const made = page.getByRole("textbox", { name: label, exact: true });
    await made.waitFor();
    assert.match(await made.inputValue(), kind, label);
  }
  assert.equal(page.workers().length, 2, "one engine and one for meshes");
  await page.keyboard.press("Escape");
  await stage.paste("version: 1\ngroups: [");
  await page.locator(".problems").waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  await page.locator(".made .problem-text", { hasText: "does not compile" }).waitFor();
});
