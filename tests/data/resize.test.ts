import { suite } from "uvu";
import * as assert from "uvu/assert";
import { centreCrop, crop, resize, resizeShortest } from "../../src/data/resize.ts";
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
  assert.equal([resizeShortest(picture(33, 65), 32).width, resizeShortest(picture(33, 65), 32).height], [32, 63]);
  assert.equal([resizeShortest(picture(65, 33), 32).width, resizeShortest(picture(65, 33), 32).height], [63, 32]);
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
