/** A whole run from what a person has: a method, a model and data, as folders or as values. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../data/task.ts";
import { withDevice } from "../device/open.ts";
import type { Failure } from "../failure.ts";
import { writeFolderAtomic } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { learner, type Learner } from "../model/learner.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Downloading } from "../platform/hub.ts";
import type { Method } from "../stages/learn.ts";
import type { Event } from "../training/runtime.ts";
import { fillWithLearner, readLearnerOrModel } from "./checkpoint.ts";
import { streamFromFolders, titlesOf, type SourceOptions, type StreamOptions } from "./folders.ts";
import { checkFree, holding } from "./held.ts";
import { locate, type LocateOptions } from "./locate.ts";
import { writeFigures } from "./outcome.ts";
import { runMethod, type Run, type RunOptions, type Suited } from "./run.ts";
import { names } from "./runFolder.ts";
import { runtime, type RuntimeOptions } from "./runtime.ts";

/** What {@link run} is given. */
export interface RunGiven<N extends string = string> extends Omit<RuntimeOptions, "watch">, StreamOptions, Pick<RunOptions, "evaluate"> {
  /** What learns, with its options: `codyra({ rank: 8, steps: 200 })`. */
  readonly method: Method<N>;
  /** The folder of a model, of a learner or of a run that has ended, or the name of a model on the hub; a model; a learner. */
  readonly model: string | NoInfer<Suited<N>> | NoInfer<Suited<N>["model"]>;
  /** Folders of datasets, or their names on the hub, one task each in their order; or a stream. */
  readonly data: string | readonly string[] | Stream;
  /** A new folder for the learner, with `result.json` and `answers.json` beside it. Default: nothing is written. */
  readonly out?: string;
  /** The share that is drawn for training from folders without train and test, above 0 and below 1. */
  readonly split?: number;
  /** Called with every event, of the run and of the downloads before it. */
  readonly watch?: (event: Event | Downloading) => void;
  /** Where folders are. Default: the disk; in a browser its own storage, what was picked, and URLs. */
  readonly files?: Files;
}

/** What locating asks of what a run is given; what is said there is told as what is said of data. */
const locating = ({ watch, signal, files = platform.files }: RunGiven): LocateOptions => ({
  files,
  signal,
  watch,
  note: (detail) => watch?.({ type: "note", detail }),
});

/** The learner in a folder; in that of a run the one that it has ended with. */
const learnerIn = (folder: string, options: LocateOptions, files: Files): TE.TaskEither<Failure, Learner> => {
  const ended = async (): Promise<boolean> => (await files.exists(join(folder, names.job))()) && (await files.exists(join(folder, names.model))());
  return pipe(
    TE.fromTask<boolean, Failure>(ended),
    TE.chain((ofRun) => readLearnerOrModel(ofRun ? join(folder, names.model) : folder, options)),
  );
};

const learnerOf = (given: RunGiven, files: Files): TE.TaskEither<Failure, Learner> => {
  const { model } = given;
  if (typeof model !== "string") return TE.right("architecture" in model ? learner(model) : model);
  const options = locating(given);
  return pipe(
    locate("model", model, options),
    TE.chain(({ folder }) => learnerIn(folder, options, files)),
  );
};

const streamOf = (given: RunGiven, files: Files): TE.TaskEither<Failure, Stream> => {
  const { data, labelSpace, shots, split, seed = 0, onCorrupt = "fail" } = given;
  if (typeof data === "object" && "tasks" in data) return TE.right(data);
  return pipe(
    typeof data === "string" ? [data] : data,
    TE.traverseSeqArray((name) => locate("dataset", name, locating(given))),
    TE.chain((located) => {
      const options: SourceOptions = { onCorrupt, seed, split, training: true, titles: titlesOf(located), platform: { ...platform, files } };
      const folders = located.map(({ folder }) => folder);
      return streamFromFolders(folders, { labelSpace, shots }, options);
    }),
  );
};

/** Refuses a folder that holds something, and one that cannot be made: nobody trains for what cannot be written. */
const checkNew = (out: string, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    TE.fromTask<boolean, Failure>(files.exists(out)),
    TE.chain((there) =>
      there
        ? checkFree(out, files)
        : pipe(
            holding(out, files, TE.right(undefined)),
            TE.chain(() => files.remove(out)),
          ),
    ),
  );

/** Refuses what no type checker has seen. */
const checkGiven = ({ method, model, data, out }: RunGiven): E.Either<Failure, void> => {
  const bad = (option: string, detail: string): E.Either<Failure, void> => E.left({ _tag: "BadOption", option, detail });
  if (typeof method !== "object" || method === null || !("run" in method)) return bad("method", "is the value of a method, as in codyra({ rank: 8 })");
  if (!(typeof model === "string" ? model !== "" : model !== null && typeof model === "object" && ("architecture" in model || "model" in model)))
    return bad("model", "is a folder, a name on the hub, a model or a learner");
  const tasks = typeof data === "object" && data !== null && "tasks" in data ? data.tasks : data;
  if (tasks === undefined || tasks === null || tasks.length === 0) return bad("data", "names no dataset");
  return out === "" ? bad("out", "is no name of a folder") : E.right(undefined);
};

/** Writes the learner of a run, and its figures beside it. */
const written = (out: string, run: Run, stream: Stream, skipped: readonly string[], files: Files): TE.TaskEither<Failure, void> =>
  writeFolderAtomic(
    out,
    (temporary) =>
      pipe(
        fillWithLearner(temporary, run.learner, files),
        TE.chain(() => writeFigures(temporary, run, stream, skipped, files)),
        TE.map(() => undefined),
      ),
    files,
  );

/** Runs it on a device of its own, or on the one that was given. */
const onDevice = (given: RunGiven, start: Learner, stream: Stream, skipped: Set<string>): TE.TaskEither<Failure, Run> => {
  const { method, evaluate, device = {}, watch } = given;
  const watching = (event: Event): void => {
    if (event.type === "skipped") skipped.add(event.id);
    watch?.(event);
  };
  return withDevice(device)((device) =>
    pipe(
      runtime({ ...given, device, watch: watching }),
      TE.chain((running) => () => runMethod(method, start, stream, { evaluate })(running)().finally(running.close)),
    ),
  );
};

/**
 * Runs a method from its zero-shot row to its last task, with all that a script need not say: the device that opens first, the seed 0, a cache of pictures.
 * Data are read and checked before the device is opened. `out` can be read by `readLearner`, `openLearner` and `compareRuns`; a run that was stopped behind its
 * first task ends well, and has what was learned. What must go on after a crash is a job (`runJob`). Fails as {@link locate}, `readModel`, the readers of data,
 * `openDevice` and the stages do; with `BadOption` where `out` is there and not empty.
 *
 * ```ts
 * const ended = await run({ method: codyra({ rank: 8 }), model: `${folder}/clip`, data: [`${folder}/pets`, `${folder}/cars`] })();
 * assert.ok(ended._tag === "Left" && ended.left._tag === "FileUnreadable"); // There is no such model.
 * ```
 */
export const run = <N extends string>(given: RunGiven<N>): TE.TaskEither<Failure, Run> => {
  const { out, files = platform.files } = given as RunGiven;
  const skipped = new Set<string>();
  return pipe(
    TE.fromEither(checkGiven(given as RunGiven)),
    TE.chain(() => (out === undefined ? TE.right(undefined) : checkNew(out, files))),
    TE.chain(() => learnerOf(given, files)),
    TE.bindTo("start"),
    TE.bind("stream", () => streamOf(given, files)),
    TE.bind("ended", ({ start, stream }) => onDevice(given, start, stream, skipped)),
    TE.chainFirst(({ ended, stream }) => (out === undefined ? TE.right(undefined) : written(out, ended, stream, [...skipped], files))),
    TE.map(({ ended }) => ended),
  );
};
