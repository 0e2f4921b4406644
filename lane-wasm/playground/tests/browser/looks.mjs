// Accessibility rules by axe, the keyboard, and screenshots at three widths.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assert, check } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations as one line each. */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  return page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} [${node.any.map((check) => check.message).join("; ")}]`).join(" | ")}`);
  });
}

for (const dark of [false, true]) {
  const mode = dark ? "dark" : "light";
  check(`axe finds nothing, ${mode}`, async (stage) => {
    const page = await stage.open({ dark });
    await stage.answered();
    const clean = async (where) => assert.deepEqual(await violations(page), [], where);
    await clean("permissive");
    for (const name of ["Headers", "Splits", "Tests"]) {
      await stage.tab(name);
      await page.locator(".tabpanel > *").first().waitFor();
      await clean(name);
    }
    await stage.example("Regions as lanes");
    await stage.tab("Why");
    await clean("counts and fallbacks");
    await stage.after(() => page.getByLabel("URL").fill("http://nobody.example/"));
    await clean("no answer");
    for (const name of ["Examples", "Export", "Help"]) {
      await page.locator(".bar").getByRole("button", { name }).click();
      await page.locator("dialog[open]").waitFor();
      await clean(name);
      await page.keyboard.press("Escape");
    }
    await stage.example("Strict lanes");
    await stage.paste("version: 1\ngroups:\n  - name: a b\n    mode: strct\n");
    await page.locator(".answer.stale").waitFor();
    await page.locator(".problems").waitFor();
    await clean("problems, stale answer");
    await page.setViewportSize({ width: 390, height: 844 });
    await clean("narrow");
  });
}

check("the theme is chosen and kept", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  const paper = () => page.evaluate(() => getComputedStyle(document.querySelector(".pane")).backgroundColor);
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.getByRole("button", { name: /Colours/ }).click();
  await page.getByRole("button", { name: /Colours: light/ }).click();
  assert.notEqual(await paper(), "rgb(255, 255, 255)");
  await page.reload();
  await stage.answered();
  assert.notEqual(await paper(), "rgb(255, 255, 255)");
});

check("by keyboard alone: panes, tabs, leaving the editor", async (stage) => {
  const page = await stage.open();
  await stage.answered();
  await page.keyboard.press("Alt+1");
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("cm-content")));
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(!(await page.evaluate(() => document.activeElement.closest(".cm-editor"))), "Escape and Tab leave the editor");
  await page.keyboard.press("Alt+3");
  assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
  await page.getByRole("tab", { name: "Why" }).focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("tab", { name: "Headers" }).getAttribute("aria-selected"), "true");
  await page.keyboard.press("End");
  assert.equal(await page.getByRole("tab", { name: /Tests/ }).getAttribute("aria-selected"), "true");
  await page.keyboard.press("Alt+2");
  await page.keyboard.press("?");
  await page.locator("dialog[open]", { hasText: "About this page" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
});

const SIZES = [[1400, 900], [800, 1000], [390, 844]];

check("screenshots at 1400, 800 and 390 pixels, light and dark", async (stage) => {
  for (const dark of [false, true]) {
    for (const [width, height] of SIZES) {
      const page = await stage.open({ width, height, dark });
      await stage.answered();
      await page.waitForTimeout(150);
      const suffix = `${width}${dark ? "-dark" : ""}`;
      await stage.shot(`permissive-${suffix}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `at ${width} the page is ${overflow} pixels too wide`);
      if (width === 390) {
        await page.locator("#request").scrollIntoViewIfNeeded();
        await page.evaluate(() => document.querySelector("#request").scrollIntoView());
        await stage.shot(`permissive-${suffix}-request`);
        await page.evaluate(() => document.querySelector("#answer").scrollIntoView());
        await stage.shot(`permissive-${suffix}-answer`);
      }
    }
  }
  const page = await stage.open();
  await stage.answered();
  for (const [title, tab, name] of [["A canary that grows", "Splits", "canary-splits"], ["Regions as lanes", "Why", "regions"], ["Preview environments", "Headers", "preview-headers"], ["Two teams", "Tests", "groups-tests"]]) {
    await stage.example(title);
    await stage.tab(tab);
    await page.waitForTimeout(150);
    await stage.shot(name);
  }
  await page.getByRole("button", { name: "Examples" }).click();
  await stage.shot("gallery");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Export" }).click();
  await stage.shot("export");
  await page.keyboard.press("Escape");
  await stage.example("Strict lanes");
  await stage.after(() => page.getByRole("switch", { name: "mockb in s2 is up" }).click());
  await stage.shot("strict-down");
  await page.locator(".cm-line", { hasText: "- name: by-header" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type(": x");
  await page.locator(".answer.stale").waitFor();
  await page.waitForTimeout(400);
  await stage.shot("broken");
});
