/**
 * From a decoded image to the pixels of a model: the fixed transform of evaluation and the random ones of training.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { Random } from "../random.ts";
import type { Resampling, Size } from "../formats/resize.ts";
import type { Image } from "./example.ts";
import { cutOut, mirror, type Cut, type Preprocess } from "./transform.ts";

/** How many numbers the planes of an image of a size have. */
export const planesLength = ({ height, width }: Size): number => 3 * height * width;

/** How the images of a model are prepared, as functions; `imageTransform` makes them of a model's preprocessing. */
export interface ImageTransform {
  /** The size of the model's input. */
  readonly size: Size;
  /** The evaluation transform: any image to one of `size`. */
  readonly centre: (image: Image) => Image;
  /** An image of `size` as normalised planes `[3, height, width]`, written into `into` from `offset` on. */
  readonly normalise: (image: Image, into: Float32Array, offset: number) => void;
  /** What both are made from, where that is all there is to them: other threads can then do the same. */
  readonly preprocess?: Preprocess;
}

/** Why an image that is to be normalised does not fit a model, as a phrase; undefined where it does. */
const faultOfSize = ({ width, height }: Size, wanted: Size): string | undefined => {
  if (width === wanted.width && height === wanted.height) return undefined;
  const sizes = `it has ${width} x ${height} pixels after its transform, and the model takes ${wanted.width} x ${wanted.height}`;
  return `${sizes}; crop images, or resize them to a square`;
};

/** Fails with `ShapeMismatch` where an image that was transformed has not the model's size. */
export const checkSize = (id: string, image: Size, wanted: Size): E.Either<Failure, void> => {
  const fault = faultOfSize(image, wanted);
  return fault === undefined ? E.right(undefined) : E.left({ _tag: "ShapeMismatch", op: `image ${id}`, detail: fault });
};

/** Writes an image that was transformed into pixels, as normalised planes from `offset` on. Fails with `ShapeMismatch` where it has not the model's size. */
export const writePlanes = ({ size, normalise }: ImageTransform, id: string, image: Image, into: Float32Array, offset: number): E.Either<Failure, void> =>
  E.map(() => normalise(image, into, offset))(checkSize(id, image, size));

/** A training transform: any image to one of `size`, a pure function of the image and the numbers that it draws. */
export interface Augment {
  (image: Image, size: Size, random: Random): Image;
  /** Of one that cuts out a rectangle and resizes it: which. Other threads can then do the same. */
  readonly cut?: (image: Size, size: Size, random: Random) => Cut;
}

/** Options of {@link randomResizedCrop}. */
export interface CropOptions {
  /** Bounds of width / height. @default [3/4, 4/3] */
  readonly ratio?: readonly [number, number];
  /** @default "bicubic" */
  readonly resampling?: Resampling;
}

const uniformIn = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/**
 * A rectangle of `scaleMin` to `scaleMax` of the area and a log-uniform aspect ratio, resized: torchvision's RandomResizedCrop, with its
 * ten attempts and its central fallback (Szegedy et al., arXiv 1409.4842). CoDyRA trains with scales 0.9 to 1.
 *
 * ```ts
 * const image = { width: 4, height: 3, data: new Uint8Array(36).fill(200) };
 * const cropped = randomResizedCrop(0.9, 1)(image, { width: 2, height: 2 }, random(0, "augment"));
 * assert.deepEqual(cropped, { width: 2, height: 2, data: new Uint8Array(12).fill(200) });
 * ```
 */
export const randomResizedCrop = (scaleMin: number, scaleMax: number, options: CropOptions = {}): Augment => {
  const [ratioMin, ratioMax] = options.ratio ?? [3 / 4, 4 / 3];
  const cut = ({ width: W, height: H }: Size, size: Size, random: Random): Cut => {
    const { resampling } = options;
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = W * H * uniformIn(random, scaleMin, scaleMax);
      const ratio = Math.exp(uniformIn(random, Math.log(ratioMin), Math.log(ratioMax)));
      const width = Math.round(Math.sqrt(area * ratio));
      const height = Math.round(Math.sqrt(area / ratio));
      if (width > 0 && width <= W && height > 0 && height <= H) {
        const top = random.integer(H - height + 1);
        const left = random.integer(W - width + 1);
        return { top, left, height, width, size, resampling };
      }
    }
    const width = W / H > ratioMax ? Math.round(H * ratioMax) : W;
    const height = W / H < ratioMin ? Math.round(W / ratioMin) : H;
    return { top: Math.floor((H - height) / 2), left: Math.floor((W - width) / 2), height, width, size, resampling };
  };
  return Object.assign((image: Image, size: Size, random: Random): Image => cutOut(image, cut(image, size, random)), { cut });
};

/**
 * An augmentation whose images are mirrored, left to right, with a probability: torchvision's RandomHorizontalFlip behind it.
 *
 * ```ts
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 1, 1, 2, 2, 2) };
 * const always = flipped(randomResizedCrop(1, 1, { ratio: [2, 2] }), 1);
 * assert.deepEqual([...always(image, { width: 2, height: 1 }, random(0, "augment")).data], [2, 2, 2, 1, 1, 1]);
 * ```
 */
export const flipped = (augment: Augment, probability = 0.5): Augment => {
  const { cut } = augment;
  // What is drawn comes in one order, so that an image is the same whether this thread prepares it or another.
  if (cut === undefined)
    return (image, size, random) => {
      const shaped = augment(image, size, random);
      return random.uniform() < probability ? mirror(shaped) : shaped;
    };
  const mirroring: typeof cut = (image, size, random) => {
    const found = cut(image, size, random);
    return random.uniform() < probability ? { ...found, mirrored: found.mirrored !== true } : found;
  };
  return Object.assign((image: Image, size: Size, random: Random): Image => cutOut(image, mirroring(image, size, random)), { cut: mirroring });
};
