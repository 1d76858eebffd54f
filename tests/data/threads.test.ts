/** Threads that prepare images: the same bits as without them, whatever is corrupt and whatever is lost. */
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { flipped, randomResizedCrop, type Augment } from "../../src/data/augment.ts";
import { batches, evaluationBatches } from "../../src/data/batches.ts";
import type { Example, Image } from "../../src/data/example.ts";
import { module, type Prepared } from "../../src/data/prepared.ts";
import { clipPreprocess, imageTransform } from "../../src/data/preprocess.ts";
import { describe, get } from "../../src/failure.ts";
import { threadsOf } from "../../src/platform/node/threads.ts";
import type { Threads } from "../../src/platform/platform.ts";
import { left } from "../either.ts";

const test = suite("threads");

const imageOf = (seed: number, width: number, height: number): Image => {
  // As decoders give it: a part of a larger buffer.
  const data = new Uint8Array(3 * width * height + 64).subarray(32, 32 + 3 * width * height);
  data.forEach((_, i) => (data[i] = (i * seed + (i >> 5)) % 256));
  return { width, height, data };
};
const examples: readonly Example[] = Array.from({ length: 7 }, (_, i) => ({
  id: `${i}`,
  label: i % 2,
  image: i === 3 ? { kind: "bytes", bytes: new Uint8Array(9) } : { kind: "pixels", image: imageOf(i + 3, 90 + 7 * i, 80 + 11 * i) },
}));

const size = { height: 72, width: 72 };
const none: Threads = { count: 0, run: async () => assert.unreachable("there are no threads") };
const two = threadsOf(2);

const options = { examples, batch: 4, transform: imageTransform(clipPreprocess(72), size), onCorrupt: "skip" as const };
/** One that only the main thread can do: it is a function, and nothing more is known of it. */
const turned: Augment = (image, to, random) => randomResizedCrop(0.5, 1)({ ...image, data: image.data.slice().reverse() }, to, random);

test("training and evaluation batches have the same bits, and leave the same examples out", async () => {
  for (const augment of [undefined, randomResizedCrop(0.3, 1), flipped(randomResizedCrop(0.08, 1, { resampling: "bilinear" })), turned, flipped(turned)]) {
    const of = (threads: Threads) => batches({ ...options, augment, seed: 5, length: { steps: 3 }, threads });
    for (let step = 0; step < 3; step++) assert.equal(await get(of(two).at(step)), await get(of(none).at(step)));
  }
  const [alone, beside] = [none, two].map((threads) => evaluationBatches({ ...options, threads }));
  for (let step = 0; step < alone.steps; step++) assert.equal(await get(beside.at(step)), await get(alone.at(step)));
  assert.equal(
    beside.skipped().map(({ id }) => id),
    ["3"],
  );
});

test("what does not fit the model, and what is corrupt, fails as without threads", async () => {
  for (const more of [{ transform: imageTransform({ ...clipPreprocess(72), crop: undefined }, size) }, { onCorrupt: "fail" as const }]) {
    const [alone, beside] = await Promise.all([none, two].map((threads) => evaluationBatches({ ...options, ...more, threads }).at(0)()));
    assert.is(describe(left(beside)), describe(left(alone)));
  }
});

test("what work throws is thrown; the work of a thread that is lost is done by the main one", async () => {
  const input = { image: imageOf(5, 90, 80), preprocess: clipPreprocess(72) };
  const prepared = (await two.run(module, input)) as Prepared;
  assert.equal([prepared.width, prepared.height, prepared.planes.length], [72, 72, 3 * 72 * 72]);
  let said = "";
  await two.run(module, { image: null }).catch((error: Error) => {
    said = error.message;
  });
  assert.match(said, /\w/);
  const lost: Threads = { count: 1, run: async () => undefined };
  const of = (threads: Threads) => evaluationBatches({ ...options, threads }).at(0)();
  assert.equal(await of(lost), await of(none));
  const dying = await threadsOf(1).run("data:text/javascript,export const work = () => process.exit(1);", {});
  assert.is(dying, undefined);
  assert.ok(E.isRight(await of(two)));
});

test.run();
