#!/usr/bin/env node
// The command `cambium`. A clone that was never built is built first, and one that is being built, or whose build was killed, is built to its end; the package
// comes built.
import { existsSync } from "node:fs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
const unfinished = new URL("../dist/.build/new", import.meta.url);
if (!existsSync(main) || existsSync(unfinished)) await import("../.ci/setup.mjs");
await import(main.href);
