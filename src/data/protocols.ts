/**
 * The protocols of the papers as data: which datasets in which order, how many classes, which templates, which split, which label space
 * (METHODS.md E and F); and a check that a folder of datasets has all of it.
 *
 * Datasets are looked for under their short names and under the names of the published folders of CLIP benchmark
 * (`wds_fgvc_aircraft`, `wds_vtab-dtd`, …), with or without `wds_`. Of DomainNet none is published; it is looked for as `domainnet`.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, type Failure } from "../failure.ts";
import { exists, unreadable } from "../formats/files.ts";
import { random } from "../random.ts";
import { splitClasses, withClasses } from "./classSplit.ts";
import type { Example } from "./example.ts";
import { fewShot } from "./sampling.ts";
import { listedOnce, type SourceOptions } from "./source.ts";
import type { LabelSpace, Split, Stream, Task } from "./task.ts";
import { taskFromFolder } from "./taskFromFolder.ts";

/** The prompts of a dataset in a protocol. */
export interface ProtocolTemplates {
  /** Those that are known word for word; the first is the single template. */
  readonly stated: readonly string[];
  /** How many the ensemble has: what is not stated comes from the dataset's own file. */
  readonly count: number;
  /** What the authors of KeepLoRA put first, where it is another. */
  readonly keeplora?: string;
}

/** A dataset of a protocol. */
export interface ProtocolDataset {
  readonly name: string;
  /** Names of its folder, each also with `wds_` before it. */
  readonly folders: readonly string[];
  readonly classes: number;
  /** Classes that a folder may have and the protocol leaves out, in lower case. */
  readonly without?: readonly string[];
  /** Default: the dataset's own. */
  readonly templates?: ProtocolTemplates;
  /** Where the protocol draws its split at random from all images: the share that is for training. */
  readonly drawn?: number;
  /** Images of the training split, where the number is known. */
  readonly train?: number;
}

/** A protocol: a stream that is not read yet. */
export interface Protocol {
  readonly name: string;
  readonly labelSpace: LabelSpace;
  /** Training images a class. Default: all. */
  readonly shots?: number;
  /** In the order learned. */
  readonly datasets: readonly ProtocolDataset[];
  /** Class-incremental: the classes of the one dataset go into so many tasks. */
  readonly groups?: number;
}

type Known = Pick<ProtocolDataset, "folders" | "classes">;

const known = {
  aircraft: { folders: ["aircraft", "fgvc_aircraft"], classes: 100 },
  caltech101: { folders: ["caltech101", "vtab-caltech101"], classes: 101 },
  cifar100: { folders: ["cifar100", "vtab-cifar100"], classes: 100 },
  dtd: { folders: ["dtd", "vtab-dtd"], classes: 47 },
  eurosat: { folders: ["eurosat", "vtab-eurosat"], classes: 10 },
  flowers: { folders: ["flowers", "vtab-flowers", "oxford_flowers"], classes: 102 },
  food: { folders: ["food", "food101"], classes: 101 },
  mnist: { folders: ["mnist"], classes: 10 },
  pets: { folders: ["pets", "vtab-pets", "oxford_pets"], classes: 37 },
  cars: { folders: ["cars", "stanford_cars"], classes: 196 },
  sun397: { folders: ["sun397"], classes: 397 },
  "imagenet-r": { folders: ["imagenet-r"], classes: 200 },
  domainnet: { folders: ["domainnet"], classes: 345 },
} as const satisfies Readonly<Record<string, Known>>;

type KnownName = keyof typeof known;

const dataset = (name: KnownName, rest: Partial<ProtocolDataset> = {}): ProtocolDataset => ({ name, ...known[name], ...rest });

/** The published Caltech101 has Google's background as a class of its own. */
const background = ["background", "background_google"];

const photo = "a photo of a {c}.";
const all = (...stated: readonly string[]): ProtocolTemplates => ({ stated, count: stated.length });

const cifarTemplates: ProtocolTemplates = { stated: [photo], count: 18 };

/** METHODS.md E.1 and the first two columns of F. */
const mtil = {
  aircraft: dataset("aircraft", { templates: all("a photo of a {c}, a type of aircraft.", "a photo of the {c}, a type of aircraft.") }),
  caltech101: dataset("caltech101", { without: background, drawn: 0.8, templates: { stated: [photo], count: 34 } }),
  cifar100: dataset("cifar100", { train: 50_000, templates: cifarTemplates }),
  dtd: dataset("dtd", { templates: { stated: ["a photo of a {c} texture."], count: 8, keeplora: "a photo of a {c} thing." } }),
  eurosat: dataset("eurosat", {
    drawn: 0.8,
    templates: all("a centered satellite photo of {c}.", "a centered satellite photo of a {c}.", "a centered satellite photo of the {c}."),
  }),
  flowers: dataset("flowers", { train: 1020, templates: all("a photo of a {c}, a type of flower.") }),
  food: dataset("food", { templates: all("a photo of a {c}, a type of food.") }),
  mnist: dataset("mnist", { templates: all('a photo of the number: "{c}".') }),
  pets: dataset("pets", { train: 3680, templates: all("a photo of a {c}, a type of pet.") }),
  cars: dataset("cars", { templates: { stated: ["a photo of a {c}, a type of car."], count: 9, keeplora: "a photo of the {c}, a type of car." } }),
  sun397: dataset("sun397", { drawn: 0.8, templates: { ...all(photo, "a photo of the {c}."), keeplora: "a photo of the {c}." } }),
};

/** METHODS.md E.3 and the last column of F: CoOp's splits, which leave out Google's background and the second class of faces. */
const xTail: readonly ProtocolDataset[] = [
  dataset("aircraft", { templates: all("a photo of a {c}, a type of aircraft.") }),
  dataset("caltech101", { classes: 100, without: [...background, "centered face", "faces_easy"], templates: all(photo) }),
  dataset("dtd", { templates: all("{c} texture.") }),
  dataset("eurosat", { templates: all("a centered satellite photo of {c}.") }),
  dataset("flowers", { templates: all("a photo of a {c}, a type of flower.") }),
  dataset("food", { templates: all("a photo of {c}, a type of food.") }),
  dataset("mnist", { templates: all('a photo of the number: "{c}".') }),
  dataset("pets", { templates: all("a photo of a {c}, a type of pet.") }),
  dataset("cars", { templates: all(photo) }),
  dataset("sun397", { templates: all(photo) }),
];

const orderOne: readonly ProtocolDataset[] = [
  mtil.aircraft,
  mtil.caltech101,
  mtil.cifar100,
  mtil.dtd,
  mtil.eurosat,
  mtil.flowers,
  mtil.food,
  mtil.mnist,
  mtil.pets,
  mtil.cars,
  mtil.sun397,
];

const orderTwo: readonly ProtocolDataset[] = [
  mtil.cars,
  mtil.food,
  mtil.mnist,
  mtil.pets,
  mtil.flowers,
  mtil.sun397,
  mtil.aircraft,
  mtil.caltech101,
  mtil.dtd,
  mtil.eurosat,
  mtil.cifar100,
];

/** ImageNet-R comes as one split of 30,000 images, of which 24,000 are for training (METHODS.md E.4). */
const imagenetR = dataset("imagenet-r", { drawn: 0.8 });

/** Every protocol by its name. */
export const protocols = {
  "mtil-1": { name: "mtil-1", labelSpace: "task", datasets: orderOne },
  "mtil-2": { name: "mtil-2", labelSpace: "task", datasets: orderTwo },
  "mtil-1-5shot": { name: "mtil-1-5shot", labelSpace: "task", shots: 5, datasets: orderOne },
  "mtil-2-5shot": { name: "mtil-2-5shot", labelSpace: "task", shots: 5, datasets: orderTwo },
  "x-tail": { name: "x-tail", labelSpace: "union", shots: 16, datasets: xTail },
  "cifar100-10": { name: "cifar100-10", labelSpace: "seen", datasets: [mtil.cifar100], groups: 10 },
  "imagenet-r-5": { name: "imagenet-r-5", labelSpace: "seen", datasets: [imagenetR], groups: 5 },
  "imagenet-r-10": { name: "imagenet-r-10", labelSpace: "seen", datasets: [imagenetR], groups: 10 },
  "imagenet-r-20": { name: "imagenet-r-20", labelSpace: "seen", datasets: [imagenetR], groups: 20 },
  "domainnet-5": { name: "domainnet-5", labelSpace: "seen", datasets: [dataset("domainnet")], groups: 5 },
} as const satisfies Readonly<Record<string, Protocol>>;

/** The name of a protocol. */
export type ProtocolName = keyof typeof protocols;

/**
 * How many tasks the stream of a protocol has.
 *
 * ```ts
 * assert.equal(taskCount(protocols["mtil-1"]), 11);
 * assert.equal(taskCount(protocols["cifar100-10"]), 10);
 * ```
 */
export const taskCount = ({ datasets, groups }: Protocol): number => groups ?? datasets.length;

/** How a protocol is read from a folder. */
export interface ProtocolOptions extends SourceOptions {
  /** Seed of the few-shot examples and of the class order; the drawn splits have one of their own, the same in every run. */
  readonly seed: number;
  /** Whether training splits are needed. Default true. */
  readonly training?: boolean;
  /** Whose template comes first. Default: that of the protocol. */
  readonly firstTemplate?: "keeplora";
}

/** A protocol on data that is there. */
export interface CheckedProtocol {
  readonly stream: Stream;
  /** What differs from the protocol and does not keep it from running, a sentence each. */
  readonly notes: readonly string[];
}

/** What one dataset comes to: a task, or what is wrong with it. */
interface Checked {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly task?: Task;
}

/** ZSCL's seed (METHODS.md E.1). The numbers drawn from it are ours, so the images are other ones. */
const splitSeed = 42;

/** Both splits drawn anew from all images; one that is not there counts as empty. */
const redrawn = (task: Task, share: number): Task => {
  const pool = listedOnce(
    pipe(
      TE.sequenceSeqArray([task.train, task.test]),
      TE.map((lists) => lists.flat()),
    ),
  );
  const part = (training: boolean): Split =>
    pipe(
      pool,
      TE.map((examples) => {
        const drawn = new Set(
          random(splitSeed, `split ${task.name}`)
            .permutation(examples.length)
            .subarray(0, Math.round(share * examples.length)),
        );
        return examples.filter((_, i) => drawn.has(i) === training);
      }),
    );
  return { ...task, train: listedOnce(part(true)), test: listedOnce(part(false)) };
};

/** A split, or none where its folder is missing; the test split of the ImageFolder layout may be called `val`. */
const orNone = (dir: string, names: readonly string[], split: Split): Split =>
  pipe(
    TE.fromTask<readonly boolean[], Failure>(() => Promise.all(names.map((name) => exists(join(dir, name))))),
    TE.chain((there) => (there.includes(true) ? split : TE.right<Failure, readonly Example[]>([]))),
  );

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** The templates of a protocol, with the dataset's own where the protocol only counts them. */
const templatesOf = ({ templates }: ProtocolDataset, own: readonly string[], firstTemplate: ProtocolOptions["firstTemplate"]): readonly string[] => {
  if (templates === undefined) return own;
  const first = firstTemplate === "keeplora" && templates.keeplora !== undefined ? [templates.keeplora] : [];
  return [...new Set([...first, ...templates.stated, ...(templates.stated.length < templates.count ? own : [])])];
};

const checkDataset = async (wanted: ProtocolDataset, root: string, names: readonly string[], options: ProtocolOptions): Promise<Checked> => {
  const candidates = wanted.folders.flatMap((name) => [name, `wds_${name}`]);
  const folder = candidates.find((name) => names.includes(name));
  if (folder === undefined) return { problems: [`${wanted.name}: there is no folder ${candidates.join(" or ")}`], notes: [] };
  const [problems, notes]: [string[], string[]] = [[], []];
  const dir = join(root, folder);
  const read = await taskFromFolder(dir, options)();
  if (E.isLeft(read)) return { problems: [`${wanted.name}: ${describe(read.left)}`], notes };

  const out = (name: string): boolean => wanted.without?.includes(name.toLowerCase()) ?? false;
  const { classNames } = read.right;
  const kept = [...classNames.keys()].filter((c) => !out(classNames[c]));
  if (kept.length < classNames.length) notes.push(`${wanted.name}: left out ${classNames.filter(out).join(", ")}`);
  if (kept.length !== wanted.classes) problems.push(`${wanted.name}: ${folder} has ${kept.length} classes, not ${wanted.classes}`);

  const named = { ...withClasses(kept)(read.right), name: wanted.name };
  const task = { ...named, train: orNone(dir, ["train"], named.train), test: orNone(dir, ["test", "val"], named.test) };
  const lists = { train: await task.train(), test: await task.test() };
  for (const list of Object.values(lists)) if (E.isLeft(list)) problems.push(`${wanted.name}: ${describe(list.left)}`);
  if (E.isLeft(lists.train) || E.isLeft(lists.test)) return { problems, notes };
  const [train, test] = [lists.train.right.length, lists.test.right.length];
  const share = train / Math.max(1, train + test);
  const redraw = wanted.drawn !== undefined && train + test > 0 && Math.abs(share - wanted.drawn) > 0.01;
  if (redraw) {
    notes.push(`${wanted.name}: ${percent(share)} of ${folder} are for training and the protocol draws ${percent(wanted.drawn)}; both splits are drawn anew`);
  } else {
    if (train === 0 && options.training !== false) problems.push(`${wanted.name}: ${folder} has no training split`);
    if (test === 0) problems.push(`${wanted.name}: ${folder} has no test split`);
    if (train > 0 && wanted.train !== undefined && train !== wanted.train) {
      notes.push(`${wanted.name}: ${folder} has ${train} training images, the protocol ${wanted.train}`);
    }
  }
  const templates = templatesOf(wanted, named.templates, options.firstTemplate);
  const ensemble = templatesOf(wanted, named.templates, undefined).length;
  if (wanted.templates !== undefined && ensemble !== wanted.templates.count) {
    notes.push(`${wanted.name}: the ensemble has ${ensemble} templates, that of the protocol ${wanted.templates.count}`);
  }
  return { problems, notes, task: { ...(redraw ? redrawn(task, wanted.drawn) : task), templates } };
};

/**
 * The stream of a protocol from a folder of datasets: tasks in order, named as in the protocol, with its templates, splits, shots and label
 * space. Fails with one `FileUnreadable` that lists everything that is missing or wrong: folders that are not there, class counts,
 * splits. Every split is listed; images are read later. A split that the protocol draws at random is drawn anew where the folder's own has
 * another share.
 */
export const checkProtocol = (protocol: Protocol, root: string, options: ProtocolOptions): TE.TaskEither<Failure, CheckedProtocol> =>
  pipe(
    TE.tryCatch(() => readdir(root), unreadable(root)),
    TE.chainTaskK((names) => async () => {
      const checked: Checked[] = [];
      for (const wanted of protocol.datasets) checked.push(await checkDataset(wanted, root, names, options));
      return checked;
    }),
    TE.chainEitherK((checked): E.Either<Failure, CheckedProtocol> => {
      const problems = checked.flatMap((c) => c.problems);
      const listed = problems.map((problem, i) => (problems.length === 1 ? problem : `(${i + 1}) ${problem}`)).join("; ");
      if (problems.length > 0) return E.left({ _tag: "FileUnreadable", path: root, detail: `it is not all that ${protocol.name} needs: ${listed}` });
      const { labelSpace, shots, groups } = protocol;
      const whole = checked.flatMap(({ task }) => (task === undefined ? [] : [task]));
      const tasks: E.Either<Failure, readonly Task[]> =
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
