/** Pictures in a browser: the pixels that Node has, frames of animations, and what is said of a damaged one. */
import * as E from "fp-ts/lib/Either.js";
import sharp from "sharp";
import type { Sharp } from "sharp";
import * as assert from "uvu/assert";
import { resize } from "../../src/formats/resize.ts";
import { node } from "../../src/platform/node/node.ts";
import type { Frame } from "../../src/platform/frames.ts";
import type { Image } from "../../src/platform/platform.ts";
import { browserTest, runTests } from "./check.ts";
import type { Asked, Pixels } from "./pixels.ts";
import type { Tab } from "./tab.ts";

const page = "tests/browser/pages/pictures.ts";

const encoder = new TextEncoder();

const [width, height, pages] = [67, 45, 5];

/** Pixels of a picture, or of all frames of an animation, one below the other. */
const raw = (channels: 3 | 4, value: (channel: number, x: number, y: number, frame: number) => number, frames = 1): Sharp => {
  const pixel = (i: number): number => Math.floor(i / channels);
  const data = Uint8Array.from({ length: channels * width * height * frames }, (_, i) =>
    value(i % channels, pixel(i) % width, Math.floor(pixel(i) / width) % height, Math.floor(pixel(i) / width / height)),
  );
  return sharp(data, { raw: { width, height: height * frames, channels, ...(frames > 1 ? { pageHeight: height } : {}) } });
};

const noise = (): Sharp => raw(3, (c, x, y) => (x * 37 + y * 91 + c * 53 + x * y * 7) % 256);
const waves = (frames?: number): Sharp => raw(3, (c, x, y, t) => Math.round(127 + 100 * Math.sin(x / 7 + c + t) * Math.cos(y / 9 - c)), frames);
const veiled = (frames?: number): Sharp => raw(4, (c, x, y, t) => (c === 3 ? (x * 5 + t * 7) % 256 : (x * 37 + y * 91 + c * 53) % 256), frames);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** Pictures as the browser decodes them, or what it says is wrong with each. */
const decoded = async ({ inWorker }: Tab, pictures: readonly (readonly [Uint8Array, Frame?])[]): Promise<readonly (Image | string)[]> => {
  const asked = pictures.map(([bytes, frame]): Asked => ({ base64: base64(bytes), frame }));
  const found = await inWorker<readonly (Pixels | string)[]>(page, "decoded", asked);
  return found.map((pixels) => (typeof pixels === "string" ? pixels : { ...pixels, data: new Uint8Array(Buffer.from(pixels.base64, "base64")) }));
};

const inNode = async (bytes: Uint8Array, frame?: Frame): Promise<Image> => {
  const image = await node.decodeImage(bytes, frame)();
  assert.ok(E.isRight(image));
  return image.right;
};

/** The largest difference of two images of one size. */
const apart = (a: Image, b: Image): number => {
  assert.equal([a.width, a.height], [b.width, b.height]);
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i])), 0);
};

const check = async (tab: Tab, pictures: Readonly<Record<string, Sharp>>, difference: (a: Image, b: Image) => number, most: number): Promise<void> => {
  const files = await Promise.all(Object.values(pictures).map(async (picture) => [new Uint8Array(await picture.toBuffer())] as const));
  const found = await decoded(tab, files);
  for (const [i, name] of Object.keys(pictures).entries()) {
    const image = found[i];
    assert.ok(typeof image !== "string", `${name}: ${image}`);
    const off = difference(image, await inNode(files[i][0]));
    assert.ok(off <= most, `${name} is ${off} off`);
  }
};

browserTest("pictures that lose nothing have the same pixels, also where they are transparent, turned or of another colour space", (tab) =>
  check(
    tab,
    {
      PNG: noise().png(),
      "interlaced PNG": noise().png({ progressive: true }),
      "PNG with a palette": waves().png({ palette: true }),
      "grey PNG": noise().greyscale().png(),
      "PNG of 16 bits": noise().toColourspace("rgb16").linear(1.003, 0.7).png(),
      "transparent PNG": veiled().png(),
      "turned PNG": noise().withMetadata({ orientation: 6 }).png(),
      "PNG in Display P3": noise().withIccProfile("p3").png(),
      "WebP without loss": noise().webp({ lossless: true }),
      "turned WebP": noise().withMetadata({ orientation: 6 }).webp({ lossless: true }),
      "transparent WebP": veiled().webp({ lossless: true, exact: true }),
      GIF: waves().gif(),
    },
    apart,
    0,
  ),
);

browserTest("pictures that lose something are within 2/255 after our resize", (tab) => {
  const small = (image: Image): Image => resize(image, { width: 32, height: 32 }, "bicubic");
  const difference = (a: Image, b: Image): number => apart(small(a), small(b));
  return check(
    tab,
    {
      JPEG: waves().jpeg({ quality: 90 }),
      "poor JPEG": noise().jpeg({ quality: 60 }),
      "JPEG 4:4:4": noise().jpeg({ chromaSubsampling: "4:4:4" }),
      "progressive JPEG": waves().jpeg({ progressive: true }),
      "grey JPEG": waves().greyscale().jpeg(),
      "turned JPEG": waves().withMetadata({ orientation: 6 }).jpeg(),
      "JPEG in Display P3": waves().withIccProfile("p3").jpeg(),
      WebP: waves().webp(),
      AVIF: waves().avif(),
    },
    difference,
    2,
  );
});

browserTest("frames of animations are those of Node", async (tab) => {
  const animations = { GIF: waves(pages).gif(), WebP: waves(pages).webp(), "transparent WebP": veiled(pages).webp({ lossless: true, exact: true }) };
  for (const [name, animation] of Object.entries(animations)) {
    const bytes = new Uint8Array(await animation.toBuffer());
    const frames = [undefined, { index: 1, of: 3 }, { index: 2, of: 3 }, { index: 0, of: 1 }];
    const found = await decoded(
      tab,
      frames.map((frame) => [bytes, frame]),
    );
    for (const [i, frame] of frames.entries()) {
      const image = found[i];
      assert.ok(typeof image !== "string", `${name}: ${image}`);
      assert.is(apart(image, await inNode(bytes, frame)), 0, `${name} at ${JSON.stringify(frame)}`);
    }
  }
  const still = new Uint8Array(await waves().png().toBuffer());
  const [image] = await decoded(tab, [[still, { index: 3, of: 4 }]]);
  assert.ok(typeof image !== "string" && apart(image, await inNode(still)) === 0);
});

browserTest("a picture that is damaged, cut off or none that is read is a sentence", async (tab) => {
  const png = new Uint8Array(await noise().png().toBuffer());
  const damaged = png.map((byte, i) => (Math.abs(i - png.length / 2) < 4 ? byte ^ 0x5a : byte));
  const jpeg = new Uint8Array(await waves().jpeg().toBuffer());
  const webp = new Uint8Array(await waves().webp().toBuffer());
  const tiff = new Uint8Array(await noise().tiff().toBuffer());
  const files = [damaged, png.subarray(0, png.length - 14), jpeg.subarray(0, 700), webp.subarray(0, 300), tiff, new Uint8Array(), encoder.encode("no picture")];
  const said = await decoded(
    tab,
    files.map((bytes) => [bytes]),
  );
  for (const sentence of said.slice(0, 4)) assert.is(sentence, "the picture is damaged or cut off");
  assert.equal(said.slice(4, 6), ["this browser does not read TIFF, or the picture is damaged", "the file is empty"]);
  assert.match(String(said[6]), /^it is no picture, by its first bytes; JPEG, PNG/);
});

browserTest("a thumbnail fits, and is a WebP", async ({ inWorker }) => {
  const png = base64(await noise().png().toBuffer());
  for (const [side, size] of [
    [20, [20, 13]],
    [100, [width, height]],
  ] as const) {
    const { mime, bytes } = await inWorker<{ mime: string; bytes: string }>(page, "thumbnail", png, side);
    const small = await sharp(Buffer.from(bytes, "base64")).metadata();
    assert.equal([mime, small.format, small.width, small.height], ["image/webp", "webp", ...size]);
  }
});

runTests();
