/** Keeping the adapters of a task in a bank, instead of merging them. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { extendedHead } from "../model/adapters/heads.ts";
import { trainableParameters } from "../model/adapters/adapter.ts";
import { bank } from "../model/bank.ts";
import { networkOf } from "../model/model.ts";
import { unflatten } from "../tensor/layout.ts";
import type { Lesson, Trained, WithAdapters, WithBatches } from "../training/lesson.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/**
 * Keeps the task's trained adapters beside those of earlier tasks, and adds the rows of a head to the learner's. The weights stay as they are: what runs the
 * learner later goes through a branch that is made of the bank (`banked`).
 *
 * ```ts
 * const steps = stage.repeat(10, stage.gradient(objective.matching), stage.update(optimizer.adamW({ lr: schedule.cosine(5e-4) })));
 * const learned = stage.pipeline(stage.adapt({ adapters: adapter.lora({ rank: 4 }), steps }), stage.keepAdapters());
 * assert.deepEqual(stage.manifest(learned).parts!.map(({ name }) => name), ["adapt", "keepAdapters"]);
 * ```
 */
export const keepAdapters = (): TaskStage<Lesson & WithBatches & WithAdapters<"A" | "B">, Lesson & WithBatches & { readonly trained: Trained }> =>
  taskStage("keepAdapters", {}, ({ adapters: { adapter, values }, ...rest }) => () => {
    const { learner } = rest;
    const net = networkOf(learner.model);
    const layouts = adapter.layouts(net);
    const [A, B] = [unflatten(layouts.A, values.A), unflatten(layouts.B, values.B)];
    const own = new Map([...A].map(([layer, rows]) => [layer, { A: rows, B: B.get(layer)! }] as const));
    const head = adapter.head?.(net, values);
    const kept = bank.keep(learner, [...bank.of(learner), own]);
    return TE.right({
      ...rest,
      learner: head === undefined ? kept : { ...kept, head: extendedHead(learner.head, head) },
      trained: { trainableParameters: trainableParameters(adapter, net), ranks: adapter.ranks(net, values) },
    });
  });
