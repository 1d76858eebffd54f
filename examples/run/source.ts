/** What a run is made from, checked before a device is opened: dataset folders as a stream. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { fewShot, limitTest } from "../../src/stream/sampling.ts";
import type { OnCorrupt } from "../../src/stream/source.ts";
import type { LabelSpace, Split, Stream, Task } from "../../src/stream/task.ts";
import { taskFromFolder } from "../../src/stream/taskFromFolder.ts";

/** How folders become a stream. */
export interface SourceOptions {
  readonly labelSpace: LabelSpace;
  readonly onCorrupt: OnCorrupt;
  readonly seed: number;
  /** Training images a class. */
  readonly shots?: number;
  /** Test images a dataset: the same ones for every seed. */
  readonly evalLimit?: number;
  /** Whether training splits are needed. */
  readonly training: boolean;
}

/** A name that comes again gets -2, -3, … */
export const distinctNames = (names: readonly string[]): readonly string[] =>
  names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name}-${before + 1}`;
  });

/** Lists a split, so that what is missing is told before anything runs; readers remember the list. */
const checked = (dir: string, what: string, split: Split): TE.TaskEither<Failure, void> =>
  pipe(
    split,
    TE.filterOrElse((samples) => samples.length > 0, (): Failure => ({ _tag: "FileUnreadable", path: dir, detail: `its ${what} split is empty` })),
    TE.map(() => undefined),
  );

/** The dataset folders as a stream, one task each, in their order. */
export const streamFromFolders = (dirs: readonly string[], options: SourceOptions): TE.TaskEither<Failure, Stream> =>
  pipe(
    dirs,
    TE.traverseSeqArray((dir) =>
      pipe(
        taskFromFolder(dir, { onCorrupt: options.onCorrupt }),
        TE.chainFirst((task) => checked(dir, "test", task.test)),
        TE.chainFirst((task) => (options.training ? checked(dir, "training", task.train) : TE.right(undefined))),
      )),
    TE.map((tasks): Stream => {
      const names = distinctNames(tasks.map((task) => task.name));
      const few = options.shots === undefined ? (task: Task) => task : fewShot(options.shots, options.seed);
      const limited = options.evalLimit === undefined ? (task: Task) => task : limitTest(options.evalLimit, 0);
      return { labelSpace: options.labelSpace, tasks: tasks.map((task, i) => limited(few({ ...task, name: names[i] }))) };
    }),
  );
