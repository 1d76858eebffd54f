/** A ViT's features and gradients against transformers' (golden file), its folders read and written, and what is said of damaged ones. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { elements, type HostTensor } from "../../src/formats/hostTensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { layersOf } from "../../src/model/network.ts";
import { clip } from "../../src/model/clip.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { networkOf, outputsOf, readModel, readModelAs, writeModel, type Model } from "../../src/model/model.ts";
import { initialModel } from "../../src/model/model.ts";
import { clipPreprocess, imageTransform, vitPreprocess } from "../../src/data/preprocess.ts";
import { vit as architecture, type VitConfig, type VitOutputs } from "../../src/model/vit.ts";
import { decodeImage } from "../../src/data/decode.ts";
import { random } from "../../src/random.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import { mul } from "../../src/tensor/ops/elementwise.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { resident } from "../../src/device/resident.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { deviceTest, deviceTestWith, evaluate, failureOf, orThrow, relativeError, runTests, sameBits, withKernelsOf } from "../tensor/check.ts";
import { hasPython } from "../python.ts";
import { fixture, goldenOf } from "./embeddings.ts";

type Vit = Model<VitOutputs, VitConfig>;

const readVit = (dir: string) => readModelAs(architecture, dir);

const tiny = fixture("vit-tiny");

/** Features of images [n, 3, size, size], and the gradients of Σ features · cotangent for the named parameters. */
const featuresOf = async (
  device: Device,
  vit: Vit,
  pixels: Float32Array,
  cotangent?: HostTensor,
  names: readonly string[] = [],
): Promise<Readonly<Record<string, Float32Array>>> => {
  const { channels, imageSize } = vit.config.vision;
  const images = pixels.length / (channels * imageSize ** 2);
  const uploaded = orThrow(resident(device, vit.weights));
  try {
    return await evaluate(
      device,
      { pixels: { shape: [images, channels, imageSize, imageSize], data: pixels }, ...(cotangent && { cotangent }) },
      (t): Readonly<Record<string, Tensor>> => {
        const leaves = leafBook();
        const features: Tensor = outputsOf(vit, { ...leaves, input: () => t.pixels }, { images, texts: 0, length: 0 }).imageFeatures;
        if (cotangent === undefined) return { features };
        const parameters = networkOf(vit).parameters;
        const gradients = gradient(
          sum(mul(features, t.cotangent)),
          names.map((name) => leaves.frozen(name, parameters.get(name)!.shape)),
        );
        return { features, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]])) };
      },
      uploaded,
    );
  } finally {
    uploaded.release();
  }
};

/** The parameters whose gradients the golden file holds. */
const graded = [
  "embeddings.cls_token",
  "embeddings.position_embeddings",
  "embeddings.patch_embeddings.projection.bias",
  "encoder.layer.0.attention.attention.query.weight",
  "encoder.layer.1.attention.attention.value.bias",
  "encoder.layer.1.layernorm_after.weight",
  "encoder.layer.2.output.dense.bias",
  "layernorm.weight",
] as const;

for (const kind of ["cpu", "gpu"] as const) {
  deviceTest(`features and gradients are transformers' (${kind} kernels)`, async (opened) => {
    const [vit, golden] = [await get(readVit(tiny)), await goldenOf("vit-tiny/golden.safetensors")];
    const got = await featuresOf(withKernelsOf(kind, opened), vit, golden("pixel_values").data, golden("cotangent"), graded);
    const off = relativeError(got.features, golden("features").data);
    assert.ok(off < 1e-5, `features: off by ${off}`);
    for (const name of graded) {
      const wrong = relativeError(got[name], golden(`grad.${name}`).data);
      assert.ok(wrong < 1e-4, `${name}: off by ${wrong}`);
    }
  });
}

// Folders -------------------------------------------------------------------------------------------------------------------------------

const inFolder = async (use: (dir: string) => Promise<void>): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), "cambium-vit-"));
  try {
    await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** A small random ViT with widths that share nothing. */
const smallVit = (rest: Partial<VitConfig> = {}): Vit => {
  const vision = { width: 14, mlpWidth: 22, layers: 2, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 21, patchSize: 7, channels: 3 } as const;
  const bytes = new TextEncoder().encode(JSON.stringify({ image_processor_type: "ViTImageProcessor", size: { height: 21, width: 21 }, resample: 3 }));
  const preprocess = { ...vitPreprocess(21), resampling: "bicubic" as const };
  return initialModel(architecture, { vision, ...rest }, 5, { preprocess, files: new Map([["preprocessor_config.json", bytes]]) });
};

test("readModel: a ViT has one tower and no projection", async () => {
  const vit = await get(readModel(tiny));
  const net = networkOf(vit);
  assert.is(vit.architecture, architecture);
  assert.is(vit.tokenizer, undefined);
  assert.is(net.width, 24);
  assert.is(vit.config.vision.eps, 1e-12);
  assert.equal(vit.preprocess, vitPreprocess(24));
  assert.equal([...vit.weights.keys()], [...net.parameters.keys()]);
  assert.is(layersOf(net, { modules: "all", towers: "all" }).length, 3 * 6);
  assert.throws(() => layersOf(net, { modules: ["q"], towers: ["text"] }), "a vit has no tower text; it has vision");
});

test("a ViT without biases of queries, keys and values is read, written and computed as one whose biases are zero", () =>
  inFolder(async (dir) => {
    const plain = smallVit({ qkvBias: false });
    assert.equal(
      [...plain.weights.keys()].filter((name) => /(query|key|value)\.bias$/.test(name)),
      [],
    );
    await get(writeModel(join(dir, "model"), plain));
    const again = await get(readVit(join(dir, "model")));
    assert.equal(again.config, plain.config);
    assert.equal([...again.weights.keys()], [...plain.weights.keys()]);
  }));

deviceTest("queries, keys and values without biases have the features of zero biases", async (device) => {
  const [plain, biased] = [smallVit({ qkvBias: false }), smallVit()];
  const draw = random(4, "pixels");
  const pixels = Float32Array.from({ length: 2 * 3 * 21 * 21 }, () => draw.normal());
  sameBits((await featuresOf(device, plain, pixels)).features, (await featuresOf(device, biased, pixels)).features, "features");
});

for (const dtype of ["f32", "f16", "bf16"] as const) {
  test(`a folder written in ${dtype} is read again, and written from that is the same file`, () =>
    inFolder(async (dir) => {
      const vit = smallVit();
      const [first, second] = [join(dir, "first"), join(dir, "second")];
      await get(writeModel(first, vit, { dtype }));
      const again = await get(readModel(first));
      assert.equal(again.config, vit.config);
      assert.equal(again.preprocess, vit.preprocess);
      for (const [name, { shape }] of networkOf(vit).parameters) {
        assert.equal(again.weights.get(name)!.shape, shape, name);
        assert.ok(relativeError(again.weights.get(name)!.data, vit.weights.get(name)!.data) <= { f32: 0, f16: 2 ** -10, bf16: 2 ** -8 }[dtype], name);
      }
      await get(writeModel(second, again, { dtype }));
      for (const name of ["config.json", "model.safetensors", "preprocessor_config.json"]) {
        assert.ok(Buffer.compare(readFileSync(join(first, name)), readFileSync(join(second, name))) === 0, `${name} differs`);
      }
    }));
}

test("an image processor that leaves its kind open is a ViT's, and so is what it leaves open", () =>
  inFolder(async (parent) => {
    const read = async (processor: unknown): Promise<Vit["preprocess"]> => {
      const dir = join(parent, "model");
      await get(writeModel(dir, { ...smallVit(), files: new Map([["preprocessor_config.json", new TextEncoder().encode(JSON.stringify(processor))]]) }));
      const { preprocess } = await get(readVit(dir));
      await rm(dir, { recursive: true });
      return preprocess;
    };
    // As google/vit-base-patch16-224-in21k has it.
    const half = [0.5, 0.5, 0.5];
    assert.equal(await read({ do_normalize: true, do_resize: true, image_mean: half, image_std: half, size: 21 }), vitPreprocess(21));
    assert.equal(await read({}), vitPreprocess(21));
    assert.equal(await read({ feature_extractor_type: "ViTFeatureExtractor", resample: 3 }), { ...vitPreprocess(21), resampling: "bicubic" });
    assert.equal(await read({ image_processor_type: "CLIPImageProcessor" }), clipPreprocess(21));
    const dir = join(parent, "silent");
    await get(writeModel(dir, { ...smallVit(), files: new Map() }));
    assert.equal((await get(readVit(dir))).preprocess, vitPreprocess(21));
  }));

/** The stored tensors of a folder, changed. */
const rewrite =
  (change: (tensors: Map<string, HostTensor>) => void) =>
  async (dir: string): Promise<void> => {
    const path = join(dir, "model.safetensors");
    const tensors = new Map(await get(readSafetensors(path)));
    change(tensors);
    await get(writeSafetensors(path, tensors));
  };

test("weights of a ViTForImageClassification: the prefix is taken off, the classifier left out", () =>
  inFolder(async (parent) => {
    const dir = join(parent, "model");
    await cp(tiny, dir, { recursive: true });
    await rewrite((tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(`vit.${name}`, tensor);
      }
      tensors.set("classifier.weight", { shape: [2, 24], data: new Float32Array(48) });
      tensors.set("classifier.bias", { shape: [2], data: new Float32Array(2) });
    })(dir);
    const [vit, plain] = [await get(readVit(dir)), await get(readVit(tiny))];
    assert.equal([...vit.weights.keys()], [...plain.weights.keys()]);
    for (const [name, { data }] of plain.weights) sameBits(vit.weights.get(name)!.data, data, name);
  }));

/** Whether the reference can be asked. */
const hasTransformers = hasPython("torch", "transformers", "PIL");

deviceTestWith(hasTransformers, "Python with torch, transformers and Pillow")("transformers loads a written folder and computes the same", (device) =>
  inFolder(async (parent) => {
    const dir = join(parent, "model");
    await get(writeModel(dir, await get(readVit(tiny)), { dtype: "f32" }));
    const vit = await get(readVit(dir));
    const images = [fixture("preprocess/rgb.png"), fixture("preprocess/grey.png")];
    const answer = JSON.parse(
      execFileSync("python3", ["tests/python/load_model.py", dir, "-"], {
        encoding: "utf8",
        input: JSON.stringify({ images }),
        stdio: ["pipe", "pipe", "inherit"],
      }),
    ) as {
      readonly parameters: number;
      readonly dtype: string;
      readonly pixel_values: readonly unknown[];
      readonly image_features: readonly (readonly number[])[];
    };
    assert.is(answer.dtype, "float32");
    assert.is(
      answer.parameters,
      [...networkOf(vit).parameters.values()].reduce((n, { shape }) => n + elements(shape), 0),
    );
    const pixels = new Float32Array(answer.pixel_values.flat(3).length);
    const { normalise, centre } = imageTransform(vit.preprocess!, { height: 24, width: 24 });
    for (const [i, path] of images.entries()) {
      const decoded = await decodeImage(readFileSync(path))();
      assert.is(decoded._tag, "Right");
      if (decoded._tag === "Right") normalise(centre(decoded.right), pixels, i * 3 * 24 * 24);
    }
    assert.equal(pixels, Float32Array.from(answer.pixel_values.flat(3) as readonly number[]));
    const { features } = await featuresOf(device, vit, pixels);
    const off = relativeError(features, answer.image_features.flat());
    assert.ok(off < 1e-5, `off by ${off}`);
  }),
);

// Configurations ------------------------------------------------------------------------------------------------------------------------

test("what transformers assumes where a config.json is silent: ViT-B/16, of 85,798,656 parameters", () => {
  const config = orThrow(decodeConfig(architecture, "config.json", { model_type: "vit" }));
  const vision = { width: 768, mlpWidth: 3072, layers: 12, heads: 12, activation: "gelu", eps: 1e-12, imageSize: 224, patchSize: 16, channels: 3 };
  assert.equal(config, { vision });
  assert.is(
    architecture.parameters(config).reduce((n, { shape }) => n + elements(shape), 0),
    85_798_656,
  );
  assert.equal(orThrow(decodeConfig(architecture, "config.json", architecture.config.encode(config))), config);
});

test("sizes of images and patches may be pairs of equal numbers", () => {
  const config = orThrow(decodeConfig(architecture, "config.json", { model_type: "vit", image_size: [32, 32], patch_size: [8, 8] }));
  assert.equal([config.vision.imageSize, config.vision.patchSize], [32, 8]);
  const failure = failureOf(decodeConfig(architecture, "config.json", { model_type: "vit", image_size: [32, 64] }));
  assert.match(describe(failure), /"image_size" should be a positive integer, or two that are equal and is \[32,64\]/);
});

// What is wrong -------------------------------------------------------------------------------------------------------------------------

/** Reads a good folder with something done to it: a failure of one line that says the words. */
const damaged = (name: string, damage: (dir: string) => Promise<void> | void, tag: Failure["_tag"], words: readonly string[]): void =>
  test(`a folder with ${name}`, () =>
    inFolder(async (parent) => {
      const dir = join(parent, "model");
      await get(writeModel(dir, smallVit()));
      await damage(dir);
      const failure = failureOf(await readModel(dir)());
      assert.is(failure._tag, tag, describe(failure));
      for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
      assert.not.ok(describe(failure).includes("\n"), describe(failure));
    }));

const edit =
  (change: Readonly<Record<string, unknown>>) =>
  (dir: string): void => {
    const path = join(dir, "config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  };

const query = "encoder.layer.1.attention.attention.query.weight";

damaged("a model of another type", edit({ model_type: "siglip" }), "BadConfig", ["config.json", "siglip", "clip", "vit"]);
damaged("no model type", edit({ model_type: undefined }), "BadConfig", ["config.json", "CLIP", "ViT"]);
damaged("a config.json that is null", (dir) => writeFileSync(join(dir, "config.json"), "null"), "BadConfig", ["config.json"]);
damaged("biases of queries, keys and values that config.json leaves out", edit({ qkv_bias: false }), "BadTensor", [
  "model.safetensors",
  "key.bias",
  "config.json",
]);
damaged("heads that do not divide the width", edit({ num_attention_heads: 3 }), "BadConfig", ["config.json", "14", "3"]);
damaged("patches that do not divide the image", edit({ patch_size: 5 }), "BadConfig", ["config.json", "21", "5"]);
damaged("a width that is not a number", edit({ hidden_size: "wide" }), "BadConfig", ["config.json", "hidden_size", "wide"]);
damaged("an unknown activation", edit({ hidden_act: "relu" }), "BadConfig", ["config.json", "hidden_act", "relu"]);
damaged("more layers than weights", edit({ num_hidden_layers: 3 }), "BadTensor", ["model.safetensors", "encoder.layer.2", "missing"]);
damaged("fewer layers than weights", edit({ num_hidden_layers: 1 }), "BadTensor", ["model.safetensors", "encoder.layer.1"]);
damaged("images of another size than its positions", edit({ image_size: 28 }), "BadTensor", ["embeddings.position_embeddings", "[1, 10, 14]", "[1, 17, 14]"]);
damaged(
  "a missing tensor",
  rewrite((w) => void w.delete(query)),
  "BadTensor",
  ["model.safetensors", query, "missing"],
);
damaged(
  "a tensor of another shape",
  rewrite((w) => void w.set(query, { shape: [14, 7], data: new Float32Array(98) })),
  "BadTensor",
  ["model.safetensors", query, "[14, 7]", "[14, 14]"],
);
damaged(
  "truncated weights",
  (dir) => {
    const path = join(dir, "model.safetensors");
    writeFileSync(path, readFileSync(path).subarray(0, -100));
  },
  "FileCorrupt",
  ["model.safetensors"],
);

test("a folder of the one kind is not read as the other", async () => {
  assert.match(describe(failureOf(await readModelAs(clip, tiny)())), "model_type is vit, not clip");
  assert.match(describe(failureOf(await readVit(fixture("clip-gelu"))())), "model_type is clip, not vit");
});

runTests();
