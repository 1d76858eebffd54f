/**
 * Checks that a folder of datasets has all that a protocol needs, and makes the protocol's stream of it.
 *
 * Datasets are looked for under their short names and under the names of the published folders of CLIP benchmark
 * (`wds_fgvc_aircraft`, `wds_vtab-dtd`, …), with or without `wds_`. Of DomainNet none is published; it is looked for as `domainnet`.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, type Failure } from "../failure.ts";
import { exists, listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { splitClasses, withClasses } from "./classSplit.ts";
import { drawnSplits } from "./drawnSplit.ts";
import type { Example } from "./example.ts";
import type { Protocol, ProtocolDataset } from "./protocols.ts";
import { fewShot } from "./sampling.ts";
import { filesOf, listedOnce, type SourceOptions } from "./source.ts";
import type { Split, ClassStream, ClassTask } from "./task.ts";
import { taskFromFolder } from "./taskFromFolder.ts";

/** How a protocol is read from a folder. */
export interface ProtocolOptions extends SourceOptions {
  /** Seed of the few-shot examples and of the class order; the drawn splits have one of their own, the same in every run. */
  readonly seed: number;
  /** Whether training splits are needed. Default true. */
  readonly training?: boolean;
  /** Whose template comes first. Default: that of the protocol. */
  readonly firstTemplate?: "keeplora";
}

/** A protocol whose data is there. */
export interface CheckedProtocol {
  readonly stream: ClassStream;
  /** What differs from the protocol and does not keep it from running, a sentence each. */
  readonly notes: readonly string[];
}

/** The result of checking one dataset: what is wrong with it, what is worth knowing, and its task where it can be made. */
interface Checked {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly task?: ClassTask;
}

/** Both splits drawn anew from all images; one that is not there counts as empty. */
const redrawn = (task: ClassTask, share: number): ClassTask => {
  const pool = listedOnce(
    pipe(
      TE.sequenceSeqArray([task.train, task.test]),
      TE.map((lists) => lists.flat()),
    ),
  );
  return { ...task, ...drawnSplits(task.name, pool, share) };
};

/** A split, or none where it fails since its folder is missing; the test split of the ImageFolder layout may be called `val`. */
const orNone = (dir: string, names: readonly string[], split: Split, files: Files): Split =>
  pipe(
    split,
    TE.orElse((failure) =>
      pipe(
        TE.fromTask<readonly boolean[], Failure>(() => Promise.all(names.map((name) => exists(join(dir, name), files)))),
        TE.chain((there) => (there.includes(true) ? TE.left(failure) : TE.right<Failure, readonly Example[]>([]))),
      ),
    ),
  );

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** The templates of a protocol, with the dataset's own where the protocol only counts them. */
const templatesOf = ({ templates }: ProtocolDataset, ofFolder: readonly string[], firstTemplate: ProtocolOptions["firstTemplate"]): readonly string[] => {
  if (templates === undefined) return ofFolder;
  const first = firstTemplate === "keeplora" && templates.keeplora !== undefined ? [templates.keeplora] : [];
  return [...new Set([...first, ...templates.stated, ...(templates.stated.length < templates.count ? ofFolder : [])])];
};

/** Collects what is found out about one dataset; every sentence begins with its name. */
const findingsOn = (name: string) => {
  const [problems, notes]: [string[], string[]] = [[], []];
  return {
    problem: (what: string) => void problems.push(`${name}: ${what}`),
    note: (what: string) => void notes.push(`${name}: ${what}`),
    checked: (task?: ClassTask): Checked => ({ problems, notes, task }),
  };
};

type Findings = ReturnType<typeof findingsOn>;

/** The task with the classes of the protocol, under its name. */
const withProtocolClasses = (wanted: ProtocolDataset, folder: string, read: ClassTask, { problem, note }: Findings): ClassTask => {
  const out = (name: string): boolean => wanted.without?.includes(name.toLowerCase()) ?? false;
  const { classNames } = read;
  const kept = [...classNames.keys()].filter((c) => !out(classNames[c]));
  if (kept.length < classNames.length) note(`left out ${classNames.filter(out).join(", ")}`);
  if (kept.length !== wanted.classes) problem(`${folder} has ${kept.length} classes, not ${wanted.classes}`);
  return { ...withClasses(kept)(read), name: wanted.name };
};

/** The task with the splits of the protocol: its own, or drawn anew from both. Undefined where a split cannot be listed. */
const withProtocolSplits = async (
  wanted: ProtocolDataset,
  folder: string,
  task: ClassTask,
  training: boolean,
  { problem, note }: Findings,
): Promise<ClassTask | undefined> => {
  const lists = { train: await task.train(), test: await task.test() };
  for (const list of Object.values(lists)) if (E.isLeft(list)) problem(describe(list.left));
  if (E.isLeft(lists.train) || E.isLeft(lists.test)) return undefined;
  const [train, test] = [lists.train.right.length, lists.test.right.length];
  const share = train / Math.max(1, train + test);
  if (wanted.drawn !== undefined && train + test > 0 && Math.abs(share - wanted.drawn) > 0.01) {
    note(`${percent(share)} of ${folder} are for training and the protocol draws ${percent(wanted.drawn)}; both splits are drawn anew`);
    return redrawn(task, wanted.drawn);
  }
  if (train === 0 && training) problem(`${folder} has no training split`);
  if (test === 0) problem(`${folder} has no test split`);
  if (train > 0 && wanted.train !== undefined && train !== wanted.train) note(`${folder} has ${train} training images, the protocol ${wanted.train}`);
  return task;
};

/** Where the datasets of a protocol are: in one folder, or each, by its name in the protocol, in its own. */
export type DatasetsAt = string | Readonly<Record<string, string>>;

/** What a dataset's folder is called, and its path. */
type Found = readonly [called: string, dir: string];

/** Finds a dataset of a protocol; on the left, what it was looked for as. `names` are those in the folder of all. */
const findDataset = ({ name, folders }: ProtocolDataset, where: DatasetsAt, names: readonly string[]): E.Either<string, Found> => {
  if (typeof where !== "string") return where[name] === undefined ? E.left(name) : E.right([name, where[name]]);
  const candidates = folders.flatMap((folder) => [folder, `wds_${folder}`]);
  const found = candidates.find((candidate) => names.includes(candidate));
  return found === undefined ? E.left(candidates.join(" or ")) : E.right([found, join(where, found)]);
};

/** Finds a dataset of a protocol and makes its task. */
const checkDataset = async (wanted: ProtocolDataset, where: DatasetsAt, names: readonly string[], options: ProtocolOptions): Promise<Checked> => {
  const findings = findingsOn(wanted.name);
  const { problem, note, checked } = findings;
  const found = findDataset(wanted, where, names);
  if (E.isLeft(found)) {
    problem(`there is no folder ${found.left}`);
    return checked();
  }
  const [folder, dir] = found.right;
  const read = await taskFromFolder(dir, options)();
  if (E.isLeft(read)) {
    problem(describe(read.left));
    return checked();
  }
  const named = withProtocolClasses(wanted, folder, read.right, findings);
  const files = filesOf(options);
  const present = { ...named, train: orNone(dir, ["train"], named.train, files), test: orNone(dir, ["test", "val"], named.test, files) };
  const task = await withProtocolSplits(wanted, folder, present, options.training !== false, findings);
  if (task === undefined) return checked();
  const ensemble = templatesOf(wanted, named.templates, undefined).length;
  if (wanted.templates !== undefined && ensemble !== wanted.templates.count) {
    note(`the ensemble has ${ensemble} templates, that of the protocol ${wanted.templates.count}`);
  }
  return checked({ ...task, templates: templatesOf(wanted, named.templates, options.firstTemplate) });
};

/**
 * The stream of a protocol from a folder of datasets, or from the folder of each: tasks in order, named as in the protocol, with its templates, splits, shots
 * and label space. Fails with one `FileUnreadable` that lists everything that is missing or wrong: folders that are not there, class counts,
 * splits. Every split is listed; images are read later. A split that the protocol draws at random is drawn anew where the folder's own has
 * another share.
 */
export const checkProtocol = (protocol: Protocol, where: DatasetsAt, options: ProtocolOptions): TE.TaskEither<Failure, CheckedProtocol> =>
  pipe(
    typeof where === "string" ? listNames(where, filesOf(options)) : TE.right([]),
    TE.chainTaskK((names) => async () => {
      const checked: Checked[] = [];
      for (const wanted of protocol.datasets) checked.push(await checkDataset(wanted, where, names, options));
      return checked;
    }),
    TE.chainEitherK((checked): E.Either<Failure, CheckedProtocol> => {
      const problems = checked.flatMap((c) => c.problems);
      const listed = problems.map((problem, i) => (problems.length === 1 ? problem : `(${i + 1}) ${problem}`)).join("; ");
      if (problems.length > 0)
        return E.left({
          _tag: "FileUnreadable",
          path: typeof where === "string" ? where : protocol.name,
          detail: `it is not all that ${protocol.name} needs: ${listed}`,
        });
      const { labelSpace, shots, groups } = protocol;
      const whole = checked.flatMap(({ task }) => (task === undefined ? [] : [task]));
      const tasks: E.Either<Failure, readonly ClassTask[]> =
        groups === undefined
          ? E.right(whole)
          : pipe(
              splitClasses(whole[0], { tasks: groups, seed: options.seed }),
              E.map((split) => split.tasks),
            );
      return pipe(
        tasks,
        E.map((list) => ({
          stream: { labelSpace, tasks: shots === undefined ? list : list.map(fewShot(shots, options.seed)) },
          notes: checked.flatMap((c) => c.notes),
        })),
      );
    }),
  );
