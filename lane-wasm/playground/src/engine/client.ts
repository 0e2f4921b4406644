// The page's side of the worker: one question at a time, the newest wins, and a worker that takes too long is ended
// and started anew.

import type { Evaluation, FromWorker, Input, SplitAnswer, SplitQuestion, ToWorker } from "./protocol";

/** How long an answer may take. Compiling 100,000 rules takes a second or two; more than this is no playground matter. */
export const PATIENCE_MS = 8_000;

type Question = ToWorker extends infer T ? (T extends { id: number } ? Omit<T, "id"> : never) : never;

interface Waiting {
  question: Question;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** The engine took too long, or could not be loaded. */
export class EngineError extends Error {}

/** A question that a newer one of its kind replaced. */
export class Superseded extends Error {}

export class EngineClient {
  private worker: Worker;
  private next = 1;
  private current: (Waiting & { id: number; timer: ReturnType<typeof setTimeout> }) | null = null;
  private readonly queue = new Map<Question["kind"], Waiting>();
  private dead: string | null = null;

  constructor(
    private readonly start: () => Worker,
    private readonly onReady: (version: string, schema: object) => void,
    private readonly patience = PATIENCE_MS,
  ) {
    this.worker = this.listen(start());
  }

  evaluate(input: Input): Promise<Evaluation> {
    return this.ask({ kind: "evaluate", input }) as Promise<Evaluation>;
  }

  split(question: SplitQuestion): Promise<SplitAnswer> {
    return this.ask({ kind: "split", question }) as Promise<SplitAnswer>;
  }

  private ask(question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.dead !== null) return reject(new EngineError(this.dead));
      this.queue.get(question.kind)?.reject(new Superseded("a newer question took its place"));
      this.queue.set(question.kind, { question, resolve, reject });
      this.send();
    });
  }

  private send(): void {
    if (this.current) return;
    const [first] = this.queue;
    if (!first) return;
    const [kind, waiting] = first;
    this.queue.delete(kind);
    const id = this.next++;
    this.current = { ...waiting, id, timer: setTimeout(() => this.lostPatience(), this.patience) };
    this.worker.postMessage({ ...waiting.question, id } as ToWorker);
  }

  private listen(worker: Worker): Worker {
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => {
      if (worker !== this.worker) return;
      const said = event.data;
      if (said.kind === "ready") this.onReady(said.version, said.schema);
      else if (said.kind === "failed") this.die(`the engine could not be loaded: ${said.message}`);
      else if (said.id === this.current?.id) {
        const { resolve, timer } = this.current;
        clearTimeout(timer);
        this.current = null;
        resolve(said.result);
        this.send();
      }
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.worker) this.restart(`the engine stopped: ${event.message || "its worker could not be loaded"}`);
    });
    return worker;
  }

  private lostPatience(): void {
    this.restart(`this takes the engine longer than ${this.patience / 1000} s, so it was stopped; make the configuration smaller, or use the \`lane\` command`);
  }

  private restart(reason: string): void {
    const lost = this.current;
    if (lost) clearTimeout(lost.timer);
    this.current = null;
    this.worker.terminate();
    // A worker that fails without having been asked anything cannot be loaded at all.
    if (!lost) return this.die(reason);
    this.worker = this.listen(this.start());
    lost.reject(new EngineError(reason));
    this.send();
  }

  private die(reason: string): void {
    this.dead = reason;
    const waiting = [...(this.current ? [this.current] : []), ...this.queue.values()];
    if (this.current) clearTimeout(this.current.timer);
    this.current = null;
    this.queue.clear();
    for (const one of waiting) one.reject(new EngineError(reason));
  }
}
