/** Learners for other programs: as a model folder, or as an adapter beside the model that they began with. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { liesIn } from "../formats/path.ts";
import { mergeUpdate, type Update } from "../model/adapters/update.ts";
import { hasBranches } from "../model/branch.ts";
import { writeModel, type Model, type WriteModelOptions } from "../model/model.ts";
import { updateBetween } from "../model/peft/between.ts";
import { readPeft } from "../model/peft/read.ts";
import { writePeft } from "../model/peft/write.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { baseOfRun } from "../runs/adapters.ts";
import { locate, type LocateOptions } from "../runs/locate.ts";
import { openLearner, type OpenedLearner } from "../runs/openLearner.ts";

/** Options of {@link exportLearner}: at least one of `model` and `peft`. */
export interface ExportOptions extends LocateOptions, Pick<WriteModelOptions, "dtype"> {
  /** A new folder for the model, as transformers loads it. */
  readonly model?: string;
  /** A new folder for what was added to the base model, as an adapter that PEFT loads. */
  readonly peft?: string;
  /** The base model of the adapter, by any name. Default: the model that the learner's run began with. */
  readonly base?: string;
  /** An adapter of PEFT, by its folder or its name on the hub, that is merged into the learner's model first. */
  readonly adapter?: string;
}

/** What was exported. */
export interface Exported {
  /** The folder of the model, and the element type of its weights. */
  readonly model?: { readonly folder: string; readonly dtype: NonNullable<WriteModelOptions["dtype"]> };
  /** The folder of the adapter, its base model, and its ranks by layer. */
  readonly peft?: { readonly folder: string; readonly base: string; readonly ranks: ReadonlyMap<string, number> };
  /** What of the learner neither of them has, in words. */
  readonly leftOut: readonly string[];
}

const bad = (option: string, detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "BadOption", option, detail });

/** What a learner answers with beside its weights. What a method keeps for its next tasks alone is no matter of a model. */
const leftOutOf = ({ learner, inference }: OpenedLearner): readonly string[] => [
  ...(learner.head === undefined
    ? []
    : [`the head of ${learner.head.bias.length} classes: the folder gives features, and the learner's own folder answers with its head`]),
  ...(hasBranches(learner) || inference?.through !== undefined
    ? ["the branches that the method runs the model through beside its weights: what the folder answers is not what the run was scored by"]
    : []),
  ...(inference?.calibration === undefined ? [] : ["the correction of the logits by task"]),
  ...(inference?.adaptation === undefined ? [] : ["the training on every picture before it is answered"]),
];

/** Refuses a folder that holds something. */
const checkFree = (option: string, folder: string | undefined, files: Files): TE.TaskEither<Failure, void> => {
  if (folder === undefined) return TE.right(undefined);
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(folder)),
    TE.chain((there) => (there ? listNames(folder, files) : TE.right([]))),
    TE.chain((held) => (held.length === 0 ? TE.right(undefined) : bad(option, `${folder} is there already and is not an empty folder; name another`))),
  );
};

/** Whether a folder is another, or lies in it. */
const isWithin = (folder: string, other: string): boolean => folder === other || liesIn(folder, other);

/** Refuses folders that lie in one another, or in what is read: whoever reads that later would find something else in it. */
const checkApart = (
  [plain, peft]: readonly (string | undefined)[],
  sources: readonly (string | undefined)[],
  { absolute }: Files,
): TE.TaskEither<Failure, void> => {
  const [model, adapter] = [plain, peft].map((folder) => (folder === undefined ? undefined : absolute(folder)));
  const read = sources.flatMap((folder) => (folder === undefined ? [] : [absolute(folder)]));
  for (const [option, folder] of [["model", model] as const, ["peft", adapter] as const]) {
    const around = folder === undefined ? undefined : read.find((source) => isWithin(folder, source));
    if (around !== undefined) return bad(option, `${folder} lies in ${around}, which is read; name a folder outside of it`);
  }
  if (model === undefined || adapter === undefined) return TE.right(undefined);
  if (model === adapter) return bad("peft", "names the folder of the model");
  if (isWithin(adapter, model)) return bad("peft", `${adapter} lies in the folder of the model; name one beside it`);
  return isWithin(model, adapter) ? bad("model", `${model} lies in the folder of the adapter; name one beside it`) : TE.right(undefined);
};

/** Refuses a base of another architecture, whose weights say nothing of those of the model. */
const checkArchitecture = (base: { readonly name: string; readonly model: Model }, model: Model): TE.TaskEither<Failure, void> =>
  base.model.architecture.name === model.architecture.name
    ? TE.right(undefined)
    : bad("base", `${base.name} is a ${base.model.architecture.name}, and what is exported is a ${model.architecture.name}: their architectures differ`);

/** The base model of an adapter: its name, and the model. */
const baseOf = ({ job }: OpenedLearner, options: ExportOptions, files: Files): TE.TaskEither<Failure, { readonly name: string; readonly model: Model }> => {
  const named = (name: string) =>
    pipe(
      locate("model", name, options),
      TE.bind("opened", ({ folder }) => openLearner(folder, options)),
      TE.map((found) => ({ name: found.name, model: found.opened.learner.model })),
    );
  if (options.base !== undefined) return named(options.base);
  if (job === undefined) return bad("base", "is missing: the model does not belong to a run, which would say what it began with");
  return pipe(baseOfRun(job, files), TE.chain(named));
};

/** A model with an adapter merged into it. */
const adapted = (model: Model, options: ExportOptions, files: Files): TE.TaskEither<Failure, Model> =>
  options.adapter === undefined
    ? TE.right(model)
    : pipe(
        locate("model", options.adapter, options),
        TE.chain(({ folder }) => readPeft(folder, model, { files })),
        TE.map((update) => mergeUpdate(model, update)),
      );

const ranksOf = ({ factors }: Update): ReadonlyMap<string, number> => new Map([...factors].map(([layer, { rank }]) => [layer, rank]));

/** Writes the difference of a model from its base as an adapter. */
const writeAdapter = (folder: string, model: Model, opened: OpenedLearner, options: ExportOptions, files: Files): TE.TaskEither<Failure, Exported["peft"]> =>
  pipe(
    baseOf(opened, options, files),
    TE.bindTo("base"),
    TE.chainFirst(({ base }) => checkArchitecture(base, model)),
    TE.bind("update", ({ base }) => TE.fromEither(updateBetween(base.model, model))),
    TE.chainFirst(({ update }) =>
      update.factors.size === 0 && hasBranches(opened.learner)
        ? bad("peft", "would be an adapter of nothing: what was learned is in branches beside the weights, which are those of the base")
        : TE.right(undefined),
    ),
    TE.chainFirst(({ base, update }) => writePeft(folder, model, update, { base: base.name, dtype: options.dtype, files })),
    TE.map(({ base, update }) => ({ folder, base: base.name, ranks: ranksOf(update) })),
  );

/**
 * Writes a learner, by any name that it has, for other programs: as a model folder that transformers loads, in the element type that its model was read in
 * unless another is asked for; or as an adapter of PEFT, the low-rank difference of its weights from those of its base. Fails as {@link openLearner},
 * {@link updateBetween}, `writeModel` and {@link writePeft} do, and with `BadOption` where nothing is asked for, a folder holds something or lies in what is
 * read, no base is known, or it has another architecture, and where all that was learned is in branches, which no adapter has.
 *
 * ```ts
 * const exported = await exportLearner(`${folder}/runs/pets`, { model: `${folder}/exported`, peft: `${folder}/exported-adapter` })();
 * assert.ok(exported._tag === "Left" && exported.left._tag === "FileUnreadable"); // There is no such run.
 * ```
 */
export const exportLearner = (source: string, options: ExportOptions): TE.TaskEither<Failure, Exported> => {
  const { files = platform.files, at = (path: string) => path, dtype } = options;
  const [plain, peft] = [options.model, options.peft].map((folder) => (folder === undefined ? undefined : at(folder)));
  if (plain === undefined && peft === undefined) return bad("model", "is missing, and peft too: one of them says where the export goes");
  if (options.base !== undefined && peft === undefined) return bad("base", "has a meaning with peft alone: the model is written whole");
  const named = [source, options.base, options.adapter].map((name) => (name === undefined ? undefined : at(name)));
  return pipe(
    checkApart([plain, peft], named, files),
    TE.bindTo("apart"),
    TE.bind("free", () => checkFree("model", plain, files)),
    TE.bind("freeToo", () => checkFree("peft", peft, files)),
    TE.bind("opened", () => openLearner(source, options)),
    TE.chainFirst(({ opened }) => checkApart([plain, peft], [opened.folder, opened.job?.out], files)),
    TE.bind("model", ({ opened }) => adapted(opened.learner.model, options, files)),
    TE.bind("adapter", ({ opened, model }) => (peft === undefined ? TE.right(undefined) : writeAdapter(peft, model, opened, options, files))),
    TE.chainFirst(({ model }) => (plain === undefined ? TE.right(undefined) : writeModel(plain, model, { dtype, files }))),
    TE.map(({ opened, model, adapter }) => ({
      ...(plain === undefined ? {} : { model: { folder: plain, dtype: dtype ?? model.dtype ?? "f32" } }),
      ...(adapter === undefined ? {} : { peft: adapter }),
      leftOut: leftOutOf(opened),
    })),
  );
};
