import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Failure } from "../../src/failure.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { decoderOf, exampleDecoder } from "../../src/data/decode.ts";
import { webDataset } from "../../src/data/webdataset.ts";
import { left, png, shard, tar, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";

const test = suite("webdataset");
const { dir: root, remove } = temporaryFolder("webdataset");
test.after(remove);

let count = 0;
const fresh = async (): Promise<string> => {
  const dir = join(root, `set-${count++}`);
  await writeWebDataset(dir);
  return dir;
};

const open = async (dir: string, onCorrupt?: "skip"): Promise<ClassTask> => await get(webDataset(dir, { onCorrupt }));

test("classes, templates, samples in the order of the shards; pixels on demand", async () => {
  const dir = await fresh();
  const task = await open(`${dir}/`);
  assert.is(task.name, "set-0");
  assert.equal(task.classNames, ["ant", "bee", "cat"]);
  assert.equal(task.templates, ["a photo of a {c}.", "a {c}."]);
  const train = await get(task.train);
  assert.equal(
    train.map((s) => s.label),
    Array.from({ length: 12 }, (_, i) => i % 3),
  );
  assert.is(train[8].id, `${join(dir, "train", "1.tar")}:s0000008.png`);
  for (const [i, sample] of train.entries()) {
    const image = await get(decoderOf(task)(sample));
    assert.equal([image.width, image.height, ...image.data.subarray(0, 3)], [6, 5, 10 * (i % 3), i, 9]);
  }
  assert.is((await get(task.test)).length, 4);
  assert.is(await get(task.train), train, "a second walk sees the same list");
});

test("nothing is read before it is asked for", async () => {
  const dir = await fresh();
  const task = await open(dir);
  rmSync(join(dir, "train"), { recursive: true });
  assert.is((await get(task.test)).length, 4);
  assert.match(describe(left(await task.train())), /train/);
});

test("CRLF, blank lines, a byte order mark, no nshards.txt, no templates", async () => {
  const dir = await fresh();
  write(dir, { "classnames.txt": "\ufeffant\r\n\r\n  bee \r\ncat\r\n\r\n" });
  for (const file of ["zeroshot_classification_templates.txt", "train/nshards.txt"]) rmSync(join(dir, file));
  write(dir, { "train/10.tar": await tar(await shard(20, 1, 3)), "train/2.tar": await tar(await shard(12, 1, 3)) });
  const task = await open(dir);
  assert.equal(task.classNames, ["ant", "bee", "cat"]);
  assert.equal(task.templates, ["a photo of a {c}."]);
  assert.equal(
    (await get(task.train)).map((s) => Number(/s0*(\d+)/.exec(s.id)?.[1])),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20],
  );
});

test("other extensions, folders in the archive, members apart and foreign members", async () => {
  const dir = await fresh();
  const image = await png(1, 2);
  const members = { "x/a.JPEG": image, "._a.jpg": "resource fork", "x/a.json": "{}", "b.cls": "2\n", "x/a.cls": "1", "b.webp": image };
  write(dir, { "test/0.tar": await tar(members) });
  assert.equal((await get((await open(dir)).test)).map((s) => s.label).sort(), [1, 2]);
});

test("a folder that is no dataset, a shard that is missing, a file that lies: named", async () => {
  const cases: readonly (readonly [(dir: string) => void, RegExp])[] = [
    [(dir) => rmSync(join(dir, "classnames.txt")), /classnames\.txt/],
    [(dir) => writeFileSync(join(dir, "classnames.txt"), "\n\n"), /classnames\.txt.*no class/],
    [(dir) => writeFileSync(join(dir, "zeroshot_classification_templates.txt"), "a photo\n"), /a photo.*\{c\}/],
    [(dir) => writeFileSync(join(dir, "train/nshards.txt"), "3"), /2\.tar/],
    [(dir) => writeFileSync(join(dir, "train/nshards.txt"), "two"), /nshards\.txt.*"two"/],
    [(dir) => writeFileSync(join(dir, "train/nshards.txt"), "0"), /no shard/],
    [(dir) => truncateSync(join(dir, "train/1.tar"), 3000), /1\.tar is damaged at byte \d+: .*member s000000/],
  ];
  for (const [spoil, expected] of cases) {
    const dir = await fresh();
    spoil(dir);
    const task = await webDataset(dir)();
    assert.match(describe(left(task._tag === "Left" ? task : await task.right.train())), expected);
  }
});

test("a bad label and half a sample stop by default, and are kept as samples that fail with skip", async () => {
  const image = await png(1, 2);
  const cases: readonly (readonly [Record<string, Uint8Array | string>, string, RegExp])[] = [
    [{ "a.png": image, "a.cls": "3" }, "a.cls", /number below 3/],
    [{ "a.png": image, "a.cls": "-1" }, "a.cls", /number below 3/],
    [{ "a.png": image, "a.cls": "1.5" }, "a.cls", /number below 3/],
    [{ "a.png": image, "a.cls": "" }, "a.cls", /number below 3/],
    [{ "a.png": image }, "a.png", /no \.cls/],
    [{ "a.cls": "1" }, "a.cls", /no image/],
  ];
  for (const [members, member, expected] of cases) {
    const dir = await fresh();
    write(dir, { "test/0.tar": await tar({ ...members, "good.png": image, "good.cls": "0" }) });
    const failure = left(await (await open(dir)).test());
    assert.ok(failure._tag === "CorruptSample" && failure.member === member && failure.path === join(dir, "test", "0.tar"));
    assert.match(failure.detail, expected);
    const samples = await get((await open(dir, "skip")).test);
    assert.equal(samples.map((s) => s.label).sort(), [-1, 0]);
    assert.equal(left(await exampleDecoder()(samples.filter((s) => s.label === -1)[0])()), failure);
  }
});

test("with skip, a cut and a missing shard give what they still hold and one failing sample", async () => {
  const dir = await fresh();
  truncateSync(join(dir, "train/0.tar"), 4 * 512 * 2 + 100);
  rmSync(join(dir, "train/1.tar"));
  const samples = await get((await open(dir, "skip")).train);
  assert.equal(
    samples.map((s) => s.label),
    [0, 1, -1, -1],
  );
  const failures: readonly Failure[] = await Promise.all(samples.slice(2).map(async (s) => left(await exampleDecoder()(s)())));
  assert.equal(
    failures.map((f) => f._tag),
    ["FileCorrupt", "FileUnreadable"],
  );
});

test("a corrupt image is named with shard and member when it is decoded", async () => {
  const dir = await fresh();
  write(dir, { "test/0.tar": await tar({ "a.jpg": "not a JPEG", "a.cls": "1" }) });
  const [sample] = await get((await open(dir)).test);
  const failure = left(await exampleDecoder()(sample)());
  assert.ok(failure._tag === "CorruptSample" && failure.member === "a.jpg" && failure.path === join(dir, "test", "0.tar"));
});

/** The members of an archive in this order, also with names that come again. */
const tarOf = async (members: readonly (readonly [string, Uint8Array | string])[]): Promise<Uint8Array> => {
  const archive = pack();
  for (const [name, content] of members) archive.entry({ name }, Buffer.from(content as Uint8Array));
  archive.finalize();
  return buffer(archive as unknown as NodeJS.ReadableStream);
};

test("the first dot after the last slash ends a key; what belongs to no sample is counted with an example", async () => {
  const dir = await fresh();
  const image = await png(1, 2);
  const dotted = ["4.5", "5.5", "6.5"].flatMap((key): readonly (readonly [string, string])[] => [
    [`${key}.jpg`, "x"],
    [`${key}.cls`, "0"],
  ]);
  const others: readonly (readonly [string, string])[] = [
    ["x.y/0.json", "{}"],
    ["README", ""],
    ["._0.jpg", "fork"],
    [".keep", ""],
  ];
  write(dir, { "test/0.tar": await tarOf([["x.y/0.tif", image], ["x.y/0.cls", "1"], ...dotted, ...others]) });
  const task = await open(dir);
  assert.equal(
    (await get(task.test)).map(({ label }) => label),
    [1],
  );
  const [line, ...more] = await task.notes!.test();
  assert.equal(more, []);
  assert.match(line, /^left out 6 members with a second dot in their names, where the first ends the key \(such as 0\.tar:4\.5\.jpg\), /);
  assert.match(line, /2 members that are neither picture nor class \(such as 0\.tar:x\.y\/0\.json\), 1 hidden picture \(0\.tar:\._0\.jpg\)$/);
  assert.equal(await task.notes!.train(), []);
  write(dir, { "test/0.tar": await tarOf(dotted) });
  assert.match(describe(left(await (await open(dir)).test())), /no sample.*but 6 members with a second dot.*4\.5\.jpg/);
});

test("a key that comes again after its sample is a sample of its own, and said; a second picture is left out", async () => {
  const dir = await fresh();
  const [one, two, three] = [await png(1, 2), await png(3, 4), await png(5, 6)];
  write(dir, {
    "test/0.tar": await tarOf([
      ["a.png", one],
      ["a.cls", "0"],
      ["b.png", two],
      ["b.cls", "1"],
      ["a.png", three],
      ["a.cls", "2"],
      ["b.jpg", one],
    ]),
  });
  const task = await open(dir);
  const samples = await get(task.test);
  assert.equal(
    samples.map(({ label }) => label),
    [0, 1, 2],
  );
  assert.is(new Set(samples.map(({ id }) => id)).size, 3);
  const pictures = await Promise.all(samples.map(async (sample) => (await get(exampleDecoder()(sample))).data[0]));
  assert.equal(pictures, [1, 3, 5]);
  assert.equal(await task.notes!.test(), [
    "left out 1 second picture of a sample (0.tar:b.jpg)",
    "1 key comes again (0.tar:a); each time is a sample of its own",
  ]);
  write(dir, {
    "test/0.tar": await tarOf([
      ["a.png", one],
      ["a.png", two],
      ["a.cls", "0"],
    ]),
  });
  assert.equal(await (await open(dir)).notes!.test(), ["left out 1 member that comes again (0.tar:a.png)"]);
});

test("shards that nshards.txt does not count, compressed ones, and a Git LFS pointer in a shard's place are said", async () => {
  const dir = await fresh();
  write(dir, { "train/nshards.txt": "1", "train/2.tar.gz": "", "test/0.tar": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n" });
  const task = await open(dir);
  assert.is((await get(task.train)).length, 7);
  assert.equal(await task.notes!.train(), ["left out 1 shard beyond those of nshards.txt (train/1.tar), 1 compressed shard (train/2.tar.gz)"]);
  assert.match(describe(left(await task.test())), /0\.tar: it is a Git LFS pointer.*git lfs pull/);
});

test("links in an archive are no files of their own, and said", async () => {
  const dir = await fresh();
  const archive = pack();
  for (const [name, content] of Object.entries(await shard(0, 1, 3))) archive.entry({ name }, Buffer.from(content as Uint8Array));
  archive.entry({ name: "b.png", type: "symlink", linkname: "a.png" });
  archive.finalize();
  write(dir, { "test/0.tar": await buffer(archive as unknown as NodeJS.ReadableStream), "extra/0.tar": "" });
  assert.equal(await (await open(dir)).notes!.test(), ["left out 1 folder beside train and test (extra), 1 link in an archive (0.tar:b.png)"]);
});

test("val stands in for a missing test split", async () => {
  const dir = await fresh();
  renameSync(join(dir, "test"), join(dir, "val"));
  assert.is((await get((await open(dir)).test)).length, 4);
});

const photos = "../shared/data/photo-stream";
(existsSync(photos) ? test : test.skip)("the photo stream", async () => {
  for (const [name, classes, train, testing] of [
    ["cifar10", 10, 2000, 1000],
    ["cars", 196, 3136, 1568],
    ["flowers17", 17, 1020, 340],
  ] as const) {
    const task = await open(join(photos, name));
    assert.is(task.classNames.length, classes);
    const samples = await get(task.train);
    assert.is(samples.length, train);
    assert.is((await get(task.test)).length, testing);
    assert.is(new Set(samples.map((s) => s.label)).size, classes);
    const image = await get(exampleDecoder()(samples[train - 1]));
    assert.equal([image.width, image.height], [64, 64]);
  }
  assert.ok(readFileSync(join(photos, "cars", "classnames.txt")).length > 0);
});

test.run();
