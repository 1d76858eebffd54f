/**
 * Where a job begins: with a model; with a learner and what it remembers; or behind an earlier run, whose stream its own tasks extend.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { CheckedProtocol } from "../data/checked.ts";
import { checkScoring, streamFrom } from "../data/stream.ts";
import { classNamesOf, type Stream, type Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { hasBranches } from "../model/branch.ts";
import { learner, type Learner } from "../model/learner.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Probed, Report } from "../training/lesson.ts";
import { readLearner, readLearnerOrModel } from "./checkpoint.ts";
import type { Job } from "./job.ts";
import type { LocateOptions } from "./locate.ts";
import { readAnyModel } from "./readAnyModel.ts";
import { methodOf, trains } from "./methodOf.ts";
import { findAll, findData, type Placed } from "./placed.ts";
import type { Progress } from "./run.ts";
import { newest, type Reached, type TestSet } from "./runFolder.ts";
import { newestOf, readJob, runOf } from "./runOf.ts";
import { distinctNames } from "./folders.ts";
import { streamOf } from "./source.ts";
import { unlearnedOf } from "./unlearned.ts";
import { readOne } from "./runsIn.ts";
import { sameSight, seen } from "./sight.ts";
import { keepsBranches, suited } from "./suited.ts";

/** What a job begins with. */
export interface Beginning extends CheckedProtocol {
  readonly learner: Learner;
  /** The learner before the first task of the whole stream. */
  readonly untrained: Learner;
  /** What the probes of the stream are scored on. */
  readonly testSets: readonly TestSet[];
  /** What earlier runs have reached. */
  readonly from: Partial<Progress>;
}

/** The folder of the model in a job's folder: the newest of a run, which begins anew. */
const modelFolder = ({ model }: Placed, files: Files): TE.TaskEither<Failure, string> =>
  pipe(
    newestOf(model, files),
    TE.map((run) => run?.last?.folder ?? model),
  );

/** The earlier run of a job, unless it begins anew. */
const earlierRun = ({ model, fresh }: Placed, files: Files): TE.TaskEither<Failure, string | undefined> =>
  fresh === true ? TE.right(undefined) : TE.fromTask(() => runOf(model, files));

/** The jobs of the runs behind a job, the first of them first. Fails where one of them names no method, or began with what is not there any more. */
const earlierJobs =
  (job: Placed, options: LocateOptions): TE.TaskEither<Failure, readonly Placed[]> =>
  async () => {
    const { files = platform.files } = options;
    const jobs: Placed[] = [];
    for (let at = job; ; at = jobs[0]) {
      const run = await earlierRun(at, files)();
      if (E.isLeft(run) || run.right === undefined) return E.isLeft(run) ? run : E.right(jobs);
      const folder = run.right;
      const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: "model", detail });
      if ([job, ...jobs].some(({ out }) => files.absolute(out) === files.absolute(folder))) return bad(`${folder} is a run behind itself`);
      const earlier = await readJob(folder, files)();
      if (E.isLeft(earlier)) return earlier;
      const method = methodOf(earlier.right);
      if (E.isLeft(method)) return method;
      const { model } = earlier.right;
      const found = await findAll(earlier.right, { ...options, at: files.absolute })();
      if (E.isLeft(found))
        return found.left._tag === "FileUnreadable" && found.left.path === model
          ? bad(`the run ${folder} began with ${model}, which is not there any more`)
          : found;
      jobs.unshift(found.right.placed);
    }
  };

/** What makes the rows of one run comparable with those of another. */
const scoringOf = (labelSpace: string | undefined, { evaluate: { templates } }: Job): string => `label space ${labelSpace}, ${templates} templates`;

/** The streams of the runs behind a job and its own, one after the other, with the probes of the job. Fails where they are not scored alike. */
const wholeStream = (earlier: readonly Placed[], job: Placed, files: Files): TE.TaskEither<Failure, CheckedProtocol & { readonly before: number }> =>
  pipe(
    unlearnedOf(job, earlier, files),
    TE.bind("sources", () => TE.traverseSeqArray((one: Placed) => streamOf(one, trains(one), files))([...earlier, job])),
    TE.chainEitherK(({ probes, reference, sources }) => {
      const { labelSpace } = sources[0].stream;
      const before = sources.slice(0, -1).reduce((n, { stream }) => n + stream.tasks.length, 0);
      const last = earlier.at(-1);
      const [then, now] = [scoringOf(labelSpace, last ?? job), scoringOf(last === undefined ? labelSpace : (job.labelSpace ?? labelSpace), job)];
      if (then !== now)
        return E.left<Failure>({
          _tag: "BadOption",
          option: "model",
          detail: `${last!.out} was scored with ${then}, not with ${now}; ask for the same, or begin anew (--fresh)`,
        });
      const tasks = sources.flatMap(({ stream }): readonly Task[] => stream.tasks);
      const distinct = distinctNames([...tasks, ...probes].map(({ name }) => name));
      return pipe(
        streamFrom({
          labelSpace,
          ...(reference === undefined ? {} : { reference }),
          tasks: tasks.map((task, i) => ({ ...task, name: distinct[i] })),
          ...(probes.length === 0 ? {} : { probes: probes.map((probe, i) => ({ ...probe, name: distinct[tasks.length + i] })) }),
        }),
        E.chain((stream) => {
          const { templates, also = [] } = job.evaluate;
          return checkScoring(stream, { labelSpaces: [job.labelSpace ?? "task", ...also], templates });
        }),
        E.map((stream) => ({ stream, notes: sources.flatMap(({ notes }) => notes), before })),
      );
    }),
  );

/** The whole stream of a job, without what it begins with: its model need not be there any more. */
export const streamBehind = (job: Job, options: LocateOptions): TE.TaskEither<Failure, Stream> =>
  pipe(
    TE.Do,
    TE.bind("found", () => findData(job, options)),
    TE.bind("earlier", ({ found: { placed } }) => earlierJobs(placed, options)),
    TE.chain(({ found: { placed }, earlier }) => wholeStream(earlier, placed, options.files ?? platform.files)),
    TE.map(({ stream }) => stream),
  );

/** What probes are scored on. */
const testSetsOf = ({ probes = [] }: Stream): TE.TaskEither<Failure, readonly TestSet[]> =>
  pipe(
    probes as readonly Task[],
    TE.traverseSeqArray((probe) =>
      pipe(
        probe.test as TE.TaskEither<Failure, readonly unknown[]>,
        TE.map(({ length }) => ({ images: length, classNames: classNamesOf(probe) })),
      ),
    ),
  );

const sameSet = (a: TestSet, b: TestSet): boolean =>
  a.images === b.images && a.classNames.length === b.classNames.length && a.classNames.every((name, i) => name === b.classNames[i]);

/** For each probe of a job its place among those of the run before; "other" where that scored other pictures or classes, undefined where it had none such. */
const placesOf = (job: Placed, testSets: readonly TestSet[], earlier: Placed, { testSets: then = [] }: Reached): readonly (number | "other" | undefined)[] =>
  (job.probes ?? []).map((folder, k) => {
    const place = earlier.probes?.indexOf(folder) ?? -1;
    if (place < 0) return undefined;
    return then[place] !== undefined && sameSet(then[place], testSets[k]) ? place : "other";
  });

/** The report of an earlier run, which knew nothing of the tasks behind its own; of its probes it has those at `places`. */
const widened = (report: Report, tasks: number, places: ReturnType<typeof placesOf>): Report => {
  const wide = <A>(row: readonly (A | null)[]) => Array.from({ length: tasks }, (_, i) => row[i] ?? null);
  const { row, also, answers, scores, chance, replies, probes } = report;
  const measured = (place: number | "other" | undefined): Probed => (typeof place === "number" && probes?.[place]) || { accuracy: null, images: 0 };
  return {
    ...report,
    row: wide(row),
    also: also && Object.fromEntries(Object.entries(also).map(([space, other]) => [space, wide(other)])),
    answers: answers && wide(answers),
    ...(scores === undefined ? {} : { scores: Object.fromEntries(Object.entries(scores).map(([name, other]) => [name, wide(other)])) }),
    ...(chance === undefined ? {} : { chance: wide(chance) }),
    ...(replies === undefined ? {} : { replies: wide(replies) }),
    probes: places.length === 0 ? undefined : places.map(measured),
  };
};

/** A model that begins anew, also from the folder of a run; or a learner with what it remembers. */
const readBeginner = (job: Placed, options: LocateOptions): TE.TaskEither<Failure, Learner> => {
  const { model, fresh = false } = job;
  const alone = (folder: string) => pipe(readAnyModel(folder, options), TE.map(learner));
  if (fresh) return pipe(modelFolder(job, options.files ?? platform.files), TE.chain(alone));
  return pipe(
    readOne(model, options.files ?? platform.files, readLearnerOrModel(model, options)),
    // Rows of a head and slots of a memory count the tasks of a stream from its first on.
    TE.filterOrElse(
      (remembered) => remembered.head === undefined && !hasBranches(remembered),
      (): Failure => ({
        _tag: "BadOption",
        option: "model",
        detail: `${model} is a learner that remembers tasks in their order, and these are not known; give the folder of its run, or begin anew (--fresh)`,
      }),
    ),
  );
};

/** A run whose tasks are not all behind its learner, each with its row. */
const unfinished = (run: string, how: string): Failure => ({
  _tag: "BadOption",
  option: "model",
  detail: `${run} ${how}; end it first (cambium resume ${run}), or begin anew with its model (--fresh)`,
});

/** Reads what a job begins with, as if none of its own tasks had been learned. */
export const beginningOf = (job: Placed, options: LocateOptions): TE.TaskEither<Failure, Beginning> => {
  const { files = platform.files } = options;
  return pipe(
    TE.Do,
    TE.bind("run", () => earlierRun(job, files)),
    TE.chainFirst(({ run }) =>
      run !== undefined && job.method.name === "joint"
        ? TE.left<Failure>({
            _tag: "BadOption",
            option: "method",
            detail: "joint learns all tasks at once and cannot go on behind a run; begin anew (--fresh)",
          })
        : TE.right(undefined),
    ),
    TE.bind("earlier", () => earlierJobs(job, options)),
    TE.bind("last", ({ earlier }) => (earlier.length === 0 ? TE.right(undefined) : newest(earlier[earlier.length - 1], files))),
    TE.bind("beginner", ({ run, last }) => {
      if (last !== undefined) return pipe(readLearner(last.folder, { files }), TE.chainEitherK(sameSight(job)));
      return run === undefined ? TE.chainEitherK(seen(job))(readBeginner(job, options)) : TE.left(unfinished(run, "has finished no task yet"));
    }),
    TE.bind("source", ({ earlier }) => wholeStream(earlier, job, files)),
    TE.chainFirst(({ run, last, source: { before } }) => {
      const rows = last?.reached.reports.length ?? 0;
      return run !== undefined && rows !== before ? TE.left(unfinished(run, `has a row for ${rows} of its ${before} tasks`)) : TE.right(undefined);
    }),
    TE.bind("untrained", ({ earlier: [first], beginner }) =>
      first === undefined
        ? TE.right(beginner)
        : pipe(
            modelFolder(first, files),
            TE.chain((folder) => readAnyModel(folder, options)),
            TE.map(learner),
            TE.chainEitherK(seen(first)),
          ),
    ),
    TE.chainFirstEitherK(({ beginner, earlier, source: { stream } }) => keepsBranches(beginner, stream, job, earlier.at(-1))),
    TE.chainFirstEitherK(({ beginner, source: { stream } }) => suited(beginner, stream, job)),
    TE.bind("testSets", ({ source: { stream } }) => testSetsOf(stream)),
    TE.map(({ run, earlier, last, beginner, source: { stream, notes, before }, testSets, untrained }): Beginning => {
      const beginning = { learner: beginner, untrained, stream, testSets };
      if (last === undefined) return { ...beginning, notes, from: {} };
      const { reports, seconds } = last.reached;
      const places = placesOf(job, testSets, earlier[earlier.length - 1], last.reached);
      const wide = reports.map((report) => widened(report, stream.tasks.length, places));
      const learnedBy = earlier.map(({ method }) => method.name).join(", ");
      const note = `goes on behind the ${before} tasks of ${run}, learned by ${learnedBy}; their rows are as they were measured then`;
      const others = (job.probes ?? []).filter((_, k) => places[k] === "other").join(", ");
      const left = others === "" ? [] : [`${others}: other test pictures or classes than those that ${run} has scored; its figures are left out`];
      return { ...beginning, notes: [note, ...left, ...notes], from: { reports: wide, seconds } };
    }),
  );
};
