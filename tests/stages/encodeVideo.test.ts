/** Videos as a decoder sees them: the same batches as of the pictures that they are made of, in their order. */
import { join } from "node:path";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { readAnswerTask } from "../../src/data/answerTask.ts";
import type { Device } from "../../src/device/device.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel } from "../../src/model/model.ts";
import { encode } from "../../src/stages/encode.ts";
import type { HostRecord } from "../../src/tensor/replay.ts";
import { png, temporaryFolder, write } from "../fixtures/datasets.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const { dir: root, remove } = temporaryFolder("videos");
test.after(remove);

/** The batch of the only question of a folder, and the shape that it has. */
const batchOf = async (device: Device, folder: string): Promise<{ readonly record: HostRecord; readonly images: number }> => {
  const model = await get(readModel("tests/fixtures/llava-tiny"));
  const task = await get(readAnswerTask(folder, { frames: 3, chat: "{prompt}:" }));
  const lesson = { learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" as const }, learned: 1 };
  const { batches } = await get(encode({ batch: 1, steps: 1 }).run(lesson)(runtimeOf(device)));
  return { record: await get(batches.at(0)), images: batches.shape.images };
};

deviceTest("a folder of frames and an animation are the pictures that are taken of them; another order is another batch", async (device) => {
  const frames = await Promise.all([0, 1, 2, 3, 4].map((i) => png(50 * i, 10 * i, 20, 16)));
  const animation = await sharp(
    frames.map((frame) => Buffer.from(frame)),
    { join: { animated: true } },
  )
    .webp({ lossless: true })
    .toBuffer();
  const files = { ...Object.fromEntries(frames.map((frame, i) => [`clip/${i}.png`, frame])), "clip.webp": animation };
  const asked = async (name: string, pictures: object): Promise<{ readonly record: HostRecord; readonly images: number }> => {
    const record = JSON.stringify({ prompt: "what", answer: "a", ...pictures });
    write(join(root, name), { ...files, "train.jsonl": record, "test.jsonl": record });
    return batchOf(device, join(root, name));
  };
  const listed = await asked("listed", { images: ["clip/0.png", "clip/2.png", "clip/4.png"] });
  assert.is(listed.images, 3);
  assert.equal(await asked("folder", { video: "clip" }), listed);
  assert.equal(await asked("animation", { video: "clip.webp", prompt: "<video>\nwhat" }), listed);
  const turned = await asked("turned", { images: ["clip/4.png", "clip/2.png", "clip/0.png"] });
  assert.equal(turned.record.ids, listed.record.ids);
  assert.not.equal(turned.record.pixels, listed.record.pixels);
});

runTests();
