/** Parquet datasets as pyarrow and datasets write them (tests/fixtures/parquet.py): which files, which columns, which classes, and the pictures of their rows. */
import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { datasetPaths } from "../../src/data/datasetPaths.ts";
import { decoderOf } from "../../src/data/decode.ts";
import { parquetFolder } from "../../src/data/parquetFolder.ts";
import { parquetSplits } from "../../src/data/parquetPaths.ts";
import { readmeClasses } from "../../src/data/readmeClasses.ts";
import { rowReader } from "../../src/data/rowReader.ts";
import type { SourceOptions } from "../../src/data/source.ts";
import type { Split, ClassTask } from "../../src/data/task.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { readParquet, readParquetColumn } from "../../src/formats/parquet.ts";
import { missingParts } from "../../src/formats/parts.ts";
import { platform } from "../../src/platform/default.ts";
import type { Files } from "../../src/platform/files.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir, remove } = temporaryFolder("parquet");
test.after(remove);

const golden = (...path: readonly string[]): string => join("tests", "fixtures", "parquet", ...path);
const read = async (name: string, options?: SourceOptions): Promise<ClassTask> => await get(taskFromFolder(golden(name), options));

/** Red and green of the pictures of a split; what fails instead of those that cannot be decoded. */
const pixels = async (task: ClassTask, split: Split): Promise<readonly unknown[]> => {
  const decode = decoderOf(task);
  return Promise.all(
    (await get(split)).map(async (example) => {
      const image = await decode(example)();
      return E.isLeft(image) ? describe(image.left) : [...image.right.data.subarray(0, 2)];
    }),
  );
};

/** What the script has written: red is 10 x class, green the number of the picture. */
const expected = (...numbers: readonly number[]) => numbers.map((i) => [10 * (i % 3), i]);

test("several files of several row groups, with classes that the files name themselves", async () => {
  const task = await read("labels");
  assert.equal([task.name, task.classNames, task.templates], ["labels", ["ant", "bee", "cat"], ["a photo of a {c}."]]);
  const train = await get(task.train);
  assert.equal(
    train.map(({ label }) => label),
    [0, 1, 2, 0, 1, 2, 0, 1, 2],
  );
  const file = golden("labels", "data", "train-00001-of-00002.parquet");
  assert.equal(train[6], { id: `${file}:1`, label: 0, image: { kind: "row", file, row: 1, column: "image" } });
  assert.equal(await pixels(task, task.train), expected(0, 1, 2, 3, 4, 5, 6, 7, 8));
});

test("a picture that is none and one that is missing are samples that cannot be decoded, and no others", async () => {
  const task = await read("labels");
  const [first, ...others] = await pixels(task, task.test);
  assert.equal(first, [0, 9]);
  const path = golden("labels", "data", "test-00000-of-00001.parquet");
  assert.is(others.length, 2);
  others.forEach((said, i) => assert.match(String(said), new RegExp(`^${path}: sample in row ${i + 1} cannot be decoded: `)));
  assert.match(String(others[1]), /: it has no picture$/);
});

test("classes as text in a folder of a configuration, in zstd; validation stands in for test, a row without a class is skipped or fails", async () => {
  const task = await read("texts", { onCorrupt: "skip" });
  assert.equal(task.classNames, ["ant", "bee", "cat"]);
  assert.equal(
    (await get(task.train)).map(({ label }) => label),
    [0, 1, 2, 0, -1, 2],
  );
  assert.equal((await pixels(task, task.train)).toSpliced(4, 1), expected(0, 1, 2, 3, 5));
  assert.equal(await pixels(task, task.test), expected(6, 7, 8));
  const strict = await read("texts");
  assert.is(describe(left(await strict.train())), `${golden("texts", "default", "train", "0000.parquet")}: sample in row 4 cannot be decoded: it has no class`);
});

test("paths of pictures beside the file, and numbers that classnames.txt names", async () => {
  const nameless = golden("paths", "train.parquet");
  assert.is(
    describe(left(await taskFromFolder(golden("paths"))())),
    `Cannot read ${nameless}: its column label has numbers, and nothing says what they are called; write it to ${golden("paths", "classnames.txt")}, a class a line`,
  );
  cpSync(golden("paths"), join(dir, "paths"), { recursive: true });
  writeFileSync(join(dir, "paths", "classnames.txt"), "an ant\na bee\na cat\n");
  writeFileSync(join(dir, "paths", "zeroshot_classification_templates.txt"), "{c}!\n");
  const task = await get(taskFromFolder(join(dir, "paths")));
  assert.equal([task.classNames, task.templates], [["an ant", "a bee", "a cat"], ["{c}!"]]);
  assert.equal([...(await pixels(task, task.train)), ...(await pixels(task, task.test))], expected(0, 1, 2, 3, 4, 5));
  writeFileSync(join(dir, "paths", "classnames.txt"), "an ant\na bee\n");
  assert.match(
    describe(left(await (await get(taskFromFolder(join(dir, "paths")))).train())),
    /in row 2 cannot be decoded: its class is 2, not a number below 2$/,
  );
});

test("numbers that README.md names, of the column that is asked for", async () => {
  assert.equal((await read("readme")).classNames, ["ant", "bee", "cat"]);
  const task = await read("readme", { columns: { label: "kind" } });
  assert.equal(task.classNames, ["it's", 'a "b"']);
  assert.equal(
    (await get(task.train)).map(({ label }) => label),
    [0, 1, 0],
  );
});

test("names of classes in quotes, of one configuration among several", () => {
  const readme = [
    "---",
    "dataset_info:",
    "- config_name: small",
    "  features:",
    "  - name: label",
    "    dtype:",
    "      class_label:",
    "        names:",
    "          '0': 'yes'",
    '          "1": "n\\"o"',
    "          2: it''s",
    "- config_name: big",
    "  features:",
    "  - name: label",
    "    dtype:",
    "      class_label:",
    "        names:",
    "          '0': 'it''s'",
    "---",
    "  - name: label",
  ].join("\n");
  assert.equal(readmeClasses(readme, "label", "small"), ["yes", 'n"o', "it''s"]);
  assert.equal(readmeClasses(readme, "label", "big"), ["it's"]);
  assert.is(readmeClasses(readme, "other"), undefined);
  assert.is(readmeClasses("no head", "label"), undefined);
});

test("what is not clear is asked for, with all that there is", async () => {
  assert.match(
    describe(left(await taskFromFolder(golden("several"))())),
    /several: it has several configurations: big, small; name the folder of one of them$/,
  );
  const one = golden("several", "big");
  const columns = "left (bytes), right (bytes), kind (text), size (numbers)";
  const said = async (asked: SourceOptions["columns"]) => describe(left(await taskFromFolder(one, { columns: asked })()));
  assert.ok(
    (await said({ label: "kind" })).endsWith(
      `which column has the pictures is not clear: it has ${columns}; name it (the option columns, --columns image=NAME)`,
    ),
  );
  assert.ok(
    (await said({ image: "right" })).endsWith(
      `which column has the classes is not clear: it has ${columns}; name it (the option columns, --columns label=NAME)`,
    ),
  );
  const task = await get(taskFromFolder(one, { columns: { image: "right", label: "kind" } }));
  assert.equal([task.name, task.classNames, await pixels(task, task.test)], ["big", ["ant"], [[10, 1]]]);
});

test("a column that is asked for and not there, or of no use, is refused with all that there are", async () => {
  const columns = "it has left (bytes), right (bytes), kind (text), size (numbers)";
  const path = golden("several", "big", "train-00000-of-00001.parquet");
  const said = async (asked: SourceOptions["columns"]) => describe(left(await taskFromFolder(golden("several", "big"), { columns: asked })()));
  assert.is(await said({ image: "left", label: "kidn" }), `Cannot read ${path}: it has no column kidn (the option columns): ${columns}; did you mean kind?`);
  assert.is(await said({ image: "middle", label: "kind" }), `Cannot read ${path}: it has no column middle (the option columns): ${columns}`);
  assert.is(await said({ image: "left", label: "right" }), `Cannot read ${path}: its column right has bytes, which are no classes: ${columns}`);
  assert.is(await said({ image: "size", label: "kind" }), `Cannot read ${path}: its column size has numbers, which are no pictures: ${columns}`);
  assert.is(await said({ image: "kind", label: "kind" }), `Cannot read ${path}: its column kind cannot have both pictures and classes: ${columns}`);
  // Not one of the usual names silently, where there are some.
  assert.match(
    describe(left(await taskFromFolder(golden("labels"), { columns: { label: "lable" } })())),
    /it has no column lable .*image \(files\), label \(numbers\); did you mean label\?$/,
  );
});

/** A copy of the dataset `labels` whose files have other names for their numbers, of the same length. */
const renamed = (folder: string, names: Readonly<Record<string, string>>): string => {
  const copy = join(dir, folder);
  cpSync(golden("labels"), copy, { recursive: true });
  for (const [part, others] of Object.entries(names)) {
    const path = join(copy, "data", readdirSync(join(copy, "data")).find((name) => name.startsWith(part))!);
    const bytes = readFileSync(path, "latin1");
    assert.ok(bytes.includes('["ant", "bee", "cat"]'));
    writeFileSync(path, bytes.replace('["ant", "bee", "cat"]', others), "latin1");
  }
  return copy;
};

test("the numbers of every file count its own names", async () => {
  const labels = async (folder: string, split: "train" | "test") => (await get((await get(taskFromFolder(folder)))[split])).map(({ label }) => label);
  const copy = renamed("orders", { "train-00001": '["cat", "ant", "bee"]', test: '["bee", "cat", "ant"]' });
  assert.equal((await get(taskFromFolder(copy))).classNames, ["ant", "bee", "cat"]);
  assert.equal(await labels(copy, "train"), [0, 1, 2, 0, 1, 1, 2, 0, 1]);
  assert.equal(await labels(copy, "test"), [1, 2, 0]);
  // Also where classnames.txt has them in an order of its own, or under names of its own.
  writeFileSync(join(copy, "classnames.txt"), "Cat\nBee\nAnt\n");
  assert.equal(await labels(copy, "train"), [2, 1, 0, 2, 1, 1, 0, 2, 1]);
  assert.equal(await labels(copy, "test"), [1, 0, 2]);
  writeFileSync(join(copy, "classnames.txt"), "an emmet\na bee\na cat\n");
  assert.equal(await labels(copy, "test"), [1, 2, 0]);
  writeFileSync(join(copy, "classnames.txt"), "cat\na bee\nant\n");
  assert.match(describe(left(await taskFromFolder(copy)())), /train-00000.*: it and classnames\.txt have the class cat in different places/);
});

test("a file with a class that the others do not know is refused, until classnames.txt has all", async () => {
  const copy = renamed("unknown", { test: '["bee", "dog", "ant"]' });
  assert.is(
    describe(left(await taskFromFolder(copy)())),
    `${join(copy, "data", "test-00000-of-00001.parquet")}: its classes dog are not those of the other files (ant, bee, cat); ` +
      "name all of them in classnames.txt, a class a line",
  );
  writeFileSync(join(copy, "classnames.txt"), "ant\nbee\ncat\ndog\n");
  const task = await get(taskFromFolder(copy));
  assert.equal(
    (await get(task.test)).map(({ label }) => label),
    [1, 3, 0],
  );
});

test("names of classes are taken without the blanks around them, which is said; a blank name is none", async () => {
  const task = await read("blanks", { onCorrupt: "skip" });
  assert.equal(task.classNames, ["Ant", "ant", "bée"]);
  assert.equal(
    (await get(task.train)).map(({ label }) => label),
    [1, 1, 0, 2, 2, -1],
  );
  assert.equal(
    (await get(task.test)).map(({ label }) => label),
    [1, 0, 2],
  );
  assert.match(
    (await task.notes!.train()).join(),
    /^names of classes are taken without the blanks around them, and in composed letters: " ant\\t", "ant ", "be/,
  );
  assert.match(describe(left(await (await read("blanks")).train())), /in row 5 cannot be decoded: the name of its class is blank$/);
});

test("a part that is missing, and a file that is cut, are named", async () => {
  const copy = join(dir, "cut");
  cpSync(golden("labels"), copy, { recursive: true });
  rmSync(join(copy, "data", "train-00001-of-00002.parquet"));
  assert.is(describe(left(await taskFromFolder(copy)())), `Cannot read ${copy}: it lacks data/train-00001-of-00002.parquet`);
  rmSync(join(copy, "data", "train-00000-of-00002.parquet"));
  const scored = await get(taskFromFolder(copy));
  assert.equal([await get(scored.train), (await get(scored.test)).length], [[], 3]);
  const path = join(copy, "data", "test-00000-of-00001.parquet");
  truncateSync(path, 1000);
  assert.match(describe(left(await taskFromFolder(copy)())), new RegExp(`^${path} is damaged: `));
});

test("columns have kinds, and their rows values", async () => {
  const file = await get(readParquet(golden("texts", "default", "train", "0000.parquet"), platform.files));
  assert.equal(
    file.columns.map(({ name, kind }) => `${name} ${kind}`),
    ["img bytes", "fine_label text", "coarse_label text", "n integer"],
  );
  assert.equal(
    file.groups.map(({ start, end }) => [start, end]),
    [
      [0, 4],
      [4, 6],
    ],
  );
  assert.equal(await get(readParquetColumn(file, "fine_label", { start: 2, end: 6 }, platform.files)), ["cat", "ant", null, "cat"]);
  assert.equal(await get(readParquetColumn(file, "n", { start: 3, end: 5 }, platform.files)), [3n, 4n]);
});

/** Files that count how often each is opened. */
const counting = (): { readonly files: Files; readonly opened: () => number } => {
  let opened = 0;
  return {
    files: {
      ...platform.files,
      open: (path, use) => {
        opened++;
        return platform.files.open(path, use);
      },
    },
    opened: () => opened,
  };
};

test("a split is listed without its pictures, and a row group is read once as long as it is kept", async () => {
  const { files, opened } = counting();
  const task = await get(parquetFolder(golden("labels"), { platform: { ...platform, files } }));
  assert.is(opened(), 3);
  const train = await get(task.train);
  assert.is(opened(), 5);
  const decode = decoderOf(task);
  // All at once, and again: two footers and five row groups.
  await Promise.all([...train, ...train].map((example) => decode(example)()));
  await Promise.all(train.map((example) => decode(example)()));
  assert.is(opened(), 5 + 2 + 5);
});

test("without room the newest row group alone is kept", async () => {
  const { files, opened } = counting();
  const reader = rowReader(files, 0);
  const file = golden("labels", "data", "train-00000-of-00002.parquet");
  for (const row of [0, 1, 2, 3, 0, 1]) await get(reader({ kind: "row", file, row, column: "image" }));
  assert.is(opened(), 1 + 3);
  assert.match(describe(left(await reader({ kind: "row", file, row: 9, column: "image" })())), /it has 5 rows, and row 9 is asked for$/);
});

test("files are of the split and of the configuration that their paths speak of", () => {
  const paths = [
    "data/train-00001-of-00002.parquet",
    "data/train-00000-of-00002-566cc9b19d7203f8.parquet",
    "data/validation-00000-of-00001.parquet",
    "data/test-00000-of-00001.parquet",
    "plain/0000.parquet",
    "plain/valid/0000.parquet",
    "data.csv",
    "fine_tuned/train/0000.parquet",
    "training/cifar_eval.parquet",
  ];
  assert.equal(Object.fromEntries(parquetSplits(paths)), {
    "": { train: ["data/train-00000-of-00002-566cc9b19d7203f8.parquet", "data/train-00001-of-00002.parquet"], test: ["data/test-00000-of-00001.parquet"] },
    fine_tuned: { train: ["fine_tuned/train/0000.parquet"], test: [] },
    plain: { train: ["plain/0000.parquet"], test: ["plain/valid/0000.parquet"] },
    training: { train: [], test: ["training/cifar_eval.parquet"] },
  });
});

test("of a repository what is read is wanted: shards before Parquet, one configuration, its test split where nothing is learned", () => {
  const named = ["README.md", "classnames.txt", "zeroshot_classification_templates.txt"];
  const shards = ["train/nshards.txt", "train/0.tar", "test/nshards.txt", "test/0.tar"];
  assert.equal(datasetPaths([...named, ...shards, "data/train.parquet", "extra/0.tar", "x.zip"]), E.right([...named, ...shards]));
  assert.equal(datasetPaths(["train/0.tar", "test/0.tar"], { training: false }), E.right(["test/0.tar"]));
  assert.equal(datasetPaths(["train/0.tar"], { training: false }), E.right(["train/0.tar"]));
  const several = ["README.md", "big/train.parquet", "big/test.parquet", "small/train.parquet"];
  assert.equal(datasetPaths(several), E.left("has several configurations: big, small; name one of them as NAME/CONFIGURATION"));
  assert.equal(datasetPaths(several, { config: "big" }), E.right(["README.md", "big/train.parquet", "big/test.parquet"]));
  assert.match((datasetPaths(several, { config: "none" }) as E.Left<string>).left, /nor Parquet files in none;/);
  assert.equal(datasetPaths(["train-00000-of-00002.parquet"]), E.left("lacks train-00001-of-00002.parquet"));
});

test("the missing parts are those that are not there", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 1 }),
      fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
      (count, from, there) => {
        const all = Array.from({ length: count }, (_, i) => `m-${String(i + from).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.safetensors`);
        // Where the first of those that count from 0 is missing they are taken for some that count from 1.
        const some = all.filter((_, i) => there[i] || (i === 0 && from === 0));
        assert.equal(missingParts([...some, "other.json"]), some.length === 0 ? [] : all.filter((name) => !some.includes(name)));
      },
    ),
  );
});

test.run();
