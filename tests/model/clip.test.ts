/** CLIP's embeddings against transformers' (golden files), its folders read and written, and what is said of damaged ones. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get, type Failure } from "../../src/failure.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { network } from "../../src/model/architecture.ts";
import { layersOf } from "../../src/model/network.ts";
import { clip as architecture, type ClipConfig } from "../../src/model/clip.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { networkOf, readModelAs, writeModel, type Clip } from "../../src/model/model.ts";
import { initialModel } from "../../src/model/model.ts";
import { initialWeights } from "../../src/model/weights.ts";
import { readTokenizer, tokenise } from "../../src/formats/tokenizer.ts";
import { random } from "../../src/random.ts";
import { deviceTest, deviceTestWith, failureOf, orThrow, relativeError, runTests, sameBits } from "../tensor/check.ts";
import { hasPython } from "../python.ts";
import { embed, fixture, goldenOf, readModel, textsOf, wholesOf } from "./embeddings.ts";

const outputs = { imageFeatures: "image_features", textFeatures: "text_features", imageEmbeds: "image_embeds", textEmbeds: "text_embeds" } as const;

for (const name of ["clip-patch32", "clip-gelu", "clip-bf16"]) {
  deviceTest(`${name}: features and embeddings are transformers'`, async (device) => {
    const [model, golden] = [await readModel(fixture(name)), await goldenOf(`${name}/golden.safetensors`)];
    const got = await embed(device, model, golden("pixel_values").data, wholesOf(golden("input_ids")));
    for (const [ours, theirs] of Object.entries(outputs)) {
      const off = relativeError(got[ours as keyof typeof outputs], golden(theirs).data);
      assert.ok(off < 1e-4, `${theirs}: off by ${off}`);
    }
  });

  deviceTest(`${name}: texts trimmed to the longest have the features of the full context`, async (device) => {
    const [model, golden] = [await readModel(fixture(name)), await goldenOf(`${name}/golden.safetensors`)];
    const { text } = model.config;
    // The three shortest texts: what is trimmed is most of the context.
    const ids = wholesOf(golden("input_ids"));
    const lengths = Array.from({ length: ids.length / text.context }, (_, i) => textsOf(text, ids.subarray(i * text.context, (i + 1) * text.context)).length);
    const short = [...lengths.keys()]
      .sort((a, b) => lengths[a] - lengths[b])
      .slice(0, 3)
      .flatMap((i) => [...ids.subarray(i * text.context, (i + 1) * text.context)]);
    const batch = Uint32Array.from(short);
    assert.ok(textsOf(text, batch).length < text.context);
    const pixels = golden("pixel_values").data;
    const [trimmed, full] = [await embed(device, model, pixels, batch), await embed(device, model, pixels, batch, text.context)];
    const off = relativeError(trimmed.textFeatures, full.textFeatures);
    assert.ok(off < 1e-6, `off by ${off}`);
  });
}

const photoNano = "../shared/models/photo-nano";

deviceTestWith(existsSync(photoNano), photoNano)("photo-nano: embeddings are transformers', prompts are the tokenizer's", async (device) => {
  const [clip, golden] = [await get(readModelAs(architecture, photoNano)), await goldenOf("photo-nano.safetensors")];
  const { imageSize, channels } = clip.config.vision;
  const plane = channels * imageSize ** 2;
  const pixels = Float32Array.from({ length: 4 * plane }, (_, at) => {
    const [n, i] = [Math.floor(at / plane), at % plane];
    return 1.5 * Math.sin(i * (0.37 + 0.011 * n) + n);
  });
  const got = await embed(device, clip, pixels, wholesOf(golden("input_ids")));
  for (const [ours, theirs] of Object.entries(outputs)) {
    const off = relativeError(got[ours as keyof typeof outputs], golden(theirs).data);
    assert.ok(off < 1e-4, `${theirs}: off by ${off}`);
  }
});

// Folders -------------------------------------------------------------------------------------------------------------------------------

const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"];

/** A small random model with the tokenizer of the fixtures, widths that share nothing, and an image processor of its own. */
const smallClip = async (): Promise<Clip> => {
  const tokenizer = await get(readTokenizer(fixture("tokenizer")));
  const config: ClipConfig = {
    embed: 10,
    initialLogitScale: 2.5,
    vision: { width: 12, mlpWidth: 20, layers: 2, heads: 3, activation: "gelu", eps: 1e-6, imageSize: 28, patchSize: 7, channels: 3 },
    text: {
      width: 14,
      mlpWidth: 22,
      layers: 1,
      heads: 2,
      activation: "quick_gelu",
      eps: 1e-5,
      vocabulary: Math.max(tokenizer.bos, tokenizer.eos) + 3,
      context: 17,
      eosId: tokenizer.eos,
    },
  };
  const processor = {
    crop_size: { height: 28, width: 28 },
    size: { shortest_edge: 28 },
    do_center_crop: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    resample: 3,
    rescale_factor: 1 / 255,
    image_mean: [0.5, 0.4, 0.3],
    image_std: [0.2, 0.3, 0.4],
    image_processor_type: "CLIPImageProcessor",
  };
  const files = new Map(tokenizerFiles.map((name): [string, Uint8Array] => [name, readFileSync(join(fixture("tokenizer"), name))]));
  files.set("preprocessor_config.json", new TextEncoder().encode(JSON.stringify(processor)));
  return initialModel(architecture, config, 3, { tokenizer, files });
};

const inFolder = async (use: (dir: string) => Promise<void>): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), "cambium-clip-"));
  try {
    await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

const precision = { f32: 0, f16: 2 ** -10, bf16: 2 ** -7 } as const;
const dtypes = Object.keys(precision) as readonly (keyof typeof precision)[];

for (const dtype of dtypes) {
  test(`a folder written in ${dtype} is read again, and written from that is the same file`, () =>
    inFolder(async (dir) => {
      const clip = await smallClip();
      const [first, second] = [join(dir, "first"), join(dir, "second")];
      await get(writeModel(first, clip, { dtype }));
      const again = await get(readModelAs(architecture, first));
      assert.equal(again.config, clip.config);
      assert.equal([...again.weights.keys()].sort(), [...networkOf(clip).parameters.keys()].sort());
      for (const [name, { shape, data }] of again.weights) {
        assert.equal(shape, clip.weights.get(name)!.shape, name);
        const before = clip.weights.get(name)!.data;
        assert.ok(
          data.every((w, i) => Math.abs(w - before[i]) <= precision[dtype] * Math.abs(before[i]) + (dtype === "f16" ? 2 ** -24 : 0)),
          name,
        );
      }
      assert.equal(again.preprocess!.mean.map(Math.fround), [0.5, 0.4, 0.3].map(Math.fround));
      await get(writeModel(second, again, { dtype }));
      for (const name of ["config.json", "model.safetensors", ...tokenizerFiles, "preprocessor_config.json"]) {
        assert.ok(Buffer.compare(readFileSync(join(first, name)), readFileSync(join(second, name))) === 0, `${name} differs`);
      }
    }));
}

deviceTest("a model written and read has the same embeddings, bit for bit", (device) =>
  inFolder(async (dir) => {
    const clip = await smallClip();
    await get(writeModel(`${dir}/model`, clip));
    const again = await get(readModelAs(architecture, `${dir}/model`));
    const draw = random(1, "pixels");
    const pixels = Float32Array.from({ length: 2 * 3 * 28 * 28 }, () => draw.normal());
    const { ids } = tokenise(again.tokenizer!, ["a red square", "two birds"], again.config.text.context);
    const [before, after] = [await embed(device, clip, pixels, ids), await embed(device, again, pixels, ids)];
    for (const name of Object.keys(before) as (keyof typeof before)[]) sameBits(after[name], before[name], name);
  }),
);

/** Whether the reference can be asked. */
const hasTransformers = hasPython("torch", "transformers", "PIL");

for (const dtype of dtypes) {
  deviceTestWith(hasTransformers, "Python with torch, transformers and Pillow")(
    `transformers loads a folder written in ${dtype} and computes the same`,
    (device) =>
      inFolder(async (dir) => {
        const folder = join(dir, "model");
        await get(writeModel(folder, await smallClip(), { dtype }));
        const clip = await get(readModelAs(architecture, folder));
        const draw = random(2, "pixels");
        const pixels = Float32Array.from({ length: 2 * 3 * 28 * 28 }, () => draw.normal());
        const texts = ["a photo of a cat", "the number 7, twice", "ünïcode & punctuation!", "long ".repeat(30)];
        const image = (n: number): readonly (readonly (readonly number[])[])[] =>
          [0, 1, 2].map((c) => Array.from({ length: 28 }, (_, y) => [...pixels.subarray(((n * 3 + c) * 28 + y) * 28, ((n * 3 + c) * 28 + y + 1) * 28)]));
        const request = join(dir, "request.json");
        writeFileSync(request, JSON.stringify({ texts, pixel_values: [image(0), image(1)] }));
        const answer = JSON.parse(
          execFileSync("python3", ["tests/python/load_model.py", folder, request], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
        ) as {
          readonly parameters: number;
          readonly dtype: string;
          readonly logit_scale: number;
          readonly input_ids: readonly (readonly number[])[];
          readonly text_features: readonly (readonly number[])[];
          readonly image_features: readonly (readonly number[])[];
        };
        assert.is(answer.dtype, { f32: "float32", f16: "float16", bf16: "bfloat16" }[dtype]);
        assert.is(
          answer.parameters,
          [...networkOf(clip).parameters.values()].reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
        );
        const { ids } = tokenise(clip.tokenizer!, texts, clip.config.text.context);
        assert.equal([...ids], answer.input_ids.flat());
        const got = await embed(device, clip, pixels, ids);
        assert.ok(relativeError(got.imageFeatures, answer.image_features.flat()) < 1e-4, "images");
        assert.ok(relativeError(got.textFeatures, answer.text_features.flat()) < 1e-4, "texts");
      }),
  );
}

// What is wrong -------------------------------------------------------------------------------------------------------------------------

/** Reads a good folder with something done to it: a failure of one line that names the file. */
const damaged = (name: string, damage: (dir: string) => Promise<void> | void, tag: Failure["_tag"], words: readonly string[]): void =>
  test(`a folder with ${name}`, () =>
    inFolder(async (parent) => {
      const dir = join(parent, "model");
      await get(writeModel(dir, await smallClip()));
      await damage(dir);
      const failure = failureOf(await readModelAs(architecture, dir)());
      assert.is(failure._tag, tag, describe(failure));
      for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
      assert.not.ok(describe(failure).includes("\n"), describe(failure));
    }));

const edit =
  (change: (config: any) => void) =>
  (dir: string): void => {
    const path = join(dir, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    change(config);
    writeFileSync(path, JSON.stringify(config));
  };

const rewrite =
  (change: (weights: Map<string, { shape: readonly number[]; data: Float32Array }>) => void) =>
  async (dir: string): Promise<void> => {
    const path = join(dir, "model.safetensors");
    const weights = new Map(await get(readSafetensors(path)));
    change(weights);
    await get(writeSafetensors(path, weights));
  };

const fc1 = "text_model.encoder.layers.0.mlp.fc1.weight";

damaged("no config.json", (dir) => rm(join(dir, "config.json")), "FileUnreadable", ["config.json"]);
damaged("no weights", (dir) => rm(join(dir, "model.safetensors")), "FileUnreadable", ["model.safetensors"]);
damaged("a config.json that is not JSON", (dir) => writeFileSync(join(dir, "config.json"), '{ "projection_dim": '), "FileCorrupt", ["config.json"]);
damaged(
  "a config.json of another model",
  edit((c) => void (c.model_type = "siglip")),
  "BadConfig",
  ["config.json", "siglip"],
);
damaged("a config.json without towers", (dir) => writeFileSync(join(dir, "config.json"), "[]"), "BadConfig", ["config.json"]);
damaged(
  "a width that is not a number",
  edit((c) => void (c.text_config.hidden_size = "wide")),
  "BadConfig",
  ["config.json", "text_config.hidden_size", "wide"],
);
damaged(
  "a negative depth",
  edit((c) => void (c.vision_config.num_hidden_layers = -1)),
  "BadConfig",
  ["config.json", "vision_config.num_hidden_layers", "-1"],
);
damaged(
  "an unknown activation",
  edit((c) => void (c.vision_config.hidden_act = "relu")),
  "BadConfig",
  ["config.json", "hidden_act", "relu"],
);
damaged(
  "a projection of nothing",
  edit((c) => void (c.projection_dim = 0)),
  "BadConfig",
  ["config.json", "projection_dim"],
);
damaged(
  "heads that do not divide the width",
  edit((c) => void (c.vision_config.num_attention_heads = 5)),
  "BadConfig",
  ["config.json", "vision_config", "12", "5"],
);
damaged(
  "patches that do not divide the image",
  edit((c) => void (c.vision_config.patch_size = 8)),
  "BadConfig",
  ["config.json", "28", "8"],
);
damaged(
  "a vocabulary smaller than the tokenizer's",
  edit((c) => void (c.text_config.vocab_size = 100)),
  "BadTensor",
  ["token_embedding", "100"],
);
damaged(
  "more layers than weights",
  edit((c) => void (c.text_config.num_hidden_layers = 2)),
  "BadTensor",
  ["model.safetensors", "text_model.encoder.layers.1", "missing"],
);
damaged(
  "fewer layers than weights",
  edit((c) => void (c.vision_config.num_hidden_layers = 1)),
  "BadTensor",
  ["model.safetensors", "vision_model.encoder.layers.1"],
);
damaged(
  "a missing tensor",
  rewrite((w) => void w.delete(fc1)),
  "BadTensor",
  ["model.safetensors", fc1, "missing"],
);
damaged(
  "a tensor of another shape",
  rewrite((w) => void w.set(fc1, { shape: [22, 13], data: new Float32Array(22 * 13) })),
  "BadTensor",
  ["model.safetensors", fc1, "[22, 13]", "[22, 14]"],
);
damaged(
  "a tensor turned round",
  rewrite((w) => void w.set(fc1, { shape: [14, 22], data: w.get(fc1)!.data })),
  "BadTensor",
  [fc1, "[14, 22]", "[22, 14]"],
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
damaged(
  "weights cut in their header",
  (dir) => {
    const path = join(dir, "model.safetensors");
    writeFileSync(path, readFileSync(path).subarray(0, 50));
  },
  "FileCorrupt",
  ["model.safetensors"],
);
damaged("empty weights", (dir) => writeFileSync(join(dir, "model.safetensors"), ""), "FileCorrupt", ["model.safetensors"]);
damaged(
  "no tokenizer",
  async (dir) => {
    for (const name of tokenizerFiles) await rm(join(dir, name));
  },
  "FileUnreadable",
  ["tokenizer.json"],
);
damaged("a damaged tokenizer", (dir) => writeFileSync(join(dir, "tokenizer.json"), "{}"), "BadConfig", ["tokenizer.json"]);
damaged("a damaged image processor", (dir) => writeFileSync(join(dir, "preprocessor_config.json"), '{"image_mean": 3}'), "BadConfig", [
  "preprocessor_config.json",
]);

test("a folder that cannot be written leaves nothing behind", () =>
  inFolder(async (parent) => {
    const clip = await smallClip();
    const dir = join(parent, "model");
    const weights = new Map(clip.weights).set(fc1, { shape: [22, 14], data: new Float32Array(22 * 14).fill(1e6) });
    assert.is(failureOf(await writeModel(dir, { ...clip, weights }, { dtype: "f16" })())._tag, "BadTensor");
    assert.not.ok(existsSync(dir));
  }));

test("configurations: what transformers assumes where a file is silent", () => {
  const silent = orThrow(decodeConfig(architecture, "config.json", { text_config: {}, vision_config: {} }));
  assert.equal(silent.text, {
    width: 512,
    mlpWidth: 2048,
    layers: 12,
    heads: 8,
    activation: "quick_gelu",
    eps: 1e-5,
    vocabulary: 49408,
    context: 77,
    eosId: 49407,
  });
  assert.equal(silent.vision, {
    width: 768,
    mlpWidth: 3072,
    layers: 12,
    heads: 12,
    activation: "quick_gelu",
    eps: 1e-5,
    imageSize: 224,
    patchSize: 32,
    channels: 3,
  });
  assert.is(silent.embed, 512);
  // Old files keep the towers' settings beside null ones.
  const old = orThrow(
    decodeConfig(architecture, "config.json", {
      text_config: null,
      text_config_dict: { hidden_size: 64, num_attention_heads: 4 },
      vision_config: {},
      vision_config_dict: null,
    }),
  );
  assert.is(old.text.width, 64);
  const config = orThrow(decodeConfig(architecture, "config.json", JSON.parse(readFileSync(join(fixture("clip-gelu"), "config.json"), "utf8"))));
  assert.equal(orThrow(decodeConfig(architecture, "config.json", architecture.config.encode(config))), config);
});

const everything = { modules: "all", towers: "all" } as const;

test("ViT-B/16 by its shape: 149,620,737 parameters, 144 linear layers", () => {
  const config = orThrow(decodeConfig(architecture, "config.json", { text_config: {}, vision_config: { patch_size: 16 } }));
  const net = network(architecture, config);
  assert.is(
    [...net.parameters.values()].reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
    149_620_737,
  );
  assert.is(layersOf(net, everything).length, 144);
  // Gated LoRA of rank 16 on all of them (METHODS.md A.2).
  assert.is(
    layersOf(net, everything).reduce((n, m) => n + 16 * (m.in + m.out + 1), 0),
    4_425_984,
  );
});

test("initial parameters: drawn from the seed and the name alone", () => {
  const config = orThrow(decodeConfig(architecture, "config.json", JSON.parse(readFileSync(join(fixture("clip-bf16"), "config.json"), "utf8"))));
  const [a, b, c] = [1, 1, 2].map((seed) => initialWeights(architecture, config, seed));
  for (const [name, { data }] of a) sameBits(data, b.get(name)!.data, name);
  assert.ok(relativeError(a.get(`text_projection.weight`)!.data, c.get(`text_projection.weight`)!.data) > 1);
  assert.is(a.get("logit_scale")!.data[0], Math.fround(config.initialLogitScale));
});

runTests();
