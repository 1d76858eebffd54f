/** A study: a model, the tasks that there are, and what two methods have learned of them so far. It is what all requests work on. */
import * as E from "fp-ts/lib/Either.js";
import {
  data,
  describe,
  get,
  learner,
  openDevice,
  platform,
  readModel,
  type Failure,
  type Learner,
  type Model,
  type OpenDevice,
  type Runtime,
} from "../../mod.ts";
import { nothingKept, readKept, readKeptLearner, sweepKept, writeKept, type Kept } from "./kept.ts";
import { availableBytes, needed, tooLarge } from "./limits.ts";
import { assumed, type Pace } from "./pace.ts";
import { methodNames, type Event, type Given, type MethodName, type Phase, type Request, type Training } from "./protocol.ts";
import { fetchAlong, openTask, ownTasks, type Along, type OpenTask } from "./tasks.ts";
import type { Resumable } from "./learning.ts";

/** Where a study finds what comes along, and where it keeps what it learns. */
export interface Place {
  /** The folder, or the address, that has `along.json`. */
  readonly from: string;
  /** The folder that is kept. */
  readonly root: string;
  /** The bytes that may be taken on the device. Default: what the machine tells. */
  readonly available?: number;
}

/** What is open of a study. What changes is replaced, and never changed in place. */
export interface Study {
  readonly place: Place;
  readonly tell: (event: Event) => void;
  readonly available: number;
  readonly along: Along;
  /** The folder of the study of this model. */
  readonly folder: string;
  readonly name: string;
  readonly model: Model;
  /** The template of tasks that bring none. */
  readonly template: string;
  device: OpenDevice;
  tasks: readonly OpenTask[];
  kept: Kept;
  learners: ReadonlyMap<MethodName, Learner>;
  /** Trainings that were stopped, by method and task. */
  resumable: ReadonlyMap<string, Resumable>;
  /** How long and how wide tasks were trained last, by task. */
  trainings: ReadonlyMap<string, Training>;
  pace: Pace;
  /** Decoded pictures. */
  images: data.ImageCache;
}

/** Megabytes of decoded pictures that are kept. */
const imageMegabytes = 128;

/** What every request needs of a signal. */
export type Signal = NonNullable<Runtime["signal"]>;

/** Tells what is going on. */
export const phase = ({ tell }: Pick<Study, "tell">, now: Phase): void => tell({ type: "phase", phase: now });

/** Steps and pictures a step that end within some seconds on an adapter. */
export const trainingOn = ({ adapter: { kind } }: Pick<OpenDevice, "adapter">): Training =>
  kind === "gpu" ? { steps: 45, batch: 32 } : { steps: 24, batch: 8 };

/** What is to be said of an adapter that is no GPU. */
const slow =
  "No GPU runs this page: everything is computed on the processor, which is many times slower, so lessons are short and only the part of the model that sees is trained. " +
  "Chromium uses a GPU where chrome://gpu says that WebGPU is hardware accelerated.";

/** The runtime of a study, with what is particular to a request. */
export const runtimeOf = ({ device, images }: Study, rest: Partial<Runtime> = {}): Runtime => ({
  device,
  images,
  seed: 0,
  emit: () => undefined,
  onCorrupt: "skip",
  ...rest,
});

/** The learner of a method: behind its last task, or the model as it is. */
export const learnerOf = ({ learners, model }: Pick<Study, "learners" | "model">, method: MethodName): Learner => learners.get(method) ?? learner(model);

/** The two methods that are compared. */
export const methodsOf = ({ kept }: Pick<Study, "kept">): readonly [MethodName, MethodName] => ["sequential-lora", kept.rival];

/** A task by its id. Throws where there is none. */
export const taskOf = ({ tasks }: Pick<Study, "tasks">, id: string): OpenTask => {
  const found = tasks.find(({ task }) => task.id === id);
  if (found === undefined) throw new Error(`There is no task ${id}.`);
  return found;
};

/** Writes down what is kept, and then goes by it: where it cannot be written all stays as it was. */
export const keep = async (study: Study, kept: Kept): Promise<void> => {
  await writeKept(study.folder, kept);
  study.kept = kept;
};

/** A task with what a step of its training needs of memory. */
export const withMemory = ({ model, device, available }: Pick<Study, "model" | "device" | "available">, open: OpenTask): OpenTask => ({
  ...open,
  task: { ...open.task, memory: needed(model, trainingOn(device), open.task.classNames.length, available) },
});

/** Opens the device again where it was lost, so that the next request can go on with what is kept. */
export const mended = async (study: Study): Promise<void> => {
  if (study.device.failure() === undefined) return;
  await study.device.close();
  study.device = await get(openDevice());
  study.tell({ type: "note", sentence: "The GPU was lost and is open again; what was learned is there." });
};

/** Writes a model that a person gave into the files of the page, unless it is too large. */
const writeGiven = async (
  folder: string,
  { name, files: given }: { readonly name: string; readonly files: readonly Given[] },
  available: number,
): Promise<void> => {
  const weights = given.filter(({ path }) => path.endsWith(".safetensors")).reduce((sum, { file }) => sum + file.size, 0);
  const fault = tooLarge(name, weights, available);
  if (fault !== undefined) throw new Error(fault);
  await get(
    platform.files.writeFolder(folder, (temporary) => async () => {
      for (const { path, file } of given) {
        const written = await platform.files.write(`${temporary}/${path.slice(path.lastIndexOf("/") + 1)}`, [new Uint8Array(await file.arrayBuffer())])();
        if (E.isLeft(written)) return written;
      }
      return E.right(undefined);
    }),
  );
};

/** Where things are below the root. */
export const foldersIn = ({ root }: Place) => ({ along: `${root}/along`, own: `${root}/own`, models: `${root}/models`, studies: `${root}/studies` });

/** What a person may call a model in a path. */
const safe = (name: string): string => name.replaceAll(/[^\w.-]+/g, "-").replace(/^\.+/, "") || "model";

const opened = ({ device, name, kept, tasks }: Study): Event => ({
  type: "opened",
  adapter: device.adapter.line,
  ...(device.adapter.kind === "gpu" ? {} : { slow }),
  model: name,
  training: trainingOn(device),
  rival: kept.rival,
  tasks: tasks.map(({ task }) => task),
  taught: kept.methods,
  previews: kept.previews,
});

/** Opens all tasks; one of a person's that cannot be read is told of and left out. */
const openTasks = async (place: Place, along: Along, tell: Study["tell"]): Promise<readonly OpenTask[]> => {
  const folders = foldersIn(place);
  const tasks = await Promise.all(along.tasks.map(({ name }) => openTask(`${folders.along}/tasks/${name}`, `along/${name}`, false)));
  const own: OpenTask[] = [];
  for (const name of await ownTasks(folders.own)) {
    try {
      own.push(await openTask(`${folders.own}/${name}`, `own/${name}`, true));
    } catch (error) {
      tell({ type: "note", sentence: `Your task ${name} cannot be read and is left out: ${sentenceOf(error)}` });
    }
  }
  return [...tasks, ...own];
};

/** Opens a study: its device, its model, its tasks, and what an earlier visit has kept. Throws where one of them cannot be opened. */
export const openStudy = async (place: Place, tell: Study["tell"], { model: given }: Extract<Request, { readonly type: "open" }>): Promise<Study> => {
  const available = place.available ?? availableBytes();
  const folders = foldersIn(place);
  phase({ tell }, { kind: "opening", what: "Opening the GPU, or what stands in for one" });
  const device = await get(openDevice());
  try {
    phase({ tell }, { kind: "reading", what: "Fetching the model and the tasks that come along" });
    const along = await fetchAlong(place.from, folders.along);
    const name = given === undefined ? along.model.name : safe(given.name);
    const modelFolder = given === undefined ? `${folders.along}/model` : `${folders.models}/${name}`;
    if (given !== undefined) await writeGiven(modelFolder, given, available);
    phase({ tell }, { kind: "reading", what: `Reading ${name}` });
    const model = await get(readModel(modelFolder));
    const folder = `${folders.studies}/${name}`;
    const kept = await readKept(folder);
    await sweepKept(folder, kept);
    const learners = new Map<MethodName, Learner>();
    for (const method of methodNames) {
      const one = kept.methods[method];
      if (one !== undefined) learners.set(method, await readKeptLearner(folder, one));
    }
    const study: Study = {
      ...{ place, tell, available, along, folder, name, model, device, kept, learners },
      template: given === undefined ? along.model.template : "a photo of a {c}.",
      tasks: (await openTasks(place, along, tell)).map((task) => withMemory({ model, device, available }, task)),
      resumable: new Map(),
      trainings: new Map(),
      pace: assumed(device.adapter.kind),
      images: data.imageCache(imageMegabytes),
    };
    tell(opened(study));
    return study;
  } catch (error) {
    await device.close();
    throw error;
  }
};

/** Removes all that was kept at a place: what was learned, and a person's pictures and models. */
export const forgetKept = async (place: Place): Promise<void> => {
  const { own, models, studies } = foldersIn(place);
  for (const folder of [studies, own, models]) if (await platform.files.exists(folder)()) await get(platform.files.remove(folder));
};

/** Forgets what was learned, and a person's pictures and models. */
export const forget = async (study: Study): Promise<void> => {
  await forgetKept(study.place);
  study.kept = { ...nothingKept, rival: study.kept.rival };
  study.learners = new Map();
  study.resumable = new Map();
  // A new picture may lie where a forgotten one lay.
  study.images = data.imageCache(imageMegabytes);
  study.tasks = study.tasks.filter(({ task }) => !task.own);
  study.tell({ type: "forgotten" });
};

/** What was thrown, as a sentence for a person. A lost device is opened again with the next request. */
export const sentenceOf = (error: unknown): string => {
  const failure = (error instanceof Error ? error.cause : error) as Failure | undefined;
  if (failure?._tag === "DeviceLost") return `The GPU was lost (${failure.reason}). What was learned is kept: ask again, and it is opened anew.`;
  if (failure?._tag !== undefined) return describe(failure);
  return error instanceof Error ? error.message : String(error);
};
