// The CodeMirror editor: made once, fed by effects. It knows nothing of the page around it.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentUnit } from "@codemirror/language";
import { type Diagnostic as Squiggle, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import type { Diagnostic } from "lane/full";
import { language } from "./language";
import { MAX_TEXT } from "../state/limits";
import { type Knowledge, fieldHover, source } from "./complete";
import { type RuleMark, ruleMarks, setMarks } from "./marks";
import { theme } from "./theme";

export interface EditorEvents {
  changed(text: string): void;
  /** A change was refused, because the text would have had this many characters. */
  refused(length: number): void;
}

export class ConfigEditor {
  readonly view: EditorView;
  private diagnostics: readonly Diagnostic[] = [];
  private marks: RuleMark[] = [];
  private markedText: string | null = null;

  constructor(parent: HTMLElement, text: string, knowledge: () => Knowledge, events: EditorEvents) {
    const limit = EditorState.transactionFilter.of((transaction) => {
      if (!transaction.docChanged || transaction.newDoc.length <= MAX_TEXT) return transaction;
      const { length } = transaction.newDoc;
      queueMicrotask(() => events.refused(length));
      return [];
    });
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text.slice(0, MAX_TEXT),
        extensions: [
          limit,
          lineNumbers(),
          lintGutter(),
          foldGutter({ openText: "▾", closedText: "▸" }),
          ruleMarks,
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          search({ top: true }),
          indentUnit.of("  "),
          language,
          autocompletion({ override: [source(knowledge)], icons: false }),
          fieldHover(knowledge),
          keymap.of([
            { key: "Tab", run: acceptCompletion },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...lintKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...foldKeymap,
            indentWithTab,
            ...defaultKeymap,
          ]),
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "Configuration, YAML. Escape, then Tab, leaves the editor.", spellcheck: "false", autocapitalize: "off", autocorrect: "off" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) events.changed(update.state.doc.toString());
          }),
          theme,
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Puts another text into the editor, as one step that can be undone. */
  replace(text: string): void {
    if (text === this.text) return;
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  }

  /** Shows problems. They belong to `text`; when the editor has moved on, newer ones are under way. */
  show(text: string, diagnostics: readonly Diagnostic[]): void {
    if (text !== this.text || diagnostics === this.diagnostics) return;
    this.diagnostics = diagnostics;
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics.slice(0, 200).map((one) => squiggle(one, text))));
  }

  mark(text: string, marks: RuleMark[]): void {
    if (text !== this.text) return;
    // Another request often changes nothing here; places tell that the text is the same.
    const isSame = text === this.markedText && marks.length === this.marks.length && marks.every((mark, i) => mark.story === this.marks[i]!.story && mark.note === this.marks[i]!.note);
    if (isSame) return;
    this.marks = marks;
    this.markedText = text;
    this.view.dispatch({ effects: setMarks.of(marks) });
  }

  /** Moves the cursor to a place, in the middle of the view. */
  reveal(from: number, to = from): void {
    const length = this.view.state.doc.length;
    const [anchor, head] = [Math.min(from, length), Math.min(to, length)];
    this.view.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.view.focus();
  }

  destroy(): void {
    this.view.destroy();
  }
}

/** One of our diagnostics as an underlined place. */
export function squiggle(one: Diagnostic, text: string): Squiggle {
  const from = Math.min(one.start, text.length);
  let to = Math.min(Math.max(one.end, from), text.length);
  // A place without length is shown by the character at it.
  if (to === from && to < text.length && text[to] !== "\n") to += 1;
  const help = one.help ? `\n${one.help}` : "";
  return { from, to, severity: one.severity, source: one.code, message: `${one.message}${help}` };
}
