/**
 * Batches of examples: a description that can be asked for any step, in any order, as often as one likes. `at(7)` gives the same bits before and
 * after `at(3)`, in this process and in the next, so a stream can be walked twice and a killed run resumes by its step number.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { random } from "../random.ts";
import { platform } from "../platform/default.ts";
import type { Threads } from "../platform/platform.ts";
import { planesLength, type Augment, type ImageTransform } from "./augment.ts";
import type { Example, Image } from "./example.ts";
import { concurrently, loader, type LoaderOptions, type Skipped } from "./loader.ts";
import { prepareInto, type Shaping } from "./planes.ts";
import type { OnCorrupt } from "./source.ts";
import { walk } from "./walk.ts";

/** One batch: `pixels` `[count, 3, height, width]` normalised f32, `labels` `[count]`, and the `ids` of its examples. */
export interface Batch {
  readonly pixels: Float32Array;
  readonly labels: Uint32Array;
  readonly ids: readonly string[];
  readonly count: number;
}

/** A description of batches. */
export interface Batches {
  /** How many there are: steps 0 .. steps-1. */
  readonly steps: number;
  /** The batch of a step; it reads and decodes what the cache does not hold. */
  readonly at: (step: number) => TE.TaskEither<Failure, Batch>;
  /** What has been left out so far, each example once. */
  readonly skipped: () => readonly Skipped[];
}

/** What training and evaluation batches share. */
export interface LoadOptions extends LoaderOptions {
  readonly examples: readonly Example[];
  /** Examples a batch. */
  readonly batch: number;
  /** The model's transform of images. */
  readonly transform: ImageTransform;
  /** `fail`: the first corrupt example is the failure of its batch. `skip`: it is left out and counted. @default "fail" */
  readonly onCorrupt?: OnCorrupt;
  /** How many examples are read and decoded at a time. @default 4, or two a thread where that is more */
  readonly concurrency?: number;
  /** Threads that transform images beside the main one. @default those of the platform */
  readonly threads?: Threads;
}

/** Options of {@link batches}. */
export interface BatchOptions extends LoadOptions {
  readonly seed: number;
  /** How long: a number of batches, or of walks over all examples. */
  readonly length: { readonly steps: number } | { readonly epochs: number };
  /** @default the evaluation transform */
  readonly augment?: Augment;
}

/** Moves the planes that are there to the front, where some are missing, and counts them. */
const closeGaps = (pixels: Float32Array, plane: number, there: readonly boolean[]): number => {
  let count = 0;
  for (const [place, is] of there.entries()) {
    if (!is) continue;
    if (count < place) pixels.copyWithin(count * plane, place * plane, (place + 1) * plane);
    count++;
  }
  return count;
};

interface Found {
  readonly example: Example;
  readonly image: Image;
}
type Picked = E.Either<Failure, Found | undefined>;

/** Makes a batch of the example and image that `pick` gives for every place; where it gives undefined, the place is left out. */
const assemble = async (
  places: number,
  { transform, threads = platform.threads, concurrency = Math.max(4, 2 * (threads?.count ?? 0)) }: LoadOptions,
  pick: (place: number) => Promise<Picked>,
  shaping: (place: number) => Shaping,
): Promise<E.Either<Failure, Batch>> => {
  const plane = planesLength(transform.size);
  const pixels = new Float32Array(places * plane);
  const picked: E.Either<Failure, Example | undefined>[] = [];
  await concurrently(places, concurrency, async (place) => {
    // The decoded image is not kept here: a batch of large ones would not fit into memory.
    const found = await pick(place);
    if (E.isLeft(found) || found.right === undefined) {
      picked[place] = found as E.Either<Failure, undefined>;
      return;
    }
    const { example, image } = found.right;
    picked[place] = E.map(() => example)(await prepareInto(shaping(place), threads, example.id, image, pixels, place * plane));
  });
  const found = E.sequenceArray(picked);
  if (E.isLeft(found)) return found;
  const there = found.right.map((example) => example !== undefined);
  const count = closeGaps(pixels, plane, there);
  const examples = found.right.filter((example) => example !== undefined);
  return E.right({
    pixels: pixels.subarray(0, count * plane),
    labels: Uint32Array.from(examples, ({ label }) => label),
    ids: examples.map(({ id }) => id),
    count,
  });
};

/** Why this step cannot be asked for; undefined where it can. */
const refusal = (step: number, steps: number, batch: number): Failure | undefined => {
  if (!Number.isInteger(batch) || batch < 1) return { _tag: "BadOption", option: "batch", detail: `${batch} is not a positive whole number` };
  if (steps === 0) return { _tag: "BadOption", option: "examples", detail: "there are none" };
  if (Number.isInteger(step) && step >= 0 && step < steps) return undefined;
  return { _tag: "BadOption", option: "step", detail: `${step} is not one of 0 to ${steps - 1}` };
};

/**
 * Training batches, all of the same size. The examples of epoch e are walked in an order drawn from (seed, e); batches follow each
 * other over the ends of epochs, so every epoch holds every example once. A crop is drawn from (seed, step, place). With
 * `onCorrupt: "skip"` a corrupt example's place goes to the next good one of its epoch's order: which images a batch holds depends on
 * the data and the seed alone, never on what was asked before. Failures: of an example; `FileUnreadable` where no example is good.
 */
export const batches = (options: BatchOptions): Batches => {
  const { examples, batch, seed, length, augment, transform, onCorrupt = "fail" } = options;
  const n = examples.length;
  const steps = n === 0 ? 0 : "steps" in length ? length.steps : Math.ceil((n * length.epochs) / batch);
  const { load, skipped } = loader(options);
  const pick = walk(examples, seed, async (example) => E.map((image: Image) => ({ example, image }))(await load(example)), onCorrupt);
  const at =
    (step: number): TE.TaskEither<Failure, Batch> =>
    async () => {
      const refused = refusal(step, steps, batch);
      if (refused !== undefined) return E.left(refused);
      return assemble(
        batch,
        options,
        (place) => pick(step * batch + place),
        (place) => ({ transform, augment, random: () => random(seed, "augment", step, place) }),
      );
    };
  return { steps, at, skipped };
};

const joined = (a: Float32Array, b: Float32Array): Float32Array => {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

/** Batches side by side: the images of a step from one description, and behind them those from another. */
export const beside = (first: Batches, second: Batches): Batches => ({
  steps: Math.min(first.steps, second.steps),
  at: (step) =>
    pipe(
      first.at(step),
      TE.bindTo("a"),
      TE.bind("b", () => second.at(step)),
      TE.map(({ a, b }) => ({
        pixels: joined(a.pixels, b.pixels),
        labels: Uint32Array.of(...a.labels, ...b.labels),
        ids: [...a.ids, ...b.ids],
        count: a.count + b.count,
      })),
    ),
  skipped: () => [...first.skipped(), ...second.skipped()],
});

/** Options of {@link viewBatches}. */
export interface ViewOptions extends Omit<LoadOptions, "batch"> {
  /** Pictures a batch. */
  readonly views: number;
  readonly augment: Augment;
  readonly seed: number;
}

/**
 * Views of every example, a batch each, in the order of the list: the picture by the evaluation transform, and behind it augmented ones. A view is drawn from
 * (seed, place) alone: a picture has the same views wherever it stands. With `onCorrupt: "skip"` the batch of a corrupt example is empty.
 */
export const viewBatches = (options: ViewOptions): Batches => {
  const { examples, views, augment, transform, seed, onCorrupt = "fail" } = options;
  const { load, skipped } = loader(options);
  const at =
    (step: number): TE.TaskEither<Failure, Batch> =>
    async () => {
      const refused = refusal(step, examples.length, views);
      if (refused !== undefined) return E.left(refused);
      const example = examples[step];
      const image = await load(example);
      if (E.isLeft(image) && onCorrupt === "fail") return image;
      const found: Picked = E.isLeft(image) ? E.right(undefined) : E.right({ example, image: image.right });
      return assemble(
        views,
        { ...options, batch: views },
        () => Promise.resolve(found),
        (place) => (place === 0 ? { transform } : { transform, augment, random: () => random(seed, "views", place) }),
      );
    };
  return { steps: examples.length, at, skipped };
};

/**
 * Evaluation batches: every example once, in the order of the list, by the evaluation transform; the last batch may be smaller, and with
 * `onCorrupt: "skip"` any batch by its corrupt examples.
 */
export const evaluationBatches = (options: LoadOptions): Batches => {
  const { examples, batch, transform, onCorrupt = "fail" } = options;
  const steps = Math.ceil(examples.length / batch);
  const { load, skipped } = loader(options);
  const pick = async (example: Example): Promise<Picked> => {
    const image = await load(example);
    if (E.isLeft(image)) return onCorrupt === "fail" ? image : E.right(undefined);
    return E.right({ example, image: image.right });
  };
  const at =
    (step: number): TE.TaskEither<Failure, Batch> =>
    async () => {
      const refused = refusal(step, steps, batch);
      if (refused !== undefined) return E.left(refused);
      const places = Math.min(batch, examples.length - step * batch);
      return assemble(
        places,
        options,
        (place) => pick(examples[step * batch + place]),
        () => ({ transform }),
      );
    };
  return { steps, at, skipped };
};
