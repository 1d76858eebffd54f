/** Models that see other pixels than their folders say, and keep them. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { clip } from "../../src/model/clip.ts";
import { initialModel, readModel, writeModel } from "../../src/model/model.ts";
import { seeing } from "../../src/model/pixels.ts";
import { left, right, temporaryFolder } from "../fixtures/datasets.ts";
import { tinyClip, tinyConfig } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("pixels");
test.after(remove);

const unit = { mean: [0, 0, 0] as [number, number, number], std: [1, 1, 1] as [number, number, number], crop: 0.5 };

test("a model that sees other pixels is read back with them, whatever its folder said before, and is the same otherwise", async () => {
  const model = await tinyClip();
  const old = new TextEncoder().encode("{}");
  const files = new Map([...model.files, ["preprocessor_config.json", old] as const, ["processor_config.json", old] as const]);
  const other = right(seeing({ ...model, files }, unit));
  assert.equal(other.preprocess, { ...model.preprocess, mean: unit.mean, std: unit.std, resize: { shortest: 32 }, crop: { height: 16, width: 16 } });
  await get(writeModel(`${dir}/model`, other));
  const read = await get(readModel(`${dir}/model`));
  assert.equal(read.preprocess, other.preprocess);
  assert.equal([...read.weights.values()], [...model.weights.values()]);
  assert.not.ok(read.files.has("processor_config.json"));
  // Once more changes nothing.
  assert.equal(right(seeing(read, unit)).preprocess, other.preprocess);
  assert.equal(right(seeing(model, {})).preprocess, model.preprocess);
});

test("what sees no images is refused", () => {
  const blind = { ...clip, images: undefined };
  const { preprocess: _, ...model } = initialModel(clip, tinyConfig, 1);
  const failure = left(seeing({ ...model, architecture: blind }, unit));
  assert.is(failure._tag === "BadOption" && `${failure.option}: ${failure.detail}`, "pixels: a clip sees no images");
});

test.run();
