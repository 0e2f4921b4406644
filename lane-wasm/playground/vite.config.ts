import { fileURLToPath } from "node:url";
import { type Plugin, defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The page may load its own files and nothing else: what is typed into it cannot leave the browser. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'", // CodeMirror writes its style sheet itself
  "img-src 'self' data:", // CodeMirror's squiggles
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const policy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" }],
};

export default defineConfig({
  base: "./", // works from any folder of any static server
  plugins: [policy],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "lane/full": here("../pkg/full.js"), "lane/mesh": here("../pkg/mesh.js") } },
  server: { fs: { allow: [here("../.."), here(".")] } },
  worker: { format: "es" },
  build: { target: "es2023", outDir: "dist", assetsInlineLimit: 0, reportCompressedSize: true, chunkSizeWarningLimit: 800 },
});
