// The page's side of the worker that writes mesh formats. It is started when the first one is asked for.

import type { MeshFormat, MeshNote } from "lane/mesh";
import { startMeshWorker } from "./start";

export interface MeshQuestion {
  id: number;
  text: string;
  format: MeshFormat;
  /** Istio: only what upstream Istio has, without what ASM adds. */
  upstream: boolean;
  /** What the mesh cannot do is left out, with a warning. */
  lossy: boolean;
}

export interface MeshAnswer {
  id: number;
  yaml: string;
  notes: MeshNote[];
  problem: string | null;
}

const PATIENCE_MS = 15_000;
let worker: Worker | null = null;
let next = 1;

/** Asks for a configuration in a mesh's words. A worker that does not answer is given up, and the next question starts another. */
export function exportMesh(asked: Omit<MeshQuestion, "id">): Promise<MeshAnswer> {
  const here = (worker ??= startMeshWorker());
  const id = next++;
  return new Promise((resolve) => {
    const end = (answer: MeshAnswer): void => {
      clearTimeout(timer);
      here.removeEventListener("message", heard);
      here.removeEventListener("error", failed);
      resolve(answer);
    };
    const giveUp = (problem: string): void => {
      here.terminate();
      if (worker === here) worker = null;
      end({ id, yaml: "", notes: [], problem });
    };
    const heard = (event: MessageEvent<MeshAnswer>): void => {
      if (event.data.id === id) end(event.data);
    };
    const failed = (event: ErrorEvent): void => {
      event.preventDefault();
      giveUp(event.message || "the engine for meshes could not be loaded");
    };
    const timer = setTimeout(() => giveUp(`this takes longer than ${PATIENCE_MS / 1000} s; use \`lane export\``), PATIENCE_MS);
    here.addEventListener("message", heard);
    here.addEventListener("error", failed);
    here.postMessage({ id, ...asked } satisfies MeshQuestion);
  });
}
