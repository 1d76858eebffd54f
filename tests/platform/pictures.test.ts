/** Pictures by their first bytes: what is read, and what is named. */
import * as E from "fp-ts/lib/Either.js";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage } from "../../src/platform/node/image.ts";
import { node } from "../../src/platform/node/node.ts";
import { isRead, pictureFormat } from "../../src/platform/pictures.ts";
import { bmp } from "../fixtures/datasets.ts";
import { picture } from "../fixtures/images.ts";
import { memoryPlatform } from "../fixtures/memoryPlatform.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const latin = (content: string): Uint8Array => Uint8Array.from(content, (c) => c.charCodeAt(0));

const { width, height, data } = picture(13, 7);
const source = () => sharp(data, { raw: { width, height, channels: 3 } });

test("every format that is read is known by its bytes and decoded, whatever its name", async () => {
  const lossless = { PNG: source().png(), WebP: source().webp({ lossless: true }), TIFF: source().tiff({ compression: "lzw" }) };
  for (const [format, made] of Object.entries(lossless)) {
    const bytes = await made.toBuffer();
    assert.is(pictureFormat(bytes), format);
    assert.equal(await decodeImage(bytes)(), E.right({ width, height, data }), format);
  }
  const lossy = { JPEG: source().jpeg(), GIF: source().gif(), AVIF: source().avif() };
  for (const [format, made] of Object.entries(lossy)) {
    const bytes = await made.toBuffer();
    assert.is(pictureFormat(bytes), format);
    const image = await decodeImage(bytes)();
    assert.ok(E.isRight(image) && image.right.width === width && image.right.data.length === data.length, format);
  }
});

test("BMP: 24 and 32 bits, both orders of rows, as a view of a larger buffer", async () => {
  for (const options of [{}, { bits: 32 }, { topDown: true }, { bits: 32, topDown: true }] as const) {
    const bytes = bmp({ width, height, data }, options);
    assert.is(pictureFormat(bytes), "BMP");
    assert.equal(await decodeImage(bytes)(), E.right({ width, height, data }), JSON.stringify(options));
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 5);
    assert.equal(await decodeImage(larger.subarray(5, 5 + bytes.length))(), E.right({ width, height, data }));
  }
});

test("BMP: palettes of 1, 4 and 8 bits", async () => {
  // Three pixels in two rows, the lower first: colours 1 0 1 and 0 1 0 of a palette of two.
  const rows = { 1: [0b10100000, 0b01000000], 4: [0x10, 0x10, 0x01, 0x00], 8: [1, 0, 1, 0, 1, 0] } as const;
  const [dark, light] = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  for (const bits of [1, 4, 8] as const) {
    const perRow = rows[bits].length / 2;
    const bytes = new Uint8Array(14 + 40 + 8 + 2 * 4);
    const view = new DataView(bytes.buffer);
    bytes.set(latin("BM"));
    for (const [at, value] of [
      [10, 62],
      [14, 40],
      [18, 3],
      [22, 2],
      [46, 2],
    ] as const)
      view.setUint32(at, value, true);
    view.setUint16(26, 1, true);
    view.setUint16(28, bits, true);
    bytes.set([...dark.toReversed(), 0, ...light.toReversed(), 0], 54);
    for (const row of [0, 1]) bytes.set(rows[bits].slice(row * perRow, (row + 1) * perRow), 62 + 4 * row);
    const expected = [dark, light, dark, light, dark, light].flat();
    assert.equal(await decodeImage(bytes)(), E.right({ width: 3, height: 2, data: Uint8Array.from(expected) }), `${bits} bits`);
  }
});

test("a BMP that is cut, compressed or absurd is refused in words", async () => {
  const whole = bmp({ width, height, data });
  const changed = (at: number, value: number): Uint8Array => {
    const copy = whole.slice();
    new DataView(copy.buffer).setUint32(at, value, true);
    return copy;
  };
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [whole.subarray(0, 20), /header|no picture/],
    [whole.subarray(0, -1), /ends within its pixels/],
    [changed(18, 0), /0 x 7/],
    [changed(18, 100), /ends within its pixels/],
    [changed(22, 100), /ends within its pixels/],
    [changed(18, 2 ** 31 - 1), /more than the \d+ that/],
    [changed(22, 2 ** 31), /more than the \d+ that/],
    [changed(30, 1), /compression 1/],
    [changed(14, 20), /header of 20 bytes/],
  ];
  for (const [bytes, expected] of cases) {
    const image = await decodeImage(bytes)();
    assert.ok(E.isLeft(image));
    assert.match(image.left, expected);
  }
});

test("what is not read is named: SVG is never rendered, whatever its name", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4" fill="red"/></svg>';
  const heic = latin("\0\0\0\x18ftypmif1\0\0\0\0mif1heic");
  const cases: readonly (readonly [Uint8Array, string | undefined, RegExp])[] = [
    [text(svg), "SVG", /^it is SVG; JPEG, .* and BMP are read$/],
    [text(`\ufeff<?xml version="1.0"?>\n${svg}`), "SVG", /SVG/],
    [text(`<!-- a comment -->${svg}`), "SVG", /SVG/],
    [heic, "HEIC", /HEIC/],
    [text("P6\n2 2\n255\n"), "Netpbm", /Netpbm/],
    [latin("8BPS\0\x01"), "Photoshop", /Photoshop/],
    [text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), undefined, /Git LFS pointer.*git lfs pull/],
    [text("no picture"), undefined, /no picture/],
    [new Uint8Array(0), undefined, /empty/],
  ];
  for (const [bytes, format, expected] of cases) {
    assert.is(pictureFormat(bytes), format);
    assert.not.ok(isRead(format));
    const image = await decodeImage(bytes)();
    assert.ok(E.isLeft(image));
    assert.match(image.left, expected);
  }
});

for (const some of [node, memoryPlatform()]) {
  test(`${some.name}: a thumbnail fits into its square, keeps its shape, and does not grow`, async () => {
    for (const [w, h, side, expected] of [
      [40, 20, 10, [10, 5]],
      [6, 24, 12, [3, 12]],
      [3, 7, 64, [3, 7]],
    ] as const) {
      const red = Uint8Array.from({ length: w * h * 3 }, (_, k) => (k % 3 === 0 ? 200 : 10));
      const made = await some.encodeThumbnail({ width: w, height: h, data: red }, side)();
      assert.ok(E.isRight(made));
      assert.match(made.right.mime, /^image\//);
      const read = await some.decodeImage(made.right.bytes)();
      assert.ok(E.isRight(read));
      const small = read.right;
      assert.equal([small.width, small.height], expected);
      assert.ok(small.data.every((x, k) => Math.abs(x - (k % 3 === 0 ? 200 : 10)) < 16));
    }
  });
}

test("pixels that are no picture have no thumbnail, and say why", async () => {
  const none = await node.encodeThumbnail({ width: 4, height: 4, data: new Uint8Array(5) }, 8)();
  assert.ok(E.isLeft(none) && none.left.length > 0);
});

test.run();
