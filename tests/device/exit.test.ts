import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inDeno, runFile } from "../runtime.ts";

const source = fileURLToPath(new URL("./exit.child.ts", import.meta.url));
const child = existsSync(source) ? source : source.replace(/ts$/, "js");

/** Ends by itself with this exit code, by no signal. */
const ends = (how: string, code: number, output: RegExp): void => {
  test(`a process ends cleanly: ${how}`, async () => {
    const ended = await runFile(child, [how]);
    assert.is(ended.signal, null, ended.output);
    assert.is(ended.code, code, ended.output);
    assert.match(ended.output, output);
  });
};

ends("closed", 0, /done/);
ends("not closed", 0, /done/);
ends("destroyed", 0, /done/);
ends("left open by a throw", 1, /a defect/);
ends("process.exit with work under way", 3, /^/);
ends("a throw in withDevice", 1, /a defect/);
ends("a missing adapter", 0, /done/);
// Deno has no way to ask for a collection after it has started.
if (!inDeno) ends("collected", 0, /done/);

test.run();
