// Where in the document the cursor stands, by indentation and brackets, also in a text that does not parse yet. This is
// for completion and hover only: what the text means is the engine's business.

/** A step from the root: a key of a map, or the entry of a list. */
export type PathStep = string | number;

export interface YamlPlace {
  /** The path of the map or list in which the cursor stands (for values: of the value). */
  path: PathStep[];
  /** Whether a key is being written, or a value. */
  kind: "key" | "value";
  /** The keys that the map has already, other than the one being written. */
  siblings: string[];
  /** Where the word under the cursor begins. */
  from: number;
}

interface Frame {
  kind: "map" | "seq";
  indent: number;
  /** Key of a map, or position in a list. */
  at: PathStep | null;
  keys: string[];
  flow: boolean;
}

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:{}[\],&*!|>'"%@`-][^#:{}[\],]*?|-[^\s#:{}[\],][^#:{}[\],]*?)\s*:(?=\s|$)/;

const unquote = (key: string): string => (/^["']/.test(key) ? key.slice(1, -1) : key);

/** The place of `pos` in `text`. */
export function placeAt(text: string, pos: number): YamlPlace | null {
  const walk = new Walk(text, pos);
  walk.run();
  return walk.found && { path: walk.found.path, kind: walk.found.kind, from: walk.found.from, siblings: walk.found.frame.keys.filter((key, i, all) => all.indexOf(key) === i && key !== walk.found?.own) };
}

class Walk {
  found: { path: PathStep[]; kind: "key" | "value"; from: number; frame: Frame; own: string | null } | null = null;
  private frames: Frame[] = [];
  private blockScalar: number | null = null;

  constructor(
    private readonly text: string,
    private readonly pos: number,
  ) {}

  run(): void {
    let start = 0;
    while (start <= this.text.length) {
      const next = this.text.indexOf("\n", start);
      const end = next < 0 ? this.text.length : next;
      this.line(start, end);
      start = end + 1;
      // Behind the cursor only the rest of its own map is of interest.
      if (this.found && start > this.pos && !this.frames.includes(this.found.frame)) return;
    }
  }

  private get top(): Frame | undefined {
    return this.frames.at(-1);
  }

  private path(): PathStep[] {
    return this.frames.flatMap((frame) => (frame.at === null ? [] : [frame.at]));
  }

  private line(start: number, end: number): void {
    const line = this.text.slice(start, end);
    const isCursor = this.pos >= start && this.pos <= end;
    if (this.top?.flow) {
      this.flow(start, start, end);
      return;
    }
    const indent = line.search(/\S/);
    if (this.blockScalar !== null) {
      if (indent < 0 || indent > this.blockScalar) return;
      this.blockScalar = null;
    }
    const isBlank = indent < 0 || line[indent] === "#";
    if (isBlank) {
      if (isCursor && (indent < 0 || this.pos <= start + indent)) this.cursorAlone(start, this.pos - start);
      return;
    }
    if (isCursor && this.pos < start + indent) return;
    this.block(start, start + indent, end);
  }

  /** Pops what a line at this column ends. A list may stand at the column of its key. */
  private leave(column: number, isItem: boolean): void {
    const isOver = (frame: Frame) => frame.indent > column || (frame.indent === column && frame.kind === "seq" && !isItem);
    while (this.top && isOver(this.top)) this.frames.pop();
  }

  private cursorAlone(start: number, column: number): void {
    const saved = this.frames.slice();
    this.leave(column, false);
    const frame = this.mapAt(column);
    this.found = { path: this.path().slice(0, this.path().length - (frame.at === null ? 0 : 1)), kind: "key", from: start + column, frame, own: null };
    // A blank line ends nothing: what follows may be deeper.
    if (saved.includes(frame)) this.frames = saved;
  }

  private mapAt(column: number): Frame {
    const top = this.top;
    if (top?.kind === "map" && top.indent === column && !top.flow) return top;
    const frame: Frame = { kind: "map", indent: column, at: null, keys: [], flow: false };
    this.frames.push(frame);
    return frame;
  }

  private block(start: number, at: number, end: number): void {
    const rest = this.text.slice(at, end);
    const column = at - start;
    const item = /^-(\s+|$)/.exec(rest);
    if (item) {
      this.leave(column, true);
      const top = this.top;
      if (top?.kind === "seq" && top.indent === column) top.at = Number(top.at) + 1;
      else this.frames.push({ kind: "seq", indent: column, at: 0, keys: [], flow: false });
      const inner = at + item[0].length;
      if (this.pos >= at + 1 && this.pos <= inner && inner >= end) {
        // `- ` and nothing yet: a key of the item, or a plain value.
        this.cursorAlone(start, inner - start);
        return;
      }
      if (inner < end) this.block(start, inner, end);
      return;
    }
    const key = KEY.exec(rest);
    if (!key) {
      this.scalar(start, at, end, column);
      return;
    }
    this.leave(column, false);
    const frame = this.mapAt(column);
    const name = unquote(key[1]!);
    frame.at = name;
    frame.keys.push(name);
    if (this.pos >= at && this.pos <= at + key[1]!.length) {
      this.found = { path: this.path().slice(0, -1), kind: "key", from: at, frame, own: name };
    }
    this.value(start, at + key[0].length, end, column, frame);
  }

  /** What stands behind a colon. */
  private value(start: number, at: number, end: number, column: number, frame: Frame): void {
    const rest = this.text.slice(at, end);
    const lead = rest.length - rest.trimStart().length;
    const begin = at + lead;
    if (/^[|>]/.test(rest.trimStart())) {
      this.blockScalar = column;
      return;
    }
    if (/^[{[]/.test(rest.trimStart())) {
      this.flow(start, begin, end);
      return;
    }
    const stop = begin + rest.trimStart().replace(/\s+#.*$/, "").length;
    if (this.pos > at && this.pos <= Math.max(stop, begin) && !rest.trimStart().startsWith("#")) {
      this.found = { path: this.path(), kind: "value", from: begin, frame, own: null };
    }
  }

  /** A word alone: a key whose colon is not written yet, or an item of a list; the schema knows which. */
  private scalar(start: number, at: number, end: number, column: number): void {
    const rest = this.text.slice(at, end);
    if (/^[{[]/.test(rest)) {
      this.flow(start, at, end);
      return;
    }
    if (this.pos < at || this.pos > end) return;
    this.leave(column, false);
    const frame = this.mapAt(column);
    const path = this.path().slice(0, this.path().length - (frame.at === null ? 0 : 1));
    this.found = { path, kind: "key", from: at, frame, own: null };
  }

  private flow(start: number, at: number, end: number): void {
    let word = at;
    const isHere = (from: number, to: number) => this.pos >= from && this.pos <= to && (!this.found || this.found.from < from);
    const note = (to: number) => {
      const frame = this.top;
      if (!frame?.flow || !isHere(word, to)) return;
      const lead = this.text.slice(word, to).search(/\S/);
      const from = lead < 0 ? this.pos : Math.min(word + lead, this.pos);
      const isKey = frame.kind === "map" && frame.at === null;
      this.found = { path: this.path(), kind: isKey ? "key" : "value", from, frame, own: null };
    };
    for (let i = at; i < end; i += 1) {
      const char = this.text[i]!;
      const frame = this.top?.flow ? this.top : undefined;
      if (char === '"' || char === "'") {
        const close = this.text.indexOf(char, i + 1);
        i = close < 0 || close > end ? end : close;
      } else if (char === "#" && /\s/.test(this.text[i - 1] ?? " ")) break;
      else if (char === "{" || char === "[") {
        this.frames.push({ kind: char === "{" ? "map" : "seq", indent: i - start, at: char === "[" ? 0 : null, keys: [], flow: true });
        word = i + 1;
      } else if (frame && (char === "}" || char === "]")) {
        note(i);
        this.frames.pop();
        if (!this.top?.flow) return;
        word = i + 1;
      } else if (frame && char === ",") {
        note(i);
        frame.at = frame.kind === "seq" ? Number(frame.at) + 1 : null;
        word = i + 1;
      } else if (frame?.kind === "map" && frame.at === null && char === ":" && /[\s"'{[]|^$/.test(this.text[i + 1] ?? "")) {
        const name = unquote(this.text.slice(word, i).trim());
        if (isHere(word, i)) {
          const lead = Math.max(this.text.slice(word, i).search(/\S/), 0);
          this.found = { path: this.path(), kind: "key", from: word + lead, frame, own: name };
        }
        frame.at = name;
        frame.keys.push(name);
        word = i + 1;
      }
    }
    note(end);
  }
}
