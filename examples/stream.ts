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
import { methods, type MethodName, type MethodOptions } from "../src/methods/table.ts";
import { readClip, writeClip } from "../src/model/folder.ts";
import { htmlReport } from "../src/report/html.ts";
import { prettyJson } from "../src/report/json.ts";
import { logLine, type LogRecord } from "../src/report/log.ts";
import { textTable } from "../src/report/table.ts";
import { learner } from "../src/stages/learner.ts";
import { runMethod, type Run } from "../src/stages/run.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, usage, whole, type Values } from "./run/flags.ts";
import { end, freeFolder, session } from "./run/session.ts";
import { streamFromFolders } from "./run/source.ts";

const table = {
  "model": flag(some, "DIR", "a CLIP folder in the Hugging Face layout"),
  "data": flag(list(some), "DIR[,DIR…]", "dataset folders (WebDataset or ImageFolder), learned in this order"),
  "method": flag(oneOf(...(Object.keys(methods) as MethodName[])), "NAME", Object.keys(methods).join(", ")),
  "out": flag(some, "DIR", "a new folder for result.json, log.jsonl, report.html and model/"),
  "steps": flag(optional(whole(1)), "N", "steps a task [500]; joint: in all"),
  "batch": flag(optional(whole(1, 65536)), "N", "images a step [64]"),
  "shots": flag(optional(whole(1)), "N", "training images a class [all]"),
  "rank": flag(optional(whole(1, 4096)), "N", "rank of every adapter [16]"),
  "lr": flag(optional(positive(10)), "X", "peak learning rate [0.0005]"),
  "seed": flag(otherwise(whole(0), 0), "N", "seed of all that is random [0]"),
  "label-space": flag(otherwise(oneOf("task", "union"), "task"), "SPACE", "score among the classes of the task (MTIL) or of all (X-TAIL) [task]"),
  "eval-limit": flag(optional(whole(1)), "N", "test images a dataset, the same for every seed [all]"),
  "templates": flag(otherwise(oneOf("single", "ensemble"), "single"), "T", "score with the first template or the mean of all [single]"),
  "on-corrupt": flag(otherwise(oneOf("fail", "skip"), "fail"), "WHAT", "stop at an image that cannot be decoded, or go on without it [fail]"),
  "modules": flag(optional(list(oneOf("q", "k", "v", "out", "fc1", "fc2"), true)), "LIST", "layers that get adapters [q,k,v,out,fc1,fc2]"),
  "towers": flag(optional(list(oneOf("vision", "text"), true)), "LIST", "towers that get adapters [vision,text]"),
  "kappa": flag(optional(positive(1)), "X", "codyra: the largest threshold [0.005]"),
  "shrink": flag(optional(oneOf("paper", "code")), "KIND", "codyra: the paper's shrink operator or that of its code [paper]"),
};

type Flags = Values<typeof table>;

const head = "npm run stream -- --model DIR --data DIR[,DIR…] --method NAME --out DIR [flags]    (or: deno task stream …)";

/** The flags that are options of methods, as far as they were given. */
const methodFlags = (flags: Flags): MethodOptions => {
  const { steps, batch, rank, lr, modules, towers, kappa, shrink } = flags;
  return Object.fromEntries(Object.entries({ steps, batch, rank, lr, modules, towers, kappa, shrink }).filter(([, value]) => value !== undefined));
};

const write = (folder: string, run: Run, skipped: number, { model, data }: Flags): TE.TaskEither<Failure, void> => {
  const { result, interrupted } = run;
  return pipe(
    writeText(join(folder, "result.json"), `${prettyJson({ ...result, skipped, interrupted })}\n`),
    TE.chain(() => writeText(join(folder, "report.html"), htmlReport([result], { facts: { Model: model, Data: data.join(", ") } }))),
    TE.chain(() => writeClip(join(folder, "model"), run.learner.clip)),
  );
};

const run = (flags: Flags): TE.TaskEither<Failure, Run> => async () => {
  const known = methods[flags.method]({}).options as object;
  const given = Object.entries(methodFlags(flags));
  const evaluate = { templates: flags.templates };
  const method = methods[flags.method]({ ...Object.fromEntries(given.filter(([name]) => name in known)), evaluate });
  const { "label-space": labelSpace, "on-corrupt": onCorrupt, "eval-limit": evalLimit, model, data, seed, shots, templates, out } = flags;
  const ready = await pipe(
    TE.Do,
    TE.chainFirst(() => freeFolder(out)),
    TE.bind("clip", () => readClip(model)),
    TE.bind("stream", () => streamFromFolders(data, { labelSpace, onCorrupt, seed, shots, evalLimit, training: "steps" in known })),
  )();
  if (E.isLeft(ready)) return ready;
  const { clip, stream } = ready.right;

  const facts = { evaluate: undefined, model, data, labelSpace, templates, shots: shots ?? null, evalLimit: evalLimit ?? null, onCorrupt };
  const done = await session(out, seed, onCorrupt)(({ runtime, progress, watcher, folder }) => async () => {
    for (const [name] of given.filter(([n]) => !(n in known))) progress.line(`--${name} has no meaning for ${flags.method}`);
    const log = openSync(join(folder, "log.jsonl"), "w");
    const options = { evaluate, facts, log: (record: LogRecord) => writeSync(log, logLine(record)) };
    const ended = await runMethod(method, learner(clip), stream, options)(runtime)().finally(() => closeSync(log));
    if (E.isLeft(ended)) return ended;
    const skipped = watcher.skipped();
    if (skipped > 0) progress.line(`skipped ${skipped} samples that cannot be read`);
    return pipe(write(folder, ended.right, skipped, flags), TE.map(() => ended.right))();
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
else end(await pipe(TE.fromEither(parseFlags(table, args)), TE.chain(run))());
