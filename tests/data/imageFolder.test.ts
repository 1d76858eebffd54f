import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { exampleDecoder } from "../../src/data/decode.ts";
import { imageFolder } from "../../src/data/imageFolder.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { bmp, left, png, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";

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
  const task = await get(imageFolder(dir));
  assert.is(task.name, "folder-0");
  assert.equal(task.classNames, ["Cat", "dog", "eel"]);
  assert.equal(task.templates, ["a photo of a {c}."]);
  const train = await get(task.train);
  assert.equal(
    train.map((s) => [s.id.slice(dir.length + 1), s.label]),
    [
      [join("train", "Cat", "a.webp"), 0],
      [join("train", "dog", "10.JPG"), 1],
      [join("train", "dog", "2.png"), 1],
    ],
  );
  assert.equal(
    (await get(task.test)).map((s) => s.label),
    [1, 2],
  );
  assert.equal([...(await get(exampleDecoder()(train[0]))).data.subarray(0, 3)], [1, 2, 9]);
});

test("classnames.txt orders the folders or renames them; templates are read", async () => {
  const dir = await fresh();
  write(dir, { "classnames.txt": "eel\ndog\nCat\n", "zeroshot_classification_templates.txt": "{c}!\n" });
  const ordered = await get(imageFolder(dir));
  assert.equal(ordered.templates, ["{c}!"]);
  assert.equal((await get(ordered.train)).map((s) => s.label).sort(), [1, 1, 2]);
  write(dir, { "classnames.txt": "a cat\na dog\nan eel\n" });
  const renamed = await get(imageFolder(dir));
  assert.equal(renamed.classNames, ["a cat", "a dog", "an eel"]);
  assert.equal(
    (await get(renamed.train)).map((s) => s.label),
    [0, 1, 1],
  );
  write(dir, { "classnames.txt": "a cat\na dog\n" });
  assert.match(describe(left(await imageFolder(dir)())), /2 classes.*3 class folders/);
});

test("val stands in for test; a missing split fails only when walked", async () => {
  const dir = await fresh();
  renameSync(join(dir, "test"), join(dir, "val"));
  const task = await get(imageFolder(dir));
  assert.is((await get(task.test)).length, 2);
  rmSync(join(dir, "train"), { recursive: true });
  const half = await get(imageFolder(dir));
  assert.match(describe(left(await half.train())), /train/);
});

test("a corrupt file is named", async () => {
  const dir = await fresh();
  write(dir, { "train/dog/2.png": "garbage" });
  const samples = await get((await get(imageFolder(dir))).train);
  const failure = left(await exampleDecoder()(samples[2])());
  assert.ok(failure._tag === "CorruptSample" && failure.member === "2.png" && failure.path === join(dir, "train", "dog"));
});

test("taskFromFolder tells the layouts apart", async () => {
  const shards = join(root, "shards");
  await writeWebDataset(shards);
  assert.is((await get((await get(taskFromFolder(shards))).train)).length, 12);
  assert.equal((await get(taskFromFolder(await fresh()))).classNames, ["Cat", "dog", "eel"]);
  write(join(root, "other"), { "readme.md": "nothing" });
  assert.match(describe(left(await taskFromFolder(join(root, "other"))())), /WebDataset.*ImageFolder/);
  assert.match(describe(left(await taskFromFolder(join(root, "missing"))())), /missing/);
});

const folderOf = async (classes: readonly string[], names: readonly string[] | undefined, splits = ["train", "test"]): Promise<string> => {
  const dir = join(root, `folder-${count++}`);
  const image = await png(1, 2);
  for (const split of splits) write(dir, Object.fromEntries(classes.map((name) => [join(split, name, "0.png"), image])));
  if (names !== undefined) write(dir, { "classnames.txt": `${names.join("\n")}\n` });
  return dir;
};

/** The name of the class of every folder of the training split. */
const named = async (dir: string): Promise<Readonly<Record<string, string>>> => {
  const task = await get(imageFolder(dir));
  return Object.fromEntries((await get(task.train)).map(({ id, label }) => [basename(dirname(id)), task.classNames[label]]));
};

test("folders that are numbers count the lines of classnames.txt, also beyond nine", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `class ${"abcdefghijkl"[11 - i]}`);
  const numbers = names.map((_, i) => String(i));
  const dir = await folderOf(numbers, names);
  assert.equal(await named(dir), Object.fromEntries(numbers.map((k) => [k, names[Number(k)]])));
  assert.match((await (await get(imageFolder(dir))).notes!.train())[0], /count the lines.* 0 is "class l", 11 is "class a"/);
  assert.equal(Object.keys(await named(await folderOf(["00", "01", "02"], ["x", "y", "z"]))), ["00", "01", "02"]);
  for (const folders of [
    ["1", "2", "3"],
    ["0", "1", "3"],
    ["0", "1", "01"],
    ["0", "1"],
    ["0", "1", "x"],
  ]) {
    assert.match(describe(left(await imageFolder(await folderOf(folders, ["x1", "y1", "z1"]))())), /cannot be paired/, folders.join());
  }
});

test("by name, after NFC, and where capitals, blanks, _ and - alone differ; never by order against a name that matches", async () => {
  const composed = "caf\u00e9";
  assert.equal(await named(await folderOf(["cafe\u0301", "dog"], ["dog", composed])), { "cafe\u0301": composed, dog: "dog" });
  assert.equal(await named(await folderOf(["golden_retriever", "Cat"], ["cat", "golden retriever"])), { golden_retriever: "golden retriever", Cat: "cat" });
  const one = describe(left(await imageFolder(await folderOf(["cat", "dog", "horse"], ["dog", "cats", "horse"]))()));
  assert.match(one, /3 classes.*3 class folders.*folders without a name: cat; names without a folder: cats/);
  assert.match(describe(left(await imageFolder(await folderOf(["cat", "dog"], ["cat", "cat", "dog"]))())), /come twice/);
  const ordered = await folderOf(["n01", "n02"], ["tench", "goldfish"]);
  assert.equal(await named(ordered), { n01: "tench", n02: "goldfish" });
  assert.match((await (await get(imageFolder(ordered))).notes!.test())[0], /in their order: n01 is "tench", n02 is "goldfish"/);
});

test("one class that is spelt in two ways in the splits is one class", async () => {
  const dir = await folderOf(["cafe\u0301"], undefined, ["train"]);
  write(dir, { "test/caf\u00e9/0.png": await png(1, 2) });
  const task = await get(imageFolder(dir));
  assert.equal([task.classNames.length, (await get(task.train))[0].label, (await get(task.test))[0].label], [1, 0, 0]);
});

test("links to folders are folders, links to files are files, broken links are said", async () => {
  const dir = await fresh();
  renameSync(join(dir, "train"), join(dir, "pool"));
  write(dir, { "val/dog/0.png": "not used" });
  mkdirSync(join(dir, "train"));
  symlinkSync("../pool/dog", join(dir, "train/dog"));
  symlinkSync("../pool/Cat", join(dir, "train/Cat"));
  symlinkSync("a.webp", join(dir, "pool/Cat/b.webp"));
  symlinkSync("nowhere", join(dir, "pool/Cat/c.webp"));
  symlinkSync("nowhere", join(dir, "train/eel"));
  const task = await get(taskFromFolder(dir));
  assert.equal(
    (await get(task.train)).map((s) => s.label),
    [0, 0, 1, 1],
  );
  assert.equal(await task.notes!.train(), ["left out 2 links that lead nowhere (such as train/eel), 1 file that is no picture (train/dog/notes.txt)"]);
  assert.equal(await task.notes!.test(), ["left out 2 folders beside train and test (such as pool)"]);
});

test("pictures are known by their bytes; what is left out is counted by kind, with an example", async () => {
  const dir = await fresh();
  const image = await png(1, 2);
  write(dir, {
    "train/dog/b.bmp": bmp({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) }),
    "train/dog/no-suffix": image,
    "train/dog/a.svg": "<svg></svg>",
    "train/dog/b.svg": "<svg></svg>",
    "train/dog/more/c.png": image,
    "train/dog/._2.png": "resource fork",
    "train/dog/.DS_Store": "",
    "train/stray.png": image,
  });
  const task = await get(imageFolder(dir));
  const files = (await get(task.train)).map((s) => basename(s.id));
  assert.equal(files, ["a.webp", "10.JPG", "2.png", "b.bmp", "no-suffix"]);
  const [line] = await task.notes!.train();
  for (const part of [
    "1 file beside",
    "2 SVG pictures (such as train/dog/",
    "1 folder in a class folder (train/dog/more)",
    "1 hidden picture (train/dog/._2.png)",
    "1 hidden folder (train/.hidden)",
    "1 file that is no",
  ]) {
    assert.ok(line.includes(part), `${line} has ${part}`);
  }
  assert.not.match(line, /DS_Store/);
});

test("class folders without any picture are refused, or left out where classnames.txt does without them", async () => {
  const dir = await fresh();
  write(dir, { "train/@eaDir/.keep": "", "test/lost+found/.keep": "", "train/bird/0.ppm": "P6 1 1 255 abc" });
  const failure = describe(left(await imageFolder(dir)()));
  assert.match(failure, /no picture in the class folders @eaDir, bird, lost\+found, but 1 Netpbm picture \(train\/bird\/0\.ppm\)/);
  write(dir, { "classnames.txt": "dog\neel\nCat\n" });
  const task = await get(imageFolder(dir));
  assert.equal(task.classNames, ["dog", "eel", "Cat"]);
  assert.match((await task.notes!.train()).join(), /left out folders without pictures: @eaDir, bird, lost\+found/);
});

test("a split without any picture says what is there instead", async () => {
  const dir = await folderOf(["cat"], undefined, ["train"]);
  write(dir, { "test/cat/0.svg": "<svg></svg>", "test/cat/1.svg": "<svg></svg>" });
  const task = await get(imageFolder(dir));
  assert.is((await get(task.train)).length, 1);
  assert.match(describe(left(await task.test())), /test: it holds no picture, but 2 SVG pictures \(such as test\/cat\/0\.svg\)/);
});

test("a flat folder has its splits drawn where a share is given, and says so where none is", async () => {
  const dir = join(root, `folder-${count++}`);
  const image = await png(1, 2);
  for (const name of ["cat", "dog"]) write(dir, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${name}/${i}.png`, image])));
  assert.match(describe(left(await taskFromFolder(dir)())), /neither train nor test.*split/);
  const task = await get(taskFromFolder(dir, { split: 0.8 }));
  const [train, test_] = [await get(task.train), await get(task.test)];
  assert.equal([train.length, test_.length, new Set([...train, ...test_].map((s) => s.id)).size], [16, 4, 20]);
  assert.equal(await get((await get(taskFromFolder(dir, { split: 0.8 }))).train), train, "the same in every run");
  assert.match((await task.notes!.train()).join(), /80 % of its 20 pictures/);
  const tested = await get(taskFromFolder(dir, { split: "test" }));
  assert.equal([(await get(tested.train)).length, (await get(tested.test)).length], [0, 20]);
  for (const split of [0, 1, -1, NaN]) assert.is(left(await imageFolder(dir, { split })())._tag, "BadOption");
  assert.is((await get((await get(taskFromFolder(await fresh(), { split: 0.8 }))).train)).length, 3, "splits that are there stay");
  assert.match((await (await get(taskFromFolder(await fresh(), { split: 0.8 }))).notes!.train()).join(), /splits of its own, and none is drawn/);
});

test.run();
