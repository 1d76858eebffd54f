/**
 * Pixels as a model was trained on them: resize, centre crop, rescale, normalise, as CLIPImageProcessor and ViTImageProcessor do.
 */
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { exists, explain, readJson } from "../formats/files.ts";
import type { ImageTransform } from "../stream/augment.ts";
import { centreCrop, resize, resizeShortest } from "../stream/resize.ts";
import type { Resampling, Size } from "../stream/resize.ts";
import type { Image } from "../stream/task.ts";

/** How a model wants its images, as plain data. */
export interface Preprocess {
  /** To a shorter side, to a fixed size, or not at all. */
  readonly resize: { readonly shortest: number } | Size | undefined;
  readonly resampling: Resampling;
  /** The size of the central crop; undefined where none is made. */
  readonly crop: Size | undefined;
  /** What 8-bit values are multiplied with. */
  readonly scale: number;
  /** Per channel, after scaling: (x - mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** CLIP's own preprocessing at a square input size: bicubic, centre crop, OpenAI's mean and deviation. */
export const clipPreprocess = (size = 224): Preprocess => ({
  resize: { shortest: size },
  resampling: "bicubic",
  crop: { height: size, width: size },
  scale: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
});

/** The size of the images that a preprocessing gives; undefined where it depends on the image. */
export const outputSize = (p: Preprocess): Size | undefined => p.crop ?? (p.resize !== undefined && "height" in p.resize ? p.resize : undefined);

/** Resize and crop of a preprocessing: any image to the model's size. */
export const centre = (p: Preprocess) => (image: Image): Image => {
  const resized = p.resize === undefined
    ? image
    : "shortest" in p.resize ? resizeShortest(image, p.resize.shortest, p.resampling) : resize(image, p.resize, p.resampling);
  return p.crop === undefined ? resized : centreCrop(resized, p.crop);
};

/** An image as normalised planes `[3, height, width]` in f32, written into `into` from `offset` on. */
export const normalise = (p: Preprocess) => {
  // 8-bit input: every result is one of 3 x 256, rounded at each step as the reference does in f32.
  const table = Float32Array.from({ length: 768 }, (_, i) => {
    const [channel, value] = [i >> 8, i & 255];
    return Math.fround(Math.fround(value * p.scale) - Math.fround(p.mean[channel])) / Math.fround(p.std[channel]);
  });
  return ({ data, width, height }: Image, into: Float32Array, offset: number): void => {
    const plane = width * height;
    for (let channel = 0; channel < 3; channel++) {
      const values = table.subarray(channel << 8, (channel + 1) << 8);
      for (let i = 0, at = channel; i < plane; i++, at += 3) into[offset + channel * plane + i] = values[data[at]];
    }
  };
};

/** A preprocessing of known output size as the functions that a batch loader needs. */
export const imageTransform = (p: Preprocess, size: Size): ImageTransform => ({ size, centre: centre(p), normalise: normalise(p) });

const positive = (u: unknown): u is number => Number.isInteger(u) && (u as number) > 0;
const Pixels = new t.Type<number>("a positive whole number", positive, (u, c) => (positive(u) ? t.success(u) : t.failure(u, c)), t.identity);
const Rectangle = t.type({ height: Pixels, width: Pixels });
const Triple = t.tuple([t.number, t.number, t.number]);

const Config = t.partial({
  image_processor_type: t.string,
  feature_extractor_type: t.string,
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

/** Pillow's numbers. */
const resamplings: Readonly<Record<number, Resampling>> = { 1: "lanczos", 2: "bilinear", 3: "bicubic" };

const fromConfig = (path: string, config: t.TypeOf<typeof Config>, size: number): E.Either<Failure, Preprocess> => {
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadConfig", path, detail });
  // ViT's processor squeezes to a square with a bilinear filter and does not crop.
  const vit = (config.image_processor_type ?? config.feature_extractor_type ?? "").startsWith("ViT");
  const clip = clipPreprocess(size);
  const resampling = resamplings[config.resample ?? (vit ? 2 : 3)];
  if (resampling === undefined) return bad(`"resample" is ${config.resample}; 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are supported`);
  if (config.image_std?.some((x) => x === 0)) return bad(`"image_std" holds a zero`);
  const square = (s: t.TypeOf<typeof Rectangle> | number): Size => (typeof s === "number" ? { height: s, width: s } : s);
  const wanted = config.size ?? (vit ? square(size) : size);
  const target = typeof wanted === "number"
    ? vit ? square(wanted) : { shortest: wanted }
    : "shortest_edge" in wanted ? { shortest: wanted.shortest_edge } : square(wanted);
  const half = [0.5, 0.5, 0.5];
  return E.right({
    resize: config.do_resize === false ? undefined : target,
    resampling,
    crop: config.do_center_crop ?? !vit ? square(config.crop_size ?? size) : undefined,
    scale: config.do_rescale === false ? 1 : config.rescale_factor ?? 1 / 255,
    mean: config.do_normalize === false ? [0, 0, 0] : config.image_mean ?? (vit ? half : clip.mean),
    std: config.do_normalize === false ? [1, 1, 1] : config.image_std ?? (vit ? half : clip.std),
  });
};

/**
 * The preprocessing of a Hugging Face folder: `preprocessor_config.json`, or the image processor of `processor_config.json`; what they
 * leave open is CLIP's (or ViT's) default at `size`, and so is everything where neither file is there. Failures: `FileCorrupt`, `BadConfig`.
 */
export const readPreprocess = (dir: string, size = 224): TE.TaskEither<Failure, Preprocess> => async () => {
  for (const [name, key] of [["preprocessor_config.json", undefined], ["processor_config.json", "image_processor"]] as const) {
    const path = join(dir, name);
    if (!(await exists(path))) continue;
    const json = await readJson(path)();
    if (E.isLeft(json)) return json;
    const value = key === undefined ? json.right : (json.right as Record<string, unknown> | null)?.[key];
    if (value === undefined) continue;
    return pipe(
      Config.decode(value),
      E.mapLeft((errors): Failure => ({ _tag: "BadConfig", path, detail: explain(errors) })),
      E.chain((config) => fromConfig(path, config, size)),
    );
  }
  return E.right(clipPreprocess(size));
};
