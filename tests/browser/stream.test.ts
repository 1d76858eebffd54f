/**
 * A whole stream in a browser: CoDyRA on a tiny CLIP ends with the matrix that it has in Node on SwiftShader, and with the same weights; also when it was
 * stopped and the page was loaded again, and when its device was lost on the way.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Job } from "../../src/runs/job.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { browserTest, runTests } from "./check.ts";
import type { Came } from "./pages/came.ts";

const module = "tests/browser/pages/stream.ts";
const { dir, remove } = temporaryFolder("browser-stream");
await writeTinyClip(join(dir, "model"));
await writeColours(join(dir, "data"), { red: [240, 30], blue: [120, 180], grey: [60, 90] });

const job = (root: string, out: string): Job => ({
  version: 1,
  model: `${root}/model`,
  source: { folders: ["red", "blue", "grey"].map((name) => `${root}/data/${name}`) },
  method: { name: "codyra", options: { steps: 8, batch: 4, rank: 4 } },
  seed: 3,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  labelSpace: "union",
  checkpointSteps: 4,
  out: `${root}/${out}`,
});

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(dir, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );

/** A run that ended, or an error with its sentence. */
const ended = (came: Came): Exclude<Came, { readonly failed: string }> => {
  if ("failed" in came) throw new Error(came.failed);
  return came;
};

browserTest(
  "codyra on three tasks has the matrix of Node and its weights, also after a stop and a reload, and after a lost device",
  async ({ page, inWorker, inWindow }) => {
    const { result, learner } = await get(runJob(job(dir, "node"), { device: { adapter: "swiftshader" } }));
    const weights = [...learner.model.weights.values()].flatMap(({ data }) => [...data]);
    await inWorker(module, "furnish", filesBelow("").map(String));
    const whole = ended(await inWorker<Came>(module, "learn", job("", "whole")));
    assert.equal(whole.matrix, result.matrix);
    const furthest = Math.max(...weights.map((weight, i) => Math.abs(weight - whole.weights[i])));
    // The bits are equal where both are SwiftShader; a browser with a GPU rounds otherwise.
    assert.ok(furthest <= 1e-6, `${furthest}`);

    const stopped = ended(await inWorker<Came>(module, "learn", job("", "stopped"), 1));
    assert.ok(stopped.interrupted && stopped.matrix.length === 1);
    await page.reload();
    assert.equal(ended(await inWindow<Came>(module, "goOn", "/stopped")), whole);

    const lost = await inWorker<Came>(module, "losing", job("", "lost"), 5);
    assert.match("failed" in lost ? lost.failed : "", /^The WebGPU device .* was lost \(.*\).*load the page again/);
    await page.reload();
    assert.equal(ended(await inWorker<Came>(module, "goOn", "/lost")), whole);
  },
  { folder: dir },
);

test.after(remove);
runTests();
