/** The pictures of questions: loaded, and written where a decoder sees them. */
import * as E from "fp-ts/lib/Either.js";
import { planesLength, writePlanes, type ImageTransform } from "../data/augment.ts";
import type { Image } from "../data/example.ts";
import { loader, type LoaderOptions } from "../data/loader.ts";
import { pictureOf, type Question } from "../data/question.ts";
import type { Failure } from "../failure.ts";
import { transformOf } from "../model/inputs.ts";
import type { Model } from "../model/model.ts";

/** Loads all pictures of a question. */
export type LoadPictures = (question: Question) => Promise<E.Either<Failure, readonly Image[]>>;

/** Loads the pictures of questions through a cache, in their order; the first that cannot be decoded is the failure of its question. */
export const pictureLoader = (options: LoaderOptions): LoadPictures => {
  const { load } = loader(options);
  return async (question) => {
    const images: Image[] = [];
    for (const k of question.pictures.keys()) {
      const image = await load(pictureOf(question, k));
      if (E.isLeft(image)) return image;
      images.push(image.right);
    }
    return E.right(images);
  };
};

/** Room for the pixels of so many pictures; none where nothing transforms them. */
export const pixelsFor = (transform: ImageTransform | undefined, pictures: number): Float32Array =>
  new Float32Array(transform === undefined ? 0 : pictures * planesLength(transform.size));

/** Writes the pictures of a question into pixels, from the place of its first on. */
export const writePictures = (
  transform: ImageTransform,
  question: Question,
  images: readonly Image[],
  pixels: Float32Array,
  first: number,
): E.Either<Failure, void> => {
  const plane = planesLength(transform.size);
  for (const [k, image] of images.entries()) {
    const written = writePlanes(transform, question.id, transform.centre(image), pixels, (first + k) * plane);
    if (E.isLeft(written)) return written;
  }
  return E.right(undefined);
};

/** The pixels of the pictures of a question, one by one, as a model takes them. */
export const planesOf = (model: Model, question: Question, images: readonly Image[]): E.Either<Failure, readonly Float32Array[]> => {
  const transform = transformOf(model);
  const pixels = pixelsFor(transform, images.length);
  const plane = planesLength(transform.size);
  return E.map(() => images.map((_, k) => pixels.subarray(k * plane, (k + 1) * plane)))(writePictures(transform, question, images, pixels, 0));
};
