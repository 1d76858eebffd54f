import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, decodeFile } from "../../src/data/decode.ts";
import type { Image } from "../../src/data/example.ts";
import { folder, golden } from "../fixtures/images.ts";

const test = suite("decode");

const decode = async (bytes: Uint8Array): Promise<Image> => {
  const e = await decodeImage(bytes)();
  if (E.isLeft(e)) throw new Error(e.left);
  return e.right;
};

for (const {
  file,
  shape: [height, width],
  bytes,
} of golden("decode")) {
  test(`${file}: as Pillow converts it to RGB`, async () => {
    const image = await decode(readFileSync(join(folder, file)));
    assert.equal([image.width, image.height], [width, height]);
    const worst = image.data.reduce((most, x, i) => Math.max(most, Math.abs(x - bytes[i])), 0);
    assert.is(worst, 0, `differs by ${worst}`);
  });
}

test("a view into a larger buffer is read as that view", async () => {
  const bytes = readFileSync(join(folder, "rgb.png"));
  const large = new Uint8Array(bytes.length + 20).fill(7);
  large.set(bytes, 10);
  assert.equal((await decode(large.subarray(10, 10 + bytes.length))).data, (await decode(bytes)).data);
});

test("a truncated, an empty and a foreign file: a CorruptSample that names file and member", async () => {
  for (const file of ["rgb.jpg", "rgb.png", "lossy.webp", "progressive.jpg"]) {
    const whole = readFileSync(join(folder, file));
    const cuts = [whole.length >> 1, whole.length - 20, 0].map((size) => whole.subarray(0, size));
    for (const bytes of [...cuts, new TextEncoder().encode("not an image")]) {
      const e = await decodeFile("shard.tar", "k.jpg", TE.right(bytes))();
      assert.ok(E.isLeft(e) && e.left._tag === "CorruptSample", `${file} ${bytes.length}`);
      assert.equal([e.left.path, e.left.member], ["shard.tar", "k.jpg"]);
      assert.not.match(e.left.detail, /\n/);
    }
  }
});

test("mutated bytes are decoded or refused, never more", async () => {
  const whole = readFileSync(join(folder, "rgb.jpg"));
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(changes, async (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      await decodeFile("s", "m", TE.right(bytes))();
    }),
    { numRuns: 60 },
  );
});

test.run();
