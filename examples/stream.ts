/**
 * Runs a method over a stream of datasets with any CLIP folder: `npm run stream -- --help`.
 *
 * OUT appears as a whole when the run ends: `result.json`, `log.jsonl` (a line a step, a line a measured cell, a line a task), `report.html`
 * and `model/`, the merged CLIP. Ctrl-C ends the run after the step under way and keeps the tasks that were finished.
 */
import { openSync, closeSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { withDevice } from "../src/device/open.ts";
import type { Failure } from "../src/failure.ts";
import { writeFolderAtomic, writeText } from "../src/formats/files.ts";
import { methods, type MethodName, type MethodOptions } from "../src/methods/table.ts";
import { readClip, writeClip } from "../src/model/folder.ts";
import { htmlReport } from "../src/report/html.ts";
import { prettyJson } from "../src/report/json.ts";
import { logLine } from "../src/report/log.ts";
import { progress } from "../src/report/progress.ts";
import { textTable } from "../src/report/table.ts";
import { learner } from "../src/stages/learner.ts";
import { runMethod, type Run } from "../src/stages/run.ts";
import { watch } from "../src/stages/watch.ts";
import { imageCache } from "../src/stream/imageCache.ts";
import { end } from "./run/end.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, usage, whole, type Values } from "./run/flags.ts";
import { onInterrupt } from "./run/interrupt.ts";
import { freeFolder, streamFromFolders } from "./run/source.ts";

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
  "label-space": flag(otherwise(oneOf("task", "union"), "task"), "SPACE", "score among the classes of the task (MTIL) or of all tasks (X-TAIL) [task]"),
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

const write = (out: string, { result, learner: reached, interrupted }: Run, skipped: number, extras: Parameters<typeof htmlReport>[1]): TE.TaskEither<Failure, void> =>
  pipe(
    writeText(join(out, "result.json"), `${prettyJson({ ...result, skipped, interrupted })}\n`),
    TE.chain(() => writeText(join(out, "report.html"), htmlReport([result], extras))),
    TE.chain(() => writeClip(join(out, "model"), reached.clip)),
  );

const stream = (flags: Flags): TE.TaskEither<Failure, Run> => async () => {
  const evaluate = { templates: flags.templates };
  const known = methods[flags.method]({}).options as object;
  const given = methodFlags(flags);
  const method = methods[flags.method]({ ...Object.fromEntries(Object.entries(given).filter(([name]) => name in known)), evaluate });
  const ready = await pipe(
    TE.Do,
    TE.chainFirst(() => freeFolder(flags.out)),
    TE.bind("clip", () => readClip(flags.model)),
    TE.bind("tasks", () => streamFromFolders(flags.data, {
      labelSpace: flags["label-space"], onCorrupt: flags["on-corrupt"], seed: flags.seed, shots: flags.shots, evalLimit: flags["eval-limit"],
      training: "steps" in known,
    })),
  )();
  if (E.isLeft(ready)) return ready;
  const { clip, tasks } = ready.right;

  const shown = progress();
  const watcher = watch(shown);
  let temporary = "";
  const interrupt = onInterrupt(
    () => shown.line("Stopping after this step; press Ctrl-C again to stop at once."),
    () => rmSync(temporary, { recursive: true, force: true }),
  );
  const run = (temp: string): TE.TaskEither<Failure, Run> => withDevice({})((device) => async () => {
    temporary = temp;
    process.stdout.write(`adapter: ${device.adapter.line}\n`);
    for (const name of Object.keys(given).filter((n) => !(n in known))) shown.line(`--${name} has no meaning for ${flags.method}`);
    const log = openSync(join(temp, "log.jsonl"), "w");
    const runtime = { device, seed: flags.seed, images: imageCache(1024), emit: watcher.event, signal: interrupt.signal, onCorrupt: flags["on-corrupt"] };
    const facts = {
      evaluate: undefined, model: flags.model, data: flags.data, labelSpace: tasks.labelSpace, templates: flags.templates,
      shots: flags.shots ?? null, evalLimit: flags["eval-limit"] ?? null, onCorrupt: flags["on-corrupt"],
    };
    try {
      return await runMethod(method, learner(clip), tasks, { evaluate, facts, log: (record) => writeSync(log, logLine(record)) })(runtime)();
    } finally {
      closeSync(log);
      watcher.stop();
    }
  });
  const command = process.argv.slice(2).join(" ");
  const done = await writeFolderAtomic(flags.out, (temp) =>
    pipe(run(temp), TE.chainFirst((r) => write(temp, r, watcher.skipped(), { facts: { Command: `npm run stream -- ${command}`, Model: flags.model } }))))();
  interrupt.release();
  if (E.isLeft(done)) return done;
  const { result, interrupted } = done.right;
  process.stdout.write(`\n${textTable([result])}\n\n`);
  if (watcher.skipped() > 0) process.stdout.write(`skipped ${watcher.skipped()} images that cannot be decoded\n`);
  if (interrupted) process.stdout.write(`stopped on request after ${result.datasets.length} of ${tasks.tasks.length} tasks; what follows is about these\n`);
  process.stdout.write(`${join(flags.out, "result.json")}, log.jsonl, report.html, model/\n`);
  return done;
};

const args = process.argv.slice(2);
if (asksForHelp(args)) process.stdout.write(`${usage(head, table)}\n`);
else end(await pipe(TE.fromEither(parseFlags(table, args)), TE.chain(stream))());
