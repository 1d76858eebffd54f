/** Pictures lose their EXIF and nothing else, before a browser sees it. */
import sharp from "sharp";
import type { Sharp } from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withoutExif } from "../../src/platform/web/exif.ts";

const [width, height] = [19, 7];
const picture = (): Sharp =>
  sharp(
    Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 256),
    { raw: { width, height, channels: 3 } },
  );

const formats: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  JPEG: (image) => image.jpeg(),
  "a progressive JPEG": (image) => image.jpeg({ progressive: true }),
  PNG: (image) => image.png(),
  WebP: (image) => image.webp(),
};

const pixels = (bytes: Uint8Array): Promise<Uint8Array> => sharp(bytes, { failOn: "warning" }).raw().toBuffer();

for (const [name, encoded] of Object.entries(formats)) {
  test(`${name} is not turned, and keeps its pixels`, async () => {
    const turned = new Uint8Array(await encoded(picture().withMetadata({ orientation: 6 })).toBuffer());
    assert.is((await sharp(turned).metadata()).orientation, 6);
    const before = turned.slice();
    const still = withoutExif(turned);
    assert.equal(turned, before);
    const { orientation, exif, format } = await sharp(still).metadata();
    assert.equal([orientation, exif], [undefined, undefined]);
    assert.is(format, (await sharp(turned).metadata()).format);
    assert.equal(await pixels(still), await pixels(turned));
  });

  test(`${name} without EXIF is the same bytes`, async () => {
    const plain = new Uint8Array(await encoded(picture()).toBuffer());
    assert.is(withoutExif(plain), plain);
  });

  test(`${name} that is cut off anywhere is read to its end`, async () => {
    const turned = new Uint8Array(await encoded(picture().withMetadata({ orientation: 6 })).toBuffer());
    for (let length = 0; length < Math.min(turned.length, 400); length++) assert.ok(withoutExif(turned.subarray(0, length)).length <= length);
  });
}

test.run();
