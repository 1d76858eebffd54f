/**
 * An example: one labelled image as plain data. It says where its pixels are and reads nothing, so that a learner may keep some and a checkpoint may hold them.
 */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Frame } from "../platform/frames.ts";
import type { Image } from "../platform/platform.ts";

export type { Image } from "../platform/platform.ts";

/** Where the pixels of an example are. */
export type ImageReference =
  /** An image file; of an animation the first frame, or one of some that are taken evenly. */
  | { readonly kind: "file"; readonly path: string; readonly frame?: Frame }
  /** A file in a tar archive: `size` bytes from byte `offset` of the archive on. */
  | { readonly kind: "member"; readonly archive: string; readonly name: string; readonly offset: number; readonly size: number }
  /** A file in a row of a Parquet file, counted from 0. */
  | { readonly kind: "row"; readonly file: string; readonly row: number; readonly column: string }
  /** The bytes of an image file, in memory. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Decoded pixels, in memory. */
  | { readonly kind: "pixels"; readonly image: Image }
  /** A picture that its task makes by itself: only the task's own `decode` knows the name. */
  | { readonly kind: "named"; readonly name: string }
  /** Data that cannot be read, and why. */
  | { readonly kind: "damaged"; readonly failure: Failure };

/** One labelled image. `id` names it in messages, and in the cache of decoded images where these are in no file. */
export interface Example {
  readonly id: string;
  /** Index into the task's `classNames`; {@link noLabel} where the data is damaged. */
  readonly label: number;
  readonly image: ImageReference;
}

/**
 * Reads and decodes the image of an example, every call anew. It looks at `id` and `image` only: a label changes when classes are split or pooled. A picture in
 * a file is decoded once for all examples of it: what it becomes depends on `image` alone.
 */
export type ExampleDecoder = (example: Example) => TaskEither<Failure, Image>;

/** The label of an example that has none, because it cannot be read. */
export const noLabel = -1;

/** Stands in a split for data that cannot be read, so that whoever walks the split meets the failure and counts it. */
export const damagedExample = (id: string, failure: Failure): Example => ({ id, label: noLabel, image: { kind: "damaged", failure } });
