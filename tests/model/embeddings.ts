/** Runs CLIP's two towers for tests: golden folders, and embeddings of whole batches. */
import { readJson } from "../../src/formats/files.ts";
import type { HostTensor, Tensors } from "../../src/formats/hostTensor.ts";
import { readModelTensors, readSafetensors } from "../../src/formats/safetensors.ts";
import type { Device } from "../../src/device/device.ts";
import { imageFeatures, textBatch, textFeatures } from "../../src/model/clip.ts";
import { decodeConfig, type ClipConfig } from "../../src/model/config.ts";
import { frozenParameters } from "../../src/model/frozen.ts";
import { plainScope, type Scope } from "../../src/model/transformer.ts";
import { normalize } from "../../src/tensor/ops/normalize.ts";
import { resident } from "../../src/tensor/resident.ts";
import { evaluate, orThrow, runOrThrow } from "../tensor/check.ts";

/** A configuration with weights: a model without its tokenizer. */
export interface Model {
  readonly config: ClipConfig;
  readonly weights: Tensors;
}

export const fixture = (name: string): string => `tests/fixtures/${name}`;

/** Reads `config.json` and the weights of a folder. */
export const readModel = async (dir: string): Promise<Model> => ({
  config: orThrow(decodeConfig(dir, await runOrThrow(readJson(`${dir}/config.json`)))),
  weights: await runOrThrow(readModelTensors(dir)),
});

/** Golden tensors by name, which must be there. */
export const goldenOf = async (file: string): Promise<(name: string) => HostTensor> => {
  const tensors = await runOrThrow(readSafetensors(fixture(file)));
  return (name) => {
    const t = tensors.get(name);
    if (t === undefined) throw new Error(`${file} has no ${name}`);
    return t;
  };
};

/** Numbers that a file holds as f32, as indices. */
export const wholesOf = (t: HostTensor): Uint32Array => Uint32Array.from(t.data);

/** The plain scope of a model, whose parameters are frozen leaves. */
export const frozenScope = (config: ClipConfig): Scope => plainScope(frozenParameters(config));

/** Features and their directions of images [n, 3, size, size] and of padded ids [m, context], trimmed to the longest text or to `length`. */
export const embed = async (
  device: Device,
  { config, weights }: Model,
  pixels: Float32Array,
  ids: Uint32Array,
  length?: number,
): Promise<Readonly<Record<"imageFeatures" | "textFeatures" | "imageEmbeds" | "textEmbeds", Float32Array>>> => {
  const { channels, imageSize } = config.vision;
  const images = pixels.length / (channels * imageSize ** 2);
  const texts = textBatch(config.text, ids, length);
  const uploaded = orThrow(resident(device, weights));
  try {
    const inputs = {
      pixels: { shape: [images, channels, imageSize, imageSize], data: pixels },
      ids: { shape: [texts.count, texts.length], data: texts.ids },
      ends: { shape: [texts.count], data: texts.ends },
    };
    const results = await evaluate(
      device,
      inputs,
      (t) => {
        const scope = frozenScope(config);
        const [image, text] = [imageFeatures(scope, config, t.pixels), textFeatures(scope, config, t.ids, t.ends)];
        return { imageFeatures: image, textFeatures: text, imageEmbeds: normalize(image), textEmbeds: normalize(text) };
      },
      uploaded,
    );
    return results as Awaited<ReturnType<typeof embed>>;
  } finally {
    uploaded.release();
  }
};
