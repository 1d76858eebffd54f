import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { centreCrop, crop, resize, resizedCentre, shortestSize } from "../../src/formats/resize.ts";
import { random } from "../../src/random.ts";
import { golden, picture } from "../fixtures/images.ts";

const test = suite("resize");
const names = { 1: "lanczos", 2: "bilinear", 3: "bicubic" } as const;

for (const {
  size: [w, h],
  resample,
  shape: [height, width],
  bytes,
} of golden("resize")) {
  const name = names[resample as 1 | 2 | 3];
  test(`${w} x ${h} to ${width} x ${height}, ${name}: every bit is Pillow's`, () => {
    assert.ok(Buffer.from(resize(picture(w, h), { height, width }, name).data).equals(Buffer.from(bytes)));
  });
}

test("the same size is the same image", () => assert.equal(resize(picture(9, 4), { width: 9, height: 4 }), picture(9, 4)));

test("the shorter side decides, the longer is cut down", () => {
  assert.equal(shortestSize(picture(33, 65), 32), { width: 32, height: 63 });
  assert.equal(shortestSize(picture(65, 33), 32), { width: 63, height: 32 });
});

test("the centre of a resized image is that of the whole, bit for bit", () => {
  const shapes = random(5, "shapes");
  const side = (most: number): number => 1 + shapes.integer(most);
  for (let i = 0; i < 300; i++) {
    const image = picture(side(60), side(60));
    const size = i % 2 === 0 ? shortestSize(image, side(40)) : { width: side(50), height: side(50) };
    const kept = { width: side(50), height: side(50) };
    const filter = (["bilinear", "bicubic", "lanczos"] as const)[i % 3];
    assert.equal(resizedCentre(image, size, kept, filter), centreCrop(resize(image, size, filter), kept), `${i}`);
  }
});

test("thin and long pictures cost what is kept of them", () => {
  for (const [width, height] of [
    [1, 100_000],
    [100_000, 1],
    [3, 300_000],
    [300_000, 3],
  ]) {
    const image = { width, height, data: new Uint8Array(width * height * 3).fill(90) };
    const before = process.memoryUsage.rss();
    const began = performance.now();
    const centre = resizedCentre(image, shortestSize(image, 224), { width: 224, height: 224 });
    const squeezed = resize(image, { width: 224, height: 224 }, "lanczos");
    for (const { data } of [centre, squeezed]) assert.ok(data.length === 224 * 224 * 3 && data.every((x) => x === 90));
    assert.ok(performance.now() - began < 1000, `${width} x ${height}: ${(performance.now() - began).toFixed()} ms`);
    assert.ok(process.memoryUsage.rss() - before < 100 * 2 ** 20, `${width} x ${height}`);
  }
});

test("a crop takes what it covers and is black outside", () => {
  const image = picture(5, 4);
  const inside = crop(image, 1, 2, { height: 2, width: 3 });
  assert.equal([...inside.data.subarray(0, 3)], [...image.data.subarray((5 + 2) * 3, (5 + 2) * 3 + 3)]);
  const around = centreCrop(image, { height: 8, width: 9 });
  assert.equal([...around.data.subarray((2 * 9 + 2) * 3, (2 * 9 + 7) * 3)], [...image.data.subarray(0, 15)]);
  assert.is(
    around.data.reduce((a, b) => a + b, 0),
    image.data.reduce((a, b) => a + b, 0),
  );
  for (const [top, left] of [
    [-9, 0],
    [9, 0],
    [0, 9],
    [0, -9],
  ]) {
    assert.ok(crop(image, top, left, { height: 3, width: 3 }).data.every((x) => x === 0));
  }
});

test.run();
