import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { exampleDecoder } from "../../src/data/decode.ts";
import { imageFolder } from "../../src/data/imageFolder.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { left, png, right, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";

const test = suite("imageFolder");
const { dir: root, remove } = temporaryFolder("image-folder");
test.after(remove);

let count = 0;
const fresh = async (): Promise<string> => {
  const dir = join(root, `folder-${count++}`);
  const image = await png(1, 2);
  write(dir, {
    "train/dog/2.png": image,
    "train/dog/10.JPG": image,
    "train/dog/notes.txt": "no image",
    "train/Cat/a.webp": image,
    "train/.hidden/a.png": image,
    "test/dog/a.png": image,
    "test/eel/a.jpeg": image,
  });
  return dir;
};

test("classes are the sorted folders of both splits; files in order", async () => {
  const dir = await fresh();
  const task = right(await imageFolder(dir)());
  assert.is(task.name, "folder-0");
  assert.equal(task.classNames, ["Cat", "dog", "eel"]);
  assert.equal(task.templates, ["a photo of a {c}."]);
  const train = right(await task.train());
  assert.equal(
    train.map((s) => [s.id.slice(dir.length + 1), s.label]),
    [
      [join("train", "Cat", "a.webp"), 0],
      [join("train", "dog", "10.JPG"), 1],
      [join("train", "dog", "2.png"), 1],
    ],
  );
  assert.equal(
    right(await task.test()).map((s) => s.label),
    [1, 2],
  );
  assert.equal([...right(await exampleDecoder()(train[0])()).data.subarray(0, 3)], [1, 2, 9]);
});

test("classnames.txt orders the folders or renames them; templates are read", async () => {
  const dir = await fresh();
  write(dir, { "classnames.txt": "eel\ndog\nCat\n", "zeroshot_classification_templates.txt": "{c}!\n" });
  const ordered = right(await imageFolder(dir)());
  assert.equal(ordered.templates, ["{c}!"]);
  assert.equal(
    right(await ordered.train())
      .map((s) => s.label)
      .sort(),
    [1, 1, 2],
  );
  write(dir, { "classnames.txt": "a cat\na dog\nan eel\n" });
  const renamed = right(await imageFolder(dir)());
  assert.equal(renamed.classNames, ["a cat", "a dog", "an eel"]);
  assert.equal(
    right(await renamed.train()).map((s) => s.label),
    [0, 1, 1],
  );
  write(dir, { "classnames.txt": "a cat\na dog\n" });
  assert.match(describe(left(await imageFolder(dir)())), /2 classes.*3 class folders/);
});

test("val stands in for test; a missing split fails only when walked", async () => {
  const dir = await fresh();
  renameSync(join(dir, "test"), join(dir, "val"));
  const task = right(await imageFolder(dir)());
  assert.is(right(await task.test()).length, 2);
  rmSync(join(dir, "train"), { recursive: true });
  const half = right(await imageFolder(dir)());
  assert.match(describe(left(await half.train())), /train/);
});

test("a corrupt file is named", async () => {
  const dir = await fresh();
  write(dir, { "train/dog/2.png": "garbage" });
  const samples = right(await right(await imageFolder(dir)()).train());
  const failure = left(await exampleDecoder()(samples[2])());
  assert.ok(failure._tag === "CorruptSample" && failure.member === "2.png" && failure.path === join(dir, "train", "dog"));
});

test("taskFromFolder tells the layouts apart", async () => {
  const shards = join(root, "shards");
  await writeWebDataset(shards);
  assert.is(right(await right(await taskFromFolder(shards)()).train()).length, 12);
  assert.equal(right(await taskFromFolder(await fresh())()).classNames, ["Cat", "dog", "eel"]);
  write(join(root, "other"), { "readme.md": "nothing" });
  assert.match(describe(left(await taskFromFolder(join(root, "other"))())), /WebDataset.*ImageFolder/);
  assert.match(describe(left(await taskFromFolder(join(root, "missing"))())), /missing/);
});

test.run();
