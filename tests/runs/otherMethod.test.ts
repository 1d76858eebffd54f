/** Another method behind a run goes on where weights hold what was learned, and is refused where it would lose parts that are never merged. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Job } from "../../src/runs/job.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("other-method");
test.after(remove);

const at = (name: string): string => join(dir, name);
const job = (name: string, from: string, dataset: string, out: string, more: Partial<Job> = {}): Job => ({
  version: 1,
  model: at(from),
  source: { folders: [join(dir, "data", dataset)] },
  method: { name, options: { steps: 1, batch: 4, rank: 2 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: at(out),
  ...more,
});

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(join(dir, "data"), { red: [240, 30], dark: [60, 10] });
});

for (const [before, others] of [
  ["color", ["sequential-lora", "moram"]],
  ["moram", ["codyra", "color", "duallora"]],
  ["duallora", ["keeplora"]],
] as const)
  test(`behind ${before} no other method goes on`, async () => {
    await get(runJob(job(before, "model", "red", before)));
    for (const other of others)
      assert.is(
        describe(left(await runJob(job(other, before, "dark", "refused"))())),
        `method: ${at(before)} has parts of ${before} that are never merged, and ${other} does not run the model through them, ` +
          `so what they learned would be lost from its first evaluation on; go on with ${before}, or begin anew with the model alone (--fresh)`,
      );
  });

test("its own method goes on, another with the model alone, and behind a method that merges any other", async () => {
  for (const [name, from, out, datasets, fresh] of [
    ["color", "color", "on", ["red", "dark"], false],
    ["sequential-lora", "color", "merged", ["dark"], true],
    ["moram", "merged", "behind", ["dark", "dark-2"], false],
  ] as const)
    assert.equal((await get(runJob(job(name, from, "dark", out, { fresh })))).result.datasets, datasets);
});

test.run();
