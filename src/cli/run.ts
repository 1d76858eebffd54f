/** `cambium run`: what its flags say, as a job. */
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { protocols, type Protocol, type ProtocolName } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import { preset } from "../methods/presets.ts";
import { methods, type MethodName, type MethodOptions } from "../methods/table.ts";
import type { Job } from "../runs/job.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, toggle, usage, whole, type Values } from "./flags.ts";
import { optionNames, optionsHelp, parseOptions } from "./options.ts";

const methodNames = Object.keys(methods) as readonly MethodName[];
const protocolNames = Object.keys(protocols) as readonly ProtocolName[];

const table = {
  model: flag(some, "DIR", "a CLIP or ViT folder in the Hugging Face layout; that of a learner, or of a run, goes on with what it remembers"),
  fresh: toggle("begin with the model alone, whatever its folder remembers"),
  data: flag(optional(list(some)), "DIR[,DIR…]", "dataset folders (WebDataset or ImageFolder), learned in this order"),
  split: flag(optional(positive(0.999)), "X", "share of the images that is drawn for training, where a dataset is DIR/CLASS/*.jpg without train and test"),
  preset: flag(optional(oneOf(...protocolNames)), "NAME", protocolNames.join(", ")),
  "data-root": flag(optional(some), "DIR", "where the datasets of the preset are, such as wds_vtab-dtd or dtd"),
  probe: flag(optional(list(some, true)), "DIR[,DIR…]", "dataset folders that are scored after every task, each among its own classes, and never learned"),
  method: flag(oneOf(...methodNames), "NAME", methodNames.join(", ")),
  out: flag(optional(some), "DIR", "a new folder for result.json, answers.json, log.jsonl, report.html and model/ [with a preset: runs/PRESET-METHOD]"),
  "checkpoint-steps": flag(optional(whole(1)), "N", "steps between two checkpoints within a task [only after tasks]"),
  steps: flag(optional(whole(1)), "N", "steps a task; joint: in all"),
  batch: flag(optional(whole(1, 65536)), "N", "images a step"),
  shots: flag(optional(whole(1)), "N", "training images a class [all]"),
  rank: flag(optional(whole(1, 4096)), "N", "rank of every adapter"),
  lr: flag(optional(positive(10)), "X", "peak learning rate"),
  seed: flag(optional(whole(0)), "N", "seed of all that is random [0]"),
  "label-space": flag(
    optional(list(oneOf("task", "union", "seen"), true)),
    "LIST",
    "score among the classes of the task, of all, or of those learned so far; the first counts, others stand beside it [task]",
  ),
  "eval-limit": flag(optional(whole(1)), "N", "test images a dataset, the same for every seed [all]"),
  templates: flag(optional(oneOf("single", "ensemble")), "T", "score with the first template or the mean of all [single]"),
  "on-corrupt": flag(otherwise(oneOf("fail", "skip"), "fail"), "WHAT", "stop at an image that cannot be decoded, or go on without it [fail]"),
  modules: flag(optional(list(oneOf("q", "k", "v", "out", "fc1", "fc2"), true)), "LIST", "layers that get adapters, of q,k,v,out,fc1,fc2"),
  towers: flag(optional(list(oneOf("vision", "text"), true)), "LIST", "towers that get adapters, of vision,text"),
  set: flag(optional(some), "KEY=VALUE[,KEY=VALUE…]", 'any option of the method, as in kappa=0.01,modules=q+v,steps={"epochs":10}'),
};

type Flags = Values<typeof table>;

const head = `cambium run --model DIR --data DIR[,DIR…] --method NAME --out DIR [flags]    (here: npm run stream -- …, or: deno task stream …)
cambium run --model DIR --preset NAME --data-root DIR --method NAME [flags]
cambium resume OUT

A preset is a protocol: its datasets, and for each method its hyper-parameters. Flags win over it, and --set over flags. What neither says is the
method's own. --method NAME --help lists the options of a method; reading=code sets all in which the code of its authors differs from the paper.
A run that was stopped, killed or failed goes on with cambium resume, to the same bits. A run behind --model gets its new datasets as further tasks. Its
probes are those of its own flags; of one that the run before had, too, the earlier figures are kept if its test pictures and classes are the same.`;

/** The flags that are options of methods, as far as they were given: those that the method has, and the names of the others. */
const methodFlags = ({ method, steps, batch, rank, lr, modules, towers }: Flags): { readonly options: MethodOptions; readonly ignored: readonly string[] } => {
  const names: readonly string[] = optionNames(method);
  const given = Object.entries({ steps, batch, rank, lr, modules, towers }).filter(([, value]) => value !== undefined);
  return {
    options: Object.fromEntries(given.filter(([name]) => names.includes(name))),
    ignored: given.map(([name]) => name).filter((name) => !names.includes(name)),
  };
};

/** A job, and what of its flags has no meaning. */
export interface Asked {
  readonly job: Job;
  /** The folder of the run as its user calls it. */
  readonly out: string;
  readonly notes: readonly string[];
}

/** What is learned and how, and what else the flags leave to a preset. */
type Planned = Pick<Job, "source" | "facts" | "labelSpace" | "shots"> & {
  readonly options: MethodOptions;
  readonly out: string;
  readonly seed: number | undefined;
  readonly templates: "single" | "ensemble";
};

const planned = (flags: Flags, given: MethodOptions, at: (path: string) => string): E.Either<Failure, Planned> => {
  const { data, split, preset: name, "data-root": root, "label-space": spaces, shots, method, out } = flags;
  const own = { ...(spaces === undefined ? {} : { labelSpace: spaces[0] }), ...(shots === undefined ? {} : { shots }) };
  const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });
  if (name === undefined) {
    if (root !== undefined) return bad("--data-root", "has a meaning with --preset alone; dataset folders are given by --data");
    if (data === undefined) return bad("--data", "is missing, and --preset with --data-root too; --help says what they take");
    if (out === undefined) return bad("--out", "is missing; --help says what it takes");
    return E.right({
      ...own,
      source: { folders: data.map(at), ...(split === undefined ? {} : { split }) },
      options: given,
      out,
      seed: undefined,
      templates: "single",
    });
  }
  if (data !== undefined) return bad("--preset", "names its datasets itself; give --data, or --preset with --data-root");
  if (split !== undefined) return bad("--split", "has a meaning with --data alone; a preset has splits of its own");
  if (root === undefined) return bad("--data-root", `is missing; it says where the datasets of ${name} are`);
  const protocol: Protocol = protocols[name];
  const { options, evaluate, seed, firstTemplate, stated } = preset(protocol, method);
  return E.right({
    ...own,
    source: { protocol: name, root: at(root), ...(firstTemplate === undefined ? {} : { firstTemplate }) },
    facts: { hyperParameters: stated && Object.keys(given).length === 0 ? "stated" : "our choice", shots: shots ?? protocol.shots ?? null },
    options: { ...options, ...given },
    out: out ?? join("runs", `${name}-${method}`),
    seed,
    templates: evaluate.templates ?? "single",
  });
};

/** The job of arguments; `at` makes paths absolute. Fails with `BadOption`, which names the flag. */
export const parseRun = (args: readonly string[], at: (path: string) => string): E.Either<Failure, Asked> => {
  const parsed = parseFlags(table, args);
  if (E.isLeft(parsed)) return parsed;
  const flags = parsed.right;
  const { method, "label-space": spaces = [], "eval-limit": evalLimit, "checkpoint-steps": checkpointSteps, probe } = flags;
  const set = flags.set === undefined ? E.right({}) : parseOptions(method, flags.set);
  if (E.isLeft(set)) return set;
  const { options: own, ignored } = methodFlags(flags);
  const plan = planned(flags, { ...own, ...set.right }, at);
  if (E.isLeft(plan)) return plan;
  const { options, out, seed, templates, ...rest } = plan.right;
  const job: Job = {
    version: 1,
    model: at(flags.model),
    ...rest,
    method: { name: method, options },
    seed: flags.seed ?? seed ?? 0,
    evaluate: { templates: flags.templates ?? templates, ...(spaces.length > 1 ? { also: spaces.slice(1) } : {}) },
    onCorrupt: flags["on-corrupt"],
    out: at(out),
    ...(probe === undefined ? {} : { probes: probe.map(at) }),
    ...(evalLimit === undefined ? {} : { evalLimit }),
    ...(flags.fresh ? { fresh: true } : {}),
    ...(checkpointSteps === undefined ? {} : { checkpointSteps }),
  };
  return E.right({ job, out, notes: ignored.map((name) => `--${name} has no meaning for ${method}`) });
};

/** The help that somebody asks for, if they do: of a method where they name one. */
export const helpOf = (args: readonly string[]): string | undefined => {
  if (!asksForHelp(args)) return undefined;
  const asked = methodNames.find((name) => args.includes(name) || args.includes(`--method=${name}`));
  return asked === undefined ? usage(head, table) : optionsHelp(asked);
};
