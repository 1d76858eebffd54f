/**
 * A method of your own: KeepLoRA++'s projections, CoDyRA's rank selection and DAC's orthogonality loss in one pipeline, on the icon stream.
 * `npm run compose`, or `deno task compose`.
 *
 * Nobody has published it. Every line is a stage of one of the three papers, and the type checker has looked whether they fit.
 */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import {
  adapter,
  formats,
  htmlReport,
  learner,
  model,
  objective,
  optimizer,
  runMethod,
  schedule,
  stage,
  subspace,
  textTable,
  type Failure,
  type Method,
} from "../mod.ts";
import { iconStream } from "./icons/world.ts";
import { flag, positive, some, whole, type Values } from "../src/cli/flags.ts";
import { freeFolder, script, session } from "./run/session.ts";

/** Sized so that all of it ends in about a minute on two CPU cores. */
const defaults = { model: "models/icon-nano", out: "runs/compose", tasks: 3, steps: 40, batch: 32, rank: 8, lr: 3e-2, seed: 0 };

/** What the composed method leaves open. */
export type ComposedOptions = Readonly<Partial<Pick<typeof defaults, "steps" | "batch" | "rank" | "lr">>>;

const { adapt, encode, evaluate, gradient, merge, method, pipeline, project, rankSelect, repeat, selected, softThreshold, update } = stage;

/** Trains what earlier tasks and the pre-training left free, keeps the ranks that it needs, and stays apart from what earlier tasks did with theirs. */
export const composed = (options: ComposedOptions = {}): Method => {
  const { steps, batch, rank, lr } = { ...defaults, ...options };
  const layers = { modules: model.attentionLinears, towers: "all" } as const;
  const matching = objective.sum(objective.imageToText, objective.textToImage);
  const apart = subspace.overlap("B", { critical: subspace.largestGates(Math.ceil(rank / 2)) });
  return method(
    "composed",
    { steps, batch, rank, lr },
    pipeline(
      project(subspace.principalWeights({ ...layers, energy: { vision: 0.85, text: 0.2 } })),
      encode({ batch, steps }),
      project(subspace.residualGradient({ ...layers, rank, objective: matching, start: "zero" })),
      adapt({
        adapters: ({ directions }) => adapter.gatedLora({ ...layers, rank, directions, scale: adapter.depthScale() }),
        steps: repeat(
          steps,
          gradient(objective.sum(matching, objective.weighted(0.1, apart))),
          update(optimizer.adamW({ lr: schedule.cosine(lr) })),
          rankSelect(softThreshold(schedule.ramp(0.005))),
        ),
      }),
      project(subspace.past("B", selected)),
      merge(selected),
      project(subspace.featureBasis({ ...layers, tokens: "all", accumulate: "code-mean", energy: subspace.share(0.99) })),
      evaluate(),
    ),
  );
};

const table = {
  model: flag(some, "DIR", "a CLIP folder", defaults.model),
  out: flag(some, "DIR", "where the report goes; runs/compose is written anew each time", defaults.out),
  tasks: flag(whole(1, 8), "N", "the first N of the icon stream's 8 tasks", defaults.tasks),
  steps: flag(whole(1), "N", "steps a task", defaults.steps),
  batch: flag(whole(1, 65536), "N", "images a step", defaults.batch),
  rank: flag(whole(1, 4096), "N", "rank of every adapter before pruning", defaults.rank),
  lr: flag(positive(10), "X", "peak learning rate", defaults.lr),
  seed: flag(whole(0), "N", "seed of all that is random", defaults.seed),
};

const compose = ({ model: folderOfModel, out, tasks, seed, ...options }: Values<typeof table>): TE.TaskEither<Failure, { readonly interrupted: boolean }> =>
  pipe(
    out === defaults.out ? TE.right(undefined) : freeFolder(out),
    TE.chain(() => model.readModelAs(model.clip, folderOfModel)),
    TE.chain((clip) =>
      session(
        out,
        seed,
        "fail",
      )(({ runtime, folder }) => {
        const stream = iconStream(clip.config.vision.imageSize, { tasks });
        return pipe(
          runMethod(composed(options), learner(clip), stream)(runtime),
          TE.chainFirst(({ result }) => formats.writeText(join(folder, "report.html"), htmlReport([result]))),
        );
      }),
    ),
    TE.map(({ result, interrupted }) => {
      process.stdout.write(
        `\n${textTable([result], process.stdout.columns)}\n\nThe accuracy matrix and the ranks of every module: ${join(out, "report.html")}\n`,
      );
      return { interrupted };
    }),
  );

// A notebook or a test that imports the method runs nothing.
const [, called] = process.argv;
if (called !== undefined && existsSync(called) && realpathSync(called) === fileURLToPath(import.meta.url)) {
  await script("npm run compose -- [flags]    (or: deno task compose …)", table, process.argv.slice(2), compose);
}
