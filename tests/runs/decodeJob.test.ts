/** Jobs are checked before they run, also those that no compiler has seen. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { runJob } from "../../src/runs/runJob.ts";
import type { Job } from "../../src/runs/job.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir, remove } = temporaryFolder("decode-job");
const job: Job = {
  version: 1,
  model: join(dir, "model"),
  source: { folders: [join(dir, "pets")] },
  method: { name: "codyra", options: {} },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: join(dir, "run"),
};

test.after(remove);

test("a field that is wrong, missing or unknown is named, and nothing is left behind", async () => {
  const { evaluate: _, ...without } = job;
  for (const [wrong, words] of [
    [{ ...job, precision: "f16" }, /^precision: should be "f32" or "mixed", not "f16"/],
    [{ ...job, acumulate: 2 }, /^acumulate: is no field; there are version, model, source/],
    [without, /^evaluate: is missing/],
    [{ ...job, version: 2 }, /^version: should be 1, not 2/],
    [undefined, /^the job: is missing/],
  ] as const) {
    assert.match(describe(left(await runJob(wrong as unknown as Job)())), words);
    assert.not.ok(existsSync(job.out));
  }
});

test.run();
