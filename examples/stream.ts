/**
 * Runs a method over a stream of datasets with any CLIP folder: `npm run stream -- --help`.
 *
 * OUT appears as a whole when the run ends: `result.json`, `log.jsonl` (a line a step, a line a measured cell, a line a task), `report.html`
 * and `model/`, the merged CLIP. Ctrl-C ends the run after the step under way and keeps the tasks that were finished.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../src/failure.ts";
import { writeText } from "../src/formats/files.ts";
import { preset, type Preset } from "../src/methods/presets.ts";
import { methods, type MethodName, type MethodOptions } from "../src/methods/table.ts";
import { readModel, writeModel } from "../src/model/model.ts";
import { htmlReport } from "../src/report/html.ts";
import { prettyJson } from "../src/report/json.ts";
import { logLine, type LogRecord } from "../src/report/log.ts";
import { textTable } from "../src/report/table.ts";
import type { EvaluateOptions } from "../src/stages/evaluate.ts";
import type { Method } from "../src/stages/learn.ts";
import { learner } from "../src/stages/learner.ts";
import { runMethod, type Run } from "../src/stages/run.ts";
import { protocols, type CheckedProtocol, type Protocol, type ProtocolName } from "../src/stream/protocols.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, usage, whole, type Values } from "./run/flags.ts";
import { end, freeFolder, session } from "./run/session.ts";
import { streamFromFolders, streamFromProtocol, type SourceOptions } from "./run/source.ts";

const methodNames = Object.keys(methods) as readonly MethodName[];
const protocolNames = Object.keys(protocols) as readonly ProtocolName[];

const table = {
  "model": flag(some, "DIR", "a CLIP folder in the Hugging Face layout"),
  "data": flag(optional(list(some)), "DIR[,DIR…]", "dataset folders (WebDataset or ImageFolder), learned in this order"),
  "preset": flag(optional(oneOf(...protocolNames)), "NAME", protocolNames.join(", ")),
  "data-root": flag(optional(some), "DIR", "where the datasets of the preset are, such as wds_vtab-dtd or dtd"),
  "method": flag(oneOf(...methodNames), "NAME", methodNames.join(", ")),
  "out": flag(optional(some), "DIR", "a new folder for result.json, log.jsonl, report.html and model/ [with a preset: runs/PRESET-METHOD]"),
  "steps": flag(optional(whole(1)), "N", "steps a task [500]; joint: in all"),
  "batch": flag(optional(whole(1, 65536)), "N", "images a step [64]"),
  "shots": flag(optional(whole(1)), "N", "training images a class [all]"),
  "rank": flag(optional(whole(1, 4096)), "N", "rank of every adapter [16]"),
  "lr": flag(optional(positive(10)), "X", "peak learning rate [0.0005]"),
  "seed": flag(optional(whole(0)), "N", "seed of all that is random [0]"),
  "label-space": flag(optional(oneOf("task", "union", "seen")), "SPACE", "score among the classes of the task, of all, or of those learned so far [task]"),
  "eval-limit": flag(optional(whole(1)), "N", "test images a dataset, the same for every seed [all]"),
  "templates": flag(optional(oneOf("single", "ensemble")), "T", "score with the first template or the mean of all [single]"),
  "on-corrupt": flag(otherwise(oneOf("fail", "skip"), "fail"), "WHAT", "stop at an image that cannot be decoded, or go on without it [fail]"),
  "modules": flag(optional(list(oneOf("q", "k", "v", "out", "fc1", "fc2"), true)), "LIST", "layers that get adapters [q,k,v,out,fc1,fc2]"),
  "towers": flag(optional(list(oneOf("vision", "text"), true)), "LIST", "towers that get adapters [vision,text]"),
  "kappa": flag(optional(positive(1)), "X", "codyra: the largest threshold [0.005]"),
  "shrink": flag(optional(oneOf("paper", "code")), "KIND", "codyra: the paper's shrink operator or that of its code [paper]"),
};

type Flags = Values<typeof table>;

const head = `npm run stream -- --model DIR --data DIR[,DIR…] --method NAME --out DIR [flags]    (or: deno task stream …)
npm run stream -- --model DIR --preset NAME --data-root DIR --method NAME [flags]

A preset is a protocol: its datasets, and for each method its hyper-parameters. Flags win over it.`;

/** The flags that are options of methods, as far as they were given. */
const methodFlags = (flags: Flags): MethodOptions => {
  const { steps, batch, rank, lr, modules, towers, kappa, shrink } = flags;
  return Object.fromEntries(Object.entries({ steps, batch, rank, lr, modules, towers, kappa, shrink }).filter(([, value]) => value !== undefined));
};

/** What is learned, and how: from dataset folders, or from a preset. */
interface Plan {
  readonly preset: Preset | undefined;
  readonly out: string;
  /** What the result says of its data. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly data: string;
  readonly open: (options: SourceOptions) => TE.TaskEither<Failure, CheckedProtocol>;
}

const plan = (flags: Flags): E.Either<Failure, Plan> => {
  const { data, preset: name, "data-root": root, "label-space": labelSpace, shots, method, out } = flags;
  const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });
  if (name === undefined) {
    if (root !== undefined) return bad("--data-root", "has a meaning with --preset alone; dataset folders are given by --data");
    if (data === undefined) return bad("--data", "is missing, and --preset with --data-root too; --help says what they take");
    if (out === undefined) return bad("--out", "is missing; --help says what it takes");
    const open: Plan["open"] = (options) =>
      pipe(streamFromFolders(data, { labelSpace, shots }, options), TE.map((stream) => ({ stream, notes: [] })));
    return E.right({ preset: undefined, out, facts: { data, shots: shots ?? null }, data: data.join(", "), open });
  }
  if (data !== undefined) return bad("--preset", "names its datasets itself; give --data, or --preset with --data-root");
  if (root === undefined) return bad("--data-root", `is missing; it says where the datasets of ${name} are`);
  const protocol: Protocol = protocols[name];
  const chosen = preset(protocol, method);
  return E.right({
    preset: chosen,
    out: out ?? join("runs", `${name}-${method}`),
    facts: { preset: name, dataRoot: root, hyperParameters: chosen.stated ? "stated" : "our choice", shots: shots ?? protocol.shots ?? null },
    data: `${name} in ${root}`,
    open: (options) => streamFromProtocol(protocol, root, { labelSpace, shots }, { ...options, firstTemplate: chosen.firstTemplate }),
  });
};

const write = (folder: string, run: Run, skipped: number, model: string, data: string): TE.TaskEither<Failure, void> => {
  const { result, interrupted } = run;
  return pipe(
    writeText(join(folder, "result.json"), `${prettyJson({ ...result, skipped, interrupted })}\n`),
    TE.chain(() => writeText(join(folder, "report.html"), htmlReport([result], { facts: { Model: model, Data: data } }))),
    TE.chain(() => writeModel(join(folder, "model"), run.learner.model)),
  );
};

const run = (flags: Flags) => ({ preset, out, facts: source, data, open }: Plan): TE.TaskEither<Failure, Run> => async () => {
  const make: (options: MethodOptions) => Method = methods[flags.method];
  const known = make({}).options as object;
  const given = Object.entries(methodFlags(flags));
  const options: MethodOptions = Object.fromEntries([...Object.entries(preset?.options ?? {}), ...given].filter(([name]) => name in known));
  const { model, "on-corrupt": onCorrupt, "eval-limit": evalLimit } = flags;
  const seed = flags.seed ?? preset?.seed ?? 0;
  const evaluate: EvaluateOptions = { templates: flags.templates ?? preset?.evaluate.templates ?? "single" };
  const method = make({ ...options, evaluate });
  const ready = await pipe(
    TE.Do,
    TE.chainFirst(() => freeFolder(out)),
    TE.bind("clip", () => readModel(model)),
    TE.bind("source", () => open({ onCorrupt, seed, evalLimit, training: "steps" in known })),
  )();
  if (E.isLeft(ready)) return ready;
  const { clip, source: { stream, notes } } = ready.right;

  const { labelSpace } = stream;
  const facts = { evaluate: undefined, model, ...source, labelSpace, ...evaluate, evalLimit: evalLimit ?? null, onCorrupt };
  const done = await session(out, seed, onCorrupt)(({ runtime, progress, watcher, folder }) => async () => {
    for (const [name] of given.filter(([n]) => !(n in known))) progress.line(`--${name} has no meaning for ${flags.method}`);
    for (const note of notes) progress.line(note);
    const log = openSync(join(folder, "log.jsonl"), "w");
    const options = { evaluate, facts, log: (record: LogRecord) => writeSync(log, logLine(record)) };
    const ended = await runMethod(method, learner(clip), stream, options)(runtime)().finally(() => closeSync(log));
    if (E.isLeft(ended)) return ended;
    const skipped = watcher.skipped();
    if (skipped > 0) progress.line(`skipped ${skipped} samples that cannot be read`);
    return pipe(write(folder, ended.right, skipped, model, data), TE.map(() => ended.right))();
  })();
  if (E.isLeft(done)) return done;
  const { result, interrupted } = done.right;
  const [finished, tasks] = [result.datasets.length, stream.tasks.length];
  if (interrupted) process.stdout.write(`Stopped on request: ${finished} of ${tasks} tasks were finished, and all that follows is about these.\n`);
  process.stdout.write(`\n${textTable([result])}\n\nwritten to ${out}: result.json, log.jsonl, report.html, model/\n`);
  return done;
};

const args = process.argv.slice(2);
if (asksForHelp(args)) process.stdout.write(`${usage(head, table)}\n`);
else end(await pipe(TE.fromEither(parseFlags(table, args)), TE.chain((flags) => pipe(TE.fromEither(plan(flags)), TE.chain(run(flags)))))());
