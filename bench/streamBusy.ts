/** The share of the time in which the device works while a run trains: pictures are read, decoded, cropped and uploaded as in any run. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { imageCache } from "../src/data/imageCache.ts";
import type { Example } from "../src/data/example.ts";
import type { ClassStream } from "../src/data/task.ts";
import type { Device } from "../src/device/device.ts";
import { get } from "../src/failure.ts";
import { readTokenizer } from "../src/formats/tokenizer.ts";
import { codyra } from "../src/methods/codyra.ts";
import { clip, type ClipConfig } from "../src/model/clip.ts";
import { learner } from "../src/model/learner.ts";
import type { Model } from "../src/model/model.ts";
import { platform } from "../src/platform/default.ts";
import { random } from "../src/random.ts";
import { runMethod } from "../src/runs/run.ts";
import { profiling, type ProgramProfile } from "../src/tensor/profile.ts";
import { weightsOf, works } from "./steps.ts";

/** What was measured, and of what. */
export interface StreamBusy extends Pick<ProgramProfile, "busy" | "elapsed" | "milliseconds"> {
  readonly what: string;
}

/** Noise as JPEG files in memory, so that decoding is part of it. */
const pictures = async (count: number, side: number): Promise<readonly Example[]> => {
  const draw = random(1, "pictures");
  const examples: Example[] = [];
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(3 * side * side);
    // Blocks of one colour: decoding takes what photographs take, and drawing them no time.
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) data[3 * (y * side + x) + ((x >> 4) % 3)] = 16 * (((x >> 4) + (y >> 4) + i) % 16);
    const file = await get(
      TE.mapLeft((detail: string) => ({ _tag: "BadOption" as const, option: "pictures", detail }))(
        platform.encodeThumbnail({ width: side, height: side, data }, side),
      ),
    );
    examples.push({ id: `picture ${i}`, label: draw.integer(10), image: { kind: "bytes", bytes: file.bytes } });
  }
  return examples;
};

/** A CLIP with random weights that reads the texts of models/icon-nano. */
const randomClip = async (config: ClipConfig): Promise<Model> => {
  const [folder, text] = ["models/icon-nano", { ...config.text, vocabulary: 2048, eosId: 2047 }];
  const known = { ...config, text };
  const work = { ...works.b16.of(1), model: { architecture: clip, config: known, weights: new Map() } };
  return {
    ...{ architecture: clip, config: known, weights: weightsOf(work), files: new Map(), tokenizer: await get(readTokenizer(folder)) },
    preprocess: clip.images!.preprocess(config.vision.imageSize),
  };
};

/** Trains a random ViT-B/16 (tiny: a model of the size of icon-nano) on pictures in memory with CoDyRA, and says how busy the device was. */
export const streamBusy = async (device: Device, tiny: boolean): Promise<StreamBusy> => {
  const [name, batch, steps, count, side] = tiny ? (["icon", 4, 8, 16, 64] as const) : (["b16", 64, 40, 640, 256] as const);
  const model = await randomClip(works[name].of(1).model.config as ClipConfig);
  const examples = await pictures(count, side);
  const classNames = Array.from({ length: 10 }, (_, i) => `thing ${i}`);
  const task = { name: "pictures", classNames, templates: ["a photo of a {c}."], train: TE.right(examples), test: TE.right(examples.slice(0, 8)) };
  const stream: ClassStream = { tasks: [task], labelSpace: "task" };
  const watched = profiling(device, { runs: 1 });
  const runtime = { device: watched.device, seed: 0, emit: () => undefined, images: imageCache(1024) };
  await get(runMethod(codyra({ steps, batch }), learner(model), stream)(runtime));
  const { programs } = await get(watched.profile);
  watched.release();
  const training = programs.find(({ label }) => label === "training")!;
  return { ...training, what: `${name}, CoDyRA, batch ${batch}, ${steps} steps on ${count} JPEG files` };
};
