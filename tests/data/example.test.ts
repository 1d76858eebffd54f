/** Examples are plain data: they go through JSON and through a checkpoint, and decode to the same picture; a task may make its own pictures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withClasses } from "../../src/data/classSplit.ts";
import { decoderOf, exampleDecoder } from "../../src/data/decode.ts";
import { damagedExample, type Example, type ExampleDecoder, type Image } from "../../src/data/example.ts";
import { imageFolder } from "../../src/data/imageFolder.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { webDataset } from "../../src/data/webdataset.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { learner } from "../../src/model/learner.ts";
import { course } from "../../src/stages/learn.ts";
import { pool } from "../../src/stages/pool.ts";
import { left, png, right, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";
import { picture } from "../fixtures/images.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

const test = suite("example");
const { dir, remove } = temporaryFolder("example");
test.after(remove);

/** Examples of every kind that the readers give. */
const fromDisk = async (): Promise<readonly Example[]> => {
  const [shards, folders] = [join(dir, "shards"), join(dir, "folders")];
  await writeWebDataset(shards);
  write(folders, { "train/ant/1.png": await png(10, 20), "test/ant/1.png": await png(30, 40) });
  const tasks = [await get(webDataset(shards)), await get(imageFolder(folders))];
  return (await Promise.all(tasks.map((task) => task.train()))).flatMap(right);
};

const damage: Failure = { _tag: "FileCorrupt", path: "1.tar", detail: "it was cut off", offset: 7 };

const decodeAll = (examples: readonly Example[]): Promise<readonly E.Either<Failure, Image>[]> =>
  Promise.all(examples.map((example) => exampleDecoder()(example)()));

test("through JSON: files, members of archives and damage", async () => {
  const examples = [...(await fromDisk()), damagedExample("1.tar", damage)];
  const back = JSON.parse(JSON.stringify(examples)) as readonly Example[];
  assert.equal(back, examples);
  assert.equal(await decodeAll(back), await decodeAll(examples));
  assert.equal((await decodeAll(back))[examples.length - 1], E.left(damage));
});

test("in a learner's memory, through a checkpoint: all kinds, pixels and bytes too", async () => {
  const bytes = Uint8Array.from(readFileSync("tests/fixtures/preprocess/rgb.jpg"));
  const examples: readonly Example[] = [
    ...(await fromDisk()),
    damagedExample("1.tar", damage),
    { id: "in memory", label: 2, image: { kind: "bytes", bytes } },
    { id: "decoded", label: 3, image: { kind: "pixels", image: picture(9, 7) } },
  ];
  const before = { ...learner(await tinyClip()), memory: { replay: examples } };
  await get(writeLearner(join(dir, "learner"), before));
  const after = (await get(readLearner(join(dir, "learner")))).memory.replay as readonly Example[];
  assert.equal(after, examples);
  const pictures = await decodeAll(after);
  assert.equal(pictures, await decodeAll(examples));
  assert.is(pictures.filter(E.isRight).length, examples.length - 1);
});

test("bytes that are no picture and a name without its task are named", async () => {
  const bad: Example = { id: "noise", label: 0, image: { kind: "bytes", bytes: Uint8Array.of(1, 2, 3) } };
  assert.match(describe(left(await exampleDecoder()(bad)())), /^memory: sample noise cannot be decoded/);
  const named: Example = { id: "a cat", label: 0, image: { kind: "named", name: "noto:cat" } };
  assert.match(describe(left(await exampleDecoder()(named)())), /sample a cat cannot be decoded: only the task .* noto:cat/);
});

test("a task makes its own pictures, alone, with some of its classes, and pooled with others; damage is damage everywhere", async () => {
  const gray = (value: number): Image => ({ width: 1, height: 1, data: new Uint8Array(3).fill(value) });
  const maker = (name: string, own?: ExampleDecoder): ClassTask => {
    const examples = ["a", "b"].map((which, label): Example => ({ id: `${name} ${which}`, label, image: { kind: "named", name: `${name} ${which}` } }));
    const pixels: Example = { id: `${name} pixels`, label: 1, image: { kind: "pixels", image: gray(1) } };
    const train = TE.right([...(own === undefined ? [pixels] : examples), damagedExample(name, damage)]);
    return { name, classNames: ["a", "b"], templates: ["{c}"], train, test: train, decode: own };
  };
  const named =
    (of: Readonly<Record<string, number>>): ExampleDecoder =>
    ({ image }) =>
      TE.right(gray(of[(image as { readonly name: string }).name]));
  const tasks = [maker("one", named({ "one a": 11, "one b": 12 })), maker("two"), maker("three", named({ "three a": 31, "three b": 32 }))];
  const decoded = async (task: ClassTask): Promise<readonly (number | string)[]> =>
    Promise.all(
      (await get(task.train)).map(async (example) => {
        const image = await decoderOf(task)(example)();
        return E.isRight(image) ? image.right.data[0] : image.left._tag;
      }),
    );
  assert.equal(await decoded(tasks[0]), [11, 12, "FileCorrupt"]);
  assert.equal(await decoded(withClasses([1])(tasks[2])), [32, "FileCorrupt"]);
  const pooled = (await get(pool.run(course(learner(await tinyClip()), { tasks, labelSpace: "task" }))({} as never))).curriculum[0] as ClassTask;
  assert.equal(await decoded(pooled), [11, 12, "FileCorrupt", 1, "FileCorrupt", 31, 32, "FileCorrupt"]);
  assert.equal(
    (await get(pooled.train)).map(({ label }) => label),
    [0, 1, -1, 3, -1, 4, 5, -1],
  );
});

test.run();
