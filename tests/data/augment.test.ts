import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Random } from "../../src/random.ts";
import { random } from "../../src/random.ts";
import { flipped, randomResizedCrop, type Augment } from "../../src/data/augment.ts";
import { mirror } from "../../src/data/transform.ts";
import { crop, resize } from "../../src/formats/resize.ts";
import { picture } from "../fixtures/images.ts";

const test = suite("augment");

/** A stream that gives these numbers. */
const scripted = (uniforms: readonly number[]): Random => {
  let at = 0;
  const uniform = (): number => uniforms[at++ % uniforms.length];
  return { uniform, integer: (n) => Math.floor(uniform() * n), normal: () => 0, permutation: () => new Uint32Array() };
};

test("the drawn rectangle is cropped and resized", () => {
  const image = picture(40, 30);
  // Scale 0.25 + 0.75 * 1/3 = 0.5 of the area; ratio 1 (the middle in the logarithm): 24.49 rounds to 24 x 24; top 3 of 7, left 8 of 17.
  const out = randomResizedCrop(0.25, 1)(image, { height: 10, width: 10 }, scripted([1 / 3, 0.5, 0.5, 0.5]));
  assert.equal(out, resize(crop(image, 3, 8, { height: 24, width: 24 }), { height: 10, width: 10 }));
});

test("where no rectangle fits, the centre in the nearest ratio", () => {
  const image = picture(90, 10);
  const out = randomResizedCrop(1, 1)(image, { height: 8, width: 8 }, scripted([0.5]));
  assert.equal(out, resize(crop(image, 0, 38, { height: 10, width: 13 }), { height: 8, width: 8 }));
  const tall = randomResizedCrop(1, 1)(picture(10, 90), { height: 8, width: 8 }, scripted([0.5]));
  assert.equal(tall, resize(crop(picture(10, 90), 38, 0, { height: 13, width: 10 }), { height: 8, width: 8 }));
});

test("the whole square, scale 1 and ratio 1, is a resize", () => {
  const out = randomResizedCrop(1, 1, { ratio: [1, 1] })(picture(20, 20), { height: 7, width: 7 }, random(1, "x"));
  assert.equal(out, resize(picture(20, 20), { height: 7, width: 7 }));
});

test("pure: the same numbers give the same image, of the wanted size, whatever the input", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.nat(), (w, h, seed) => {
      const augment = randomResizedCrop(0.08, 1);
      const image = picture(w, h);
      const before = Uint8Array.from(image.data);
      const out = augment(image, { height: 6, width: 9 }, random(seed, "augment", 1));
      assert.equal([out.width, out.height, out.data.length], [9, 6, 162]);
      assert.equal(augment(image, { height: 6, width: 9 }, random(seed, "augment", 1)), out);
      assert.equal(image.data, before);
    }),
    { numRuns: 60 },
  );
});

test("mirrored: left and right change places, and twice is once nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (w, h) => {
      const image = picture(w, h);
      const { data } = mirror(image);
      const at = (pixels: ArrayLike<number>, x: number, y: number) => [0, 1, 2].map((channel) => pixels[3 * (y * w + x) + channel]);
      for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) assert.equal(at(data, x, y), at(image.data, w - 1 - x, y));
      assert.equal(mirror(mirror(image)), image);
    }),
  );
});

test("flipped: half of the images are mirrored behind the crop, whether it can say what it cuts or not", () => {
  const crop = randomResizedCrop(0.3, 1);
  const size = { height: 6, width: 7 };
  const opaque: Augment = (image, to, random) => crop(image, to, random);
  let mirrored = 0;
  for (let seed = 0; seed < 200; seed++) {
    const image = picture(19, 14);
    const plain = crop(image, size, random(seed, "augment"));
    const out = flipped(crop)(image, size, random(seed, "augment"));
    const isMirrored = out.data.some((x, i) => x !== plain.data[i]);
    assert.equal(out, isMirrored ? mirror(plain) : plain);
    assert.equal(flipped(opaque)(image, size, random(seed, "augment")), out);
    assert.is(flipped(crop).cut!(image, size, random(seed, "augment")).mirrored === true, isMirrored);
    mirrored += isMirrored ? 1 : 0;
    assert.equal(flipped(crop, 0)(image, size, random(seed, "augment")), plain);
    assert.equal(flipped(flipped(crop, 1), 1)(image, size, random(seed, "augment")), plain);
  }
  assert.ok(mirrored > 70 && mirrored < 130, `${mirrored} of 200`);
  assert.is(flipped(opaque).cut, undefined);
});

test.run();
