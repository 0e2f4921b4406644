// Words of a POSIX shell line, as far as people paste them: quotes, `$'…'`, backslashes, continued lines.

/** The words of a line, or what is wrong with its quoting. */
export function shellWords(line: string): string[] | { problem: string } {
  const words: string[] = [];
  let word = "";
  let open = false;
  for (let i = 0; i < line.length; ) {
    const char = line[i]!;
    if (char === "'") {
      const end = line.indexOf("'", i + 1);
      if (end < 0) return { problem: "a single quote is not closed" };
      word += line.slice(i + 1, end);
      open = true;
      i = end + 1;
    } else if (char === "$" && line[i + 1] === "'") {
      const read = ansiQuoted(line, i + 2);
      if (!read) return { problem: "a quote that begins with $' is not closed" };
      word += read.text;
      open = true;
      i = read.end;
    } else if (char === '"') {
      const read = doubleQuoted(line, i + 1);
      if (!read) return { problem: "a double quote is not closed" };
      word += read.text;
      open = true;
      i = read.end;
    } else if (char === "\\" || (char === "^" && /^\^\r?\n/.test(line.slice(i, i + 3)))) {
      // A continued line, of a shell or of the Windows prompt.
      const newline = /^.\r?\n/s.exec(line.slice(i, i + 3));
      if (!newline && i + 1 < line.length) {
        word += line[i + 1];
        open = true;
      }
      i += newline ? newline[0].length : 2;
    } else if (/\s/.test(char)) {
      if (open || word !== "") words.push(word);
      word = "";
      open = false;
      i += 1;
    } else if ((char === "|" || char === ";" || char === ">" || char === "<") && !open && word === "") {
      break; // what follows belongs to another command
    } else {
      word += char;
      open = true;
      i += 1;
    }
  }
  if (open || word !== "") words.push(word);
  return words;
}

function doubleQuoted(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let i = start; i < line.length; i += 1) {
    const char = line[i]!;
    if (char === '"') return { text, end: i + 1 };
    if (char === "\\" && i + 1 < line.length) {
      const next = line[(i += 1)]!;
      if (next === "\n") continue;
      text += '"\\$`'.includes(next) ? next : `\\${next}`;
    } else text += char;
  }
  return null;
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", e: "\x1b", f: "\f", v: "\v", "?": "?" };

function ansiQuoted(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let i = start; i < line.length; i += 1) {
    const char = line[i]!;
    if (char === "'") return { text, end: i + 1 };
    if (char !== "\\") {
      text += char;
      continue;
    }
    const code = /^\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|([0-7]{1,3}))/.exec(line.slice(i, i + 6));
    if (code) {
      const [all, hex, unicode, octal] = code;
      text += String.fromCharCode(hex || unicode ? parseInt(hex ?? unicode ?? "", 16) : parseInt(octal ?? "", 8));
      i += all.length - 1;
    } else {
      const next = line[(i += 1)];
      if (next === undefined) return null;
      text += ESCAPES[next] ?? `\\${next}`;
    }
  }
  return null;
}

/** A word quoted so that a POSIX shell reads just this text. */
export function quote(word: string): string {
  if (word !== "" && /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
