// Colours of the text, from the page's variables, so that light and dark need no second theme.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The names are those of the YAML mode's tokens: keys are atoms, brackets and dashes meta.
const style = HighlightStyle.define([
  { tag: tags.atom, color: "var(--code-key)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: [tags.number, tags.keyword], color: "var(--code-text)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.meta, color: "var(--muted)" },
]);

export const theme = [
  syntaxHighlighting(style),
  EditorView.theme({
    "&": { height: "100%", fontSize: "var(--code-size)", backgroundColor: "var(--paper)", color: "var(--ink)" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
    ".cm-content": { padding: "10px 0", caretColor: "var(--accent)" },
    ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
    ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--muted)", border: "none" },
    ".cm-lineNumbers .cm-gutterElement": { padding: "0 2px 0 8px", minWidth: "30px" },
    ".cm-gutter-lint": { width: "16px" },
    ".cm-gutter-lint .cm-gutterElement": { padding: "0" },
    ".cm-foldGutter": { width: "12px" },
    ".cm-foldGutter .cm-gutterElement": { padding: "0", cursor: "pointer", opacity: "0" },
    ".cm-gutters:hover .cm-foldGutter .cm-gutterElement, .cm-foldGutter .cm-gutterElement:has([title='Unfold line'])": { opacity: "1" },
    ".cm-activeLine": { backgroundColor: "transparent" },
    "&.cm-focused .cm-activeLine": { boxShadow: "inset 0 0 0 100vw var(--active-line)" },
    ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
    ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--shadow)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
    ".cm-completionDetail": { color: "inherit", opacity: "0.8" },
    ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", borderColor: "var(--line)" },
    ".cm-searchMatch": { backgroundColor: "var(--amber-soft)" },
  }),
];
