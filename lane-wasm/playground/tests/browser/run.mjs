// node tests/browser/run.mjs [PART OF A NAME]: drives the built page in Chromium.

import "./answers.mjs";
import "./take-away.mjs";
import "./robust.mjs";
import "./looks.mjs";
import { run } from "./harness.mjs";

await run();
