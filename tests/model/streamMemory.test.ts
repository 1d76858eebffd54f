/** A folder of 1 GB is streamed to the device while the process holds little beside it. Runs where CAMBIUM_STREAM_MEMORY is set, in Node: it takes a minute. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { runTests } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("stream-memory");
test.after(remove);

const here = fileURLToPath(import.meta.url);
const asked = process.env.CAMBIUM_STREAM_MEMORY !== undefined && here.endsWith(".js");

(asked ? test : test.skip)("1,050,044,416 bytes of weights go to the device, and the process never holds 400 MB more beside it", () => {
  const child = here.replace(/streamMemory\.test\.js$/, "streamMemory.js");
  const out = execFileSync(process.execPath, ["--max-old-space-size=128", child, `${dir}/model`], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const { bytes, base, most, live, tokens } = JSON.parse(out.trim().split("\n").at(-1)!) as Record<"bytes" | "base" | "most" | "live", number> & {
    readonly tokens: readonly number[];
  };
  console.log(`at most ${((most - base) / 1e6).toFixed(0)} MB more than ${(base / 1e6).toFixed(0)} MB, beside ${(live / 1e6).toFixed(0)} MB of the device's`);
  assert.is(bytes, 1_050_044_416);
  assert.ok(live >= bytes && live < 1.01 * bytes);
  assert.ok(most - base < 400e6, `${most - base} bytes`);
  assert.ok(tokens.length > 0);
});

runTests();
