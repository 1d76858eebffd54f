import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage } from "../../src/data/decode.ts";
import { describe } from "../../src/failure.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { clipPreprocess, outputSize, readPreprocess, vitPreprocess } from "../../src/data/preprocess.ts";
import { processorConfig, withPixels } from "../../src/data/pixels.ts";
import { centre, normalise } from "../../src/data/transform.ts";
import type { Preprocess } from "../../src/data/preprocess.ts";
import { golden, picture } from "../fixtures/images.ts";

const test = suite("preprocess");
const dir = mkdtempSync(join(tmpdir(), "cambium-preprocess-"));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const read = async (config: unknown, name = "preprocessor_config.json"): Promise<E.Either<string, Preprocess>> => {
  const path = join(dir, name);
  writeFileSync(path, JSON.stringify(config));
  const e = await readPreprocess(dir)();
  rmSync(path);
  return E.mapLeft(describe)(e);
};

const right = <A>(e: E.Either<string, A>): A => {
  if (E.isLeft(e)) throw new Error(e.left);
  return e.right;
};

for (const {
  size: [w, h],
  shape,
  bytes,
  config,
} of golden("clip")) {
  test(`${w} x ${h} with ${JSON.stringify(config)}: equal to the reference`, async () => {
    const p = right(await read(config));
    const image = centre(p)(picture(w, h));
    assert.equal([3, image.height, image.width], shape);
    const pixels = new Float32Array(3 * image.height * image.width);
    normalise(p)(image, pixels, 0);
    assert.equal(pixels, new Float32Array(bytes.buffer as ArrayBuffer));
  });
}

test("LLaVA's training pads to a square with the mean colour: equal to LlavaImageProcessor", async () => {
  const golden = right(E.mapLeft(describe)(await readSafetensors("tests/fixtures/llava-tiny/golden.safetensors")()));
  const p = right(await read({ image_processor_type: "LlavaImageProcessor", do_pad: true, size: { shortest_edge: 14 }, crop_size: { height: 14, width: 14 } }));
  assert.equal(p, { ...clipPreprocess(14), square: true });
  const wide = right(await decodeImage(readFileSync("tests/fixtures/preprocess/rgb.png"))());
  const { width, height, data } = wide;
  const turned = Uint8Array.from(data, (_, i) => data[3 * ((Math.floor(i / 3) % height) * width + Math.floor(i / 3 / height)) + (i % 3)]);
  const pixels = new Float32Array(2 * 3 * 14 * 14);
  for (const [i, image] of [wide, { width: height, height: width, data: turned }].entries()) normalise(p)(centre(p)(image), pixels, i * 3 * 14 * 14);
  assert.equal(pixels, golden.get("squared")!.data);
});

test("a preprocessing that is written down is read as the same, and other pixels are a part of it", async () => {
  const unit = { mean: [0, 0, 0] as [number, number, number], std: [1, 1, 1] as [number, number, number] };
  for (const p of [
    clipPreprocess(14),
    vitPreprocess(24),
    { ...clipPreprocess(14), square: true },
    { ...clipPreprocess(14), resize: undefined, resampling: "lanczos" as const },
    { ...vitPreprocess(24), scale: 1 },
    withPixels(vitPreprocess(224), 224, { ...unit, crop: 0.875 }),
    withPixels(clipPreprocess(32), 32, { ...unit, crop: 1, resampling: "bilinear" }),
  ])
    assert.equal(right(await read(processorConfig(p))), p);
  const { resize, crop, mean, std, resampling } = withPixels(vitPreprocess(224), 224, { ...unit, crop: 0.875 });
  assert.equal([resize, crop, mean, std, resampling], [{ shortest: 256 }, { height: 224, width: 224 }, unit.mean, unit.std, "bilinear"]);
  assert.equal(withPixels(clipPreprocess(14), 14, {}), clipPreprocess(14));
  const pixels = new Float32Array(3 * 4);
  normalise(withPixels(vitPreprocess(2), 2, unit))({ width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => i * 23) }, pixels, 0);
  assert.equal(pixels[0], 0);
  assert.equal(pixels[11], Math.fround(253 * (1 / 255)));
});

test("a line of pixels becomes a square that a computer can hold; CLIP's processor knows no padding", async () => {
  const line = { width: 100_000, height: 1, data: new Uint8Array(300_000).fill(9) };
  const { width, height } = centre({ ...clipPreprocess(14), square: true, resize: { height: 14, width: 14 } })(line);
  assert.equal([width, height], [14, 14]);
  assert.is(right(await read({ do_pad: true })).square, undefined);
});

test("every way to write the sizes", async () => {
  const forms: readonly unknown[] = [
    { size: 24, crop_size: 24 },
    { size: { shortest_edge: 24 }, crop_size: { height: 24, width: 24 } },
    { size: { shortest_edge: 24 }, crop_size: 24, feature_extractor_type: "CLIPFeatureExtractor" },
  ];
  for (const form of forms) assert.equal(right(await read(form)), clipPreprocess(24));
  const squeezed = right(await read({ size: { height: 8, width: 12 }, do_center_crop: false, do_normalize: false, resample: 1 }));
  assert.equal(outputSize(squeezed), { height: 8, width: 12 });
  assert.equal(squeezed.std, [1, 1, 1]);
  assert.equal(right(await read({ image_processor: { size: 24, crop_size: 24 } }, "processor_config.json")), clipPreprocess(24));
  assert.equal(right(E.mapLeft(describe)(await readPreprocess(dir, 64)())), clipPreprocess(64), "no file: CLIP's default at the model's size");
});

test("null is absent, at the top and in a size", async () => {
  const nulls = { crop_size: null, do_center_crop: null, do_convert_rgb: null, image_mean: null, resample: null, rescale_factor: null };
  const size = { height: 32, width: 32, shortest_edge: null, longest_edge: null };
  assert.equal(right(await read({ ...nulls, size, image_processor_type: "ViTImageProcessorFast" })), vitPreprocess(32));
  assert.equal(right(await read({ ...nulls, image_processor_type: null, feature_extractor_type: null, do_resize: null, size: null })), clipPreprocess());
  assert.equal(right(await read({ image_processor: null }, "processor_config.json")), clipPreprocess());
});

test("a config that cannot be: named with its key", async () => {
  for (const [config, expected] of [
    [{ size: 0 }, /"size/],
    [{ size: { longest_edge: 3 } }, /"size/],
    [{ crop_size: "a" }, /"crop_size/],
    [{ image_mean: [1, 2] }, /"image_mean/],
    [{ resample: 0 }, /"resample" is 0/],
    [{ image_std: [1, 0, 1] }, /zero/],
    [[], /preprocessor_config/],
  ] as const) {
    const e = await read(config);
    assert.ok(E.isLeft(e), JSON.stringify(config));
    assert.match(e.left, expected);
  }
  writeFileSync(join(dir, "preprocessor_config.json"), "{");
  assert.ok(E.isLeft(await readPreprocess(dir)()));
  rmSync(join(dir, "preprocessor_config.json"));
});

const nano = "../shared/models/photo-nano";
(existsSync(nano) ? test : test.skip)("photo-nano's file", async () => {
  const p = right(E.mapLeft(describe)(await readPreprocess(nano)()));
  assert.equal(outputSize(p), { height: 64, width: 64 });
  assert.equal(p.mean, clipPreprocess().mean);
});

test.run();
