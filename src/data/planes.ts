/** Writes images where a model takes them, on threads beside the main one where there are some. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { Size } from "../formats/resize.ts";
import type { Threads } from "../platform/platform.ts";
import type { Random } from "../random.ts";
import { checkSize, planesLength, writePlanes, type Augment, type ImageTransform } from "./augment.ts";
import type { Image } from "./example.ts";
import { module, type Preparation, type Prepared } from "./prepared.ts";

/** To hand a smaller image over takes as long as to prepare it. */
const smallest = 64 * 64;

/** How an image is transformed: as for evaluation, or by an augmentation and what it draws. */
export interface Shaping {
  readonly transform: ImageTransform;
  readonly augment?: Augment;
  readonly random?: () => Random;
}

/** What another thread needs to do the same; undefined where only this one can. */
const preparationOf = ({ transform: { size, preprocess }, augment, random }: Shaping, { width, height, data }: Image): Preparation | undefined => {
  if (preprocess === undefined || Math.max(width * height, size.width * size.height) < smallest) return undefined;
  // All of the memory that an array lies in is copied to a thread.
  const image = { width, height, data: data.byteLength === data.buffer.byteLength ? data : data.slice() };
  if (augment === undefined) return { image, preprocess };
  return augment.cut === undefined ? undefined : { image, preprocess, cut: augment.cut(image, size, random!()) };
};

const imageOf = ({ transform, augment, random }: Shaping, image: Image): Image =>
  augment === undefined ? transform.centre(image) : augment(image, transform.size, random!());

/**
 * Writes an image into pixels, as normalised planes from `offset` on: the same bits whichever thread computes them. Fails with `ShapeMismatch` where it has not
 * the model's size behind its transform.
 */
export const prepareInto = async (
  shaping: Shaping,
  threads: Threads | undefined,
  id: string,
  image: Image,
  into: Float32Array,
  offset: number,
): Promise<E.Either<Failure, void>> => {
  const { size }: { readonly size: Size } = shaping.transform;
  const preparation = threads === undefined || threads.count === 0 ? undefined : preparationOf(shaping, image);
  const prepared = preparation === undefined ? undefined : ((await threads!.run(module, preparation)) as Prepared | undefined);
  // A thread that is lost leaves its work to this one.
  if (prepared === undefined) return writePlanes(shaping.transform, id, imageOf(shaping, image), into, offset);
  return E.map(() => into.set(prepared.planes.subarray(0, planesLength(size)), offset))(checkSize(id, prepared, size));
};
