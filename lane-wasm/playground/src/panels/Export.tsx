// Everything that can be taken away.

import { signal } from "@preact/signals";
import type { MeshFormat } from "lane/mesh";
import { CONFIG_FILE } from "../engine/facts";
import { svgFile } from "../graph/export";
import { mermaid } from "../graph/mermaid";
import { toCurl } from "../request/curl";
import { toRequestLine, toRouteLine } from "../request/line";
import { knownLive, toAsk } from "../request/model";
import { draft, gateways, knownLanes, live, text } from "../state/store";
import { dialog } from "../state/view";
import { Dialog } from "../ui/parts";
import { currentGraph, drawing } from "./GraphView";
import { Made } from "./Made";
import { MeshExport } from "./MeshExport";
import { TEST_FILE, testFile } from "./TestsTab";

interface Content {
  content: string;
  notes?: string[];
}

interface Kind {
  id: string;
  label: string;
  file: string;
  type: string;
  make: () => Content | null;
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

const MESHES: { id: string; format: MeshFormat; upstream: boolean; label: string; file: string }[] = [
  { id: "istio", format: "istio", upstream: true, label: "Istio", file: "istio.yaml" },
  { id: "istio-asm", format: "istio", upstream: false, label: "Istio with ASM", file: "istio-asm.yaml" },
  { id: "asm", format: "asm", upstream: false, label: "ASM lanes", file: "asm.yaml" },
  { id: "gateway-api", format: "gateway-api", upstream: false, label: "Gateway API", file: "gateway-api.yaml" },
  { id: "envoy", format: "envoy", upstream: false, label: "Envoy", file: "envoy.yaml" },
];

function Body() {
  const mesh = MESHES.find((one) => one.id === chosen.value);
  const kind = KINDS.find((one) => one.id === chosen.value);
  return (
    <div class="export">
      <div>
        <Choice legend="This request" options={KINDS.map((one) => ({ id: one.id, label: one.label }))} />
        <Choice legend="For a mesh" options={MESHES} />
      </div>
      {/* By key, so that what was made for one is not shown under the name of another for a moment. */}
      {mesh && <MeshExport key={mesh.id} {...mesh} />}
      {kind && <Plain kind={kind} />}
    </div>
  );
}

function Choice({ legend, options }: { legend: string; options: { id: string; label: string }[] }) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map(({ id, label }) => (
        <label key={id} class={id === chosen.value ? "chosen" : ""}>
          <input type="radio" name="export" value={id} checked={id === chosen.value} onChange={() => (chosen.value = id)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function Plain({ kind }: { kind: Kind }) {
  const made = kind.make();
  return (
    <div class="made">
      {made ? <Made label={kind.label} file={kind.file} type={kind.type} content={made.content} notes={made.notes ?? []} wrap={kind.id !== "config"} /> : <p class="empty">There is no answer to draw.</p>}
    </div>
  );
}
