/**
 * Runs a method over a stream of datasets with any CLIP or ViT folder: `npm run stream -- --help`.
 *
 * OUT appears as a whole when the run ends: `result.json`, `log.jsonl` (a line a step, a line a measured cell, a line a task), `report.html`
 * and `model/`, the merged model with what the method keeps beside it. Ctrl-C ends the run after the step under way and keeps the tasks that were finished.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../src/failure.ts";
import { preset, type Preset } from "../src/methods/presets.ts";
import { methods, type MethodName, type MethodOptions } from "../src/methods/table.ts";
import { learner } from "../src/model/learner.ts";
import { readModel, type Model } from "../src/model/model.ts";
import { logLine, type LogRecord } from "../src/report/log.ts";
import type { EvaluateOptions } from "../src/stages/evaluate.ts";
import type { Method } from "../src/stages/learn.ts";
import { runMethod, type Run } from "../src/runs/run.ts";
import type { CheckedProtocol } from "../src/data/checkProtocol.ts";
import { protocols, type Protocol, type ProtocolName } from "../src/data/protocols.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, usage, whole, type Values } from "./run/flags.ts";
import { optionNames, optionsHelp, parseOptions } from "./run/options.ts";
import { summary, writeOutcome } from "./run/outcome.ts";
import { end, freeFolder, session } from "./run/session.ts";
import { streamFromFolders, streamFromProtocol, type SourceOptions } from "./run/source.ts";

const methodNames = Object.keys(methods) as readonly MethodName[];
const protocolNames = Object.keys(protocols) as readonly ProtocolName[];

const table = {
  model: flag(some, "DIR", "a CLIP or ViT folder in the Hugging Face layout"),
  data: flag(optional(list(some)), "DIR[,DIR…]", "dataset folders (WebDataset or ImageFolder), learned in this order"),
  preset: flag(optional(oneOf(...protocolNames)), "NAME", protocolNames.join(", ")),
  "data-root": flag(optional(some), "DIR", "where the datasets of the preset are, such as wds_vtab-dtd or dtd"),
  method: flag(oneOf(...methodNames), "NAME", methodNames.join(", ")),
  out: flag(optional(some), "DIR", "a new folder for result.json, log.jsonl, report.html and model/ [with a preset: runs/PRESET-METHOD]"),
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

const head = `npm run stream -- --model DIR --data DIR[,DIR…] --method NAME --out DIR [flags]    (or: deno task stream …)
npm run stream -- --model DIR --preset NAME --data-root DIR --method NAME [flags]

A preset is a protocol: its datasets, and for each method its hyper-parameters. Flags win over it, and --set over flags. What neither says is the
method's own. --method NAME --help lists the options of a method; reading=code sets all in which the code of its authors differs from the paper.`;

/** The flags that are options of methods, as far as they were given: those that the method has, and the names of the others. */
const methodFlags = ({ method, steps, batch, rank, lr, modules, towers }: Flags): { readonly options: MethodOptions; readonly ignored: readonly string[] } => {
  const names: readonly string[] = optionNames(method);
  const given = Object.entries({ steps, batch, rank, lr, modules, towers }).filter(([, value]) => value !== undefined);
  return {
    options: Object.fromEntries(given.filter(([name]) => names.includes(name))),
    ignored: given.map(([name]) => name).filter((name) => !names.includes(name)),
  };
};

/** What is learned, and how: from dataset folders, or from a preset. */
interface Plan {
  readonly preset: Preset | undefined;
  /** What flags and --set say of the method. */
  readonly given: MethodOptions;
  readonly out: string;
  /** What the result says of its data. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly data: string;
  readonly open: (options: SourceOptions) => TE.TaskEither<Failure, CheckedProtocol>;
}

const plan = (flags: Flags): E.Either<Failure, Plan> => {
  const { data, preset: name, "data-root": root, "label-space": spaces, shots, method, out } = flags;
  const labelSpace = spaces?.[0];
  const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });
  const set = flags.set === undefined ? E.right({}) : parseOptions(method, flags.set);
  if (E.isLeft(set)) return set;
  const given = { ...methodFlags(flags).options, ...set.right };
  if (name === undefined) {
    if (root !== undefined) return bad("--data-root", "has a meaning with --preset alone; dataset folders are given by --data");
    if (data === undefined) return bad("--data", "is missing, and --preset with --data-root too; --help says what they take");
    if (out === undefined) return bad("--out", "is missing; --help says what it takes");
    const open: Plan["open"] = (options) =>
      pipe(
        streamFromFolders(data, { labelSpace, shots }, options),
        TE.map((stream) => ({ stream, notes: [] })),
      );
    return E.right({ preset: undefined, given, out, facts: { data, shots: shots ?? null }, data: data.join(", "), open });
  }
  if (data !== undefined) return bad("--preset", "names its datasets itself; give --data, or --preset with --data-root");
  if (root === undefined) return bad("--data-root", `is missing; it says where the datasets of ${name} are`);
  const protocol: Protocol = protocols[name];
  const chosen = preset(protocol, method);
  const stated = chosen.stated && Object.keys(given).length === 0;
  return E.right({
    preset: chosen,
    given,
    out: out ?? join("runs", `${name}-${method}`),
    facts: { preset: name, dataRoot: root, hyperParameters: stated ? "stated" : "our choice", shots: shots ?? protocol.shots ?? null },
    data: `${name} in ${root}`,
    open: (options) => streamFromProtocol(protocol, root, { labelSpace, shots }, { ...options, firstTemplate: chosen.firstTemplate }),
  });
};

/** Learns a stream as flags and plan say, and fills the folder of the run. */
const run =
  (flags: Flags) =>
  ({ preset, given, out, facts: source, data, open }: Plan): TE.TaskEither<Failure, Run> => {
    const make: (options: MethodOptions) => Method = methods[flags.method];
    const { model, "on-corrupt": onCorrupt, "eval-limit": evalLimit, "label-space": spaces = [] } = flags;
    const seed = flags.seed ?? preset?.seed ?? 0;
    const evaluate: EvaluateOptions = {
      templates: flags.templates ?? preset?.evaluate.templates ?? "single",
      ...(spaces.length > 1 ? { also: spaces.slice(1) } : {}),
    };
    const method = make({ ...preset?.options, ...given, evaluate });
    const learned = ({ model: start, source: { stream, notes } }: { readonly model: Model; readonly source: CheckedProtocol }) => {
      const facts = { evaluate: undefined, model, ...source, labelSpace: stream.labelSpace, ...evaluate, evalLimit: evalLimit ?? null, onCorrupt };
      return session(
        out,
        seed,
        onCorrupt,
      )(({ runtime, progress, watcher, folder }) => {
        for (const name of methodFlags(flags).ignored) progress.line(`--${name} has no meaning for ${flags.method}`);
        for (const note of notes) progress.line(note);
        const log = openSync(join(folder, "log.jsonl"), "w");
        const options = { evaluate, facts, log: (record: LogRecord) => writeSync(log, logLine(record)) };
        const running = runMethod(method, learner(start), stream, options)(runtime);
        return pipe(
          () => running().finally(() => closeSync(log)),
          TE.chain((ended) => {
            const skipped = watcher.skipped();
            if (skipped > 0) progress.line(`skipped ${skipped} samples that cannot be read`);
            return writeOutcome(folder, ended, stream, skipped, { Model: model, Data: data });
          }),
          TE.map((outcome) => ({ outcome, tasks: stream.tasks.length })),
        );
      });
    };
    return pipe(
      TE.Do,
      TE.chainFirst(() => freeFolder(out)),
      TE.bind("model", () => readModel(model)),
      TE.bind("source", () => open({ onCorrupt, seed, evalLimit, training: optionNames(flags.method).includes("steps") })),
      TE.chain(learned),
      TE.map(({ outcome, tasks }) => {
        process.stdout.write(summary(outcome, tasks, out));
        return outcome.run;
      }),
    );
  };

const args = process.argv.slice(2);
const asked = methodNames.find((name) => args.includes(name) || args.includes(`--method=${name}`));
if (asksForHelp(args)) process.stdout.write(`${asked === undefined ? usage(head, table) : optionsHelp(asked)}\n`);
else
  end(
    await pipe(
      TE.fromEither(parseFlags(table, args)),
      TE.chain((flags) => pipe(TE.fromEither(plan(flags)), TE.chain(run(flags)))),
    )(),
  );
