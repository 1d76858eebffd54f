/** A platform of its own: a stream is read from memory and learned, and the learner is written to memory and read back; nothing asks for the disk. */
import { existsSync } from "node:fs";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { withDevice } from "../../src/device/open.ts";
import { writeJson, readJson } from "../../src/formats/files.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { readModel, writeModel } from "../../src/model/model.ts";
import { platform } from "../../src/platform/default.ts";
import type { Files } from "../../src/platform/files.ts";
import { progress } from "../../src/report/progress.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { runMethod } from "../../src/runs/run.ts";
import { learner } from "../../src/model/learner.ts";
import { left, tar } from "../fixtures/datasets.ts";
import { memoryPlatform, stubPicture } from "../fixtures/memoryPlatform.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

/** Runs while every function of the default platform's files throws, so that nobody can have used them unnoticed. */
const withoutDisk = async <A>(use: () => Promise<A>): Promise<A> => {
  const open = platform as { files: Files };
  const disk = open.files;
  const refused = (name: string) => (): never => {
    throw new Error(`somebody asked the disk to ${name}`);
  };
  open.files = Object.fromEntries(Object.keys(disk).map((name) => [name, refused(name)])) as unknown as Files;
  try {
    return await use();
  } finally {
    open.files = disk;
  }
};

const square = (red: number, i: number): Uint8Array =>
  stubPicture({ width: 16, height: 16, data: new Uint8Array(768).map((_, k) => (k % 3 === 0 ? red : (k * (i + 3)) % 60)) });

test("a stream of two tasks in both layouts, a tiny CLIP, a few steps and a checkpoint, all in memory", async () => {
  const clip = await tinyClip();
  const members = { "0.jpg": square(200, 0), "0.cls": "0", "1.jpg": square(20, 1), "1.cls": "1", "2.jpg": square(210, 2), "2.cls": "0" };
  const shard = await tar(members);
  const cut = shard.subarray(0, 3 * 1024);
  const memory = memoryPlatform();
  const { files } = memory;

  const { result, learned, skipped } = await withoutDisk(async () => {
    const put = async (path: string, bytes: Uint8Array | string): Promise<void> =>
      await get(files.write(path, [typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes]));
    await put("/data/warm/classnames.txt", "red\nsun\n");
    for (const [split, bytes] of [
      ["train", shard],
      ["test", shard],
    ] as const)
      await put(`/data/warm/${split}/0.tar`, bytes);
    await put("/data/warm/train/1.tar", cut);
    for (const split of ["train", "test"])
      for (const [name, red] of [
        ["ice", 90],
        ["sea", 130],
      ] as const)
        for (const i of [0, 1]) await put(`/data/cold/${split}/${name}/${i}.png`, square(red, i));
    await get(writeModel("/models/clip", clip, { files }));
    const model = await get(readModel("/models/clip", { files }));
    assert.equal(model.weights, clip.weights);
    const tasks = await Promise.all(["/data/warm", "/data/cold/."].map(async (dir) => await get(taskFromFolder(dir, { platform: memory, onCorrupt: "skip" }))));
    assert.equal(
      tasks.map(({ name, classNames }) => [name, classNames]),
      [
        ["warm", ["red", "sun"]],
        ["cold", ["ice", "sea"]],
      ],
    );

    const omitted: string[] = [];
    const bar = progress({ sink: memory.progress, every: 0 }).start("learning", 2);
    const learn = withDevice({ platform: memory })((device) =>
      runMethod(sequentialLora({ steps: 3, batch: 2, rank: 2, lr: 0.01 }), learner(model), { tasks, labelSpace: "union" })({
        device,
        seed: 1,
        images: imageCache(8),
        onCorrupt: "skip",
        emit: (event) => {
          if (event.type === "skipped") omitted.push(event.id);
          if (event.type === "lesson") bar.update(event.position + 1);
        },
      }),
    );
    const ended = await get(learn);
    bar.done();
    assert.match(memory.said(), /learning: 100 %.*\nlearning: 2 in/s);
    await get(
      pipe(
        writeLearner("/out/learner", ended.learner, { files }),
        TE.chain(() => writeJson("/out/result.json", ended.result, files)),
      ),
    );
    const back = await get(readLearner("/out/learner", { files }));
    assert.equal(back.model.weights, ended.learner.model.weights);
    assert.equal(back.seen, ["red", "sun", "ice", "sea"]);
    assert.is(left(await readLearner("/out/nothing", { files })())._tag, "FileUnreadable");
    return { result: ended.result, learned: ended.learner, skipped: omitted };
  });

  assert.is.not(learned.model.weights, clip.weights);
  assert.is(result.matrix.length, 2);
  assert.equal(skipped, ["/data/warm/train/1.tar"], "the damaged shard was met once, and named");
  assert.ok(memory.paths().includes("/out/learner/learner.safetensors"));
  assert.not.ok(
    memory.paths().some((path) => path.includes("temporary")),
    "nothing is left of what was being written",
  );
  for (const path of memory.paths().filter((p) => p !== "/" && p.slice(1).includes("/"))) assert.not.ok(existsSync(path), `${path} is on the disk`);
  assert.is(left(await readJson("/out/result.json")())._tag, "FileUnreadable", "the disk knows nothing of it");
});

test.run();
