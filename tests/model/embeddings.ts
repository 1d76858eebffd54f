/** Runs CLIP's two towers for tests: golden folders, and embeddings of whole batches. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { readJson } from "../../src/formats/files.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { readModelTensors, readSafetensors } from "../../src/formats/safetensors.ts";
import { clip, type ClipConfig, type ClipOutputs, type TextConfig } from "../../src/model/clip.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { outputsOf, type Clip } from "../../src/model/model.ts";
import { textBatch, type TextBatch } from "../../src/formats/tokenizer.ts";
import { withSession } from "../../src/tensor/session.ts";
import { orThrow } from "../tensor/check.ts";

/** A model without its tokenizer. */
export type Model = Pick<Clip, "architecture" | "config" | "weights">;

/** Where a fixture is: in this repository's folder, or, in a browser, on the server that its page came from. */
export const fixture = (name: string): string => {
  const { location } = globalThis as { readonly location?: { readonly origin: string } };
  return location === undefined ? `tests/fixtures/${name}` : `${location.origin}/tests/fixtures/${name}`;
};

/** The configuration in a `config.json` of CLIP. */
export const configOf = async (dir: string): Promise<ClipConfig> => orThrow(decodeConfig(clip, dir, await get(readJson(`${dir}/config.json`))));

/** Reads `config.json` and the weights of a folder. */
export const readModel = async (dir: string): Promise<Model> => ({
  architecture: clip,
  config: await configOf(dir),
  weights: await get(readModelTensors(dir)),
});

/** Golden tensors by name, which must be there. */
export const goldenOf = async (file: string): Promise<(name: string) => HostTensor> => {
  const tensors = await get(readSafetensors(fixture(file)));
  return (name) => {
    const t = tensors.get(name);
    if (t === undefined) throw new Error(`${file} has no ${name}`);
    return t;
  };
};

/** Numbers that a file holds as f32, as indices. */
export const wholesOf = (t: HostTensor): Uint32Array => Uint32Array.from(t.data);

/** Padded ids as a text tower takes them. */
export const textsOf = ({ context, eosId }: TextConfig, padded: Uint32Array, length?: number): TextBatch => textBatch(padded, context, eosId, length);

const shown = ["imageFeatures", "textFeatures", "imageEmbeds", "textEmbeds"] as const satisfies readonly (keyof ClipOutputs)[];

/** Features and their directions of images [n, 3, size, size] and of padded ids [m, context], trimmed to the longest text or to `length`. */
export const embed = (
  device: Device,
  model: Model,
  pixels: Float32Array,
  padded: Uint32Array,
  length?: number,
): Promise<Readonly<Record<(typeof shown)[number], Float32Array>>> => {
  const { channels, imageSize } = model.config.vision;
  const { count, ids, ends, length: tokens } = textsOf(model.config.text, padded, length);
  const size = { images: pixels.length / (channels * imageSize ** 2), texts: count, length: tokens };
  return get(
    withSession(
      device,
      (leaves) => {
        const outputs = outputsOf(model, leaves, size);
        return E.right({ outputs: Object.fromEntries(shown.map((name) => [name, outputs[name]])) });
      },
      { weights: model.weights },
    )((session) =>
      pipe(
        TE.fromEither(session.run({ pixels, ids, ends })),
        TE.chain(() => session.readAll(shown)),
        TE.map((values) => values as Readonly<Record<(typeof shown)[number], Float32Array>>),
      ),
    ),
  );
};
