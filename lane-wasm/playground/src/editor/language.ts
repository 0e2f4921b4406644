// YAML for the editor: colours token by token, folding and new lines by indentation. No syntax tree: a text that nests
// a hundred thousand lists would overflow the stack of whatever walks it, and the text's meaning is the engine's business.

import { StreamLanguage, foldService, indentService } from "@codemirror/language";
import { yaml } from "@codemirror/legacy-modes/mode/yaml";
import { countColumn } from "@codemirror/state";

/** Behind a key without a value the next line is deeper; behind `- key: value` it stands under the key. */
const indentation = indentService.of((context, pos) => {
  const before = context.state.doc.lineAt(Math.max(0, context.lineAt(pos).from - 1));
  // A simulated break: the text before it is the line above.
  const line = context.simulatedBreak === null ? before.text : context.state.doc.lineAt(pos).text.slice(0, pos - context.state.doc.lineAt(pos).from);
  const column = countColumn(/^\s*/.exec(line)![0], context.state.tabSize);
  const dashes = /^\s*((?:-\s+)*)/.exec(line)![1]!.length;
  const opens = /:\s*(#.*)?$/.test(line) || /^\s*-\s*$/.test(line);
  return column + dashes + (opens ? context.unit : 0);
});

const folding = foldService.of((state, from, to) => {
  const line = state.doc.lineAt(from);
  const indent = line.text.search(/\S/);
  if (indent < 0 || line.text[indent] === "#") return null;
  let last = line.number;
  for (let number = line.number + 1; number <= state.doc.lines && number < line.number + 5000; number += 1) {
    const text = state.doc.line(number).text;
    const column = text.search(/\S/);
    if (column < 0) continue;
    // A list may stand at the column of its key.
    const isItemOfKey = column === indent && text[column] === "-" && line.text[indent] !== "-";
    if (column <= indent && !isItemOfKey) break;
    last = number;
  }
  return last > line.number ? { from: to, to: state.doc.line(last).to } : null;
});

export const language = [StreamLanguage.define(yaml), indentation, folding];
