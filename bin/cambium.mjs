#!/usr/bin/env node
// The command `cambium`. A clone that was never built is built first; the package comes built.
import { existsSync } from "node:fs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
if (!existsSync(main)) await import("../.ci/setup.mjs");
await import(main.href);
