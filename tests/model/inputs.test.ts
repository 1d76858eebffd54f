/** What makes inputs of a model fits the model, or is refused: sizes and channels of images, ids of tokens. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { evaluationBatches } from "../../src/data/batches.ts";
import { clipPreprocess, type Preprocess } from "../../src/data/preprocess.ts";
import { textEncoder, transformOf } from "../../src/model/inputs.ts";
import { initialModel, readModel, writeModel } from "../../src/model/model.ts";
import { vit } from "../../src/model/vit.ts";
import { learner } from "../../src/model/learner.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import { encode } from "../../src/stages/encode.ts";
import { ShapeError } from "../../src/tensor/tensor.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip, tinyConfig } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("inputs");
test.after(remove);
const folder = join(dir, "model");
const processor = join(folder, "preprocessor_config.json");

const { imageSize } = tinyConfig.vision;
const clip = await tinyClip();
await get(writeModel(folder, clip));

/** What reading the model says with a processor of this configuration: nothing where it is read. */
const saidWith = async (config: unknown): Promise<string> => {
  writeFileSync(processor, JSON.stringify(config));
  const read = await readModel(folder)();
  rmSync(processor);
  return read._tag === "Right" ? "" : describe(read.left);
};

test("a processor that makes images of another size than the model's is refused, with both sizes", async () => {
  const side = fc.integer({ min: 1, max: 300 });
  const size = fc.oneof(
    side.map((n): readonly [unknown, number, number] => [n, n, n]),
    fc.tuple(side, side).map(([height, width]): readonly [unknown, number, number] => [{ height, width }, width, height]),
  );
  await fc.assert(
    fc.asyncProperty(size, fc.boolean(), async ([written, width, height], crops) => {
      const config = crops ? { size: 400, crop_size: written } : { image_processor_type: "ViTImageProcessor", size: written };
      const fits = width === imageSize && height === imageSize;
      const said = `${processor}: it makes images of ${width} x ${height} pixels, and the model takes ${imageSize} x ${imageSize}`;
      assert.is(await saidWith(config), fits ? "" : said);
    }),
    { examples: [[[imageSize, imageSize, imageSize], true]], numRuns: 30 },
  );
});

test("numbers of a processor that are not finite are refused", async () => {
  // JSON has a way to write infinity: a number that is too large.
  for (const key of ["rescale_factor", "image_mean", "image_std"]) {
    const value = key === "rescale_factor" ? "1e999" : "[1e39, 1, 1]";
    writeFileSync(processor, `{ "${key}": ${value}, "crop_size": ${imageSize} }`);
    assert.is(describe(left(await readModel(folder)())), `${processor}: "${key}" holds a number that is not finite`);
    rmSync(processor);
  }
});

test("a model that takes images of another number of channels is refused", async () => {
  const vision = { ...tinyConfig.vision, channels: 1 };
  await get(writeModel(join(dir, "grey"), initialModel(vit, { vision }, 1)));
  const said = "its images have 1 channel; 3 are supported";
  assert.is(describe(left(await readModel(join(dir, "grey"))())), `${join(dir, "grey", "config.json")}: ${said}`);
  assert.throws(
    () => transformOf(initialModel(vit, { vision }, 1)),
    (e: unknown) => e instanceof ShapeError && e.detail === said,
  );
});

/** The tiny model with a preprocessing that somebody made by hand. */
const withPreprocess = (preprocess: Partial<Preprocess>) => ({ ...clip, preprocess: { ...clipPreprocess(imageSize), ...preprocess } });

test("an image that a transform leaves at another size is refused by its name; one of the right size passes", async () => {
  const transform = transformOf(withPreprocess({ resize: undefined, crop: undefined }));
  const example = (id: string, width: number, height: number) =>
    ({ id, label: 0, image: { kind: "pixels", image: { width, height, data: new Uint8Array(width * height * 3) } } }) as const;
  const good = example("good", imageSize, imageSize);
  assert.is((await get(evaluationBatches({ examples: [good], batch: 2, transform }).at(0))).count, 1);
  for (const [width, height] of [
    [imageSize + 1, imageSize],
    [imageSize, 1],
    // As many pixels as there should be.
    [2 * imageSize, imageSize / 2],
  ]) {
    const failure = left(await evaluationBatches({ examples: [good, example("bad", width, height)], batch: 2, transform }).at(0)());
    assert.match(describe(failure), `image bad: it has ${width} x ${height} pixels after its transform, and the model takes ${imageSize} x ${imageSize}`);
  }
});

const task = patternTask("patterns", ["ant", "bee"], 1);
const stream = { labelSpace: "task", tasks: [task] } as const;

deviceTest("a preprocessing or a tokenizer that does not fit is the failure of training and of evaluation", async (device) => {
  const runtime = runtimeOf(device);
  const { vocabulary } = tinyConfig.text;
  for (const [model, said] of [
    [withPreprocess({ crop: { height: 24, width: 24 } }), "preprocessing: it makes images of 24 x 24 pixels, and the model takes 16 x 16"],
    [
      { ...clip, tokenizer: { ...clip.tokenizer!, encode: (text: string) => (text === "bee" ? [5, vocabulary] : [5]) } },
      `tokenizer: "bee" has the token ${vocabulary}, and the model knows those below ${vocabulary}; the tokenizer is that of another model`,
    ],
  ] as const) {
    const start = learner(model);
    assert.is(describe(left(await accuracies(start, stream, 0)(runtime)())), said);
    const lesson = { learner: start, task, position: 0, stream, learned: 1 };
    assert.is(describe(left(await encode({ steps: 1, batch: 2 }).run(lesson)(runtime)())), said);
  }
});

test("ids up to the last of the vocabulary are encoded; one beyond is refused, in any of many texts", () => {
  const { vocabulary, eosId } = tinyConfig.text;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: vocabulary - 2 }), { maxLength: 6 }),
      fc.nat(2),
      fc.integer({ min: vocabulary, max: 2 ** 32 - 2 }),
      (ids, at, beyond) => {
        const encoderOf = (last: number) =>
          textEncoder({ ...clip, tokenizer: { bos: 0, eos: eosId, pad: eosId, encode: (text) => (text === `text ${at}` ? [...ids, last] : ids) } })!;
        const texts = ["text 0", "text 1", "text 2"];
        assert.is(encoderOf(vocabulary - 2)(texts).count, 3);
        assert.throws(() => encoderOf(beyond)(texts), new RegExp(`"text ${at}" has the token ${beyond}, and the model knows those below ${vocabulary}`));
      },
    ),
  );
});

runTests();
