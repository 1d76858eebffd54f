/** Videos: which frames are taken, of folders of pictures and of animations. */
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readAnswerTask } from "../../src/data/answerTask.ts";
import { decodeImage, decoderOf } from "../../src/data/decode.ts";
import { damageOf, pictureOf } from "../../src/data/question.ts";
import type { Image } from "../../src/platform/platform.ts";
import { framesOf, type Frame } from "../../src/platform/frames.ts";
import { left, png, temporaryFolder, write } from "../fixtures/datasets.ts";

const test = suite("frames");
const { dir: root, remove } = temporaryFolder("frames");
test.after(remove);

/** The picture that bytes are decoded to. */
const decoded = async (bytes: Uint8Array, frame?: Frame): Promise<Image> => {
  const image = await decodeImage(bytes, frame)();
  if (image._tag === "Left") throw new Error(image.left);
  return image.right;
};

test("the law: k frames, ascending, from the first to the last, distinct where there are enough, and evenly apart", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (n, k) => {
      const frames = framesOf(n, k);
      assert.is(frames.length, k);
      const gaps = frames.slice(1).map((frame, i) => frame - frames[i]);
      assert.ok(gaps.every((gap) => gap >= 0));
      if (k > 1) assert.equal([frames[0], frames[k - 1]], [0, n - 1]);
      else assert.is(frames[0], Math.floor((n - 1) / 2));
      if (n >= k) assert.is(new Set(frames).size, k);
      if (k > 1) assert.ok(Math.max(...gaps) - Math.min(...gaps) <= 1);
    }),
  );
  assert.equal(framesOf(0, 8), []);
  assert.equal(framesOf(100, 8), [0, 14, 28, 42, 56, 70, 84, 99]);
});

/** An animation whose frame i is red 20 i. */
const animation = async (format: "gif" | "webp", frames: number): Promise<Uint8Array> => {
  const pages = await Promise.all(Array.from({ length: frames }, (_, i) => png(20 * i, 0, 8, 6)));
  const joined = sharp(
    pages.map((page) => Buffer.from(page)),
    { join: { animated: true } },
  );
  return format === "gif" ? joined.gif().toBuffer() : joined.webp({ lossless: true }).toBuffer();
};

for (const format of ["gif", "webp"] as const) {
  test(`an animated ${format}: the first frame, or the one that is asked for`, async () => {
    const bytes = await animation(format, 10);
    const red = async (index: number, of: number): Promise<number> => {
      const image = await decoded(bytes, { index, of });
      assert.equal([image.width, image.height], [8, 6]);
      return image.data[0];
    };
    assert.is((await decoded(bytes)).data[0], 0);
    assert.equal(await Promise.all([0, 1, 2, 3].map((i) => red(i, 4))), [0, 60, 120, 180]);
    assert.is(await red(0, 1), 80, "a single frame is that in the middle");
  });
}

test("a still picture is every frame of itself", async () => {
  const bytes = await png(7, 0);
  assert.is((await decoded(bytes, { index: 3, of: 4 })).data[0], 7);
});

test("a video is an animation or a folder of frames in natural order; frames and their tokens stand in order before the prompt", async () => {
  const dir = join(root, "clips");
  const frames: Record<string, Uint8Array> = {};
  for (let i = 1; i <= 11; i++) frames[`clips/b/${i}.png`] = await png(i, 0);
  write(dir, {
    ...frames,
    "clips/b/notes.txt": "no frame",
    "a.gif": await animation("gif", 5),
    "task.json": '{ "frames": 3 }',
    "test.jsonl": [
      '{"video": "clips/b", "prompt": "What happens?", "answer": "it"}',
      '{"video": "a.gif", "prompt": "<video>\\nWhat happens?", "answer": "that"}',
    ].join("\n"),
  });
  const task = await get(readAnswerTask(dir));
  const questions = await get(task.test);
  const reds = await Promise.all(
    questions.map((question) => Promise.all(question.pictures.map(async (_, k) => (await get(decoderOf(task)(pictureOf(question, k)))).data[0]))),
  );
  assert.equal(reds, [
    [1, 6, 11],
    [0, 40, 80],
  ]);
  assert.equal(
    questions.map(({ prompt }) => prompt),
    ["What happens?", "What happens?"],
  );
  assert.is((await get((await get(readAnswerTask(dir, { frames: 8 }))).test))[0].pictures.length, 8);
});

test("videos that are none are named, and with skip stand in the split", async () => {
  const dir = join(root, "none");
  const videos = ["a.mp4", "empty", "nowhere.gif"];
  const records = videos.map((video) => JSON.stringify({ video, prompt: "What?", answer: "that" })).join("\n");
  write(dir, { "a.mp4": "film", "empty/notes.txt": "", "test.jsonl": records });
  assert.match(
    describe(left(await readAnswerTask(dir)())),
    /its video a\.mp4 is neither a folder of pictures nor an animated GIF or WebP; ffmpeg -i FILE FOLDER/,
  );
  const said = (await get((await get(readAnswerTask(dir, { onCorrupt: "skip" }))).test)).map((question) => describe(damageOf(question)!));
  assert.match(said[1], /its video empty is a folder without pictures/);
  assert.match(said[2], /its picture nowhere\.gif is not there/);
});

test.run();
