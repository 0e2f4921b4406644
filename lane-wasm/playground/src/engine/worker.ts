// The engine's own thread: whatever a configuration asks of it, the page stays alive.

import * as lane from "lane/full";
import { Evaluator } from "./evaluate";
import type { FromWorker, ToWorker } from "./protocol";

const say = (message: FromWorker): void => self.postMessage(message);
const evaluator = new Evaluator();

const loaded = lane.init().then(
  () => say({ kind: "ready", version: lane.version, schema: lane.schema() }),
  (error: unknown) => say({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
);

self.addEventListener("message", async (event: MessageEvent<ToWorker>) => {
  await loaded;
  const asked = event.data;
  switch (asked.kind) {
    case "evaluate":
      say({ kind: "done", id: asked.id, result: evaluator.evaluate(asked.input) });
      break;
    case "split":
      say({ kind: "done", id: asked.id, result: evaluator.split(asked.question) });
      break;
  }
});
