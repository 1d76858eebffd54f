/**
 * The protocols of the papers as data: which datasets in which order, how many classes, what they are called, which templates, which split, which label space
 * (METHODS.md E and F). `checkProtocol.ts` says whether a folder of datasets has all of it. Those that are answered in words are in `answerProtocols.ts`.
 */
import { answerProtocols, type AnswerProtocol } from "./answerProtocols.ts";
import { groupNames, mtilNames, xTailNames, type ProtocolNames } from "./names/protocols.ts";
import { carTemplates, caltechTemplates, cifarTemplates, textureTemplates } from "./names/templates.ts";
import type { LabelSpace } from "./task.ts";

/** The prompts of a dataset in a protocol. */
export interface ProtocolTemplates {
  /** The ensemble; the first is the single template. */
  readonly stated: readonly string[];
  /** What the authors of KeepLoRA put first, where it is another. */
  readonly keeplora?: string;
}

/** A dataset of a protocol. */
export interface ProtocolDataset {
  readonly name: string;
  /** Names of its folder, each also with `wds_` before it. */
  readonly folders: readonly string[];
  /** Its name among the published datasets of CLIP benchmark, where it is one of them. */
  readonly published?: string;
  readonly classes: number;
  /** Classes that a folder may have and the protocol leaves out, in lower case. */
  readonly without?: readonly string[];
  /** What the protocol calls its classes. Default: as the dataset does. */
  readonly names?: ProtocolNames;
  /** Default: the dataset's own. */
  readonly templates?: ProtocolTemplates;
  /** Where the protocol draws its split at random from all images: the share that is for training. */
  readonly drawn?: number;
  /** Images of the training split, where the number is known. */
  readonly train?: number;
}

/** A protocol whose tasks are classified: a stream that is not read yet. */
export interface ClassProtocol {
  readonly kind?: "classify";
  readonly name: string;
  readonly labelSpace: LabelSpace;
  /** Training images a class. Default: all. */
  readonly shots?: number;
  /** Whether a class with fewer images gives so many all the same, some of them several times. */
  readonly repeats?: boolean;
  /** In the order learned. */
  readonly datasets: readonly ProtocolDataset[];
  /** Class-incremental: the classes of the one dataset go into so many tasks, or into tasks of so many. */
  readonly groups?: number | readonly number[];
}

/** Where a dataset is found, and how many classes it has. */
type Source = Pick<ProtocolDataset, "folders" | "classes" | "published">;

const sources = {
  aircraft: { folders: ["aircraft", "fgvc_aircraft"], published: "wds_fgvc_aircraft", classes: 100 },
  caltech101: { folders: ["caltech101", "vtab-caltech101"], published: "wds_vtab-caltech101", classes: 101 },
  cifar100: { folders: ["cifar100", "vtab-cifar100"], published: "wds_vtab-cifar100", classes: 100 },
  dtd: { folders: ["dtd", "vtab-dtd"], published: "wds_vtab-dtd", classes: 47 },
  eurosat: { folders: ["eurosat", "vtab-eurosat"], published: "wds_vtab-eurosat", classes: 10 },
  flowers: { folders: ["flowers", "vtab-flowers", "oxford_flowers"], published: "wds_vtab-flowers", classes: 102 },
  food: { folders: ["food", "food101"], published: "wds_food101", classes: 101 },
  mnist: { folders: ["mnist"], published: "wds_mnist", classes: 10 },
  pets: { folders: ["pets", "vtab-pets", "oxford_pets"], published: "wds_vtab-pets", classes: 37 },
  cars: { folders: ["cars", "stanford_cars"], published: "wds_cars", classes: 196 },
  sun397: { folders: ["sun397"], published: "wds_sun397", classes: 397 },
  "imagenet-r": { folders: ["imagenet-r"], published: "wds_imagenet-r", classes: 200 },
  domainnet: { folders: ["domainnet"], classes: 345 },
  core50: { folders: ["core50"], classes: 50 },
} as const satisfies Readonly<Record<string, Source>>;

const dataset = (name: keyof typeof sources, rest: Partial<ProtocolDataset> = {}): ProtocolDataset => ({ name, ...sources[name], ...rest });

/** The published Caltech101 has Google's background as a class of its own. */
const background = ["background", "background_google"];

const photo = "a photo of a {c}.";
const all = (...stated: readonly string[]): ProtocolTemplates => ({ stated });

/** METHODS.md E.1 and the first two columns of F. */
const ofMtil = (name: keyof typeof mtilNames, rest: Partial<ProtocolDataset>): ProtocolDataset => dataset(name, { names: mtilNames[name], ...rest });

const mtil = {
  aircraft: ofMtil("aircraft", { templates: all("a photo of a {c}, a type of aircraft.", "a photo of the {c}, a type of aircraft.") }),
  caltech101: ofMtil("caltech101", { without: background, drawn: 0.8, templates: all(...caltechTemplates) }),
  cifar100: ofMtil("cifar100", { train: 50_000, templates: all(...cifarTemplates) }),
  dtd: ofMtil("dtd", { templates: { ...all(...textureTemplates), keeplora: "a photo of a {c} thing." } }),
  eurosat: ofMtil("eurosat", {
    drawn: 0.8,
    templates: all("a centered satellite photo of {c}.", "a centered satellite photo of a {c}.", "a centered satellite photo of the {c}."),
  }),
  flowers: ofMtil("flowers", { train: 1020, templates: all("a photo of a {c}, a type of flower.") }),
  food: ofMtil("food", { templates: all("a photo of a {c}, a type of food.") }),
  mnist: ofMtil("mnist", { templates: all('a photo of the number: "{c}".') }),
  pets: ofMtil("pets", { train: 3680, templates: all("a photo of a {c}, a type of pet.") }),
  cars: ofMtil("cars", { templates: { ...all(...carTemplates), keeplora: "a photo of the {c}, a type of car." } }),
  sun397: ofMtil("sun397", { drawn: 0.8, templates: { ...all(photo, "a photo of the {c}."), keeplora: "a photo of the {c}." } }),
};

const ofXTail = (name: keyof typeof xTailNames, template: string, rest: Partial<ProtocolDataset> = {}): ProtocolDataset =>
  dataset(name, { names: xTailNames[name], templates: all(template), ...rest });

/** METHODS.md E.3 and the last column of F: CoOp's splits, which leave out Google's background and the second class of faces. */
const xTail: readonly ProtocolDataset[] = [
  ofXTail("aircraft", "a photo of a {c}, a type of aircraft."),
  ofXTail("caltech101", photo, { classes: 100, without: [...background, "centered face", "faces_easy"] }),
  ofXTail("dtd", "{c} texture."),
  ofXTail("eurosat", "a centered satellite photo of {c}."),
  ofXTail("flowers", "a photo of a {c}, a type of flower."),
  ofXTail("food", "a photo of {c}, a type of food."),
  ofXTail("mnist", 'a photo of the number: "{c}".'),
  ofXTail("pets", "a photo of a {c}, a type of pet."),
  ofXTail("cars", photo),
  ofXTail("sun397", photo),
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
const imagenetR = dataset("imagenet-r", { names: groupNames["imagenet-r"], drawn: 0.8 });

/** CORe50: 50 objects, five of each of ten kinds. Sessions 3, 7 and 10 are for testing, the other eight for training (METHODS.md E.4). */
const core50 = dataset("core50", { names: groupNames.core50, train: 119_894 });

/** Every protocol of classification by its name. */
export const classProtocols = {
  "mtil-1": { name: "mtil-1", labelSpace: "task", datasets: orderOne },
  "mtil-2": { name: "mtil-2", labelSpace: "task", datasets: orderTwo },
  "mtil-1-5shot": { name: "mtil-1-5shot", labelSpace: "task", shots: 5, datasets: orderOne },
  "mtil-2-5shot": { name: "mtil-2-5shot", labelSpace: "task", shots: 5, datasets: orderTwo },
  "x-tail": { name: "x-tail", labelSpace: "union", shots: 16, repeats: true, datasets: xTail },
  "cifar100-10": { name: "cifar100-10", labelSpace: "seen", datasets: [mtil.cifar100], groups: 10 },
  "imagenet-r-5": { name: "imagenet-r-5", labelSpace: "seen", datasets: [imagenetR], groups: 5 },
  "imagenet-r-10": { name: "imagenet-r-10", labelSpace: "seen", datasets: [imagenetR], groups: 10 },
  "imagenet-r-20": { name: "imagenet-r-20", labelSpace: "seen", datasets: [imagenetR], groups: 20 },
  "domainnet-5": { name: "domainnet-5", labelSpace: "seen", datasets: [dataset("domainnet", { names: groupNames.domainnet })], groups: 5 },
  "core50-9": { name: "core50-9", labelSpace: "seen", datasets: [core50], groups: [10, 5, 5, 5, 5, 5, 5, 5, 5] },
} as const satisfies Readonly<Record<string, ClassProtocol>>;

/** The name of a protocol of classification. */
export type ClassProtocolName = keyof typeof classProtocols;

/** A protocol: a stream that is not read yet. */
export type Protocol = ClassProtocol | AnswerProtocol;

/** Whether the tasks of a protocol are answered in words. */
export const isAnswerProtocol = (protocol: Protocol): protocol is AnswerProtocol => protocol.kind === "answer";

/** Every protocol by its name. */
export const protocols = { ...classProtocols, ...answerProtocols } as const;

/** The name of a protocol. */
export type ProtocolName = keyof typeof protocols;

/**
 * How many tasks the stream of a protocol has.
 *
 * ```ts
 * assert.equal(taskCount(protocols["mtil-1"]), 11);
 * assert.equal(taskCount(protocols["cifar100-10"]), 10);
 * assert.equal(taskCount(protocols.trace), 8);
 * ```
 */
export const taskCount = (protocol: Protocol): number => {
  const { groups = protocol.datasets.length }: Pick<ClassProtocol, "groups"> = isAnswerProtocol(protocol) ? {} : protocol;
  return typeof groups === "number" ? groups : groups.length;
};
