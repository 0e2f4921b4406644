// Something to take away: its text, copied or as a file.

import { copy, download, notice } from "../state/store";
import { dialog } from "../state/view";

interface MadeProps {
  label: string;
  file: string;
  type: string;
  content: string;
  wrap: boolean;
  notes?: readonly string[];
}

export function Made({ label, file, type, content, wrap, notes = [] }: MadeProps) {
  return (
    <>
      <textarea class="mono" readOnly rows={14} aria-label={label} value={content} wrap={wrap ? "soft" : "off"} />
      {notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      <div class="row-actions">
        <button
          type="button"
          class="primary"
          onClick={async () => {
            const isCopied = await copy(content);
            notice.value = isCopied ? { tone: "info", text: `${label}: copied.` } : { tone: "problem", text: "The browser did not allow the copy; the text can be selected by hand." };
            dialog.value = null;
          }}
        >
          Copy
        </button>
        <button type="button" onClick={() => download(file, content.endsWith("\n") ? content : `${content}\n`, type)}>
          Download {file}
        </button>
      </div>
    </>
  );
}
