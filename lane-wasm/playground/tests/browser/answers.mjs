// What a new user sees and does: the table, the picture, weights, broken text, lanes that are down.

import { assert, check } from "./harness.mjs";

check("the permissive example: lane table, headline, marks", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const table = await stage.table();
  assert.deepEqual(table.map((row) => row.slice(1)), [
    ["v1", "v1", "v1"],
    ["v2", "v1 falls back, not in lane", "v2"],
    ["v3", "v3", "v1 falls back, not in lane"],
  ]);
  assert.match(table[1][0], /^v2 this request/);
  assert.match(await page.locator(".headline .way").innerText(), /200 routed\s*mocka v2\s*→\s*mockb v1\s*→\s*mockc v2/);
  assert.equal(await page.locator(".cm-rule-sign-matched.cm-rule-sign:visible").first().innerText(), "✓");
  assert.match(await page.locator(".cm-rule-note").innerText(), /matched → v2/);
  assert.match(await page.locator(".bar .local").innerText(), /nothing you type leaves it/);
});

check("a weight is edited, and the shares change", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.tab("Splits");
  const shares = () => page.locator("table.numbers tbody tr").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText)));
  await page.locator("table.numbers tbody tr").first().waitFor();
  assert.deepEqual((await shares()).map((row) => row.slice(0, 5)), [
    ["v1", "40", "2/5", "40 %", "4,000"],
    ["v2", "30", "3/10", "30 %", "3,000"],
    ["v3", "30", "3/10", "30 %", "3,000"],
  ]);
  // By hand, in the text: the weight of v1 becomes 940.
  await page.locator(".cm-line", { hasText: "weight: 40" }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await stage.after(() => page.keyboard.type("9"));
  await page.locator("table.numbers td", { hasText: "47/50" }).waitFor();
  assert.deepEqual((await shares()).map((row) => row.slice(1, 4)), [["940", "47/50", "94 %"], ["30", "3/100", "3 %"], ["30", "3/100", "3 %"]]);
  assert.match(await page.locator(".share-bar").getAttribute("aria-label"), /v1 94 %, v2 3 %, v3 3 %/);
  // The roll 45 now falls to v1.
  assert.match(await page.locator(".headline .way").innerText(), /mocka v1/);
});

check("broken YAML: the squiggle at its line, the last answer kept, and back again", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const line = page.locator(".cm-line", { hasText: "mode: permissive" });
  await line.click();
  await page.keyboard.press("End");
  for (let i = 0; i < "permissive".length; i += 1) await page.keyboard.press("Backspace");
  await page.keyboard.type("permisive");
  await page.locator(".answer.stale").waitFor();
  await page.locator(".cm-line:has(.cm-lintRange-error)", { hasText: "permisive" }).waitFor();
  assert.equal(await page.locator(".cm-line:has(.cm-lintRange-error)").count(), 1);
  assert.match(await page.locator(".cm-line:has(.cm-lintRange-error)").innerText(), /mode: permisive/);
  assert.match(await page.locator(".problems").innerText(), /permissive/); // "did you mean"
  assert.equal((await stage.table()).length, 3, "the last good answer stays");
  assert.match(await page.locator(".stale-note").innerText(), /last text that compiled/);
  // The page of its code.
  await page.locator(".problem-line .code").first().click();
  await page.locator("dialog[open] pre").first().waitFor();
  assert.match(await page.locator("dialog[open]").innerText(), /^LANE\d{4}: /);
  await page.keyboard.press("Escape");
  // Our diagnostic on hover.
  await page.locator(".cm-lintRange-error").hover();
  assert.match(await page.locator(".cm-tooltip .cm-diagnosticText").first().innerText(), /permisive/);
  await page.keyboard.press("Escape");
  await stage.after(() => page.keyboard.press("Control+Z").then(() => page.keyboard.press("Control+Z")).then(() => page.keyboard.press("Control+Z")));
  await page.locator(".answer:not(.stale)").waitFor();
  assert.equal(await page.locator(".cm-lintRange-error").count(), 0);
});

check("a YAML that is cut off anywhere leaves a living page", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const text = await page.evaluate(() => document.querySelector(".cm-content").cmTile?.view?.state.doc.toString() ?? null);
  const whole = text ?? "version: 1\ngroups:\n  - name: a\n    mode: strict\n    services: [{host: a.svc}]\n    lanes: [{name: s1}]\n    rules:\n      - {name: all, service: a.svc, lane: s1}\n";
  for (let cut = 1; cut < whole.length; cut += Math.ceil(whole.length / 25)) {
    await stage.paste(whole.slice(0, cut));
    await page.waitForTimeout(20);
  }
  await stage.after(() => stage.paste(whole));
  await page.locator(".answer:not(.stale)").waitFor();
});

check("rules that were tried say what they wanted and what there was", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.example("A canary that grows");
  const notes = await page.locator(".cm-rule-note").allInnerTexts();
  assert.match(notes[0], /header x-user-id: wanted in: \["u-1001", "u-1002"\], and there is none/);
  assert.deepEqual(await page.locator(".cm-rule-gutter .cm-rule-sign").allInnerTexts().then((all) => all.filter((sign) => sign.trim() !== "").slice(-3)), ["✗", "✗", "✓"]);
  // A user on the list: the first rule matches, the others are not reached.
  await page.getByRole("button", { name: "Header", exact: true }).click();
  await page.getByLabel("Name of header 2").fill("x-user-id");
  await stage.after(() => page.getByLabel("Value of header 2").fill("u-1001"));
  await page.locator(".headline b", { hasText: "canary" }).first().waitFor();
  assert.deepEqual(await page.locator(".cm-rule-gutter .cm-rule-sign").allInnerTexts().then((all) => all.filter((sign) => sign.trim() !== "").slice(-3)), ["✓", "–", "–"]);
  assert.match(await page.locator(".stages").innerText(), /rule allow-list holds/);
});

check("a subset that is switched off: fallback in table, picture and words", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.after(() => page.getByRole("switch", { name: "mocka in v2 is up" }).click());
  assert.deepEqual((await stage.table())[1].slice(1), ["v1 falls back, none healthy", "v1 falls back, not in lane", "v2"]);
  assert.match(await page.locator(".because").innerText(), /mocka falls back to v1, as v2 has no healthy endpoint/);
  assert.equal(await page.locator(".graph .edge.fallback").count(), 2);
  // In the drawing it is switched on again, with the keyboard.
  const subset = page.locator('.graph .subset[aria-label*="mocka.default.svc.cluster.local in lane v2"]');
  assert.equal(await subset.getAttribute("aria-pressed"), "true");
  await subset.focus();
  await stage.after(() => page.keyboard.press("Enter"));
  assert.equal(await page.locator(".graph .edge.fallback").count(), 1);
});

check("counts: below the healthy mark the next region serves", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.example("Regions as lanes");
  const row = (await stage.table()).find((cells) => cells[0].startsWith("eu-west"));
  assert.match(row[2], /eu-central falls back, too few healthy/);
  await stage.after(() => page.getByLabel("Healthy endpoints of ledger in eu-west").fill("4").then(() => page.keyboard.press("Tab")));
  assert.equal((await stage.table()).find((cells) => cells[0].startsWith("eu-west"))[2], "eu-west");
});

check("a curl line is pasted", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.example("Strict lanes");
  await page.getByRole("button", { name: "Paste a curl line" }).click();
  await stage.after(() => page.getByLabel("A curl line").fill("curl -X POST 'http://mock.example/mock' -H 'X-ASM-Prefer-Tag: s3' --compressed --cert c.pem"));
  assert.equal(await page.getByLabel("URL").inputValue(), "http://mock.example/mock");
  assert.equal(await page.getByLabel("Method").inputValue(), "POST");
  assert.match(await page.locator(".headline .way").innerText(), /mocka s3\s*→\s*mockb s3\s*→\s*mockc s3/);
  assert.match(await page.locator(".notice").innerText(), /--cert c.pem/);
  // Also in the URL field itself; and one that cannot be read is told.
  await stage.after(() => page.getByLabel("URL").fill("curl http://mock.example/other -H 'x-asm-prefer-tag: s1'"));
  assert.match(await page.locator(".headline .way").innerText(), /404 no route/);
  await page.getByRole("button", { name: "Paste a curl line" }).click();
  await page.getByLabel("A curl line").fill("curl 'http://mock");
  assert.match(await page.locator(".request .problem-text").first().innerText(), /single quote is not closed/);
});

check("headers at each hop", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.getByRole("button", { name: "Header", exact: true }).click();
  await page.getByLabel("Name of header 1").fill("version");
  await stage.after(() => page.getByLabel("Value of header 1").fill("v9"));
  await stage.tab("Headers");
  const stages = await page.locator(".stages > li").allInnerTexts();
  assert.match(stages[0], /−\s*removed:\s*version: v9/);
  assert.match(stages[0], /\+\s*set:\s*version: v2/);
  assert.match(stages[0], /\+\s*set:\s*baggage: version=v2/);
  assert.match(stages[1], /baggage: version=v2/);
});

check("the chain is reordered, shortened, reset; a call enters inside the mesh", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.after(() => page.getByRole("button", { name: "Do not call mockb" }).click());
  assert.match(await page.locator(".headline .way").innerText(), /mocka v2\s*→\s*mockc v2$/);
  await stage.after(() => page.getByRole("button", { name: "Reset" }).click());
  await stage.after(() => page.getByLabel("Enters at").selectOption({ label: "call of mockb" }));
  assert.match(await page.locator(".because").innerText(), /No lane was found, so the baseline v1 serves/);
});

check("several groups: the deciding one is shown, the other can be chosen", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.example("Two teams");
  const select = page.getByLabel("Group", { exact: true });
  assert.equal(await select.inputValue(), "mobile");
  await select.selectOption("web");
  assert.ok((await stage.table()).some((row) => row[0].startsWith("web-next")));
});

check("which lane is a key in", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await stage.example("A canary that grows");
  await stage.tab("Splits");
  await page.getByLabel("Which lane is this key in?").fill("7");
  await page.locator(".lane-of b", { hasText: "stable" }).waitFor();
  const counts = await page.locator("table.numbers tbody tr td:nth-child(5)").allInnerTexts();
  assert.equal(counts.map((text) => Number(text.replaceAll(",", ""))).reduce((a, b) => a + b), 10_000);
  assert.ok(Number(counts[1].replaceAll(",", "")) > 350 && Number(counts[1].replaceAll(",", "")) < 650, `5 % of 10,000, and it is ${counts[1]}`);
});

check("completion offers what may stand here", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.locator(".cm-line", { hasText: "baseline: v1" }).first().click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("unk");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "unknown_lane" }).waitFor();
  await page.waitForTimeout(100); // CodeMirror takes no key for a choice in its first moments
  await page.keyboard.press("Enter");
  await page.locator(".cm-tooltip-autocomplete li, .cm-line", { hasText: "unknown_lane:" }).first().waitFor();
  await page.keyboard.press("Control+Space");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "nearest_ancestor" }).waitFor();
});
