// Starts the engine's worker. A worker of its own address would be free of the page's content security policy; one that
// begins as a blob inherits it, so nothing of this page can talk to anybody.

import address from "./worker?worker&url";

export function startWorker(): Worker {
  const module = new URL(address, location.href).href;
  const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(module)};`], { type: "text/javascript" }));
  const worker = new Worker(blob, { type: "module", name: "lane" });
  // The worker has fetched it once it says anything.
  worker.addEventListener("message", () => URL.revokeObjectURL(blob), { once: true });
  return worker;
}
