// The gallery: the repository's own examples, each with a request worth looking at and a few tests.

import { type Draft, type HeaderLine, type Live, emptyDraft } from "../request/model";
import type { TestCase } from "./tests";

/** One entry of the gallery. */
export interface Example {
  /** The file's name without its ending. */
  id: string;
  title: string;
  about: string;
  text: string;
  draft: Draft;
  live: Live;
  tests: TestCase[];
}

interface Scene {
  draft: Partial<Draft>;
  live?: Live;
  tests?: { name: string; draft: Partial<Draft>; live?: Live; lane: string; chain?: Record<string, string> }[];
}

const mock = (roll: string): Partial<Draft> => ({ url: "http://mock.example/mock", roll });
const strict = (path: string, ...headers: HeaderLine[]): Partial<Draft> => ({ url: `http://mock.example${path}`, headers });
const shop = (...headers: HeaderLine[]): Partial<Draft> => ({ url: "https://shop.example/cart", headers });
const region = (host: string, ...headers: HeaderLine[]): Partial<Draft> => ({ url: `https://${host}/checkout`, headers });
const preview = (query: string): Partial<Draft> => ({ url: `https://preview.example/orders${query}` });
const trace: HeaderLine = ["x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"];

/** What to ask of each example. One without an entry gets a plain request. */
const SCENES: Record<string, Scene> = {
  permissive: {
    draft: mock("45"),
    tests: [
      { name: "v1 has everything", draft: mock("39"), lane: "v1", chain: { mocka: "v1", mockb: "v1", mockc: "v1" } },
      { name: "v2 has no mockb", draft: mock("40"), lane: "v2", chain: { mocka: "v2", mockb: "v1", mockc: "v2" } },
      { name: "v3 has no mockc", draft: mock("99"), lane: "v3", chain: { mocka: "v3", mockb: "v3", mockc: "v1" } },
    ],
  },
  strict: {
    draft: strict("/mock", ["x-asm-prefer-tag", "s2"]),
    tests: [
      { name: "s2 stays in s2", draft: strict("/mock", ["x-asm-prefer-tag", "s2"]), lane: "s2", chain: { mocka: "s2", mockb: "s2", mockc: "s2" } },
      { name: "another path is a 404", draft: strict("/other", ["x-asm-prefer-tag", "s2"]), lane: "!no_route" },
      { name: "another value is a 404", draft: strict("/mock", ["x-asm-prefer-tag", "s9"]), lane: "!no_route" },
      {
        name: "a lane that is down is a 503",
        draft: strict("/mock", ["x-asm-prefer-tag", "s2"]),
        live: { "mocka.default.svc.cluster.local": { s2: [1, 0] } },
        lane: "!unavailable",
      },
    ],
  },
  "sticky-canary": {
    draft: shop(["cookie", "uid=7"]),
    tests: [
      { name: "on the allow-list", draft: shop(["x-user-id", "u-1001"]), lane: "canary" },
      { name: "robots stay out", draft: shop(["user-agent", "Googlebot/2.1"], ["x-user-id", "u-7"]), lane: "stable" },
      { name: "the QA network", draft: { ...shop(), ip: "192.0.2.17" }, lane: "canary" },
      { name: "a user keeps a lane", draft: shop(["cookie", "uid=7"]), lane: "stable" },
    ],
  },
  "preview-environments": {
    draft: preview("?env=dev.proj-ab.alice"),
    tests: [
      { name: "Alice's orders, the project's users", draft: preview("?env=dev.proj-ab.alice"), lane: "dev.proj-ab.alice", chain: { web: "dev", orders: "dev.proj-ab.alice", users: "dev.proj-ab" } },
      { name: "without a link: dev", draft: preview(""), lane: "dev" },
      { name: "nobody made this one", draft: { entry: { service: "orders" }, headers: [["x-env", "dev.proj-ab.bob"]] }, lane: "dev.proj-ab" },
    ],
  },
  "regional-failover": {
    draft: region("eu.pay.example", ["cookie", "session=7"]),
    live: { "ledger.pay.svc.cluster.local": { "eu-west": [4, 2] } },
    tests: [
      { name: "home", draft: region("www.pay.example"), lane: "us-east" },
      { name: "Asia", draft: region("ap.pay.example"), lane: "ap-south" },
      {
        name: "Asia's ledger is half dead",
        draft: region("ap.pay.example"),
        live: { "ledger.pay.svc.cluster.local": { "ap-south": [4, 2] } },
        lane: "ap-south",
        chain: { checkout: "ap-south", ledger: "us-east" },
      },
    ],
  },
  "trace-id": {
    draft: { url: "https://orders.example/", headers: [["cookie", "gray=1"], trace] },
    tests: [
      { name: "testers", draft: { url: "https://orders.example/", headers: [["cookie", "gray=1"], trace] }, lane: "gray", chain: { web: "gray", api: "gray", "db-proxy": "base" } },
      { name: "a lane that the client names does not count", draft: { url: "https://orders.example/", headers: [["x-lane", "gray"], trace] }, lane: "base" },
      { name: "the nightly job", draft: { entry: { service: "api" }, labels: "app=nightly-gray" }, lane: "gray" },
    ],
  },
  "multi-group": {
    draft: { entry: { gateway: "public" }, url: "https://api.example/feed", headers: [["x-build", "5120"]] },
    tests: [
      { name: "new builds", draft: { entry: { gateway: "partners" }, url: "https://api.example/feed", headers: [["x-build", "5120"]] }, lane: "mobile-beta" },
      { name: "web testers", draft: { entry: { gateway: "public" }, url: "https://www.example/", headers: [["x-user-group", "qa"]] }, lane: "web-next" },
      { name: "nobody's host", draft: { entry: { gateway: "public" }, url: "https://other.example/" }, lane: "!pass" },
    ],
  },
};

/** The order of the gallery; what is not listed follows. */
const ORDER = ["permissive", "strict", "sticky-canary", "preview-environments", "regional-failover", "trace-id", "multi-group"];

/** Title and description of an example: the first sentence, and the paragraph around it, of the comment at its top. */
export function headOf(text: string): { title: string; about: string } {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  const paragraphs = lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.replace(/^#\s?/, ""))
    .join("\n")
    .split(/\n\s*\n/)
    .filter((part) => !/\S {3,}\S/.test(part)) // a table is no description
    .map((part) => part.replace(/\s*\n\s*/g, " ").trim());
  const [title = "", about = ""] = paragraphs.filter((part) => part !== "");
  return { title: title.replace(/\.$/, ""), about };
}

const draftOf = (partial: Partial<Draft>): Draft => ({ ...emptyDraft(), ...partial });

/** Examples from files: path to content. */
export function gallery(files: Record<string, string>): Example[] {
  const rank = (id: string) => (ORDER.includes(id) ? ORDER.indexOf(id) : ORDER.length);
  return Object.entries(files)
    .map(([path, text]): Example => {
      const id = path.replace(/^.*\//, "").replace(/\.yaml$/, "");
      const scene = SCENES[id] ?? { draft: {} };
      const tests = (scene.tests ?? []).map((test) => ({ name: test.name, draft: draftOf(test.draft), live: test.live ?? {}, lane: test.lane, chain: test.chain ?? {} }));
      return { id, ...headOf(text), text, draft: draftOf(scene.draft), live: scene.live ?? {}, tests };
    })
    .sort((a, b) => rank(a.id) - rank(b.id) || a.id.localeCompare(b.id));
}
