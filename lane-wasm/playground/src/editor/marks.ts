// What became of each rule, beside its lines: a sign in the gutter, a tint, and a note with the lane or the condition
// that failed. The signs differ in shape; the tint is an extra.

import { type Range, RangeSet, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, GutterMarker, WidgetType, gutter } from "@codemirror/view";

export type RuleState = "matched" | "undetermined" | "tried" | "unreached";

/** One rule of the text. */
export interface RuleMark {
  from: number;
  to: number;
  state: RuleState;
  /** A few words for the end of the line; empty: none. */
  note: string;
  /** The whole story, for a tooltip and for screen readers. */
  story: string;
}

export const SIGNS: Record<RuleState, { sign: string; word: string }> = {
  matched: { sign: "✓", word: "matched" },
  undetermined: { sign: "?", word: "cannot be told" },
  tried: { sign: "✗", word: "tried, does not hold" },
  unreached: { sign: "–", word: "not reached" },
};

export const setMarks = StateEffect.define<RuleMark[]>();

class Sign extends GutterMarker {
  constructor(private readonly mark: RuleMark) {
    super();
  }
  override eq(other: Sign): boolean {
    return other.mark.state === this.mark.state && other.mark.story === this.mark.story;
  }
  override toDOM(): Node {
    const dom = document.createElement("span");
    dom.className = `cm-rule-sign cm-rule-sign-${this.mark.state}`;
    dom.textContent = SIGNS[this.mark.state].sign;
    dom.title = this.mark.story;
    return dom;
  }
}

class Note extends WidgetType {
  constructor(
    private readonly text: string,
    private readonly state: RuleState,
    private readonly indent: number,
  ) {
    super();
  }
  override eq(other: Note): boolean {
    return other.text === this.text && other.state === this.state && other.indent === this.indent;
  }
  override toDOM(): HTMLElement {
    const dom = document.createElement(this.isBlock ? "div" : "span");
    dom.className = `cm-rule-note cm-rule-note-${this.state}`;
    dom.style.marginLeft = this.isBlock ? `${this.indent}ch` : "";
    dom.textContent = this.text;
    return dom;
  }
  /** Conditions are long and get a line of their own; a lane's name stands at the end of the rule's first. */
  get isBlock(): boolean {
    return this.state !== "matched";
  }
}

interface Marked {
  decorations: DecorationSet;
  signs: RangeSet<GutterMarker>;
}

/** Built once an answer; between answers it moves with the text. */
function marked(doc: Text, marks: readonly RuleMark[]): Marked {
  const decorations: Range<Decoration>[] = [];
  const signs: Range<GutterMarker>[] = [];
  for (const mark of marks) {
    if (mark.from > mark.to || mark.to > doc.length) continue;
    const first = doc.lineAt(mark.from);
    const last = doc.lineAt(mark.to);
    const tint = Decoration.line({ class: `cm-rule cm-rule-${mark.state}` });
    for (let number = first.number; number <= last.number; number += 1) decorations.push(tint.range(doc.line(number).from));
    if (mark.note !== "") {
      const widget = new Note(mark.note, mark.state, mark.from - first.from);
      decorations.push(Decoration.widget({ widget, side: 1, block: widget.isBlock }).range(first.to));
    }
    signs.push(new Sign(mark).range(first.from));
  }
  return { decorations: RangeSet.of(decorations, true), signs: RangeSet.of(signs, true) };
}

const field = StateField.define<Marked>({
  create: () => ({ decorations: RangeSet.empty, signs: RangeSet.empty }),
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return marked(transaction.newDoc, effect.value);
    if (!transaction.docChanged) return value;
    return { decorations: value.decorations.map(transaction.changes), signs: value.signs.map(transaction.changes) };
  },
  // Notes of a line of their own change the height of the text, so they may not come from the view.
  provide: (self) => EditorView.decorations.from(self, (value) => value.decorations),
});

export const ruleMarks = [
  field,
  gutter({
    class: "cm-rule-gutter",
    markers: (view) => view.state.field(field).signs,
    initialSpacer: () => new Sign({ from: 0, to: 0, state: "matched", note: "", story: "" }),
  }),
];
