/** `cambium run`: what its flags say, as a job that is run. */
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { protocols, type Protocol } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import { kindsOfLayers, namesOfTowers } from "../methods/codecs.ts";
import { onTop } from "../methods/declare.ts";
import { preset } from "../methods/presets.ts";
import { methods, type MethodName, type MethodOptions } from "../methods/table.ts";
import type { Job } from "../runs/job.ts";
import { runJob } from "../runs/runJob.ts";
import { runSweep } from "../sweep/runSweep.ts";
import type { Sweep } from "../sweep/sweep.ts";
import { command, type Ended } from "./command.ts";
import { precisionFlag } from "./device.ts";
import { endOfRun, whenStopped } from "./endOfRun.ts";
import { endOfSweep } from "./endOfSweep.ts";
import { flag, list, oneOf, optional, positive, some, toggle, whole, type Values } from "./flags.ts";
import type { Layout } from "./help.ts";
import { optionNames, optionNotes, optionsHelp, parseOptions } from "./options.ts";
import { pixelsFlag, pixelsOf } from "./pixels.ts";
import { profileFlag, profiledBy } from "./profile.ts";
import { answerFlags, sourceFlags, sourceOf } from "./source.ts";

const methodNames = Object.keys(methods) as readonly MethodName[];

const ofMethod = "the method's, or the preset's";

const table = {
  model: flag(
    some,
    "MODEL",
    "a CLIP, a ViT, or a language model: a folder in the Hugging Face layout, or a name on the hub, as in openai/clip-vit-base-patch16[@revision]; " +
      "the folder of a learner, or of a run, goes on with what it remembers",
  ),
  fresh: toggle("begin with the model alone, whatever its folder remembers"),
  ...sourceFlags(
    "learned in this order",
    "share of the images or questions that is drawn for training, where a dataset is DIR/CLASS/*.jpg or train.jsonl, without a test split",
    "such a dataset is refused",
  ),
  probe: optional(
    list(some, true),
    "DATA[,DATA…]",
    "datasets that are scored after every task, each among its own classes or as its questions are, and never learned",
    "none",
  ),
  reference: optional(some, "DATA", "a dataset whose pictures and classes are distilled on, as by zscl, and never learned", "the task's own"),
  method: { ...flag(oneOf(...methodNames), "NAME", methodNames.join(", ")), many: "several methods are a sweep: cambium sweep --help" },
  out: optional(
    some,
    "DIR",
    "a new folder for result.json, answers.json, or replies.json of questions, log.jsonl, report.html and model/",
    "with a preset runs/PRESET-METHOD; else it must be given",
  ),
  predictions: toggle(
    "write predictions.jsonl: after every task what each test picture was taken for, with the five likeliest classes, or each question answered with",
  ),
  "save-adapters": toggle("write adapters/K-TASK after every task: what it has added to the weights, as an adapter that peft loads"),
  profile: profileFlag(" and profile.json"),
  "checkpoint-steps": optional(whole(1), "N", "steps between two checkpoints within a task", "only after tasks"),
  steps: optional(whole(1), "N", "steps a task; joint: in all", ofMethod),
  batch: optional(whole(1, 65536), "N", "images or questions a step", ofMethod),
  shots: optional(whole(1), "N", "training images a class, or questions a task", "all, or the preset's"),
  rank: optional(whole(1, 4096), "N", "rank of every adapter", ofMethod),
  lr: optional(positive(10), "X", "peak learning rate", ofMethod),
  seed: optional(whole(0), "N", "seed of all that is random", "0, or the preset's"),
  seeds: optional(list(whole(0), true), "N[,N…]", "run once with each, in OUT/seed-N; one table and page with mean and deviation", "the one of --seed"),
  "label-space": optional(
    list(oneOf("task", "union", "seen"), true),
    "LIST",
    "score among the classes of the task, of all, or of those learned so far; the first counts, others stand beside it",
    "task, or the preset's",
  ),
  ...answerFlags,
  "eval-limit": optional(whole(1), "N", "test images, or questions, a dataset, the same for every seed", "all"),
  templates: optional(oneOf("single", "ensemble"), "T", "score with the first template or the mean of all: single, ensemble", "single, or the preset's"),
  "on-corrupt": flag(oneOf("fail", "skip"), "WHAT", "stop at an image or a question that cannot be read, or go on without it: fail, skip", "fail"),
  pixels: pixelsFlag,
  precision: precisionFlag,
  accumulate: optional(
    whole(1, 65536),
    "N",
    "parts in which a step computes its batch, with one update behind them: the same result in less memory, if the batch is large",
    "1",
  ),
  recompute: optional(
    oneOf("blocks"),
    "WHAT",
    "blocks: keep the inputs of blocks alone for the backward pass, and compute what is between again: a fraction of the memory, about a third more work",
    "what costs little, on GPUs",
  ),
  modules: optional(list(oneOf(...kindsOfLayers), true), "LIST", `layers that get adapters, of ${kindsOfLayers.join(",")}`, ofMethod),
  towers: optional(list(oneOf(...namesOfTowers), true), "LIST", `towers that get adapters, of ${namesOfTowers.join(",")}`, ofMethod),
  set: optional(some, "KEY=VALUE[,KEY=VALUE…]", 'any option of the method, as in kappa=0.01,modules=q+v,steps={"epochs":10}', "none"),
};

type Flags = Values<typeof table>;

/** The flags that are options of methods, as far as they were given: those that the method has, and the names of the others. */
const methodFlags = ({ method, steps, batch, rank, lr, modules, towers }: Flags): { readonly options: MethodOptions; readonly ignored: readonly string[] } => {
  const names: readonly string[] = optionNames(method);
  const given = Object.entries({ steps, batch, rank, lr, modules, towers }).filter(([, value]) => value !== undefined);
  return {
    options: Object.fromEntries(given.filter(([name]) => names.includes(name))),
    ignored: given.map(([name]) => name).filter((name) => !names.includes(name)),
  };
};

/** A job, the folder of its run as its user calls it, and what of its flags has no meaning. */
interface Asked {
  readonly job: Job;
  readonly out: string;
  readonly ignored: readonly string[];
}

/** What is learned and how, and what else the flags leave to a preset. */
type Planned = Pick<Job, "source" | "facts" | "labelSpace" | "shots" | "pixels"> & {
  readonly options: MethodOptions;
  readonly out: string;
  readonly seed: number | undefined;
  readonly templates: "single" | "ensemble";
};

const planned = (flags: Flags, given: MethodOptions): E.Either<Failure, Planned> => {
  const { preset: name, "label-space": spaces, shots, method, out } = flags;
  const own = { ...(spaces === undefined ? {} : { labelSpace: spaces[0] }), ...(shots === undefined ? {} : { shots }) };
  const source = sourceOf(flags);
  if (E.isLeft(source)) return source;
  if (name === undefined) {
    if (out === undefined) return E.left({ _tag: "BadOption", option: "--out", detail: "is missing; --help says what it takes" });
    return E.right({ ...own, ...pixelsOf(flags.pixels), source: source.right, options: given, out, seed: undefined, templates: "single" });
  }
  const protocol: Protocol = protocols[name];
  const { options, evaluate, seed, firstTemplate, classOrder, pixels, stated } = preset(protocol, method);
  const untouched = Object.keys(given).length === 0 && flags.pixels === undefined && flags["class-order"] === undefined;
  return E.right({
    ...own,
    ...pixelsOf(flags.pixels, pixels),
    source: { ...(firstTemplate === undefined ? {} : { firstTemplate }), ...(classOrder === undefined ? {} : { classOrder }), ...source.right },
    facts: { hyperParameters: stated && untouched ? "stated" : "our choice", shots: shots ?? protocol.shots ?? null },
    options: onTop(methods[method].declaration, options, given),
    out: out ?? join("runs", `${name}-${method}`),
    seed,
    templates: evaluate.templates ?? "single",
  });
};

/** The job of flags, with names as they are given; `at` makes the path of its folder absolute. Fails with `BadOption`, which names the flag. */
const jobOf = (flags: Flags, at: (path: string) => string): E.Either<Failure, Asked> => {
  const { method, "label-space": spaces = [], "eval-limit": evalLimit, "checkpoint-steps": checkpointSteps, probe, reference } = flags;
  if (flags.profile && flags.seeds !== undefined)
    return E.left({ _tag: "BadOption", option: "--profile", detail: "and --seeds exclude one another; a profile is that of one run" });
  if (flags.seed !== undefined && flags.seeds !== undefined)
    return E.left({ _tag: "BadOption", option: "--seeds", detail: "and --seed exclude one another; --seeds runs once with each of several" });
  const set = flags.set === undefined ? E.right({}) : parseOptions(method, flags.set);
  if (E.isLeft(set)) return set;
  const { options: own, ignored } = methodFlags(flags);
  const plan = planned(flags, { ...own, ...set.right });
  if (E.isLeft(plan)) return plan;
  const { options, out, seed, templates, ...rest } = plan.right;
  const job: Job = {
    version: 1,
    model: flags.model,
    ...rest,
    method: { name: method, options },
    seed: flags.seed ?? seed ?? 0,
    evaluate: {
      templates: flags.templates ?? templates,
      ...(spaces.length > 1 ? { also: spaces.slice(1) } : {}),
      ...(flags.scores === undefined ? {} : { scores: flags.scores }),
    },
    onCorrupt: flags["on-corrupt"],
    out: at(out),
    ...(probe === undefined ? {} : { probes: probe }),
    ...(reference === undefined ? {} : { reference }),
    ...(evalLimit === undefined ? {} : { evalLimit }),
    ...(flags.chat === undefined ? {} : { chat: flags.chat }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
    ...(flags["max-tokens"] === undefined ? {} : { maxTokens: flags["max-tokens"] }),
    ...(flags.columns === undefined ? {} : { columns: flags.columns }),
    ...(flags.precision === "f32" ? {} : { precision: flags.precision }),
    ...(flags.accumulate === undefined ? {} : { accumulate: flags.accumulate }),
    ...(flags.recompute === undefined ? {} : { recompute: flags.recompute }),
    ...(flags.fresh ? { fresh: true } : {}),
    ...(flags.predictions ? { predictions: true } : {}),
    ...(flags["save-adapters"] ? { saveAdapters: true } : {}),
    ...(checkpointSteps === undefined ? {} : { checkpointSteps }),
  };
  return E.right({ job, out, ignored });
};

/** The same job with several seeds. */
const overSeeds = ({ version, method, seed: _, out, ...base }: Job, seeds: readonly number[]): Sweep => ({
  version,
  base,
  methods: [{ ...method, folder: "" }],
  seeds,
  out,
});

/** The help of a method, where somebody names one beside `--help`. */
const methodHelp = (args: readonly string[], layout: Layout): string | undefined => {
  const asked = methodNames.find((name) => args.includes(name) || args.includes(`--method=${name}`));
  return asked === undefined ? undefined : optionsHelp(asked, layout);
};

/** Teaches a model. */
export const run = command({
  name: "run",
  does: "teach a model one dataset after another, and keep what it knew",
  synopsis: [
    "cambium run --model MODEL --data DATA[,DATA…] --method NAME --out DIR [flags]",
    "cambium run --model MODEL --preset NAME [--data-root DIR] --method NAME [flags]",
    "cambium run --method NAME --help",
  ],
  flags: table,
  notes: [
    "A preset is a protocol: its datasets, and for each method its hyper-parameters. Flags win over it, and --set over flags. What neither says is the " +
      "method's own. --method NAME --help lists the options of a method; reading=code sets all in which the code of its authors differs from the paper.",
    "A run that was stopped, killed or failed goes on with cambium resume, to the same bits; with --seeds the same command goes on, too. " +
      "A run behind --model gets its new datasets as further tasks. Its probes are those of its own flags; of one that the run before had, too, the earlier " +
      "figures are kept if its test pictures and classes, or its test questions, are the same.",
  ],
  examples: [
    ["cambium run --model models/clip --data data/pets,data/cars --method codyra --out runs/codyra", "learns pets, then cars, with CoDyRA"],
    ["cambium run --model runs/codyra --data data/flowers --method codyra --out runs/more", "one task more behind that run, tomorrow"],
  ],
  helpFor: methodHelp,
  whenStopped,
  run: ({ flags }, terminal) =>
    pipe(
      TE.fromEither(jobOf(flags, terminal.at)),
      TE.chain(({ job, out, ignored }): TE.TaskEither<Failure, Ended> => {
        for (const name of ignored) terminal.note(`--${name} has no meaning for ${flags.method}`);
        for (const note of optionNotes(flags.method, flags.set)) terminal.note(note);
        if (flags.seeds !== undefined) return pipe(runSweep(overSeeds(job, flags.seeds), terminal.jobOptions), TE.map(endOfSweep(out)));
        const profile = profiledBy(flags.profile);
        return pipe(runJob(job, { ...terminal.jobOptions, ...profile.options }), TE.map(endOfRun(out, terminal)), TE.map(profile.ended));
      }),
    ),
});
