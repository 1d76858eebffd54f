/** Tensors that are read in parts, so that no more than a part of one is in the memory of the process. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import type { Files } from "../../platform/files.ts";
import { corrupt } from "../files.ts";
import { bytesOf } from "./arrays.ts";
import type { Placed } from "./header.ts";

/** A tensor in a file that has not been read. */
export interface StoredTensor extends Placed {
  /** Its file. */
  readonly path: string;
  /** The byte of the file at which it begins. */
  readonly at: number;
}

/** A part of a tensor: its bytes, little-endian, and the number of its first element. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly first: number;
}

/** So many elements are read at a time: a multiple of 64. */
const elementsAtOnce = 2 ** 22;

/**
 * Reads tensors of one file part by part, in the order in which they lie there; `use` may keep no part. An empty tensor has no part. Fails as `use` does, and
 * with `FileUnreadable` or `FileCorrupt`.
 */
export const readInParts = <T extends StoredTensor>(
  path: string,
  tensors: readonly T[],
  use: (tensor: T, part: Part) => TE.TaskEither<Failure, void>,
  files: Files,
): TE.TaskEither<Failure, void> =>
  files.open(path, (file) => async () => {
    for (const tensor of [...tensors].sort((a, b) => a.at - b.at)) {
      const width = bytesOf[tensor.dtype];
      const elements = (tensor.end - tensor.begin) / width;
      for (let first = 0; first < elements; first += elementsAtOnce) {
        const bytes = new Uint8Array(Math.min(elementsAtOnce, elements - first) * width);
        const offset = tensor.at + first * width;
        const read = await file.read(bytes, offset)();
        if (E.isLeft(read)) return read;
        if (read.right < bytes.length) return E.left(corrupt(path, `it ends within tensor ${tensor.name}`, offset));
        const used = await use(tensor, { bytes, first })();
        if (E.isLeft(used)) return used;
      }
    }
    return E.right(undefined);
  });
