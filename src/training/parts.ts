/** A batch in parts, on the host: each part's inputs under names of their own, cut from those of the batch. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { BatchSize } from "../model/architecture.ts";
import { cut, wholeBatch, type Part } from "../model/part.ts";
import { check } from "../tensor/tensor.ts";
import type { HostData, HostRecord } from "../tensor/replay.ts";

/** The parts of a batch, and what cuts the inputs of one into theirs. */
export interface BatchParts {
  readonly parts: readonly Part[];
  /** The inputs of each part that it has of its own, in their order. */
  readonly of: (batch: HostRecord) => readonly HostRecord[];
}

/** Batches of one shape that can be cut into parts. */
export interface Divisible {
  readonly shape: BatchSize;
  /** Cuts them into at least two parts, and at most as many as there are texts. Default: they are cut by images, with the same texts in every part. */
  readonly inParts?: (count: number) => BatchParts;
}

/** Throws a `ShapeError` where a batch is computed in parts; `why` it cannot be is a phrase. */
export const checkUndivided = (what: string, part: Part | undefined, why: string): void =>
  check(
    (part?.count ?? 1) === 1,
    what,
    () => `${why}, so the batch cannot be computed in ${part?.count} parts: instead of accumulate, recompute needs less memory`,
  );

/** Whether what cannot compute a batch in parts, for a reason that is a phrase, is asked to. Fails with `BadOption`. */
export const dividable = (accumulate = 1, why?: string): E.Either<Failure, void> => {
  if (accumulate === 1 || why === undefined) return E.right(undefined);
  const detail = `${why}, so a batch cannot be computed in ${accumulate} parts: recompute needs less memory, too`;
  return E.left({ _tag: "BadOption", option: "accumulate", detail });
};

/** The name of an input of a part: its own where it has one. */
export const inputOfPart = ({ index, count, splits }: Part, name: string): string => (count > 1 && splits(name) ? `${name} of part ${index + 1}` : name);

/** A batch that is computed at once. */
export const undivided = (shape: BatchSize): BatchParts => ({ parts: [wholeBatch(shape)], of: () => [] });

/** The rows from `first` on, of so many, of a tensor [rows, ..]. */
export const rowsFrom = <D extends HostData>(data: D, rows: number, first: number, count: number): D => {
  const width = data.length / rows;
  return data.subarray(first * width, (first + count) * width) as D;
};

/** The columns from `first` on of a tensor [rows, columns]. */
const columnsFrom = (data: Float32Array, columns: number, first: number, count: number): Float32Array => {
  const part = new Float32Array((data.length / columns) * count);
  for (let row = 0; row * columns < data.length; row++) part.set(data.subarray(row * columns + first, row * columns + first + count), row * count);
  return part;
};

const ofImages: ReadonlySet<string> = new Set(["pixels", "targets", "transposedTargets"]);

/** Batches of images in `count` parts. Texts are those of the whole batch in every part. */
export const partsOfImages = (shape: BatchSize, count: number): BatchParts => {
  const parts = cut(shape.images, count).map(([first, examples], index): Part => {
    return { index, count, first, examples, size: { ...shape, images: examples }, splits: (name) => ofImages.has(name) };
  });
  return {
    parts,
    of: ({ pixels, targets, transposedTargets }) =>
      parts.map(({ first, examples }) => ({
        pixels: rowsFrom(pixels, shape.images, first, examples),
        targets: rowsFrom(targets, shape.images, first, examples),
        transposedTargets: columnsFrom(transposedTargets as Float32Array, shape.images, first, examples),
      })),
  };
};

/** The parts of batches: so many of each. Fails with `BadOption` where a batch has fewer examples. */
export const partsOf = ({ shape, inParts }: Divisible, count: number): E.Either<Failure, BatchParts> => {
  const examples = inParts === undefined ? shape.images : shape.texts;
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: "accumulate", detail });
  if (!Number.isInteger(count) || count < 1) return bad(`${count} is not a positive whole number`);
  if (count > examples) return bad(`a batch of ${examples} cannot be computed in ${count} parts; give at most ${examples}`);
  return E.right(count === 1 ? undivided(shape) : (inParts ?? ((n) => partsOfImages(shape, n)))(count));
};

/** The parts of batches of reference pictures beside a batch in so many parts: as many, or one for each picture where there are fewer. */
export const partsBeside = ({ shape, inParts }: Divisible, count: number): BatchParts =>
  count === 1 ? undivided(shape) : (inParts ?? ((n) => partsOfImages(shape, n)))(Math.min(count, shape.images));

/** The name of an input of a batch of reference pictures. */
export const inputOfReference = (name: string): string => `reference ${name}`;

/** The inputs of a step that is computed in parts: those of the batch, and those of every part under names of their own. */
export const inputsInParts = ({ parts, of }: BatchParts, batch: HostRecord): HostRecord =>
  Object.assign({}, batch, ...of(batch).map((own, i) => Object.fromEntries(Object.entries(own).map(([name, data]) => [inputOfPart(parts[i], name), data]))));
