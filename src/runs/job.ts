/** A run as data: what is learned, how, and where it goes. Written into the folder of the run, and read from there when it goes on. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { protocols, type ProtocolName } from "../data/protocols.ts";
import { count, positive, share, whole } from "../methods/codecs.ts";
import { explained, surplusField } from "./misplaced.ts";

/** A whole number of at least 0. */
export const natural = whole("a whole number of at least 0", 0);

const folders = new t.Type<readonly string[]>(
  "at least one folder",
  (u): u is readonly string[] => t.array(t.string).is(u) && u.length > 0,
  (u, c) => (t.array(t.string).is(u) && u.length > 0 ? t.success(u) : t.failure(u, c)),
  t.identity,
);

const pixels = t.partial({
  mean: t.tuple([t.number, t.number, t.number]),
  std: t.tuple([positive, positive, positive]),
  crop: share,
  resampling: t.keyof({ lanczos: null, bilinear: null, bicubic: null }),
});

const LabelSpace = t.keyof({ task: null, union: null, seen: null });

/**
 * What is learned: datasets in their order, or those of a protocol, in the folder `root` or as they are published. Of folders without train and test the share
 * `split` is drawn for training.
 */
export const Source = t.union([
  t.intersection([t.type({ folders }), t.partial({ split: t.number })]),
  t.intersection([
    t.type({ protocol: t.keyof(protocols as Readonly<Record<ProtocolName, unknown>>) }),
    t.partial({
      root: t.string,
      // Where no root is given: each of its datasets by its name in the protocol.
      datasets: t.record(t.string, t.string),
      firstTemplate: t.literal("keeplora"),
      // In which order the classes of a class-incremental protocol are learned: that of their labels, or one drawn from the seed, which is the default.
      classOrder: t.keyof({ natural: null, seeded: null }),
      // The positions of its tasks in the order learned, where that is not the protocol's own.
      order: t.array(natural),
    }),
  ]),
]);

/** How a job is scored. */
export const Evaluate = t.intersection([
  t.type({ templates: t.keyof({ single: null, ensemble: null }) }),
  t.partial({ also: t.array(LabelSpace), scores: t.keyof({ own: null, all: null }) }),
]);

/** What a job does with an image that cannot be decoded. */
export const OnCorrupt = t.keyof({ fail: null, skip: null });

/** What a job need not say. */
export const Unsaid = t.partial({
  labelSpace: LabelSpace,
  /** Folders of datasets that are scored after every task, each among its own classes, and never learned. */
  probes: folders,
  /** The folder of a dataset whose pictures and classes methods distil on, and which is never learned. */
  reference: t.string,
  /** The columns of Parquet files that are pictures and classes, in all such datasets of the job; by default those that names and types tell. */
  columns: t.partial({ image: t.string, label: t.string }),
  /** What of the model's preprocessing is to be otherwise. The learner sees the same pixels wherever it is used. */
  pixels,
  /** Training images a class; of a task that is answered in words, questions. */
  shots: count,
  /** Test images, or questions, a dataset. */
  evalLimit: count,
  /** The template by which questions are asked, by name or as a text that has `{prompt}`. */
  chat: t.string,
  /** The most tokens of a question and its answer, and of an answer that is generated. */
  context: count,
  maxTokens: count,
  /** Begins with the model alone, also where its folder holds what a learner remembers. */
  fresh: t.boolean,
  /** Writes down after every task what each test picture was taken for, or each question answered with. */
  predictions: t.boolean,
  /** Writes after every task what it has added to the weights, as a folder that PEFT loads. */
  saveAdapters: t.boolean,
  /** How its device keeps and multiplies numbers; by default in f32. */
  precision: t.keyof({ f32: null, mixed: null }),
  /** In how many parts a training computes a batch, with one update behind them; by default at once. */
  accumulate: count,
  /** What of the forward pass a training computes again for the backward pass, so that it need not be kept: all but the inputs of blocks. */
  recompute: t.keyof({ blocks: null }),
  /** Steps between two checkpoints within a task. */
  checkpointSteps: count,
  /** Facts that belong into the result beside the job's own. */
  facts: t.UnknownRecord,
});

/**
 * A run as data. Paths should be absolute, so that the job means the same wherever it is read.
 *
 * ```ts
 * const job = Job.decode({
 *   version: 1, model: "/models/clip", source: { folders: ["/data/pets"] }, method: { name: "codyra", options: { rank: 8 } }, seed: 0,
 *   evaluate: { templates: "single" }, onCorrupt: "fail", out: "/runs/pets",
 * });
 * assert.equal(job._tag, "Right");
 * ```
 */
export const Job = t.intersection([
  t.type({
    version: t.literal(1),
    /** A model folder, the folder of a learner, or that of a run. */
    model: t.string,
    source: Source,
    /** The name of a method, and the options that are not its defaults. */
    method: t.type({ name: t.string, options: t.UnknownRecord }),
    seed: natural,
    evaluate: Evaluate,
    onCorrupt: OnCorrupt,
    /** The folder of the run. */
    out: t.string,
  }),
  Unsaid,
  /** Tells the files of this run from those of others. Given when the run begins. */
  t.partial({ id: t.string }),
]);

/** A run as data. */
export type Job = t.TypeOf<typeof Job>;

/** A job of anything. Fails with `BadOption`, which names the place that is wrong: a job that could not be read again must not run. */
export const decodeJob = (u: unknown): E.Either<Failure, Job> => {
  const surplus = surplusField(Job, u);
  return surplus === undefined ? pipe(Job.decode(u), E.mapLeft(explained("the job"))) : E.left(surplus);
};
