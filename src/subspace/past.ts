/** Directions of past tasks' updates, as they were trained: what later tasks are to keep away from. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { HostTensor } from "../formats/hostTensor.ts";
import { size } from "../tensor/tensor.ts";
import type { Layout } from "../tensor/layout.ts";
import { gained } from "./components.ts";
import type { Learner } from "../model/learner.ts";
import type { Lesson, WithAdapters } from "../training/lesson.ts";
import { memory } from "../model/memory.ts";
import { networkOf } from "../model/model.ts";
import { all, type Selection } from "./selection.ts";
import type { TaskProjection } from "./projection.ts";

/** The directions [n, d] of all past tasks, by layer. */
export type Past = ReadonlyMap<string, HostTensor>;

/** The factor of an update whose directions are meant: the rows of A [r, in], or the columns of B [out, r]. */
export type Factor = "A" | "B";

const places = { A: memory<Past>("past A", new Map()), B: memory<Past>("past B", new Map()) };

/** What a learner remembers of a factor; empty before the first task. */
export const pastOf = (factor: Factor, learner: Pick<Learner, "memory">): Past => places[factor].of(learner);

/** The directions of a factor in one layer, as rows: those of the components whose column of `marks` is 1. */
const directions = (
  factor: Factor,
  layouts: Readonly<Record<Factor, Layout>>,
  { A, B }: Readonly<Record<Factor, Float32Array>>,
  marks: Float32Array,
  layer: number,
): readonly Float32Array[] => {
  const [inA, inB] = [layouts.A.entries[layer], layouts.B.entries[layer]];
  const [out, rank] = inB.shape;
  const width = inA.shape[1];
  const row = (r: number): Float32Array => A.slice(inA.offset + r * width, inA.offset + (r + 1) * width);
  const column = (of: Float32Array, r: number): Float32Array => Float32Array.from({ length: out }, (_, i) => of[inB.offset + i * rank + r]);
  return Array.from({ length: rank }, (_, r) => r)
    .filter((r) => column(marks, r).every((x) => x === 1))
    .map((r) => (factor === "A" ? row(r) : column(B, r)));
};

const joined = (before: HostTensor | undefined, rows: readonly Float32Array[], d: number): HostTensor => {
  const data = new Float32Array((before?.data.length ?? 0) + rows.length * d);
  data.set(before?.data ?? []);
  rows.forEach((row, i) => data.set(row, (before?.data.length ?? 0) + i * d));
  return { shape: [data.length / d, d], data };
};

/**
 * Remembers the directions of a factor of the task's trained adapters beside those of earlier tasks: all of them, or those of the components that a selection
 * keeps (DAC, METHODS.md C.3.2 and C.4). Stands between `adapt` and `merge`.
 */
export const past = <N extends string, L extends Lesson & WithAdapters<Factor | N>>(
  factor: Factor,
  selection: Selection<N> = all as Selection<N>,
): TaskProjection<L, L> => ({
  scale: "task",
  name: "past",
  options: { factor, selection: selection.name },
  run: (lesson) => {
    const { learner, adapters } = lesson;
    const { values } = adapters;
    const layouts: Readonly<Record<Factor | N, Layout>> = adapters.adapter.layouts(networkOf(learner.model)) as never;
    // A selection takes the columns of B that it drops back to their start. In a B of ones, those that it keeps stay 1, whatever was trained.
    const marks = selection.apply(layouts, { ...values, B: values.B.map(() => 1) }).B;
    const before = pastOf(factor, learner);
    const trained = { A: values.A, B: gained(values) };
    const after = layouts[factor].entries.map(({ name, shape }, layer) => {
      const rows = directions(factor, layouts, trained, marks, layer);
      return [name, joined(before.get(name), rows, factor === "A" ? shape[1] : shape[0])] as const;
    });
    return RTE.of({ ...lesson, learner: places[factor].keep(learner, new Map(after.filter(([, { shape }]) => size(shape) > 0))) });
  },
});
