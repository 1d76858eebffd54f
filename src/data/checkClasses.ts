/**
 * Checks that a folder of datasets has all that a protocol of classification needs, and makes the protocol's stream of it.
 *
 * Datasets are looked for under their short names and under the names of the published folders of CLIP benchmark
 * (`wds_fgvc_aircraft`, `wds_vtab-dtd`, …), with or without `wds_`. Of DomainNet and CORe50 none is published; they are looked for
 * as `domainnet` and `core50`.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, type Failure } from "../failure.ts";
import { exists, listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { allTasks, findingsOn, type Checked, type CheckedProtocol, type DatasetsAt, type Findings, type ProtocolOptions } from "./checked.ts";
import { splitClasses, withClasses } from "./classSplit.ts";
import { drawnSplits } from "./drawnSplit.ts";
import type { Example } from "./example.ts";
import { someOf } from "./leftOut.ts";
import { namesFor } from "./names/match.ts";
import type { ProtocolNames } from "./names/protocols.ts";
import type { ClassProtocol, ProtocolDataset } from "./protocols.ts";
import { fewShot } from "./sampling.ts";
import { filesOf, listedOnce } from "./source.ts";
import type { Split, ClassStream, ClassTask } from "./task.ts";
import { taskFromFolder } from "./taskFromFolder.ts";

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

/** The templates of a protocol, or the dataset's own where it has none. */
const templatesOf = ({ templates }: ProtocolDataset, ofFolder: readonly string[], firstTemplate: ProtocolOptions["firstTemplate"]): readonly string[] => {
  if (templates === undefined) return ofFolder;
  const first = firstTemplate === "keeplora" && templates.keeplora !== undefined ? [templates.keeplora] : [];
  return [...new Set([...first, ...templates.stated])];
};

/** The task with what the protocol calls its classes; with the folder's own names, which is noted, where they are not those that the protocol knows. */
const withProtocolNames = (names: ProtocolNames, folder: string, task: ClassTask, { note }: Findings<ClassTask>): ClassTask => {
  const found = namesFor(task.classNames, names);
  if (E.isRight(found)) return { ...task, classNames: found.right };
  note(`${folder} has classes that the protocol does not know (${someOf(found.left)}), so all are called as they are there, and not as in the protocol`);
  return task;
};

/** The task with its classes in the order of the protocol's labels; in the folder's order where they have the folder's names. */
const inLabelOrder = ({ names }: ProtocolDataset, task: ClassTask): ClassTask => {
  const { classNames } = task;
  const labels = new Map(names?.names.map((name, label) => [name, label] as const));
  const known = classNames.every((name) => labels.has(name));
  return known ? withClasses([...classNames.keys()].sort((a, b) => labels.get(classNames[a])! - labels.get(classNames[b])!))(task) : task;
};

/** The task with the classes of the protocol, under its name. */
const withProtocolClasses = (wanted: ProtocolDataset, folder: string, read: ClassTask, findings: Findings<ClassTask>): ClassTask => {
  const { problem, note } = findings;
  const out = (name: string): boolean => wanted.without?.includes(name.toLowerCase()) ?? false;
  const { classNames } = read;
  const kept = [...classNames.keys()].filter((c) => !out(classNames[c]));
  if (kept.length < classNames.length) note(`left out ${classNames.filter(out).join(", ")}`);
  if (kept.length !== wanted.classes) problem(`${folder} has ${kept.length} classes, not ${wanted.classes}`);
  const task = { ...withClasses(kept)(read), name: wanted.name };
  return wanted.names === undefined || kept.length !== wanted.classes ? task : withProtocolNames(wanted.names, folder, task, findings);
};

/** The task with the splits of the protocol: its own, or drawn anew from both. Undefined where a split cannot be listed. */
const withProtocolSplits = async (
  wanted: ProtocolDataset,
  folder: string,
  task: ClassTask,
  training: boolean,
  { problem, note }: Findings<ClassTask>,
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
const checkDataset = async (wanted: ProtocolDataset, where: DatasetsAt, names: readonly string[], options: ProtocolOptions): Promise<Checked<ClassTask>> => {
  const findings = findingsOn<ClassTask>(wanted.name);
  const { problem, checked } = findings;
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
  return checked({ ...task, templates: templatesOf(wanted, named.templates, options.firstTemplate) });
};

/**
 * The stream of a protocol from a folder of datasets, or from the folder of each: tasks in order, named as in the protocol, with its templates, splits, shots
 * and label space. Fails with one `FileUnreadable` that lists everything that is missing or wrong: folders that are not there, class counts,
 * splits. Every split is listed; images are read later. A split that the protocol draws at random is drawn anew where the folder's own has
 * another share. Classes that go into groups in their natural order do so in that of the protocol's labels, whatever the order of the folder.
 */
export const checkClasses = (protocol: ClassProtocol, where: DatasetsAt, options: ProtocolOptions): TE.TaskEither<Failure, CheckedProtocol<ClassStream>> =>
  pipe(
    typeof where === "string" ? listNames(where, filesOf(options)) : TE.right([]),
    TE.chainTaskK((names) => async () => {
      const checked: Checked<ClassTask>[] = [];
      for (const wanted of protocol.datasets) checked.push(await checkDataset(wanted, where, names, options));
      return checked;
    }),
    TE.chainEitherK((checked) => {
      const { name, labelSpace, shots, repeats, groups, datasets } = protocol;
      const natural = options.classOrder === "natural";
      return pipe(
        allTasks(name, where, checked),
        E.chain((whole) =>
          groups === undefined
            ? E.right(whole)
            : pipe(
                splitClasses(natural ? inLabelOrder(datasets[0], whole[0]) : whole[0], {
                  ...(typeof groups === "number" ? { tasks: groups } : { sizes: groups }),
                  ...(natural ? {} : { seed: options.seed }),
                }),
                E.map((split) => split.tasks),
              ),
        ),
        E.map((tasks) => ({
          stream: { labelSpace, tasks: shots === undefined ? tasks : tasks.map(fewShot(shots, options.seed, { repeats })) },
          notes: checked.flatMap((c) => c.notes),
        })),
      );
    }),
  );
