/** Folders of LLaVAs: the names of all versions of transformers, what is not computed and kept all the same, adapters of peft, and what is said of others. */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import { elements } from "../../src/formats/hostTensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { mergeUpdate, type Factors } from "../../src/model/adapters/update.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { llava as architecture, type LlavaOutputs } from "../../src/model/llava.ts";
import { tokensOfPicture, type LlavaConfig } from "../../src/model/llavaConfig.ts";
import { initialModel, networkOf, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { linearsOf } from "../../src/model/peft/linears.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { writePeft } from "../../src/model/peft/write.ts";
import { random } from "../../src/random.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { deviceTest, deviceTestWith, failureOf, orThrow, relativeError, runTests, sameBits } from "../tensor/check.ts";
import { hasPython } from "../python.ts";
import { outputsFor } from "./decoders.ts";
import { fixture, goldenOf } from "./embeddings.ts";
import { goldenRows } from "./llavaRows.ts";

type Llava = Model<LlavaOutputs, LlavaConfig>;

const { dir: root, remove } = temporaryFolder("llava");
test.after(remove);

const tiny = fixture("llava-tiny");
const readLlava = (dir = tiny): Promise<Llava> => get(readModel(dir));

/** A copy of the tiny LLaVA under other names. */
const renamed = async (name: string, rename: (tensor: string) => string): Promise<string> => {
  const dir = join(root, name);
  cpSync(tiny, dir, { recursive: true });
  const tensors = await get(readSafetensors(join(dir, "model.safetensors")));
  await get(writeSafetensors(join(dir, "model.safetensors"), new Map([...tensors].map(([one, tensor]) => [rename(one), tensor])), { dtype: "f16" }));
  return dir;
};

const sameWeights = (a: Llava, b: Llava): void => {
  assert.equal([...a.weights.keys()], [...b.weights.keys()]);
  for (const [name, { data }] of a.weights) sameBits(data, b.weights.get(name)!.data, name);
};

// The fixture itself has the names that transformers 5 writes: vision_tower without vision_model.
const spellings: Readonly<Record<string, (name: string) => string>> = {
  "that transformers 4 writes": (name) => name.replace(/^vision_tower\./, "vision_tower.vision_model."),
  "of the modules of transformers 5": (name) =>
    name.startsWith("language_model.lm_head") ? "lm_head.weight" : `model.${name.replace("language_model.model.", "language_model.")}`,
  "that transformers 4.52 writes": (name) =>
    name.startsWith("language_model.lm_head")
      ? "lm_head.weight"
      : `model.${name.replace("language_model.model.", "language_model.").replace(/^vision_tower\./, "vision_tower.vision_model.")}`,
};

for (const [whose, rename] of Object.entries(spellings)) {
  test(`weights under the names ${whose} are read`, async () => {
    sameWeights(await readLlava(await renamed(whose.replaceAll(" ", "-"), rename)), await readLlava());
  });
}

test("a weight that is there under two names is refused", async () => {
  const dir = await renamed("twice", (name) => name);
  const tensors = new Map(await get(readSafetensors(join(dir, "model.safetensors"))));
  tensors.set("lm_head.weight", tensors.get("language_model.lm_head.weight")!);
  await get(writeSafetensors(join(dir, "model.safetensors"), tensors));
  assert.match(describe(failureOf(await readModel(dir)())), "tensor language_model.lm_head.weight is there twice, as lm_head.weight too");
});

test("what stands behind the selected layer is no layer of the network, and is written again", async () => {
  const model = await readLlava();
  const unused = "vision_tower.vision_model.encoder.layers.2.mlp.fc1";
  const layers = layersOf(networkOf(model), { modules: "all", towers: ["vision"] });
  assert.is(layers.length, 2 * 6);
  assert.ok(layers.every(({ name }) => !name.includes("layers.2.")));
  assert.ok(linearsOf(model).some(({ name }) => name === unused));
  const [first, second] = [join(root, "first"), join(root, "second")];
  await get(writeModel(first, model));
  const again = await readLlava(first);
  assert.equal(again.config, model.config);
  assert.equal(again.preprocess, model.preprocess);
  sameWeights(again, model);
  await get(writeModel(second, again));
  for (const name of ["config.json", "model.safetensors", "processor_config.json", "tokenizer.json"])
    assert.ok(Buffer.compare(readFileSync(join(first, name)), readFileSync(join(second, name))) === 0, `${name} differs`);
});

test("projectors without biases and tied embeddings are read, written and drawn", async () => {
  const { config: plain, textTokenizer, files } = await readLlava();
  const config = { ...plain, projectorBias: false, text: { ...plain.text, tied: true } };
  const fresh = initialModel(architecture, config, 3, { textTokenizer, files });
  assert.equal(
    [...fresh.weights.keys()].filter((name) => /projector|lm_head/.test(name)),
    ["multi_modal_projector.linear_1.weight", "multi_modal_projector.linear_2.weight"],
  );
  const dir = join(root, "bare");
  await get(writeModel(dir, fresh));
  const again = await readLlava(dir);
  assert.equal(again.config, config);
  sameWeights(again, fresh);
});

// Adapters ------------------------------------------------------------------------------------------------------------------------------

/** The logits of the golden batch. */
const logitsOf = async (device: Device, model: Llava): Promise<Float32Array> =>
  (await outputsFor(device, model, await goldenRows(model, await goldenOf("llava-tiny/golden.safetensors")), ["logits"])).logits;

deviceTest("an adapter that peft wrote is read, also for blocks that are not computed, and merged as peft merges it", async (device) => {
  const model = await readLlava();
  const update = await get(readPeft(join(tiny, "adapter"), model));
  assert.is(update.factors.size, 3 + 1 + 2 * 2);
  const wanted = (await goldenOf("llava-tiny/golden.safetensors"))("merged").data;
  const off = relativeError((await logitsOf(device, mergeUpdate(model, update))).subarray(0, wanted.length), wanted);
  assert.ok(off < 1e-5, `off by ${off}`);
});

/** Whether the reference can be asked. */
const hasPeft = hasPython("torch", "transformers", "peft", "PIL");
const pythonTest = deviceTestWith(hasPeft, "Python with torch, transformers, peft and Pillow");

const asked = (...operands: readonly string[]): { readonly parameters: number; readonly dtype: string; readonly logits: readonly (readonly number[])[] } =>
  JSON.parse(execFileSync("python3", ["tests/python/llava_model.py", ...operands], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));

pythonTest("transformers loads a written folder, peft a written adapter on it, and both compute the same", async (device) => {
  const model = await readLlava();
  const [folder, adapter] = [join(root, "written"), join(root, "adapter")];
  await get(writeModel(folder, model, { dtype: "f32" }));
  const plain = asked(folder);
  assert.is(plain.dtype, "float32");
  assert.is(
    plain.parameters,
    [...networkOf(model).parameters.values()].reduce((n, { shape }) => n + elements(shape), 0),
  );
  const off = relativeError(await logitsOf(device, model), plain.logits.flat());
  assert.ok(off < 1e-5, `logits are off by ${off}`);

  const draw = random(5, "adapter");
  const factors = new Map(
    layersOf(networkOf(model), { modules: "all", towers: "all" }).map(({ name, in: columns, out }, i): [string, Factors] => {
      const rank = 1 + (i % 3);
      return [
        name,
        {
          rank,
          A: Float32Array.from({ length: rank * columns }, () => 0.3 * draw.normal()),
          B: Float64Array.from({ length: out * rank }, () => 0.3 * draw.normal()),
        },
      ];
    }),
  );
  await get(writePeft(adapter, model, { factors }, { base: folder }));
  const wrong = relativeError(await logitsOf(device, mergeUpdate(model, { factors })), asked(folder, adapter).logits.flat());
  assert.ok(wrong < 1e-5, `logits of the adapted model are off by ${wrong}`);
});

// Configurations ------------------------------------------------------------------------------------------------------------------------

/** What LLaVA-1.5-7B's `config.json` has. */
const large = {
  model_type: "llava",
  ignore_index: -100,
  image_token_index: 32000,
  pad_token_id: 32001,
  projector_hidden_act: "gelu",
  text_config: { architectures: ["LlamaForCausalLM"], max_position_embeddings: 4096, model_type: "llama", rms_norm_eps: 1e-5, vocab_size: 32064 },
  tie_word_embeddings: false,
  vision_config: {
    hidden_size: 1024,
    image_size: 336,
    intermediate_size: 4096,
    model_type: "clip_vision_model",
    num_attention_heads: 16,
    num_hidden_layers: 24,
    patch_size: 14,
    projection_dim: 768,
    vocab_size: 32000,
  },
  vision_feature_layer: -2,
  vision_feature_select_strategy: "default",
};

test("LLaVA-1.5-7B: 7,063,427,072 parameters, 576 tokens a picture, 23 of 24 vision blocks", () => {
  for (const json of [large, { ...large, vision_config: undefined }]) {
    const config = orThrow(decodeConfig(architecture, "config.json", json));
    assert.is(
      architecture.parameters(config).reduce((n, { shape }) => n + elements(shape), 0),
      7_063_427_072,
    );
    assert.is(tokensOfPicture(config), 576);
    assert.is(config.visionDepth, 23);
    assert.is(architecture.layers(config).length, 23 * 6 + 2 + 32 * 7);
    assert.equal(orThrow(decodeConfig(architecture, "config.json", architecture.config.encode(config))), config);
  }
});

const said = (change: object): string => describe(failureOf(decodeConfig(architecture, "config.json", { ...large, ...change })));

for (const [change, words] of [
  [{ vision_feature_layer: [-2, -5] }, "vision_feature_layer is a list, and the features of one layer are read"],
  [{ vision_feature_layer: 25 }, "vision_feature_layer is 25, and the vision tower has the layers 0 to 24, or -1 to -25"],
  [{ vision_config: { model_type: "siglip_vision_model" } }, 'vision_config: model_type is "siglip_vision_model", and the vision tower of CLIP'],
  [{ text_config: { model_type: "gemma" } }, 'text_config: model_type is "gemma", and llama and qwen2 are read'],
  [{ image_token_index: 40000 }, "image_token_index is 40000, and the vocabulary has 32064 tokens"],
  [{ projector_hidden_act: "relu" }, '"projector_hidden_act" should be'],
  [{ image_pooling: 2, vision_feature_select_strategy: "full" }, "image_pooling is 2, and a picture has 24 x 24 patches and a class token"],
  [{ image_pooling: 2, vision_config: { ...large.vision_config, patch_size: 48 } }, "image_pooling is 2, and a picture has 7 x 7 patches"],
  [{ image_pooling: 3 }, '"image_pooling" should be'],
  [{ model_type: "llava_next" }, "model_type is llava_next, not llava"],
] as const) {
  test(`a configuration with ${JSON.stringify(change)}`, () => assert.match(said(change), words));
}

test("pooling stands in the configuration, and quarters the tokens", () => {
  const config = orThrow(decodeConfig(architecture, "config.json", { ...large, image_pooling: 2 }));
  assert.equal([config.pooled, tokensOfPicture(config)], [true, 144]);
  assert.equal(orThrow(decodeConfig(architecture, "config.json", architecture.config.encode(config))), config);
});

test("layers are counted from both ends", () => {
  const depth = (layer: number): number => orThrow(decodeConfig(architecture, "config.json", { ...large, vision_feature_layer: layer })).visionDepth;
  assert.equal([-1, -2, 0, 3, 24, -25].map(depth), [24, 23, 0, 3, 24, 0]);
});

runTests();
