/** Jobs over a channel, as a page runs them in a worker: what is posted can be posted, and nothing of a run is lost on the way but its learner. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inWorker, type Port } from "../../src/browser/inWorker.ts";
import { serve } from "../../src/browser/serve.ts";
import { get } from "../../src/failure.ts";
import { readLearner } from "../../src/runs/checkpoint.ts";
import type { Job } from "../../src/runs/job.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("in-worker");
const at = (...path: readonly string[]): string => join(dir, ...path);

const { port1, port2 } = new MessageChannel();
const worker = port1 as unknown as Port;
test.before(async () => {
  serve(port2 as unknown as Port);
  for (const port of [port1, port2]) port.start();
  await writeTinyClip(at("model"));
  await writeColours(dir, { pets: [240, 30], cars: [90, 200] });
});
test.after(() => {
  port1.close();
  remove();
});

const job = (out: string): Job => ({
  version: 1,
  model: at("model"),
  source: { folders: [at("pets"), at("cars")] },
  method: { name: "codyra", options: { steps: 2, batch: 2, rank: 2 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: at(out),
});

test("a job runs to its end: its events, the adapter, its notes, its outcome, and its learner in the folder", async () => {
  const [types, notes, adapters]: string[][] = [[], [], []];
  const outcome = await get(
    inWorker(job("whole"), {
      worker,
      watch: ({ type }) => types.push(type),
      opened: (line) => adapters.push(line),
      note: (line) => notes.push(line),
    }),
  );
  assert.equal([outcome.result.datasets, outcome.tasks, outcome.interrupted], [["pets", "cars"], 2, false]);
  assert.is(outcome.result.adapter, adapters[0]);
  assert.equal([types.filter((type) => type === "step").length, types.filter((type) => type === "lesson").length], [4, 2]);
  assert.match(notes.join("\n"), /pets/);
  assert.is((await get(readLearner(outcome.model))).seen.length, 4);
});

test("a job that is asked to stop keeps what it has reached, and goes on by its folder", async () => {
  const signal = { aborted: false };
  const stopped = await inWorker(job("stopped"), { worker, signal, watch: ({ type }) => void (signal.aborted ||= type === "lesson") })();
  assert.ok(stopped._tag === "Left" || stopped.right.interrupted || stopped.right.tasks === 2);
  const outcome = await get(inWorker(at("stopped"), { worker }));
  assert.equal([outcome.result.datasets, outcome.interrupted], [["pets", "cars"], false]);
});

test("two jobs at once have their own ends; failures are those of runJob", async () => {
  const [ended, failed] = await Promise.all([inWorker(job("one"), { worker })(), inWorker({ ...job("two"), model: at("nowhere") }, { worker })()]);
  assert.is(ended._tag, "Right");
  const failure = left(failed);
  assert.ok(failure._tag === "FileUnreadable" && failure.path === at("nowhere"));
});

test("what is no request of a page is passed over, and a job that cannot be posted is a failure", async () => {
  for (const garbage of [null, "text", 7, {}, { id: 3 }, { id: "x" }]) worker.postMessage(garbage as never);
  assert.equal(left(await inWorker({ ...job("posted"), out: (() => undefined) as never }, { worker })())._tag, "BadOption");
  assert.is((await inWorker(job("after"), { worker })())._tag, "Right");
});

test("a worker that does not start is a failure", async () => {
  const listeners: Parameters<Port["addEventListener"]>[] = [];
  const broken: Port = {
    postMessage: () => listeners.filter(([type]) => type === "error").forEach(([, tell]) => tell({ message: "no such file" })),
    addEventListener: (...listener) => void listeners.push(listener),
    removeEventListener: () => undefined,
  };
  assert.equal(left(await inWorker(job("never"), { worker: broken })()), { _tag: "FileUnreadable", path: "the worker", detail: "no such file" });
});

test.run();
