import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Failure } from "../../src/failure.ts";
import { clipPreprocess, imageTransform } from "../../src/data/preprocess.ts";
import { randomResizedCrop } from "../../src/data/augment.ts";
import { batches, evaluationBatches } from "../../src/data/batches.ts";
import type { Batches, BatchOptions } from "../../src/data/batches.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import { loader } from "../../src/data/loader.ts";
import type { Example, ExampleDecoder } from "../../src/data/example.ts";
import { webDataset } from "../../src/data/webdataset.ts";
import { left, right, temporaryFolder, writeWebDataset } from "../fixtures/datasets.ts";
import { picture } from "../fixtures/images.ts";

const test = suite("batches");
const { dir, remove } = temporaryFolder("batches");
test.after(remove);

const size = { height: 4, width: 4 };
const plane = 3 * 16;
const transform = imageTransform({ ...clipPreprocess(4), scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }, size);

/** Examples and how they are decoded. */
interface Made {
  readonly examples: readonly Example[];
  readonly decode: ExampleDecoder;
}

/** Examples whose picture is grey of their number, decoded after a random wait; those in `bad` cannot be decoded. Counts decodings. */
const make = (n: number, bad: readonly number[] = []): Made & { readonly decoded: () => number } => {
  let decoded = 0;
  const examples = Array.from({ length: n }, (_, i): Example => ({ id: `sample ${i}`, label: i, image: { kind: "named", name: `${i}` } }));
  const decode: ExampleDecoder =
    ({ label: i }) =>
    async () => {
      decoded++;
      await new Promise((resolve) => setTimeout(resolve, (i * 7) % 3));
      return bad.includes(i)
        ? E.left<Failure>({ _tag: "CorruptSample", path: "shard", member: `${i}`, detail: "bad" })
        : E.right({ width: 5, height: 4, data: new Uint8Array(60).fill(i) });
    };
  return { examples, decode, decoded: () => decoded };
};

const options = ({ examples, decode }: Pick<Made, "examples"> & Partial<Made>, more: Partial<BatchOptions> = {}): BatchOptions => ({
  examples,
  decode,
  batch: 4,
  seed: 1,
  length: { steps: 6 },
  transform,
  ...more,
});

const walk = async (b: Batches): Promise<readonly number[][]> => {
  const all: number[][] = [];
  for (let step = 0; step < b.steps; step++) {
    const { pixels, labels, count } = await get(b.at(step));
    assert.is(labels.length, count);
    assert.is(pixels.length, count * plane);
    labels.forEach((label, i) => assert.is(pixels[i * plane + 17], label, "pixels and labels go together"));
    all.push([...labels]);
  }
  return all;
};

test("the law: walked twice, from another process's description, in any order, any concurrency, with and without cache: the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        n: fc.integer({ min: 1, max: 9 }),
        batch: fc.integer({ min: 1, max: 6 }),
        seed: fc.nat(),
        steps: fc.integer({ min: 1, max: 5 }),
        concurrency: fc.integer({ min: 1, max: 5 }),
        megabytes: fc.constantFrom(0, 1),
        bad: fc.array(fc.nat(8), { maxLength: 3 }),
      }),
      async ({ n, batch, seed, steps, concurrency, megabytes, bad }) => {
        fc.pre(!Array.from({ length: n }, (_, i) => i).every((i) => bad.includes(i)));
        const build = (c: number, m: number): Batches =>
          batches(
            options(make(n, bad), {
              batch,
              seed,
              length: { steps },
              concurrency: c,
              cache: imageCache(m),
              onCorrupt: "skip",
              augment: randomResizedCrop(0.5, 1),
            }),
          );
        const one = build(1, 512);
        const first = await walk(one);
        assert.equal(await walk(one), first);
        const other = build(concurrency, megabytes);
        for (let step = steps - 1; step >= 0; step--) assert.equal([...(await get(other.at(step))).labels], first[step]);
        assert.ok(first.flat().every((label) => !bad.includes(label)));
      },
    ),
    { numRuns: 40 },
  );
});

test("the same seed gives the same pixels, another seed others", async () => {
  const examples = [0, 1, 2].map((label): Example => ({ id: `${label}`, label, image: { kind: "pixels", image: picture(20 + label, 17) } }));
  const pixels = async (seed: number): Promise<Float32Array> =>
    (await get(batches(options({ examples }, { seed, augment: randomResizedCrop(0.3, 1) })).at(2))).pixels;
  assert.equal(await pixels(5), await pixels(5));
  assert.not.equal(await pixels(5), await pixels(6));
});

test("every epoch holds every sample once, over the ends of batches; orders differ", async () => {
  const b = batches(options(make(7), { length: { epochs: 3 } }));
  assert.is(b.steps, 6);
  const all = (await walk(b)).flat();
  const epochs = [0, 7, 14].map((at) => all.slice(at, at + 7));
  for (const epoch of epochs) assert.equal([...epoch].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.not.equal(epochs[0], epochs[1]);
});

test("a batch larger than the data set is filled", async () => {
  const [labels] = await walk(batches(options(make(3), { batch: 8 })));
  assert.equal([0, 1, 2].map((x) => labels.filter((l) => l === x).length).sort(), [2, 3, 3]);
});

test("a corrupt sample stops by default; with skip its place goes to another and it is counted once", async () => {
  const strict = batches(options(make(6, [2])));
  const results = await Promise.all(Array.from({ length: 3 }, (_, step) => strict.at(step)()));
  const failure = results.find(E.isLeft)?.left;
  assert.ok(failure?._tag === "CorruptSample" && failure.member === "2");
  const made = make(6, [2, 3]);
  const b = batches(options(made, { onCorrupt: "skip", length: { epochs: 3 } }));
  const all = (await walk(b)).flat();
  assert.is(all.length, b.steps * 4);
  assert.equal([...new Set(all)].sort(), [0, 1, 4, 5]);
  assert.equal(
    b
      .skipped()
      .map((s) => s.id)
      .sort(),
    ["sample 2", "sample 3"],
  );
  assert.is(made.decoded(), 6, "each is decoded once, corrupt ones too");
});

test("no good sample at all, no sample, a step outside, a bad batch: failures", async () => {
  assert.is(left(await batches(options(make(2, [0, 1]), { onCorrupt: "skip" })).at(0)())._tag, "CorruptSample");
  const empty = batches(options({ examples: [] }));
  assert.is(empty.steps, 0);
  assert.match(describe(left(await empty.at(0)())), /examples/);
  for (const step of [-1, 6, 0.5, NaN]) assert.is(left(await batches(options(make(3))).at(step)())._tag, "BadOption");
  assert.match(describe(left(await batches(options(make(3), { batch: 0 })).at(0)())), /batch/);
  assert.is(evaluationBatches(options({ examples: [] })).steps, 0);
});

test("evaluation: every sample once in order, the last batch smaller, corrupt ones left out and counted", async () => {
  assert.equal(await walk(evaluationBatches(options(make(10)))), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
  const b = evaluationBatches(options(make(10, [1, 8, 9]), { onCorrupt: "skip" }));
  assert.equal(await walk(b), [[0, 2, 3], [4, 5, 6, 7], []]);
  assert.is(b.skipped().length, 3);
  assert.is(left(await evaluationBatches(options(make(10, [1]))).at(0)())._tag, "CorruptSample");
});

test("the cache is shared, and bounded", async () => {
  const made = make(8);
  const cache = imageCache(1);
  await walk(batches(options(made, { cache })));
  await walk(evaluationBatches(options(made, { cache })));
  assert.is(made.decoded(), 8);
  const small = imageCache(1);
  const image = { width: 1, height: 1, data: new Uint8Array(400_000) };
  for (const id of ["a", "b"]) small.set(id, image);
  small.get("a");
  small.set("c", image);
  assert.equal(
    ["a", "b", "c"].map((id) => small.get(id) !== undefined),
    [true, false, true],
  );
  small.set("a", image);
  assert.ok(small.get("c") !== undefined, "setting one again counts it once");
  small.set("huge", { ...image, data: new Uint8Array(2_000_000) });
  assert.is(small.get("huge"), undefined);
});

test("several questions about one picture decode it once, at the same time too; pictures of other places are others", async () => {
  const asked: string[] = [];
  const decode: ExampleDecoder =
    ({ id, image }) =>
    async () => {
      asked.push(id);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (image.kind === "file" && image.path === "bad.png") return E.left({ _tag: "CorruptSample", path: ".", member: "bad.png", detail: "bad" });
      return E.right({ width: 1, height: 1, data: new Uint8Array(3).fill(asked.length) });
    };
  const { load, skipped } = loader({ decode, cache: imageCache(1) });
  const of = (id: string, image: Example["image"]): Example => ({ id, label: 0, image });
  const file = (path: string): Example["image"] => ({ kind: "file", path });
  const [a, b] = await Promise.all([load(of("a", file("1.png"))), load(of("b", file("1.png")))]);
  assert.equal([a, asked], [b, ["a"]]);
  await load(of("c", file("1.png")));
  await load(of("a", file("2.png")));
  for (const index of [0, 1]) await load(of("d", { ...file("1.png"), frame: { index, of: 2 } } as Example["image"]));
  for (const row of [0, 1, 0]) await load(of("e", { kind: "row", file: "1.parquet", row, column: "image" }));
  for (const offset of [0, 512, 0]) await load(of("f", { kind: "member", archive: "1.tar", name: "1.png", offset, size: 1 }));
  for (const id of ["g", "h", "g"]) await load(of(id, { kind: "named", name: "one" }));
  assert.equal(asked, ["a", "a", "d", "d", "e", "e", "f", "f", "g", "h"]);
  for (const id of ["i", "k", "i"]) assert.is((await load(of(id, file("bad.png"))))._tag, "Left");
  assert.is(asked.length, 11);
  assert.equal(
    skipped().map(({ id }) => id),
    ["i", "k"],
  );
});

test("from files to batches, twice", async () => {
  await writeWebDataset(dir);
  const run = async (): Promise<string> => {
    const task = await get(webDataset(dir));
    const b = batches(options({ examples: await get(task.train) }, { augment: randomResizedCrop(0.9, 1) }));
    const all = await Promise.all(Array.from({ length: b.steps }, (_, step) => b.at(step)()));
    return all.map((e) => `${[...right(e).labels].join()}:${right(e).pixels.reduce((a, x, i) => a + x * (i % 13), 0)}`).join("\n");
  };
  assert.is(await run(), await run());
});

const photos = "../shared/data/photo-stream/flowers17";
(existsSync(photos) ? test : test.skip)("the photo stream in batches of 32", async () => {
  const task = await get(webDataset(photos));
  const b = batches(
    options(
      { examples: await get(task.train) },
      {
        batch: 32,
        length: { steps: 2 },
        transform: imageTransform(clipPreprocess(64), { height: 64, width: 64 }),
        augment: randomResizedCrop(0.9, 1),
      },
    ),
  );
  const { pixels, labels } = await get(b.at(1));
  assert.is(pixels.length, 32 * 3 * 64 * 64);
  assert.ok(pixels.every((x) => Math.abs(x) < 3) && labels.every((l) => l < 17));
  assert.ok(join(photos).length > 0);
});

test.run();
