/**
 * Pixels as a model was trained on them: resize, centre crop, rescale, normalise, as CLIPImageProcessor and ViTImageProcessor do.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { exists, explain, readJson } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { ImageTransform } from "./augment.ts";
import type { Resampling, Size } from "../formats/resize.ts";
import { centre, normalise, type Preprocess } from "./transform.ts";

export type { Preprocess } from "./transform.ts";

/** CLIP's own preprocessing at a square input size: bicubic, centre crop, OpenAI's mean and deviation. */
export const clipPreprocess = (size = 224): Preprocess => ({
  resize: { shortest: size },
  resampling: "bicubic",
  crop: { height: size, width: size },
  scale: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
});

/** ViT's own preprocessing at a square input size: squeezed to it with a bilinear filter, no crop, values from -1 to 1. */
export const vitPreprocess = (size = 224): Preprocess => ({
  resize: { height: size, width: size },
  resampling: "bilinear",
  crop: undefined,
  scale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
});

/** The preprocessing of a kind of model, by the size of its images. */
type Assumed = (size: number) => Preprocess;

/** The size of the images that a preprocessing gives; undefined where it depends on the image. */
export const outputSize = (p: Preprocess): Size | undefined => p.crop ?? (p.resize !== undefined && "height" in p.resize ? p.resize : undefined);

/** A preprocessing of known output size as the functions that a batch loader needs. */
export const imageTransform = (p: Preprocess, size: Size): ImageTransform => ({
  ...{ size, centre: centre(p), normalise: normalise(p) },
  preprocess: p,
});

/** No model takes larger images, and one that did would not fit a computer. */
const mostPixels = 2 ** 14;
const positive = (u: unknown): u is number => Number.isInteger(u) && (u as number) > 0 && (u as number) <= mostPixels;
const Pixels = new t.Type<number>(`a whole number from 1 to ${mostPixels}`, positive, (u, c) => (positive(u) ? t.success(u) : t.failure(u, c)), t.identity);
const Rectangle = t.type({ height: Pixels, width: Pixels });
const Triple = t.tuple([t.number, t.number, t.number]);

const Config = t.partial({
  image_processor_type: t.string,
  feature_extractor_type: t.string,
  do_pad: t.boolean,
  do_resize: t.boolean,
  size: t.union([Pixels, t.type({ shortest_edge: Pixels }), Rectangle]),
  resample: t.number,
  do_center_crop: t.boolean,
  crop_size: t.union([Pixels, Rectangle]),
  do_rescale: t.boolean,
  rescale_factor: t.number,
  do_normalize: t.boolean,
  image_mean: Triple,
  image_std: Triple,
});

/** A value of JSON without the keys that are null: that is what processors write for what is not set. */
const withoutNulls = (value: unknown, depth = 2): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value) || depth === 0
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, v]) => v !== null)
          .map(([key, v]) => [key, withoutNulls(v, depth - 1)]),
      );

/** Pillow's numbers. */
const resamplings: Readonly<Record<number, Resampling>> = { 1: "lanczos", 2: "bilinear", 3: "bicubic" };

/** A processor's configuration as a preprocessing; what it leaves open is `assumed`, or the default of the processor that it names. */
const fromConfig = (path: string, config: t.TypeOf<typeof Config>, size: number, assumed: Assumed): E.Either<Failure, Preprocess> => {
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadConfig", path, detail });
  const processor = config.image_processor_type ?? config.feature_extractor_type;
  const silent = (processor === undefined ? assumed : processor.startsWith("ViT") ? vitPreprocess : clipPreprocess)(size);
  const resampling = config.resample === undefined ? silent.resampling : resamplings[config.resample];
  if (resampling === undefined) return bad(`"resample" is ${config.resample}; 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are supported`);
  if (config.image_std?.some((x) => x === 0)) return bad(`"image_std" holds a zero`);
  const numbers = { rescale_factor: [config.rescale_factor ?? silent.scale], image_mean: config.image_mean ?? [], image_std: config.image_std ?? [] };
  const infinite = Object.entries(numbers).find(([, list]) => !list.every((x) => Number.isFinite(Math.fround(x))));
  if (infinite !== undefined) return bad(`"${infinite[0]}" holds a number that is not finite`);
  // A ViT's processor squeezes to a square where CLIP's crops one: so one number is the side of the one, and the shorter side of the other.
  const squeezes = silent.crop === undefined;
  const square = (s: t.TypeOf<typeof Rectangle> | number): Size => (typeof s === "number" ? { height: s, width: s } : s);
  const wanted = config.size ?? size;
  const target =
    typeof wanted === "number" && !squeezes
      ? { shortest: wanted }
      : typeof wanted === "object" && "shortest_edge" in wanted
        ? { shortest: wanted.shortest_edge }
        : square(wanted);
  return E.right({
    ...(config.do_pad === true && processor?.startsWith("Llava") === true ? { square: true } : {}),
    resize: config.do_resize === false ? undefined : target,
    resampling,
    crop: (config.do_center_crop ?? !squeezes) ? square(config.crop_size ?? size) : undefined,
    scale: config.do_rescale === false ? 1 : (config.rescale_factor ?? silent.scale),
    mean: config.do_normalize === false ? [0, 0, 0] : (config.image_mean ?? silent.mean),
    std: config.do_normalize === false ? [1, 1, 1] : (config.image_std ?? silent.std),
  });
};

/**
 * The preprocessing of a Hugging Face folder: `preprocessor_config.json`, or the image processor of `processor_config.json`. What they
 * leave open, or have null for, is the default at `size` of the processor that they name, or `assumed` where they name none or neither file is there.
 * Failures: `FileCorrupt`, `BadConfig`.
 */
export const readPreprocess =
  (dir: string, size = 224, assumed: Assumed = clipPreprocess, files: Files = platform.files): TE.TaskEither<Failure, Preprocess> =>
  async () => {
    for (const [name, key] of [
      ["preprocessor_config.json", undefined],
      ["processor_config.json", "image_processor"],
    ] as const) {
      const path = join(dir, name);
      if (!(await exists(path, files))) continue;
      const json = await readJson(path, files)();
      if (E.isLeft(json)) return json;
      const value = key === undefined ? json.right : (json.right as Record<string, unknown> | null)?.[key];
      if (value === undefined || (value === null && key !== undefined)) continue;
      return pipe(
        Config.decode(withoutNulls(value)),
        E.mapLeft((errors): Failure => ({ _tag: "BadConfig", path, detail: explain(errors) })),
        E.chain((config) => fromConfig(path, config, size, assumed)),
      );
    }
    return E.right(assumed(size));
  };
