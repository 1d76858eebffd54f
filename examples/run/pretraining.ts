/** Pre-training: all parameters of a model by one objective. It can be stopped, and goes on from what it keeps to the same bits. */
import { rm } from "node:fs/promises";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { exists } from "../../src/formats/files.ts";
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from "../../src/formats/safetensors.ts";
import { allParameters } from "../../src/model/adapters/inFull.ts";
import { mergeUpdate } from "../../src/model/adapters/update.ts";
import { networkOf, type Model } from "../../src/model/model.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import type { Training } from "../../src/training/keeper.ts";
import type { Objective, OutputNeed } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { cosine } from "../../src/training/schedule.ts";
import { train } from "../../src/training/train.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";

/** Options of {@link pretrained}. */
export interface PretrainingOptions {
  /** The file that keeps the state of the training while it goes on. */
  readonly state: string;
  readonly batches: TrainingBatches;
  readonly objective: Objective<OutputNeed>;
  /** Peak of the learning rate, which rises for 100 steps and falls by a cosine. */
  readonly lr: number;
}

const save =
  (path: string) =>
  ({ step, values, moments }: Training<"weights">): TE.TaskEither<Failure, void> =>
    writeSafetensors(path, new Map([...Object.entries(values), ...Object.entries(moments)].map(([name, data]) => [name, { shape: [data.length], data }])), {
      metadata: { step: String(step) },
    });

const resume = (path: string): TE.TaskEither<Failure, Training<"weights">> =>
  pipe(
    TE.Do,
    TE.bind("metadata", () => readSafetensorsMetadata(path)),
    TE.bind("tensors", () => readSafetensors(path)),
    TE.map(({ metadata, tensors }) => ({
      step: Number(metadata.step),
      values: { weights: tensors.get("weights")!.data },
      moments: Object.fromEntries([...tensors].filter(([name]) => name !== "weights").map(([name, { data }]) => [name, data])),
    })),
  );

/** The model with all its parameters trained by AdamW, from its own values or from what an earlier training has kept. Prints the loss as it goes on. */
export const pretrained =
  <M extends Model>(model: M, { state, batches, objective, lr }: PretrainingOptions) =>
  (runtime: Runtime): TE.TaskEither<Failure, M> =>
  async () => {
    const began = Date.now();
    const [net, adapter] = [networkOf(model), allParameters()];
    const fresh: Training<"weights"> = { step: 0, values: adapter.initial(net, model.weights, runtime.seed, 0), moments: {} };
    const from = (await exists(state)) ? await resume(state)() : E.right(fresh);
    if (E.isLeft(from)) return from;
    console.log(`${batches.steps} steps of ${batches.shape.images}, from step ${from.right.step}`);
    const trained = await train({
      model,
      adapter,
      from: from.right,
      batches,
      steps: repeat(batches.steps, gradient(objective), update(adamW({ lr: cosine(lr, { warmup: 100 }), betas: [0.9, 0.98], weightDecay: 0.02 }))),
      onSteps: (first, losses) => {
        const mean = losses.reduce((s, l) => s + l.loss, 0) / losses.length;
        console.log(`step ${first + losses.length}/${batches.steps}  loss ${mean.toFixed(4)}  ${((Date.now() - began) / 1000).toFixed(0)} s`);
      },
      checkpoint: { every: 100, save: save(state) },
    })(runtime)();
    if (E.isLeft(trained)) return trained;
    await rm(state, { force: true });
    return E.right(mergeUpdate(model, adapter.update(net, trained.right.values)));
  };
