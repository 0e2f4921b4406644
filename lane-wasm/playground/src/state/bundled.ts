// The examples, taken into the page when it is built.

import { gallery } from "./examples";

export const EXAMPLES = gallery(import.meta.glob<string>("../../../../examples/*.yaml", { query: "?raw", import: "default", eager: true }));
