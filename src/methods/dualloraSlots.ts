/**
 * The slots of DualLoRA's memory (arXiv 2411.00623; a reconstruction, METHODS.md D).
 *
 * Every task adds directions Ψ to the remembered bases: its slot. A slot may get a residual adapter, whose A spans its leading directions, and which is
 * never merged.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Learner, Lesson, WithAdapters, WithBatches, WithDirections } from "../stages/index.ts";
import { linalg, model, subspace, tensor, type adapter, type formats } from "./vocabulary.ts";

/** A residual adapter by layer: B [out, r], and A [r, in] where it is not the leading directions of its slot, which are remembered already. */
export type ResidualAdapter = ReadonlyMap<string, { readonly A?: formats.HostTensor; readonly B: formats.HostTensor }>;

/** What a task left behind. */
export interface Slot {
  /** The task's position in the stream; where an older version kept the slot, its place among the slots. */
  readonly position?: number;
  /** Its columns of the remembered bases, by layer: `from` up to, but without, `to`. */
  readonly columns: ReadonlyMap<string, { readonly from: number; readonly to: number }>;
  /** The mean share of its own images' energy in its directions, by layer. */
  readonly normaliser: ReadonlyMap<string, number>;
  readonly residual?: ResidualAdapter;
}

/** All slots, and a residual adapter that waits for the slot of its task. */
interface Slots {
  readonly all: readonly Slot[];
  readonly pending?: ResidualAdapter;
}

const slots = model.branchMemory<Slots>("slots", { all: [] });

/** The slots that a learner remembers, in the order of their tasks. */
export const slotsOf = (learner: Pick<Learner, "memory">): readonly Slot[] => slots.of(learner).all;

/** The directions of a slot in one layer, whose basis is given. */
export const slotDirections = (basis: linalg.Basis | undefined, slot: Slot, layer: string): readonly Float32Array[] => {
  const { from, to } = slot.columns.get(layer) ?? { from: 0, to: 0 };
  return (basis?.columns ?? []).slice(from, to);
};

/** The first `count` directions as the rows of a matrix [count, d]; rows beyond them are zero. */
export const leadingRows = (directions: readonly Float32Array[], count: number, d: number): formats.HostTensor => {
  const data = new Float32Array(count * d);
  directions.slice(0, count).forEach((row, i) => data.set(row, i * d));
  return { shape: [count, d], data };
};

/** Where a task's residual adapter acts: on the directions of the task before, or on its own (METHODS.md D.3). */
export type SlotChoice = "previous" | "current";

/** Options of {@link residualDirections}. */
export interface ResidualDirectionsOptions extends subspace.InputOptions {
  readonly rank: number;
  readonly slot: SlotChoice;
  /** For `current`: the share of the features that the bases are to hold. */
  readonly energy: subspace.EnergyThreshold;
}

/**
 * Chooses what the task's residual adapter acts on: the leading directions that the task before contributed, or those that this task's inputs have outside of
 * the remembered bases. None at the first task where they would be those of the one before.
 */
export const residualDirections = <L extends Lesson & WithBatches>({
  rank,
  slot,
  energy,
  ...inputs
}: ResidualDirectionsOptions): subspace.TaskProjection<L, L & WithDirections> => ({
  scale: "task",
  name: "residualDirections",
  options: { rank, slot, ...subspace.describeInputs(inputs), energy: { [energy.name]: energy.options } },
  run: (lesson) => {
    const { learner } = lesson;
    const before = subspace.remembered(learner);
    const layers = model.layersOf(model.networkOf(learner.model), inputs);
    const withDirections = (columns: (layer: string) => readonly Float32Array[]): L & WithDirections => {
      const rows = layers.map(({ name, in: d }) => [name, { A: leadingRows(columns(name), Math.min(rank, columns(name).length), d) }] as const);
      return { ...lesson, directions: new Map(rows) satisfies adapter.Directions };
    };
    if (slot === "previous") {
      const last = slotsOf(learner).at(-1);
      return RTE.of(withDirections((layer) => (last === undefined ? [] : slotDirections(before.get(layer), last, layer))));
    }
    return pipe(
      subspace.inputGrams(lesson, inputs),
      RTE.chainEitherK((grams) => subspace.extended(before, grams, energy, lesson)),
      RTE.map((after) => withDirections((layer) => after.get(layer)!.columns.slice(before.get(layer)?.columns.length ?? 0))),
    );
  },
});

/** Keeps the trained residual adapter of parallel adapters, for the slot that it was made for. Stands between `adapt` and `merge`. */
export const keepResidual = <L extends Lesson & WithAdapters<"residual.A" | "residual.B">>(slot: SlotChoice): subspace.TaskProjection<L, L> => ({
  scale: "task",
  name: "keepResidual",
  options: { slot },
  run: (lesson) => {
    const { learner, adapters } = lesson;
    const layouts = adapters.adapter.layouts(model.networkOf(learner.model));
    const entries = (group: "residual.A" | "residual.B") => tensor.unflatten(layouts[group], adapters.values[group]);
    const rows = entries("residual.A");
    const residual: ResidualAdapter = new Map([...entries("residual.B")].map(([name, B]) => [name, slot === "current" ? { A: rows.get(name)!, B } : { B }]));
    const all = slotsOf(learner);
    if (slot === "current") return RTE.of({ ...lesson, learner: slots.keep(learner, { all, pending: residual }) });
    // The first task has no slot before it, and its residual adapter has learned nothing.
    const filled = all.map((s, i) => (i === all.length - 1 ? { ...s, residual } : s));
    return RTE.of({ ...lesson, learner: slots.keep(learner, { all: filled }) });
  },
});

/** Options of {@link addSlot}. */
export interface AddSlotOptions extends subspace.InputOptions {
  readonly energy: subspace.EnergyThreshold;
}

/** The slot of the columns by which bases have grown. */
const newSlot = (position: number, before: subspace.Bases, after: subspace.Bases, grams: subspace.Grams, residual: ResidualAdapter | undefined): Slot => {
  const span = (name: string) => ({ from: before.get(name)?.columns.length ?? 0, to: after.get(name)!.columns.length });
  return {
    position,
    columns: new Map([...grams.keys()].map((name) => [name, span(name)])),
    normaliser: new Map([...grams].map(([name, gram]) => [name, linalg.energyShare(gram, after.get(name)!.columns.slice(span(name).from))])),
    ...(residual === undefined ? {} : { residual }),
  };
};

/**
 * Extends the remembered bases by the task's features under the merged model, and remembers what is new as the task's slot (METHODS.md D.3). Stands
 * behind `merge`.
 */
export const addSlot = <L extends Lesson & WithBatches>({ energy, ...inputs }: AddSlotOptions): subspace.TaskProjection<L, L> => ({
  scale: "task",
  name: "addSlot",
  options: { ...subspace.describeInputs(inputs), energy: { [energy.name]: energy.options } },
  run: (lesson) => {
    const { learner, position } = lesson;
    const before = subspace.remembered(learner);
    const grown = (grams: subspace.Grams) =>
      pipe(
        subspace.extended(before, grams, energy, lesson),
        E.map((after) => {
          const { all, pending } = slots.of(learner);
          const longer = { all: [...all, newSlot(position, before, after, grams, pending)] };
          return { ...lesson, learner: slots.keep(subspace.remember(learner, after), longer) };
        }),
      );
    return pipe(subspace.inputGrams(lesson, inputs), RTE.chainEitherK(grown));
  },
});
