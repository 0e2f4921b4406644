// A configuration in the words of a mesh, with what the mesh cannot say.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { MeshFormat, MeshNote } from "lane/mesh";
import { type MeshAnswer, exportMesh } from "../engine/mesh";
import { text } from "../state/store";
import { Code } from "./Config";
import { showCode } from "./CodePage";
import { Made } from "./Made";

/** Chosen for every format alike. */
const lossy = signal(true);

interface MeshProps {
  format: MeshFormat;
  upstream: boolean;
  label: string;
  file: string;
}

export function MeshExport({ format, upstream, label, file }: MeshProps) {
  const [made, setMade] = useState<{ asked: string; answer: MeshAnswer } | null>(null);
  const isLossy = lossy.value;
  const asked = `${format} ${upstream} ${isLossy}`;
  useEffect(() => {
    let isCurrent = true;
    void exportMesh({ text: text.peek(), format, upstream, lossy: isLossy }).then((answer) => isCurrent && setMade({ asked, answer }));
    return () => {
      isCurrent = false;
    };
  }, [asked]);
  // What was made for another format is not shown under this one's name, not for a moment.
  const answer = made?.asked === asked ? made.answer : null;
  return (
    <div class="made">
      <label class="check">
        <input type="checkbox" checked={isLossy} onChange={(event) => (lossy.value = event.currentTarget.checked)} /> leave out what it cannot express, with a warning
      </label>
      {!answer && <p class="empty">…</p>}
      {answer?.problem && <p class="problem-text">There is nothing to export: {answer.problem}.</p>}
      {answer && answer.notes.length > 0 && (
        <ul class="notes" tabIndex={0} aria-label="What is different in the mesh">
          {answer.notes.slice(0, 100).map((note, index) => (
            <Note key={index} note={note} />
          ))}
        </ul>
      )}
      {answer?.yaml && <Made label={label} file={file} type="application/yaml" content={answer.yaml} wrap={false} />}
    </div>
  );
}

function Note({ note }: { note: MeshNote }) {
  return (
    <li class={`problem ${note.severity}`}>
      <span class="where">
        {note.severity === "error" ? "✗" : "!"}
        {note.line === null ? "" : ` line ${note.line}`}
        <span class="visually-hidden"> {note.severity}</span>
      </span>
      <span class="what">
        <Code text={note.message} />
        {note.help && (
          <span class="help-text">
            <Code text={note.help} />
          </span>
        )}
      </span>
      <button type="button" class="quiet small code" onClick={() => void showCode(note.code)}>
        {note.code}
      </button>
    </li>
  );
}
