/**
 * Anything composes with anything: is there a composition that beats CoDyRA, KeepLoRA++, DAC and DualLoRA on Transfer, Average and Last at once?
 * `npm run search`, or `deno task search`.
 *
 * The compositions are data (`search/composition.ts`). All of them, and the four methods, first learn some tasks of the icon stream, scored on drawings of their
 * training that are held out; those that do best there then learn other tasks with other seeds, scored on the drawings of the tests (`search/tasks.ts`). Every run
 * has a folder, and what has ended is not run again: the same command goes on wherever it was stopped.
 */
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../src/device/device.ts";
import type { Failure } from "../src/failure.ts";
import { exists, readJson, writeJson, writeText } from "../src/formats/files.ts";
import { inOrder } from "../src/formats/json.ts";
import { methods, type MethodName } from "../src/methods/table.ts";
import { clip } from "../src/model/clip.ts";
import { learner, type Learner } from "../src/model/learner.ts";
import { readModelAs } from "../src/model/model.ts";
import { counted } from "../src/page/markup.ts";
import { htmlReport } from "../src/page/html.ts";
import { duration } from "../src/report/format.ts";
import { prettyJson } from "../src/report/json.ts";
import type { RunResult } from "../src/report/result.ts";
import { decodeRunResult } from "../src/report/resultCodec.ts";
import { summarise, type Summary } from "../src/report/summary.ts";
import { textTable } from "../src/report/table.ts";
import { runMethod } from "../src/runs/run.ts";
import type { Method } from "../src/stages/learn.ts";
import { inShare, type Share } from "../src/sweep/runSweep.ts";
import type { Evaluated } from "../src/training/lesson.ts";
import type { Runtime } from "../src/training/runtime.ts";
import { flag, optional, part, some, whole, type Values } from "../src/cli/flags.ts";
import { paced } from "./run/pace.ts";
import { planFor } from "./run/plan.ts";
import { script, working, type Session } from "./run/session.ts";
import { worlds } from "./run/world.ts";
import { ranked, verdict } from "./search/choose.ts";
import { composed, compositions, nameOf, tunedAs } from "./search/composition.ts";
import { streamOf, taskNames, type Phase } from "./search/tasks.ts";

/** What has to be beaten. */
const rivals = ["codyra", "keeplora++", "dac", "duallora"] as const satisfies readonly MethodName[];

/** Seeds of each phase, counted from the one that is given. */
const seedsOf = (phase: Phase, seed: number): readonly number[] => (phase === "choosing" ? [seed, seed + 1] : [seed + 100, seed + 101, seed + 102]);

const table = {
  model: flag(some, "DIR", "a CLIP folder", "models/icon-nano"),
  out: flag(some, "DIR", "where the folders of the runs are; a search in it goes on", "runs/search"),
  steps: flag(whole(1), "N", "steps a task", 45),
  batch: flag(whole(2, 65536), "N", "images a step", 32),
  classes: optional(whole(2), "N", "the first N classes of each task", "all"),
  finalists: flag(whole(1, compositions.length), "N", "compositions that are measured on the tasks of reporting", 3),
  seed: flag(whole(0), "N", "seed of all that is random; choosing takes it and the next, reporting three others", 0),
  only: optional(part, "I/N", "run the I-th of N parts of the runs here, from 1/N on; each part may run in another process on the same folder", "all"),
};

type Flags = Values<typeof table>;

/** One run: a method that is made with a seed of its own. */
interface Trial {
  readonly name: string;
  readonly seed: number;
  readonly method: Method;
}

/** A known method with the steps of the search, at the rate of {@link paced}; all are scored by the first template. */
const known = (name: MethodName, { steps, batch }: Flags): Method => methods[name]({ steps, batch, lr: paced(name, steps), evaluate: {} });

/** The methods of a phase by name: the rivals first. */
const contenders = (flags: Flags, names: readonly string[]): readonly Omit<Trial, "seed">[] => [
  ...rivals.map((name) => ({ name, method: known(name, flags) })),
  ...compositions
    .filter((choice) => names.includes(nameOf(choice)))
    .map((choice) => ({ name: nameOf(choice), method: composed(choice, { ...flags, lr: paced(tunedAs(choice), flags.steps) }) })),
];

const trials = (phase: Phase, flags: Flags, names: readonly string[]): readonly Trial[] =>
  contenders(flags, names).flatMap((one) => seedsOf(phase, flags.seed).map((seed) => ({ ...one, seed })));

const fileOf = (out: string, phase: Phase, { name, seed }: Trial): string => join(out, phase, `${name}-seed-${seed}`, "result.json");

/** The result of a run that has ended; undefined where it has not. */
const resultOf = (path: string): TE.TaskEither<Failure, RunResult | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(path)),
    TE.chain((there) => (there ? pipe(readJson(path), TE.chainEitherK(decodeRunResult(path))) : TE.right(undefined))),
  );

/** Refuses a folder in which another search was begun, and writes down which this is. */
const claimed = ({ model, out, steps, batch, classes, seed }: Flags): TE.TaskEither<Failure, void> => {
  const [path, settings] = [join(out, "search.json"), { model, steps, batch, classes: classes ?? "all", seed }];
  return pipe(
    TE.fromTask<boolean, Failure>(() => exists(path)),
    TE.chain((there) => (there ? readJson(path) : pipe(writeJson(path, settings), TE.as<unknown>(settings)))),
    TE.filterOrElse(
      (found) => JSON.stringify(inOrder(found)) === JSON.stringify(inOrder(settings)),
      (found): Failure => ({ _tag: "BadOption", option: "--out", detail: `${out} has a search with ${JSON.stringify(found)}; name another folder` }),
    ),
    TE.map(() => undefined),
  );
};

/** Seconds that a run takes, about. */
const secondsOf = ({ steps, batch }: Flags, device: Device): number => {
  const { seconds, batch: usual } = planFor(worlds.icons.plans, device);
  return taskNames.choosing.length * ((steps * seconds.step * batch) / usual + seconds.task);
};

/** Where trials run. */
interface Where extends Pick<Session, "runtime" | "progress"> {
  readonly start: Learner;
  /** Pixels of a side of its images. */
  readonly size: number;
}

/** The trials of a phase that have not ended. */
const open = (phase: Phase, { out }: Flags, all: readonly Trial[]): TE.TaskEither<Failure, readonly Trial[]> =>
  pipe(
    all,
    TE.traverseSeqArray((trial) => TE.fromTask<readonly Trial[], Failure>(async () => ((await exists(fileOf(out, phase, trial))) ? [] : [trial]))),
    TE.map((left) => left.flat()),
  );

/** Runs what has not ended of a share of trials, one after the other. Gives whether it was stopped on request. */
const ran =
  (phase: Phase, flags: Flags, all: readonly Trial[], share: Share | undefined) =>
  ({ runtime, progress, start, size }: Where): TE.TaskEither<Failure, boolean> =>
  async () => {
    const mine = await open(phase, flags, inShare(share)(all))();
    if (E.isLeft(mine)) return mine;
    if (mine.right.length > 0) {
      const takes = duration(mine.right.length * secondsOf(flags, runtime.device));
      progress.line(`${phase}: ${counted(mine.right.length, "run")} of ${taskNames[phase].length} tasks, about ${takes} (${taskNames[phase].join(", ")}).`);
    }
    const stream = streamOf(phase, size, flags.classes);
    let zeroShot: Evaluated | undefined;
    for (const [i, trial] of mine.right.entries()) {
      progress.line(`\n${trial.name}, seed ${trial.seed}: ${i + 1} of ${mine.right.length}`);
      const seeded: Runtime = { ...runtime, seed: trial.seed };
      const run = await runMethod(trial.method, start, stream, { from: { zeroShot } })(seeded)();
      if (E.isLeft(run)) return run.left._tag === "Interrupted" ? E.right(true) : run;
      if (run.right.interrupted) return E.right(true);
      zeroShot = run.right.progress.zeroShot;
      const written = await writeText(fileOf(flags.out, phase, trial), `${prettyJson(run.right.result)}\n`)();
      if (E.isLeft(written)) return written;
    }
    return E.right(false);
  };

/** What a phase has found: the rivals, and the compositions. */
interface Found {
  readonly results: readonly RunResult[];
  readonly references: readonly Summary[];
  readonly entries: readonly Summary[];
}

/** What all runs of a phase have found; undefined while some have not ended. */
const found = (phase: Phase, { out }: Flags, all: readonly Trial[]): TE.TaskEither<Failure, Found | undefined> =>
  pipe(
    all,
    TE.traverseSeqArray((trial) => resultOf(fileOf(out, phase, trial))),
    TE.map((read) => {
      const results = read.flatMap((result) => (result === undefined ? [] : [result]));
      if (results.length < all.length) return undefined;
      const summaries = summarise(results);
      const isRival = ({ method }: Summary): boolean => (rivals as readonly string[]).includes(method);
      return { results, references: summaries.filter(isRival), entries: summaries.filter((s) => !isRival(s)) };
    }),
  );

/** Runs a phase as far as this share goes, and hands what it has found on where all of it has ended. */
const phased =
  (phase: Phase, flags: Flags, names: readonly string[], then: (found: Found) => TE.TaskEither<Failure, boolean>) =>
  (where: Where): TE.TaskEither<Failure, boolean> => {
    const all = trials(phase, flags, names);
    return pipe(
      ran(phase, flags, all, flags.only)(where),
      TE.chain((stopped) =>
        stopped
          ? TE.right(true)
          : pipe(
              found(phase, flags, all),
              TE.chain((ended) => (ended === undefined ? waiting(phase) : then(ended))),
            ),
      ),
    );
  };

/** Other parts of a phase have not ended. */
const waiting = (phase: Phase): TE.TaskEither<Failure, boolean> => {
  process.stdout.write(`\nThis part of ${phase} has ended, and others have not; the same command goes on when they have.\n`);
  return TE.right(false);
};

/** The table of what is reported, and the sentence. */
const reported =
  ({ out }: Flags, names: readonly string[]) =>
  ({ results, references, entries }: Found): TE.TaskEither<Failure, boolean> => {
    const finalists = names.flatMap((name) => entries.filter(({ method }) => method === name));
    const answer = verdict(finalists, references, compositions.length);
    const path = join(out, "report.html");
    process.stdout.write(`\n${textTable(results, process.stdout.columns)}\n\n${answer}\n\nCurves and matrices: ${path}\n`);
    return pipe(
      writeText(join(out, "answer.txt"), `${answer}\n`),
      TE.chain(() => writeText(path, htmlReport(results, { title: "A search among compositions", lead: answer }))),
      TE.as(false),
    );
  };

/** Chooses, and reports on what was chosen. */
const searched = (flags: Flags, where: Where): TE.TaskEither<Failure, boolean> =>
  phased("choosing", flags, compositions.map(nameOf), ({ results, references, entries }) => {
    const order = ranked(entries, references).map(({ method }) => method);
    const names = order.slice(0, flags.finalists);
    process.stdout.write(`\n${textTable(results, process.stdout.columns)}\n\nChosen on ${taskNames.choosing.join(", ")}: ${names.join(", ")}.\n`);
    return phased("reporting", flags, names, reported(flags, names))(where);
  })(where);

const search = (flags: Flags): TE.TaskEither<Failure, { readonly interrupted: boolean }> =>
  pipe(
    claimed(flags),
    TE.chain(() => readModelAs(clip, flags.model)),
    TE.chain((model) => {
      const begun = { start: learner(model), size: model.config.vision.imageSize };
      return working(flags.seed, "fail")(({ runtime, progress }) => searched(flags, { runtime, progress, ...begun }));
    }),
    TE.map((interrupted) => ({ interrupted })),
  );

await script(
  "npm run search -- [flags]    (or: deno task search …)",
  table,
  process.argv.slice(2),
  search,
  "Stopped on request; the runs that have ended are kept, and the same command goes on.",
);
