// Starts workers. A worker of its own address would be free of the page's content security policy; one that begins as
// a blob inherits it, so nothing of this page can talk to anybody.

import engine from "./worker?worker&url";
import mesh from "./mesh-worker?worker&url";

export const startWorker = (): Worker => start(engine, "lane");
/** The engine with mesh formats, which is larger: only for those who ask. */
export const startMeshWorker = (): Worker => start(mesh, "lane-mesh");

function start(address: string, name: string): Worker {
  const module = new URL(address, location.href).href;
  const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(module)};`], { type: "text/javascript" }));
  const worker = new Worker(blob, { type: "module", name });
  // The worker has fetched it once it says anything.
  worker.addEventListener("message", () => URL.revokeObjectURL(blob), { once: true });
  return worker;
}
