/**
 * The folder of a run.
 *
 * `job.json` says what is run. `log.jsonl` grows while it goes on, and so does `predictions.jsonl` where the job asks for it. After every task the folder has
 * `after-K`, the learner with how far the run is (`progress.json`), `result.json`, `answers.json` (`replies.json` where tasks are answered in words) and
 * `report.html` of the tasks so far; when the run ends, that learner is `model`. `adapters/K-TASK`, where the job asks for them, have what each task added.
 * `profile.json` says where the time went, where somebody asked. `training.safetensors` is the state of a training within a task. Each of them is whole or
 * not there, so a run that ends in any way can go on.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { corrupt, explain, listNames, readJson, writeFolderAtomic, writeJson } from "../formats/files.ts";
import { dictionary, list, parseJson } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import { readArrays, writeArrays, type NumberArray } from "../formats/safetensors.ts";
import type { Learner } from "../model/learner.ts";
import type { Files } from "../platform/files.ts";
import { finite, natural, nonNegative, nullable, percent } from "../report/codec.ts";
import { ReplyCodec } from "../report/replies.ts";
import { fillWithLearner } from "./checkpoint.ts";
import type { Job } from "./job.ts";
import { decodePlain, encodePlain, type Encoded, floats } from "./plainData.ts";
import type { KeptTraining, Progress } from "./run.ts";

/** The names in the folder of a run. */
export const names = {
  job: "job.json",
  log: "log.jsonl",
  predictions: "predictions.jsonl",
  progress: "progress.json",
  training: "training.safetensors",
  result: "result.json",
  answers: "answers.json",
  replies: "replies.json",
  report: "report.html",
  profile: "profile.json",
  model: "model",
  adapters: "adapters",
  after: (tasks: number): string => `after-${tasks}`,
} as const;

/** What a probe is scored on. */
export interface TestSet {
  readonly images: number;
  readonly classNames: readonly string[];
}

/** How far a run is, and what its other files were like then. */
export interface Reached extends Progress {
  /** Of each probe of the run; undefined where an earlier version wrote this. */
  readonly testSets?: readonly TestSet[];
  /** The `id` of the run. */
  readonly run?: string;
  /** The size of the log in bytes. */
  readonly logged: number;
  /** The size of the predictions in bytes, where the job asks for them. */
  readonly predicted?: number;
  /** The samples that were left out. */
  readonly skipped: readonly string[];
}

const row = list(nullable(percent));
const answers = t.type({ ids: list(t.string), labels: list(natural), answers: list(natural) });
const evaluated = t.intersection([
  t.type({ row }),
  t.partial({
    also: dictionary(row),
    probes: list(t.intersection([t.type({ accuracy: nullable(percent), images: natural }), t.partial({ perplexity: nonNegative, chance: percent })])),
    answers: list(nullable(answers)),
    scores: dictionary(row),
    chance: row,
    replies: list(nullable(list(ReplyCodec))),
  }),
]);
const ranks = new t.Type<ReadonlyMap<string, number>>(
  "a map",
  (u): u is ReadonlyMap<string, number> => u instanceof Map,
  (u, c) => (u instanceof Map ? t.success(u) : t.failure(u, c)),
  t.identity,
);
const report = t.intersection([
  evaluated,
  t.type({ task: t.string, bytesKept: natural }),
  t.partial({ examplesKept: natural, trained: t.type({ trainableParameters: natural, ranks }), mergeError: finite }),
]);
const reached = t.intersection([
  t.partial({ run: t.string, predicted: natural, methodOptions: t.UnknownRecord, testSets: list(t.type({ images: natural, classNames: list(t.string) })) }),
  t.type({ zeroShot: evaluated, reports: list(report), seconds: nonNegative, logged: natural, skipped: list(t.string) }),
]);
const arrays = dictionary(floats);
const kept = t.type({ nth: natural, training: t.type({ step: natural, values: arrays, moments: arrays }) });

const decoded = <A>(path: string, codec: t.Decoder<unknown, A>, encoded: Encoded): E.Either<Failure, A> =>
  pipe(
    decodePlain(encoded, { file: path, what: "how far a run is" }),
    E.mapLeft((error) => corrupt(path, error.detail)),
    E.chain(({ data }) =>
      pipe(
        codec.decode(data),
        E.mapLeft((errors) => corrupt(path, explain(errors))),
      ),
    ),
  );

const encoded = (path: string, data: unknown): E.Either<Failure, Encoded> =>
  pipe(
    encodePlain(data),
    E.mapLeft((detail): Failure => ({ _tag: "FileUnwritable", path, detail })),
  );

/** Reads how far a run was when the folder of a learner was written. */
export const readProgress = (folder: string, files: Files): TE.TaskEither<Failure, Reached> => {
  const path = join(folder, names.progress);
  return pipe(
    readJson(path, files),
    TE.chainEitherK((json) => decoded(path, reached as t.Decoder<unknown, Reached>, { json, arrays: new Map() })),
  );
};

/** The newest learner of a run, and how far the run was then. */
export interface Newest {
  readonly folder: string;
  readonly reached: Reached;
}

/** The learners in the folder of a run, the newest first. What else stands there under such a name is not of this run, and is left alone. */
const learnersOf = ({ out, id }: Pick<Job, "out" | "id">, files: Files): TE.TaskEither<Failure, readonly Newest[]> =>
  pipe(
    listNames(out, files),
    TE.map((all) => all.filter((name) => name === names.model || /^after-\d+$/.test(name)).map((name) => join(out, name))),
    TE.chain(
      TE.traverseSeqArray((folder) =>
        pipe(
          TE.fromTask<boolean, Failure>(files.exists(join(folder, names.progress))),
          TE.chain((there): TE.TaskEither<Failure, readonly Newest[]> => {
            if (!there) return TE.right([]);
            return pipe(
              readProgress(folder, files),
              TE.map((reached) => (reached.run === id ? [{ folder, reached }] : [])),
            );
          }),
        ),
      ),
    ),
    TE.map((found) => found.flat().sort((a, b) => b.reached.reports.length - a.reached.reports.length)),
  );

/** Finds the newest learner of a run; undefined where no task was finished. */
export const newest = (job: Pick<Job, "out" | "id">, files: Files): TE.TaskEither<Failure, Newest | undefined> =>
  pipe(
    learnersOf(job, files),
    TE.map(([first]) => first),
  );

/** Writes the learner after a task as `after-K`. */
export const writeAfter = (run: string, learner: Learner, state: Reached, files: Files): TE.TaskEither<Failure, string> => {
  const folder = join(run, names.after(state.reports.length));
  return pipe(
    TE.fromEither(encoded(folder, state)),
    TE.chain(({ json }) =>
      writeFolderAtomic(
        folder,
        (temporary) =>
          pipe(
            fillWithLearner(temporary, learner, files),
            TE.chain(() => writeJson(join(temporary, names.progress), json, files)),
          ),
        files,
      ),
    ),
    TE.map(() => folder),
  );
};

/** Removes the files of an earlier learner, which are those of a later one; what else somebody put beside them stays, and is no learner then. */
const retire = (earlier: string, later: string, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    listNames(later, files),
    // The file that tells whose it is goes last, so that what was interrupted here is ended later.
    TE.map((all) => [...all.filter((name) => name !== names.progress), names.progress]),
    TE.chain(TE.traverseSeqArray((name) => files.remove(join(earlier, name)))),
    TE.chain(() => listNames(earlier, files)),
    TE.chain((left) => (left.length === 0 ? files.remove(earlier) : TE.right(undefined))),
  );

/** Removes the learners of a run other than one of them. */
export const retireOthers = (job: Job, last: string, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    learnersOf(job, files),
    TE.map((all) => all.map(({ folder }) => folder).filter((folder) => folder !== last)),
    TE.chain(TE.traverseSeqArray((folder) => retire(folder, last, files))),
    TE.map(() => undefined),
  );

/** A training within a task, and how far the run was. */
export interface Within {
  readonly reached: Reached;
  readonly kept: KeptTraining;
}

const structure = "structure";

/** Writes the state of a training. */
export const writeTraining = (run: string, within: Within, files: Files): TE.TaskEither<Failure, void> => {
  const path = join(run, names.training);
  return pipe(
    TE.fromEither(encoded(path, within)),
    TE.chain(({ json, arrays }) =>
      writeArrays(path, new Map<string, NumberArray>([...arrays, [structure, new TextEncoder().encode(JSON.stringify(json))]]), files),
    ),
  );
};

/** Reads the state of a training; undefined where there is none. */
export const readTraining = (run: string, files: Files): TE.TaskEither<Failure, Within | undefined> => {
  const path = join(run, names.training);
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(path)),
    TE.chain((there) =>
      there
        ? pipe(
            readArrays(path, files),
            TE.chainEitherK((read) => {
              const { [structure]: text, ...others } = Object.fromEntries(read);
              return pipe(
                text === undefined ? E.left("") : parseJson(new TextDecoder().decode(text as Uint8Array)),
                E.mapLeft(() => corrupt(path, "it does not say what its numbers are")),
                E.chain((json) => decoded(path, t.type({ reached, kept }) as t.Decoder<unknown, Within>, { json, arrays: new Map(Object.entries(others)) })),
              );
            }),
          )
        : TE.right(undefined),
    ),
  );
};
