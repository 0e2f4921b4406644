// Everything that can be taken away.

import { signal } from "@preact/signals";
import { CONFIG_FILE } from "../engine/facts";
import { svgFile } from "../graph/export";
import { mermaid } from "../graph/mermaid";
import { toCurl } from "../request/curl";
import { toRequestLine, toRouteLine } from "../request/line";
import { knownLive, toAsk } from "../request/model";
import { copy, download, draft, gateways, knownLanes, live, notice, text } from "../state/store";
import { dialog } from "../state/view";
import { Dialog } from "../ui/parts";
import { currentGraph, drawing } from "./GraphView";
import { TEST_FILE, testFile } from "./TestsTab";

interface Made {
  content: string;
  notes?: string[];
}

interface Kind {
  id: string;
  label: string;
  file: string;
  type: string;
  make: () => Made | null;
}

const present = () => knownLive(live.value, knownLanes.value);

const KINDS: Kind[] = [
  { id: "curl", label: "curl line", file: "request.sh", type: "text/plain", make: () => ({ content: toCurl(draft.value) }) },
  {
    id: "route",
    label: "lane route line",
    file: "route.sh",
    type: "text/plain",
    make: () => {
      const { line, notes } = toRouteLine(CONFIG_FILE, draft.value, gateways.value, present());
      return { content: line, notes };
    },
  },
  { id: "request", label: "Request as JSON", file: "requests.jsonl", type: "application/jsonl", make: () => ({ content: toRequestLine(toAsk(draft.value, gateways.value, present())) }) },
  { id: "tests", label: "lane test file", file: TEST_FILE, type: "application/yaml", make: () => ({ content: testFile() }) },
  { id: "config", label: "Configuration", file: CONFIG_FILE, type: "application/yaml", make: () => ({ content: text.value }) },
  {
    id: "mermaid",
    label: "Mermaid",
    file: "chain.mmd",
    type: "text/plain",
    make: () => {
      const graph = currentGraph();
      return graph && { content: mermaid(graph) };
    },
  },
  {
    id: "svg",
    label: "SVG",
    file: "chain.svg",
    type: "image/svg+xml",
    make: () => {
      const background = getComputedStyle(document.querySelector(".pane")!).backgroundColor;
      return drawing.value && { content: svgFile(drawing.value, background) };
    },
  },
];

const chosen = signal("curl");

export function Export() {
  return (
    <Dialog open={dialog.value === "export"} onClose={() => (dialog.value = null)} title="Export" wide>
      <Body />
    </Dialog>
  );
}

function Body() {
  const kind = KINDS.find((one) => one.id === chosen.value) ?? KINDS[0]!;
  const made = kind.make();
  return (
    <div class="export">
      <fieldset>
        <legend class="visually-hidden">What to export</legend>
        {KINDS.map((one) => (
          <label key={one.id} class={one.id === kind.id ? "chosen" : ""}>
            <input type="radio" name="export" value={one.id} checked={one.id === kind.id} onChange={() => (chosen.value = one.id)} />
            {one.label}
          </label>
        ))}
      </fieldset>
      <div class="made">
        {made ? (
          <>
            <textarea class="mono" readOnly rows={14} aria-label={kind.label} value={made.content} wrap={kind.id === "config" ? "off" : "soft"} />
            {(made.notes ?? []).map((note) => (
              <p key={note} class="hint">
                {note}
              </p>
            ))}
            <div class="row-actions">
              <button
                type="button"
                class="primary"
                onClick={async () => {
                  const isCopied = await copy(made.content);
                  notice.value = isCopied ? { tone: "info", text: `${kind.label}: copied.` } : { tone: "problem", text: "The browser did not allow the copy; the text can be selected by hand." };
                  dialog.value = null;
                }}
              >
                Copy
              </button>
              <button type="button" onClick={() => download(kind.file, made.content.endsWith("\n") ? made.content : `${made.content}\n`, kind.type)}>
                Download {kind.file}
              </button>
            </div>
          </>
        ) : (
          <p class="empty">There is no answer to draw.</p>
        )}
      </div>
    </div>
  );
}
