/** Input that once hung, took all memory or threw: each is a failure of one short line by now, soon and at no cost. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { batches, evaluationBatches } from "../../src/data/batches.ts";
import { decodeImage } from "../../src/data/decode.ts";
import type { Example } from "../../src/data/example.ts";
import { clipPreprocess, imageTransform } from "../../src/data/preprocess.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { readBytes, readJson } from "../../src/formats/files.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { indexTar } from "../../src/formats/tar.ts";
import { readTokenizer } from "../../src/formats/tokenizer.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel } from "../../src/model/model.ts";
import { platform } from "../../src/platform/default.ts";
import { cacheIn } from "../../src/platform/node/cache.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { png, temporaryFolder, write } from "../fixtures/datasets.ts";
import { tinyClip, writeTinyClip } from "../fixtures/tinyClip.ts";
import { answered, checkLine } from "../fuzz/answer.ts";

const test = suite("hostile input");
const { dir, remove } = temporaryFolder("hostile");
test.after(remove);

/** The failure of a reader, which is held to what it owes; with its line. */
const refused = async (read: TE.TaskEither<Failure, unknown>): Promise<string> => {
  let failure: Failure | undefined;
  const kept = TE.mapLeft((f: Failure) => (failure = f))(read);
  assert.is(await answered(kept), undefined);
  return describe(failure!);
};

const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("a pipe, a device and a socket are no files, for whoever opens a path", async () => {
  const pipe = join(dir, "pipe");
  assert.is(spawnSync("mkfifo", [pipe]).status, 0);
  const link = join(dir, "link");
  symlinkSync("/dev/zero", link);
  const socket = join(dir, "socket");
  const server = createServer().listen(socket);
  await new Promise((resolve) => server.once("listening", resolve));
  for (const path of [pipe, "/dev/zero", link, socket]) {
    for (const read of [readBytes(path), readJson(path), readSafetensors(path), indexTar(path), platform.files.open(path, () => TE.right(1))]) {
      assert.match(await refused(read), /^Cannot read .*: it is not a file but a pipe, a socket or a device$/);
    }
  }
  assert.match(await refused(readBytes(dir)), /it is a folder$/);
  await new Promise((resolve) => server.close(resolve));
  assert.is(await cacheIn(() => dir).read("pipe")(), undefined);
});

onLinux("a pipe among pictures is passed over", async () => {
  const data = join(dir, "piped");
  const images = Object.fromEntries(await Promise.all([0, 1].map(async (i) => [`${i}.png`, await png(9, i)] as const)));
  for (const split of ["train", "test"]) for (const name of ["ant", "bee"]) write(join(data, split, name), images);
  spawnSync("mkfifo", [join(data, "train/ant/2.png")]);
  const task = await get(taskFromFolder(data));
  assert.is((await get(task.train)).length, 4);
});

const model = async (name: string, change: (config: Record<string, any>) => void): Promise<string> => {
  const path = join(dir, name);
  await writeTinyClip(path);
  const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as Record<string, any>;
  change(config);
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
};

test("a configuration cannot ask for more layers than fit a computer", async () => {
  const path = await model("layers", (config) => (config.vision_config.num_hidden_layers = 1e9));
  assert.match(await refused(readModel(path)), /"vision_config.num_hidden_layers" should be a positive integer of at most 10000 and is 1000000000/);
  const many = await model("many", (config) => (config.text_config.num_hidden_layers = 10_000));
  assert.match(await refused(readModel(many)), /is missing, and config\.json asks for it/);
});

test("objects where a string belongs", async () => {
  const path = await model("objects", (config) => (config.model_type = { toString: 1 }));
  assert.match(await refused(readModel(path)), /model_type is \{"toString":1\}/);
  const tokenizer = join(dir, "objects", "tokenizer.json");
  const json = JSON.parse(readFileSync(tokenizer, "utf8")) as Record<string, any>;
  for (const many of [
    { merges: Array.from({ length: 200_000 }, () => ({})) },
    { vocab: Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [i, {}])) },
  ]) {
    writeFileSync(tokenizer, JSON.stringify({ ...json, model: { ...json.model, ...many } }));
    await refused(readTokenizer(join(dir, "objects")));
  }
  const weights = join(dir, "model.safetensors.index.json");
  writeFileSync(weights, JSON.stringify({ weight_map: Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`w${i}`, { a: [] }])) }));
  assert.match(await refused(readSafetensors(weights)), /"weight_map\.w0" should be string and is \{"a":\[\]\}/);
});

test("a shape of 50,000 dimensions takes time in proportion", async () => {
  const shapeOf = (n: number) => new Array<number>(50_000).fill(n);
  for (const [n, wanted] of [
    [2, /needs \d+ bytes and has 4$/],
    [2 ** 52, /\(50000 dimensions\)\] needs \d+ bytes and has 4$/],
  ] as const) {
    const header = new TextEncoder().encode(JSON.stringify({ a: { dtype: "F32", shape: shapeOf(n), data_offsets: [0, 4] } }));
    const path = join(dir, "dimensions.safetensors");
    const bytes = new Uint8Array(12 + header.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    writeFileSync(path, bytes);
    assert.match(await refused(readSafetensors(path)), wanted);
  }
});

/** A tar archive with one header of this kind and size before a file, whatever stands between. */
const archive = (flag: string, size: string, between: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const header = (name: string, kind: string, octal: string): Uint8Array => {
    const bytes = new Uint8Array(512);
    const put = (text: string, at: number): void => bytes.set(new TextEncoder().encode(text), at);
    [name, "        ", kind, "ustar\0" + "00", octal].forEach((text, i) => put(text, [0, 148, 156, 257, 124][i]));
    put(
      `${bytes
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return bytes;
  };
  return new Uint8Array(
    Buffer.concat([header("first/", flag, size), between, header("a.cls", "0", "1"), new Uint8Array(512).fill(0x37), new Uint8Array(1024)]),
  );
};

test("tar: a folder may have a size, which is of nothing; other entries end the list where they do not fit", async () => {
  const path = join(dir, "folder.tar");
  for (const size of ["7777", "77777777777", "0"]) {
    writeFileSync(path, archive("5", size));
    const index = await answered(indexTar(path));
    assert.equal([index?.members.map(({ name }) => name), index?.damage], [["a.cls"], undefined], size);
  }
  for (const flag of ["0", "2", "x", "L", "S"]) {
    writeFileSync(path, archive(flag, "77777777777"));
    const index = await answered(indexTar(path));
    assert.ok(index?.damage !== undefined, flag);
    checkLine(index.damage);
  }
});

test("tar: attributes for all members do not cost each of them", async () => {
  const line = (i: number): string => {
    const text = ` k${String(i).padStart(9, "0")}=v\n`;
    return `${text.length + 2}${text}`;
  };
  const attributes = new TextEncoder().encode(Array.from({ length: 100_000 }, (_, i) => line(i)).join(""));
  const padded = new Uint8Array(512 * Math.ceil(attributes.length / 512));
  padded.set(attributes);
  const own = archive("x", "10", new Uint8Array(512).fill(0x20)).subarray(0, 1024);
  const rest = archive("5", "0");
  const members = Array.from({ length: 2000 }, () => [own, rest.subarray(512, 1536)]).flat();
  const path = join(dir, "attributes.tar");
  writeFileSync(path, Buffer.concat([archive("g", attributes.length.toString(8), padded).subarray(0, 512 + padded.length), ...members, new Uint8Array(1024)]));
  assert.is((await answered(indexTar(path)))?.members.length, 2000);
});

test("names of members of four million letters, and lists of names that repeat", async () => {
  const data = join(dir, "names");
  for (const name of ["a/", "a.", ".", "/", "a", "é"].map((part) => `${part.repeat(3_000_000 / part.length)}.cls`)) {
    const text = new TextEncoder().encode(name);
    const padded = new Uint8Array(512 * Math.ceil(text.length / 512));
    padded.set(text);
    const bytes = archive("L", text.length.toString(8), padded);
    for (const split of ["train", "test"]) write(data, { "classnames.txt": "a\nb\n", [`${split}/0.tar`]: bytes });
    const task = await answered(taskFromFolder(data, { onCorrupt: "skip" }));
    const examples = await answered(task!.train);
    for (const { image } of examples ?? []) if (image.kind === "damaged") checkLine(image.failure);
  }
  write(data, { "train/nshards.txt": "999999" });
  const task = await answered(taskFromFolder(data, { onCorrupt: "skip" }));
  assert.match(await refused(task!.train), /it states 999999 shards, and 2 files are there$/);

  const folders = join(dir, "repeated");
  const picture = await png(1, 2);
  for (const split of ["train", "test"]) write(join(folders, split), { "ant/0.png": picture, "bee/0.png": picture });
  write(folders, { "classnames.txt": "ant\n".repeat(100_000) });
  assert.match(await refused(taskFromFolder(folders)), /it names 100000 classes and there are 2 class folders/);
});

test("JSON that is nested deep is refused by whoever reads it; strings with brackets are none", async () => {
  const path = join(dir, "deep.json");
  for (const levels of [2000, 1_000_000]) {
    const text = "[".repeat(levels) + "]".repeat(levels);
    writeFileSync(path, text);
    assert.match(await refused(readJson(path)), /its JSON is nested more than 500 levels deep$/);
    assert.match(await refused(TE.fromEither(parseRunResult("result.json")(text))), /nested more than 500 levels/);
  }
  writeFileSync(path, JSON.stringify(["[{".repeat(2000), '\\"'.repeat(2000)]));
  assert.ok(E.isRight(await readJson(path)()));
});

test("what a learner remembers has a depth, up to which it is read back", async () => {
  const chain = (levels: number): unknown => (levels === 0 ? 1 : new Map([["next", chain(levels - 1)]]));
  const whole = { ...learner(await tinyClip()), memory: { chain: chain(140) } };
  await get(writeLearner(join(dir, "chain"), whole));
  assert.equal((await get(readLearner(join(dir, "chain")))).memory, whole.memory);
  assert.match(
    await refused(writeLearner(join(dir, "chain"), { ...whole, memory: { chain: chain(5000) } })),
    /is nested more than 150 levels deep; a learner is plain data$/,
  );
});

test("regular expressions that could take for ever are refused, and those of CLIP's tokenizers are taken", async () => {
  const path = join(dir, "regex");
  await writeTinyClip(path);
  const file = join(path, "tokenizer.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as Record<string, any>;
  const answer = async (change: Record<string, unknown>): Promise<E.Either<Failure, unknown>> => {
    writeFileSync(file, JSON.stringify({ ...json, ...change }));
    return readTokenizer(path)();
  };
  const split = (Regex: string) => ({ pre_tokenizer: { type: "Split", pattern: { Regex }, behavior: "Removed", invert: true } });
  for (const regex of ["(a+)+$", "(a|a)*b", "([\\p{L}]+)*x", "\\s*\\s*\\s*x", "(?=a)b", "a{1,9999}", "(.)\\1", ".*.*=.*", "x".repeat(2000)]) {
    const result = await answer(split(regex));
    assert.ok(E.isLeft(result), regex);
    assert.match(describe(result.left), /not a tokenizer of CLIP: its pre-tokenizer "Split" has the regular expression/);
    checkLine(result.left);
  }
  const words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
  for (const regex of [words, `<\\|startoftext\\|>|<\\|endoftext\\|>|${words}`, "\\s+", "\\p{L}+|\\p{N}|\\s", "\\d"]) {
    assert.is(E.isRight(await answer(split(regex))), regex !== "\\d", regex);
  }
  const growing = { type: "Replace", pattern: { String: "a" }, content: "aa" };
  const steps = (normalizers: unknown) => ({ normalizer: { type: "Sequence", normalizers } });
  for (const [change, wanted] of [
    [{ normalizer: growing }, /its normalizer "Replace" replaces "a" by "aa"/],
    [{ normalizer: { ...growing, content: "$" } }, /replaces "a" by "\$"/],
    [steps(new Array(50).fill({ type: "NFC" })), /has 50 steps; 8 are taken/],
    [{ normalizer: { type: "Sandwich" } }, /its normalizer "Sandwich" is none that is known/],
    [{ model: { ...json.model, type: "Unigram" } }, /"model\.type" should be "BPE" and is "Unigram"/],
    [{ added_tokens: [{ id: 1, content: {} }] }, /"added_tokens\[0\]\.content" should be string and is \{\}/],
    [{ added_tokens: [{ id: 1e12, content: "x" }] }, /"added_tokens\[0\]\.id" should be a token's number and is 1000000000000/],
  ] as const) {
    const result = await answer(change);
    assert.ok(E.isLeft(result), wanted.source);
    assert.match(describe(result.left), wanted);
  }
});

test("a long text takes time in proportion", async () => {
  const { encode } = await get(readTokenizer("tests/fixtures/tokenizer"));
  for (const text of ["a", " ", "<|", "\u65e5", "a b ", "\u00e9"]) await answered(TE.fromIO(() => encode(text.repeat(300_000))));
});

test("names with control characters or of 100,000 letters make one short line", async () => {
  const name = `a\u001b[2J\n\u202e\ud800${"x".repeat(100_000)}end`;
  const line = describe({ _tag: "FileUnreadable", path: name, detail: "no such file" });
  assert.match(line, /^Cannot read a\\u001b\[2J\\u000a\\u202e\\ud800x+…x+end: no such file$/);
  assert.ok(line.length < 400);
  assert.ok(describe({ _tag: "FileCorrupt", path: "a", detail: `tensor ${name} is ${name}` }).length < 1000);
  checkLine({ _tag: "BadTensor", path: name, tensor: name, detail: `is ${name}` });
  checkLine({ _tag: "NoAdapter", tried: ["a\nb"] });
  assert.is(describe({ _tag: "FileUnreadable", path: "データ/café", detail: "no" }), "Cannot read データ/café: no");
});

test("a picture that claims too many pixels is refused, as by Pillow", async () => {
  const bomb = await sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: "red" }, limitInputPixels: false })
    .png({ compressionLevel: 9 })
    .toBuffer();
  const decoded = await answered(TE.mapLeft((detail: string): Failure => ({ _tag: "CorruptSample", path: "d", member: "m", detail }))(decodeImage(bomb)));
  assert.is(decoded, undefined);
  assert.equal(await decodeImage(bomb)(), E.left("it has 16000 x 16000 pixels, more than the 178956970 that a picture may have"));
});

test("a thin picture becomes a batch at no cost", async () => {
  const bytes = new Uint8Array(
    await sharp({ create: { width: 1, height: 16_383, channels: 3, background: "red" } })
      .png()
      .toBuffer(),
  );
  const examples: readonly Example[] = [{ id: "thin", label: 0, image: { kind: "bytes", bytes } }];
  const size = { height: 224, width: 224 };
  const loaded = evaluationBatches({ examples, batch: 1, transform: imageTransform(clipPreprocess(224), size) });
  assert.is((await answered(loaded.at(0)))?.count, 1);
});

test("skip skips whatever an example can fail with", async () => {
  const pixels = (width: number, height: number, length: number): Example["image"] => ({
    kind: "pixels",
    image: { width, height, data: new Uint8Array(length) },
  });
  const failure: Failure = { _tag: "FileCorrupt", path: "p", detail: "d" };
  mkdirSync(join(dir, "folder.png"), { recursive: true });
  const bad: readonly Example["image"][] = [
    pixels(0, 0, 0),
    pixels(2, 2, 5),
    pixels(-1, -1, 3),
    pixels(NaN, 1, 3),
    { kind: "file", path: join(dir, "missing.png") },
    { kind: "file", path: join(dir, "folder.png") },
    { kind: "file", path: "/dev/zero" },
    { kind: "bytes", bytes: new Uint8Array(0) },
    { kind: "member", archive: join(dir, "missing.tar"), name: "a", offset: 0, size: 2 ** 40 },
    { kind: "named", name: "nobody knows" },
    { kind: "damaged", failure },
  ];
  const examples = [...bad, pixels(2, 2, 12)].map((image, i): Example => ({ id: String(i), label: 0, image }));
  const transform = imageTransform(clipPreprocess(4), { height: 4, width: 4 });
  const skipping = { examples, batch: 6, transform, onCorrupt: "skip" as const };
  const training = batches({ ...skipping, seed: 1, length: { steps: 2 } });
  assert.is((await answered(training.at(0)))?.count, 6);
  const testing = evaluationBatches(skipping);
  assert.equal([(await answered(testing.at(0)))?.count, (await answered(testing.at(1)))?.count], [0, 1]);
  assert.is(testing.skipped().length, bad.length);
  for (const { failure } of testing.skipped()) checkLine(failure);

  const throwing = evaluationBatches({
    ...skipping,
    decode: ({ id }) => {
      if (id === "0") throw new Error("a defect");
      return id === "1" ? () => Promise.reject(new Error("another")) : TE.right({ width: 1, height: 1, data: new Uint8Array(3) });
    },
  });
  assert.is((await answered(throwing.at(0)))?.count, 4);
  assert.equal(
    throwing.skipped().map(({ failure }) => describe(failure)),
    ["memory: sample 0 cannot be decoded: a defect", "memory: sample 1 cannot be decoded: another"],
  );
});

test.run();
