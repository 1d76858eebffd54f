/**
 * The main job on the embedded default: icon-nano learns the icon stream with zero-shot, sequential LoRA and CoDyRA: `npm start`.
 *
 * Needs no data and no GPU. Writes `runs/start/report.html` and the three results beside it.
 */
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../src/failure.ts";
import { writeText } from "../src/formats/files.ts";
import { methods, type MethodName } from "../src/methods/table.ts";
import { clip } from "../src/model/clip.ts";
import { learner } from "../src/model/learner.ts";
import { readModelAs } from "../src/model/model.ts";
import { htmlReport } from "../src/page/html.ts";
import { prettyJson } from "../src/report/json.ts";
import { textTable } from "../src/report/table.ts";
import { iconStream } from "./icons/world.ts";
import { compare } from "./run/compare.ts";
import { asksForHelp, flag, list, oneOf, optional, otherwise, parseFlags, positive, some, usage, whole, type Values } from "../src/cli/flags.ts";
import { paced } from "./run/pace.ts";
import { end, freeFolder, session } from "./run/session.ts";

/** Sized so that all of it ends within five minutes on two CPU cores. */
const defaults = { model: "models/icon-nano", out: "runs/start", tasks: 6, steps: 80, batch: 32, seed: 0 };

/** SwiftShader is several times slower than lavapipe: there the same five minutes are enough for fewer steps. */
const slowSteps = 10;

const compared: readonly MethodName[] = ["zero-shot", "sequential-lora", "codyra"];

/** Scored among the task's classes, and among those of all tasks. */
const scored = { also: ["union"] } as const;

const table = {
  model: flag(otherwise(some, defaults.model), "DIR", `a CLIP folder [${defaults.model}]`),
  out: flag(otherwise(some, defaults.out), "DIR", `where the report goes [${defaults.out}, anew each time]`),
  tasks: flag(otherwise(whole(1, 8), defaults.tasks), "N", `the first N of the icon stream's 8 tasks [${defaults.tasks}]`),
  steps: flag(optional(whole(1)), "N", `steps a task [${defaults.steps}; ${slowSteps} on SwiftShader]`),
  batch: flag(otherwise(whole(1, 65536), defaults.batch), "N", `images a step [${defaults.batch}]`),
  methods: flag(otherwise(list(oneOf(...(Object.keys(methods) as MethodName[])), true), compared), "LIST", `methods with commas [${compared.join(",")}]`),
  rank: flag(optional(whole(1, 4096)), "N", "rank of every adapter [each method's own; 16 for most]"),
  lr: flag(optional(positive(10)), "X", "peak learning rate [0.24 / steps, and more for methods that were tuned for more]"),
  seed: flag(otherwise(whole(0), defaults.seed), "N", `seed of all that is random [${defaults.seed}]`),
};

const start =
  (flags: Values<typeof table>): TE.TaskEither<Failure, { readonly interrupted: boolean }> =>
  async () => {
    const { model, out, tasks, batch, rank, lr, seed } = flags;
    const ready = await pipe(
      out === defaults.out ? TE.right(undefined) : freeFolder(out),
      TE.chain(() => readModelAs(clip, model)),
    )();
    if (E.isLeft(ready)) return ready;
    const world = iconStream(ready.right.config.vision.imageSize);
    const stream = { ...world, tasks: world.tasks.slice(0, tasks) };
    const done = await session(
      out,
      seed,
      "fail",
    )(({ runtime, progress, folder }) => async () => {
      const steps = flags.steps ?? (runtime.device.adapter.line.startsWith("SwiftShader") ? slowSteps : defaults.steps);
      progress.line(`${tasks} tasks, ${steps} steps each`);
      const chosen = flags.methods.map((name) => methods[name]({ rank, steps, batch, lr: lr ?? paced(name, steps), evaluate: scored }));
      const ran = await compare(chosen, learner(ready.right), stream, scored, ({ name }) => progress.line(`\n${name}`))(runtime)();
      if (E.isLeft(ran)) return ran;
      const results = ran.right;
      const lead = `${model} learns ${tasks} tasks of icons one after another, ${steps} steps each; it is tested on drawings of other vendors.`;
      const page = htmlReport(results, { title: "The icon stream", lead, facts: { Command: "npm start", Model: model } });
      return pipe(
        results,
        TE.traverseSeqArray((result) => writeText(join(folder, `${result.method}.json`), `${prettyJson(result)}\n`)),
        TE.chain(() => writeText(join(folder, "report.html"), page)),
        TE.map(() => results),
      )();
    })();
    if (E.isLeft(done)) return done;
    process.stdout.write(`\n${textTable(done.right)}\n\nThe accuracy matrices and the ranks of every module: ${join(out, "report.html")}\n`);
    return E.right({ interrupted: false });
  };

const args = process.argv.slice(2);
if (asksForHelp(args)) process.stdout.write(`${usage("npm start -- [flags]    (or: deno task start …)", table)}\n`);
else end(await pipe(TE.fromEither(parseFlags(table, args)), TE.chain(start))());
