// Configurations as resources of a mesh, in a thread of their own. It answers one question after the other.

import { LaneError, exportMesh, init } from "lane/mesh";
import { CONFIG_FILE } from "./facts";
import type { MeshAnswer, MeshQuestion } from "./mesh";

const loaded = init();

self.addEventListener("message", async (event: MessageEvent<MeshQuestion>) => {
  const { id, text, format, upstream, lossy } = event.data;
  const say = (answer: Omit<MeshAnswer, "id">): void => self.postMessage({ id, ...answer });
  try {
    await loaded;
    const made = exportMesh(text, format, { format: "yaml", file: CONFIG_FILE, upstream, lossy });
    say({ yaml: made.yaml, notes: made.notes, problem: null });
  } catch (error) {
    const isRefused = error instanceof LaneError && error.kind === "config";
    say({ yaml: "", notes: [], problem: isRefused ? "the configuration does not compile" : error instanceof Error ? error.message : String(error) });
  }
});
