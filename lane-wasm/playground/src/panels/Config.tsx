// The left pane: the text, what is wrong with it, what became of its rules.

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Diagnostic } from "lane/full";
import { showCode } from "./CodePage";
import { ConfigEditor } from "../editor/editor";
import { SIGNS } from "../editor/marks";
import { CONFIG_FILE } from "../engine/facts";
import { MAX_TEXT } from "../state/limits";
import { answer, answerText, checkedText, description, diagnostics, engine, engineProblem, notice, text, timing } from "../state/store";
import { editor, gateway } from "../state/view";
import { ruleMarks } from "../state/why";

export function ConfigPane() {
  return (
    <section class="pane config" id="config" aria-labelledby="config-title">
      <header class="pane-head">
        <h2 id="config-title">Configuration</h2>
        <Verdict />
      </header>
      <EditorBox />
      <Problems />
      <footer class="pane-foot">
        <ul class="legend" aria-label="Signs beside the rules">
          {(["matched", "tried", "unreached"] as const).map((state) => (
            <li key={state}>
              <span class={`cm-rule-sign cm-rule-sign-${state}`} aria-hidden="true">
                {SIGNS[state].sign}
              </span>{" "}
              {SIGNS[state].word.replace(", does not hold", "")}
            </li>
          ))}
        </ul>
        <Took />
      </footer>
    </section>
  );
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

function Verdict() {
  const errors = diagnostics.value.filter((one) => one.severity === "error").length;
  const warnings = diagnostics.value.length - errors;
  const groups = description.value?.groups ?? [];
  const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
  const lanes = groups.reduce((sum, group) => sum + group.lanes.length, 0);
  const counts = [errors > 0 ? plural(errors, "error") : "", warnings > 0 ? plural(warnings, "warning") : ""].filter(Boolean).join(", ");
  const size = groups.length === 0 ? "" : `${groups.length > 1 ? `${groups.length} groups, ` : ""}${plural(lanes, "lane")}, ${plural(rules, "rule")}`;
  return (
    <p class={`verdict ${errors > 0 || engineProblem.value ? "bad" : ""}`} role="status">
      {engineProblem.value ? "stopped" : counts || size || "…"}
    </p>
  );
}

function Took() {
  const took = timing.value;
  if (!took) return null;
  const total = took.compile + took.answer;
  return (
    <p class="took" title={`compiling ${took.compile.toFixed(1)} ms, answering ${took.answer.toFixed(1)} ms`}>
      lane {engine.value?.version}, {total < 10 ? total.toFixed(1) : Math.round(total)} ms
    </p>
  );
}

function EditorBox() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const made = new ConfigEditor(box.current!, text.peek(), () => ({ schema: engine.peek()?.schema ?? null, description: description.peek() }), {
      changed: (now) => {
        text.value = now;
      },
      refused: (length) => {
        notice.value = { tone: "problem", text: `That text was not taken: the configuration would have ${length.toLocaleString("en")} characters, and this page holds ${MAX_TEXT.toLocaleString("en")}. The command \`lane check\` reads up to 16 MiB.` };
      },
    });
    editor.value = made;
    const stops = [
      effect(() => made.replace(text.value)),
      effect(() => {
        if (checkedText.value !== null) made.show(checkedText.value, diagnostics.value);
      }),
      effect(() => {
        if (answer.value && answerText.value !== null) made.mark(answerText.value, ruleMarks(answer.value.description, answer.value.chain, gateway.value));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      editor.value = null;
      made.destroy();
    };
  }, []);
  return <div class="editor" ref={box} data-file={CONFIG_FILE} />;
}

function Problems() {
  const list = diagnostics.value;
  if (engineProblem.value) {
    return (
      <div class="problems" role="alert">
        <p class="problem error">{engineProblem.value}</p>
      </div>
    );
  }
  if (list.length === 0) return null;
  return (
    <ul class="problems" aria-label="Problems of the configuration">
      {list.slice(0, 50).map((one, index) => (
        <li key={`${one.code}-${one.start}-${index}`} class="problem-line">
          <Problem one={one} />
          <button type="button" class="quiet small code" title="What this code means" onClick={() => void showCode(one.code)}>
            {one.code}
          </button>
        </li>
      ))}
      {list.length > 50 && <li class="more">and {list.length - 50} more</li>}
    </ul>
  );
}

function Problem({ one }: { one: Diagnostic }) {
  return (
    <button type="button" class={`problem ${one.severity}`} onClick={() => editor.value?.reveal(one.start, one.end)}>
      <span class="where">
        {one.severity === "error" ? "✗" : "!"} {one.line}:{one.column}
      </span>
      <span class="what">
        <Code text={one.message} />
        {one.help && (
          <span class="help-text">
            <Code text={one.help} />
          </span>
        )}
      </span>
    </button>
  );
}

/** Backticks as code. */
export function Code({ text: words }: { text: string }) {
  return (
    <>
      {words.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
    </>
  );
}
