// What became of each rule, beside its lines: a sign in the gutter, a tint, and at the end of its first line the
// condition that failed. The signs differ in shape; the tint is an extra.

import { type Range, RangeSet, StateEffect, StateField } from "@codemirror/state";
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

const marks = StateField.define<RuleMark[]>({
  create: () => [],
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    if (!transaction.docChanged) return value;
    // Until the next answer the marks move with the text.
    return value.map((mark) => ({ ...mark, from: transaction.changes.mapPos(mark.from, 1), to: transaction.changes.mapPos(mark.to, -1) })).filter((mark) => mark.from <= mark.to);
  },
});

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
  ) {
    super();
  }
  override eq(other: Note): boolean {
    return other.text === this.text && other.state === this.state;
  }
  override toDOM(): HTMLElement {
    const dom = document.createElement("span");
    dom.className = `cm-rule-note cm-rule-note-${this.state}`;
    dom.textContent = this.text;
    return dom;
  }
}

const decorations = (view: EditorView): DecorationSet => {
  const { doc } = view.state;
  const ranges: Range<Decoration>[] = [];
  for (const mark of view.state.field(marks)) {
    if (mark.to > doc.length) continue;
    const first = doc.lineAt(mark.from);
    const last = doc.lineAt(Math.max(mark.from, mark.to));
    for (let number = first.number; number <= last.number; number += 1) {
      const edge = number === first.number ? " cm-rule-first" : "";
      ranges.push(Decoration.line({ class: `cm-rule cm-rule-${mark.state}${edge}` }).range(doc.line(number).from));
    }
    if (mark.note !== "") ranges.push(Decoration.widget({ widget: new Note(mark.note, mark.state), side: 1 }).range(first.to));
  }
  return RangeSet.of(ranges, true);
};

export const ruleMarks = [
  marks,
  gutter({
    class: "cm-rule-gutter",
    markers: (view) => {
      const { doc } = view.state;
      const first = view.state.field(marks).filter((mark) => mark.to <= doc.length);
      return RangeSet.of(first.map((mark) => new Sign(mark).range(doc.lineAt(mark.from).from)), true);
    },
    initialSpacer: () => new Sign({ from: 0, to: 0, state: "matched", note: "", story: "" }),
  }),
  EditorView.decorations.of(decorations),
];
