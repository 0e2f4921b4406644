// The page: a bar, three panes, dialogs.

import { useEffect } from "preact/hooks";
import { notice } from "../state/store";
import { dialog } from "../state/view";
import { Icon } from "../ui/parts";
import { AnswerPane } from "./Answer";
import { Bar } from "./Bar";
import { CodePage } from "./CodePage";
import { ConfigPane } from "./Config";
import { Examples } from "./Examples";
import { Export } from "./Export";
import { Help } from "./Help";
import { RequestPane } from "./Request";

export function App() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyping = target.closest("input, textarea, select, [contenteditable]") !== null;
      if (event.key === "?" && !isTyping && !event.ctrlKey && !event.metaKey) dialog.value = "help";
      const pane = event.altKey && !event.ctrlKey && !event.metaKey ? { Digit1: "config", Digit2: "request", Digit3: "answer" }[event.code] : undefined;
      if (pane) {
        event.preventDefault();
        focusPane(pane);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <a class="skip" href="#answer" onClick={(event) => (event.preventDefault(), focusPane("answer"))}>
        Skip to the answer
      </a>
      <Bar />
      <NoticeLine />
      <main>
        <ConfigPane />
        <RequestPane />
        <AnswerPane />
      </main>
      <Examples />
      <Export />
      <Help />
      <CodePage />
    </>
  );
}

function focusPane(id: string): void {
  const pane = document.getElementById(id);
  const target = id === "config" ? pane?.querySelector<HTMLElement>(".cm-content") : pane;
  target?.focus();
  pane?.scrollIntoView({ block: "nearest" });
}

function NoticeLine() {
  const now = notice.value;
  return (
    <div role="status" aria-live="polite">
      {now && (
        <div class={`notice ${now.tone}`}>
          <p>{now.text}</p>
          <button type="button" class="quiet square" aria-label="Close the message" onClick={() => (notice.value = null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
