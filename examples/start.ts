/**
 * The main job on an embedded default: a small model learns a stream of icons with sequential LoRA, CoDyRA and KeepLoRA++, beside zero-shot: `npm start`, or,
 * for questions about pictures that are answered in words, `npm start -- --stream icon-questions`.
 *
 * Needs no data and no GPU. Writes `runs/start/report.html` and the results beside it.
 */
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../src/failure.ts";
import { writeText } from "../src/formats/files.ts";
import { optionNames } from "../src/methods/declare.ts";
import { methods, type MethodName } from "../src/methods/table.ts";
import type { Stream } from "../src/data/task.ts";
import { counted } from "../src/page/markup.ts";
import type { Pictures } from "../src/page/gallery.ts";
import { htmlReport } from "../src/page/html.ts";
import { prettyJson } from "../src/report/json.ts";
import { groupBy } from "../src/report/summary.ts";
import { textTable } from "../src/report/table.ts";
import { galleryPictures } from "../src/runs/pictures.ts";
import { compare } from "./run/compare.ts";
import { flag, list, oneOf, optional, positive, some, whole, type Values } from "../src/cli/flags.ts";
import { planFor, type Plan } from "./run/plan.ts";
import { freeFolder, script, session } from "./run/session.ts";
import { worlds, type World, type WorldName } from "./run/world.ts";

const args = process.argv.slice(2);

const defaults = { stream: "icons", out: "runs/start" } as const;

const compared: readonly MethodName[] = ["zero-shot", "sequential-lora", "codyra", "keeplora++"];

const byAdapter = "by the adapter";

const table = {
  stream: flag(
    oneOf(...(Object.keys(worlds) as WorldName[])),
    "NAME",
    "icons, which are classified, or icon-questions, which are answered in words",
    defaults.stream,
  ),
  model: optional(some, "DIR", "a model folder: a CLIP for icons, a LLaVA for icon-questions", "models/icon-nano or models/icon-llava"),
  out: flag(some, "DIR", "where the report goes; runs/start is written anew each time", defaults.out),
  tasks: optional(whole(1, 8), "N", "the first N of the stream's tasks, of which icons has 8 and icon-questions 4", byAdapter),
  classes: optional(whole(2), "N", "the first N classes of each task of icons", byAdapter),
  steps: optional(whole(1), "N", "steps a task; joint takes those of all tasks", byAdapter),
  batch: optional(whole(1, 65536), "N", "images, or questions, a step", byAdapter),
  towers: optional(
    list(oneOf("vision", "text", "projector", "language"), true),
    "LIST",
    "towers that get adapters, of vision,text or vision,projector,language",
    byAdapter,
  ),
  methods: flag(list(oneOf(...(Object.keys(methods) as MethodName[])), true), "LIST", "methods with commas", compared),
  rank: optional(whole(1, 4096), "N", "rank of every adapter", "each method's own; 16 for most"),
  lr: optional(
    positive(10),
    "X",
    "peak learning rate",
    "0.24 / steps, at most that of 30 steps, and other for methods that were tuned for more or less; icon-questions: 0.16 / steps",
  ),
  seed: flag(list(whole(0), true), "N[,N…]", "seeds of all that is random; several give means and deviations", [0]),
};

type Flags = Values<typeof table>;

/** The plan for the adapter, but for what the flags say. */
const planned = ({ tasks, classes, steps, batch, towers }: Flags, plan: Plan): Plan => {
  const given = Object.entries({ tasks, classes, steps, batch, towers }).filter(([, value]) => value !== undefined);
  const seconds = { ...plan.seconds, step: (plan.seconds.step * (batch ?? plan.batch)) / plan.batch };
  return { ...plan, seconds, ...Object.fromEntries(given) };
};

/** Fails where a flag asks for what a stream does not have. */
const fits = ({ stream, tasks = 0, classes }: Flags, world: World): E.Either<Failure, void> => {
  const bad = (option: string, detail: string): E.Either<Failure, void> => E.left({ _tag: "BadOption", option, detail });
  if (tasks > world.tasks) return bad("--tasks", `${stream} has ${world.tasks} tasks, not ${tasks}`);
  return stream === "icons" || classes === undefined ? E.right(undefined) : bad("--classes", `the tasks of ${stream} have no classes`);
};

/** Rounded up, for what is an estimate. */
const roughly = (seconds: number): string => (seconds < 60 ? `${10 * Math.ceil(seconds / 10)} seconds` : counted(Math.ceil(seconds / 60), "minute"));

/** The peak learning rate of every method that has one, in a sentence: "Learning rates: 5.3e-3 of codyra; 2.8e-2 of keeplora++." */
const ratesTold = ({ methods: names, lr }: Flags, { rate }: World, { steps }: Plan): string => {
  const having = names.filter((name) => optionNames(methods[name].declaration).includes("lr"));
  const rateOf = (name: MethodName): string => Number((lr ?? rate(name, steps)).toPrecision(2)).toExponential();
  const each = groupBy(rateOf)(having).map((alike) => `${rateOf(alike[0])} of ${alike.join(", ")}`);
  return each.length === 0 ? "" : `Learning ${each.length === 1 ? "rate" : "rates"}: ${each.join("; ")}.`;
};

/** What will happen, how long it takes, and what would be faster. */
const announced = (flags: Flags, model: string, world: World, plan: Plan, stream: Stream): string => {
  const { methods: names, seed } = flags;
  const { tasks, steps, batch, towers, seconds, on, faster } = plan;
  const trainings = seed.length * names.filter((name) => name !== "zero-shot").length;
  const takes = trainings * tasks * (steps * seconds.step + seconds.task) + seconds.task;
  return [
    `${model} learns ${world.named(plan, stream)} one after another, ${counted(steps, "step")} of ${counted(batch, world.example)} each` +
      `${towers === undefined ? "" : `, with adapters in its ${towers.join(" and ")} tower`}: ${names.join(", ")}, each from the same start${seed.length > 1 ? `, with ${seed.length} seeds` : ""}.`,
    ratesTold(flags, world, plan),
    world.tested,
    `That takes about ${roughly(takes)} on ${on}.${faster === undefined ? "" : ` ${faster}`}`,
  ]
    .filter((line) => line !== "")
    .join("\n");
};

/** A method with the steps and the rate of a plan. Joint training gets the steps of all tasks, at the rate of one task. */
const chosen =
  ({ rank, lr }: Flags, { options, rate, evaluate }: World, { tasks, steps, batch, towers }: Plan) =>
  (name: MethodName) =>
    methods[name]({
      ...options(name),
      ...(rank === undefined ? {} : { rank }),
      ...{ batch, towers, evaluate },
      steps: name === "joint" ? steps * tasks : steps,
      lr: lr ?? rate(name, steps),
    });

const start =
  (flags: Flags): TE.TaskEither<Failure, { readonly interrupted: boolean }> =>
  async () => {
    const { out, seed } = flags;
    const world: World = worlds[flags.stream];
    const { model = world.model } = flags;
    const ready = await pipe(
      TE.fromEither(fits(flags, world)),
      TE.chain(() => (out === defaults.out ? TE.right(undefined) : freeFolder(out))),
      TE.chain(() => world.open(model)),
    )();
    if (E.isLeft(ready)) return ready;
    const done = await session(
      out,
      seed[0],
      "fail",
    )(({ runtime, progress, folder }) => {
      const plan = planned(flags, planFor(world.plans, runtime.device));
      const stream = ready.right.stream(plan);
      process.stdout.write(`${announced(flags, model, world, plan, stream)}\n`);
      const begin = (name: string, of: number): void => progress.line(`\n${name}${seed.length > 1 ? `, seed ${of}` : ""}`);
      const compared = flags.methods.map(chosen(flags, world, plan));
      return pipe(
        compare(compared, ready.right.learner, stream, { evaluate: world.evaluate, seeds: seed, begin })(runtime),
        TE.chainFirst(
          TE.traverseSeqArray(({ result }) => {
            const name = seed.length > 1 ? `${result.method}-${result.seed}` : result.method;
            return writeText(join(folder, `${name}.json`), `${prettyJson(result)}\n`);
          }),
        ),
        TE.bindTo("reports"),
        TE.bind("pictures", ({ reports }) => TE.fromTask<Pictures, Failure>(galleryPictures(stream, reports))),
        TE.chainFirst(({ reports, pictures }) => {
          const lead = `${model} learns ${world.named(plan, stream)} one after another, ${plan.steps} steps each; it is tested on drawings of other artists.`;
          const facts = { Command: ["npm start", ...(args.length > 0 ? ["--", ...args] : [])].join(" "), Model: model };
          return writeText(join(folder, "report.html"), htmlReport(reports, { title: world.title, lead, facts, pictures }));
        }),
        TE.map(({ reports }) => reports.map(({ result }) => result)),
      );
    })();
    if (E.isLeft(done)) return done;
    process.stdout.write(
      `\n${textTable(done.right, process.stdout.columns)}\n\nCurves, matrices, and the ${world.example}s that were lost: ${join(out, "report.html")}\n`,
    );
    return E.right({ interrupted: false });
  };

await script("npm start -- [flags]    (or: deno task start …)", table, args, start);
