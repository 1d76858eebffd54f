/**
 * Residual adapters and their dynamic memory (DualLoRA, arXiv 2411.00623; a reconstruction, METHODS.md D).
 *
 * Every task adds directions Ψ to the remembered bases, a slot. A slot may get a residual adapter, whose A spans its leading directions, and which is never
 * merged: at inference its output is weighted by the share of an image's energy that lies in the slot.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import { emptyBasis, energyShare, matrixOf, type Basis } from "../linalg/linalg.ts";
import type { Directions } from "../model/adapters/lowRank.ts";
import { networkOf } from "../model/model.ts";
import { layersOf, type Layer, type LayerChoice, type Network } from "../model/network.ts";
import type { Scope } from "../model/scope.ts";
import { unflatten } from "../tensor/layout.ts";
import { add, affine, constant, div, mul, scale, square } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { slice } from "../tensor/ops/window.ts";
import { detach, reshape, type Tensor } from "../tensor/tensor.ts";
import { extended, remember, remembered, type EnergyThreshold } from "../subspace/bases.ts";
import type { Branch } from "../model/branch.ts";
import type { Calibration } from "../stages/evaluate.ts";
import { inputGrams, describeInputs, type Grams, type InputOptions } from "../subspace/inputs.ts";
import type { Learner } from "../model/learner.ts";
import type { Lesson, WithAdapters, WithBatches, WithDirections } from "../training/lesson.ts";
import { memory } from "../model/memory.ts";
import type { TaskProjection } from "../subspace/projection.ts";
import type { Runtime } from "../training/runtime.ts";

/** A residual adapter by module: B [out, r], and A [r, in] where it is not the leading directions of its slot, which are remembered already. */
type Residual = ReadonlyMap<string, { readonly A?: HostTensor; readonly B: HostTensor }>;

/** What a task left behind. */
interface Slot {
  /** Its columns of the remembered bases, by module: `from` up to, but without, `to`. */
  readonly columns: ReadonlyMap<string, { readonly from: number; readonly to: number }>;
  /** The mean share of its own images' energy in its directions, by module. */
  readonly normaliser: ReadonlyMap<string, number>;
  readonly residual?: Residual;
}

/** All slots, and a residual adapter that waits for the slot of its task. */
interface Slots {
  readonly all: readonly Slot[];
  readonly pending?: Residual;
}

const kept = memory<Slots>("slots", { all: [] });

/** The number of slots that a learner remembers. */
export const slotsOf = (learner: Pick<Learner, "memory">): number => kept.of(learner).all.length;

/** The directions of a slot in one module, whose basis is given. */
const directionsOf = (basis: Basis | undefined, slot: Slot, name: string): readonly Float32Array[] => {
  const { from, to } = slot.columns.get(name) ?? { from: 0, to: 0 };
  return (basis?.columns ?? []).slice(from, to);
};

/** Where a task's residual adapter acts: on the directions of the task before, or on its own (METHODS.md D.3). */
export type SlotChoice = "previous" | "current";

/** Options of {@link residualDirections}. */
export interface ResidualDirectionsOptions extends InputOptions {
  readonly rank: number;
  readonly slot: SlotChoice;
  /** For `current`: the share of the features that the bases are to hold. */
  readonly energy: EnergyThreshold;
}

/** The first `count` directions as the rows of a matrix [count, d]; rows beyond them are zero. */
const leading = (directions: readonly Float32Array[], count: number, d: number): HostTensor => {
  const data = new Float32Array(count * d);
  directions.slice(0, count).forEach((row, i) => data.set(row, i * d));
  return { shape: [count, d], data };
};

/**
 * Chooses what the task's residual adapter acts on: the leading directions that the task before contributed, or those that this task's inputs have outside of
 * the remembered bases. None at the first task where they would be those of the one before.
 */
export const residualDirections = <L extends Lesson & WithBatches>({
  rank,
  slot,
  energy,
  ...inputs
}: ResidualDirectionsOptions): TaskProjection<L, L & WithDirections> => ({
  scale: "task",
  name: "residualDirections",
  options: { rank, slot, ...describeInputs(inputs), energy: { [energy.name]: energy.options } },
  run: (lesson): RTE.ReaderTaskEither<Runtime, Failure, L & WithDirections> => {
    const { learner, position, stream } = lesson;
    const before = remembered(learner);
    const all = layersOf(networkOf(learner.model), inputs);
    const chosen = (columns: (name: string) => readonly Float32Array[]): Directions =>
      new Map(all.map(({ name, in: d }) => [name, { A: leading(columns(name), Math.min(rank, columns(name).length), d) }]));
    const last = kept.of(learner).all.at(-1);
    if (slot === "previous") {
      return RTE.of({ ...lesson, directions: chosen((name) => (last === undefined ? [] : directionsOf(before.get(name), last, name))) });
    }
    return pipe(
      inputGrams(lesson, inputs),
      RTE.chainEitherK((grams) => extended(before, grams, energy.of(position, stream.tasks.length))),
      RTE.map((after) => ({
        ...lesson,
        directions: chosen((name) => after.get(name)!.columns.slice(before.get(name)?.columns.length ?? 0)),
      })),
    );
  },
});

/** Keeps the trained residual adapter of parallel adapters, for the slot that it was made for. Stands between `adapt` and `merge`. */
export const keepResidual = <L extends Lesson & WithAdapters<"residual.A" | "residual.B">>(slot: SlotChoice): TaskProjection<L, L> => ({
  scale: "task",
  name: "keepResidual",
  options: { slot },
  run: (lesson) => {
    const {
      learner,
      adapters: { adapter, values },
    } = lesson;
    const layouts = adapter.layouts(networkOf(learner.model)) as Readonly<Record<"residual.A" | "residual.B", Parameters<typeof unflatten>[0]>>;
    const [a, b] = [unflatten(layouts["residual.A"], values["residual.A"]), unflatten(layouts["residual.B"], values["residual.B"])];
    const { all } = kept.of(learner);
    const residual: Residual = new Map([...b].map(([name, B]) => [name, slot === "current" ? { A: a.get(name)!, B } : { B }]));
    if (slot === "current") return RTE.of({ ...lesson, learner: kept.keep(learner, { all, pending: residual }) });
    // The first task has no slot before it, and its residual adapter has learned nothing.
    const given = all.map((s, i) => (i === all.length - 1 ? { ...s, residual } : s));
    return RTE.of({ ...lesson, learner: kept.keep(learner, { all: given }) });
  },
});

/** Options of {@link addSlot}. */
export interface AddSlotOptions extends InputOptions {
  readonly energy: EnergyThreshold;
}

/**
 * Extends the remembered bases by the task's features under the merged model, and remembers what is new as the task's slot (METHODS.md D.3). Stands
 * behind `merge`.
 */
export const addSlot = <L extends Lesson & WithBatches>({ energy, ...inputs }: AddSlotOptions): TaskProjection<L, L> => ({
  scale: "task",
  name: "addSlot",
  options: { ...describeInputs(inputs), energy: { [energy.name]: energy.options } },
  run: (lesson) => {
    const { learner, position, stream } = lesson;
    const before = remembered(learner);
    return pipe(
      inputGrams(lesson, inputs),
      RTE.chainEitherK((grams: Grams) =>
        pipe(
          extended(before, grams, energy.of(position, stream.tasks.length)),
          E.map((after) => {
            const { all, pending } = kept.of(learner);
            const span = (name: string) => ({ from: before.get(name)?.columns.length ?? 0, to: after.get(name)!.columns.length });
            const slot: Slot = {
              columns: new Map([...grams.keys()].map((name) => [name, span(name)])),
              normaliser: new Map([...grams].map(([name, gram]) => [name, energyShare(gram, after.get(name)!.columns.slice(span(name).from))])),
              ...(pending === undefined ? {} : { residual: pending }),
            };
            return { ...lesson, learner: kept.keep(remember(learner, after), { all: [...all, slot] }) };
          }),
        ),
      ),
    );
  },
});

/** How residual adapters are weighted by the shares s of an image's energy in their slots. */
export type SlotWeights = "share" | "raw" | "softmax";

/** Options of {@link residual}. */
export interface ResidualOptions {
  readonly modules: LayerChoice["modules"];
  readonly towers: LayerChoice["towers"];
  /** `share`: s / Σ s. `raw`: s. `softmax`: softmax(s / 0.1). Default `share`. */
  readonly weights?: SlotWeights;
}

/** Keeps a quotient finite where an image has no energy, or none in any slot. */
const guard = 1e-6;
const softmaxTemperature = 0.1;

/** The name under which {@link residual} notes the mean over modules of every slot's share, divided by that of the slot's own images. */
const scores = "slot scores";

/** [rows, columns] of numbers. */
const matrix = (rows: number, columns: number, at: (row: number, column: number) => number): HostTensor => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)),
});

/** The tensors of one module's residual adapters: Φ, which of its columns are in which slot, all A and B, which of their ranks are in which slot. */
const ofModule = (name: string, basis: Basis, slots: readonly Slot[], count: number): readonly (readonly [string, HostTensor])[] => {
  const within = (column: number, slot: Slot): boolean => {
    const { from, to } = slot.columns.get(name)!;
    return from <= column && column < to;
  };
  const adapters = slots.flatMap((slot, s) => {
    const own = slot.residual?.get(name);
    if (own === undefined) return [];
    return [{ A: own.A ?? leading(directionsOf(basis, slot, name), own.B.shape[1], basis.d), B: own.B, s }];
  });
  const share = (s: number): number => {
    const n = slots[s].normaliser.get(name)!;
    return n > 0 ? 1 / (n * count) : 0;
  };
  const owner = adapters.flatMap(({ A, s }) => Array.from({ length: A.shape[0] }, () => s));
  const rank = owner.length;
  const phi = [
    [`${name} Φ`, matrixOf(basis)],
    [`${name} slots`, matrix(basis.columns.length, slots.length, (column, s) => (within(column, slots[s]) ? 1 : 0))],
    [`${name} scores`, matrix(slots.length, slots.length, (i, j) => (i === j ? share(i) : 0))],
  ] as const;
  if (rank === 0) return phi;
  const out = adapters[0].B.shape[0];
  const all = new Float32Array(out * rank);
  adapters.reduce(
    (
      at,
      {
        B: {
          shape: [, r],
          data,
        },
      },
    ) => {
      data.forEach((x, i) => (all[Math.floor(i / r) * rank + at + (i % r)] = x));
      return at + r;
    },
    0,
  );
  return [
    ...phi,
    [`${name} A`, { shape: [rank, basis.d], data: Float32Array.from(adapters.flatMap(({ A }) => [...A.data])) }],
    [`${name} B`, { shape: [out, rank], data: all }],
    [`${name} ranks`, matrix(slots.length, rank, (s, r) => (owner[r] === s ? 1 : 0))],
  ];
};

/** The shares of images' energy [images, slots] and the weights that follow. */
const sharesOf = (x: Tensor, own: (name: string) => Tensor, name: string, weights: SlotWeights): { readonly s: Tensor; readonly w: Tensor } => {
  const [batch, , width] = x.shape;
  const query = reshape(slice(x, 1, 0, 1), [batch, width]);
  const inSlots = matmul(square(matmul(query, own(`${name} Φ`))), own(`${name} slots`));
  const slots = inSlots.shape[1];
  const energy = affine(matmul(square(query), constant(1, [width, slots])), 1, guard);
  const s = detach(div(inSlots, energy));
  if (weights === "raw") return { s, w: s };
  if (weights === "softmax") return { s, w: softmax(scale(s, 1 / softmaxTemperature)) };
  return { s, w: div(s, affine(matmul(s, constant(1, [slots, slots])), 1, guard)) };
};

/**
 * The residual adapters of all slots, weighted for every image by the class token that enters each module (METHODS.md D.2): s_τ = ‖Ψ_τᵀ x‖² / ‖x‖², through
 * which no gradient flows. Notes the scores of slots that {@link taskPrediction} reads.
 */
export const residual = ({ modules: kinds, towers, weights = "share" }: ResidualOptions): Branch => {
  const present = (learner: Learner, which: (layer: Layer, net: Network) => boolean = () => true): readonly (readonly [string, Basis])[] => {
    const bases = remembered(learner);
    if (slotsOf(learner) === 0) return [];
    const net = networkOf(learner.model);
    return layersOf(net, { modules: kinds, towers })
      .filter((layer) => which(layer, net))
      .map(({ name, in: d }) => [name, bases.get(name) ?? emptyBasis(d)] as const)
      .filter(([, { columns }]) => columns.length > 0);
  };
  /** The layers that have a say in which slot an image belongs to: those that see images. */
  const seeing = (learner: Learner): ReadonlyMap<string, Basis> => new Map(present(learner, ({ tower }, net) => net.towers[tower].inputs.includes("pixels")));
  return {
    name: "residual",
    options: { modules: kinds, towers, weights },
    tensors: (learner): Tensors => {
      const { size } = seeing(learner);
      return new Map(present(learner).flatMap(([name, basis]) => ofModule(name, basis, kept.of(learner).all, size)));
    },
    scope: (learner, base, { own, note }): Scope => {
      const within = new Map(present(learner));
      const scoring = seeing(learner);
      const trained = new Set([...within.keys()].filter((name) => kept.of(learner).all.some((slot) => slot.residual?.has(name))));
      let total: Tensor | undefined;
      return {
        ...base,
        linear: (name, x, ...updates) => {
          if (!within.has(name)) return base.linear(name, x, ...updates);
          const { s, w } = sharesOf(x, own, name, weights);
          if (scoring.has(name)) {
            const scored = matmul(s, own(`${name} scores`));
            total = total === undefined ? scored : add(total, scored);
            note(scores, total);
          }
          if (!trained.has(name)) return base.linear(name, x, ...updates);
          const gates = matmul(w, own(`${name} ranks`));
          const p = mul(matmul(x, own(`${name} A`), { tb: true }), reshape(gates, [x.shape[0], 1, gates.shape[1]]));
          return base.linear(name, x, ...updates, { p, q: own(`${name} B`) });
        },
      };
    },
  };
};

/** Options of {@link taskPrediction}; the defaults are ours (METHODS.md D.5). */
export interface TaskPredictionOptions {
  /** Of the softmax over the scores of slots. Default 0.1. */
  readonly temperature?: number;
  /** The least probability of the likeliest task at which logits are corrected. Default 0.5. */
  readonly confidence?: number;
  /** `soft`: log p of a task is added to the logits of its classes. `hard`: the classes of other learned tasks are out. `off`: nothing. Default `soft`. */
  readonly mode?: "soft" | "hard" | "off";
}

/**
 * Predicts which task an image is of from the scores of the slots, and corrects the logits of the learned tasks' classes where it is confident. Classes of
 * tasks that are not learned yet are left as they are.
 */
export const taskPrediction = ({ temperature = 0.1, confidence = 0.5, mode = "soft" }: TaskPredictionOptions = {}): Calibration => ({
  name: "taskPrediction",
  options: { temperature, confidence, mode },
  of: (learner, notes) => {
    const slots = slotsOf(learner);
    const noted = notes[scores];
    if (noted === undefined || mode === "off") return () => 0;
    return (image, position) => {
      if (position >= slots) return 0;
      const own = noted.subarray(image * slots, (image + 1) * slots);
      const top = Math.max(...own);
      const weights = Array.from(own, (s) => Math.exp((s - top) / temperature));
      const sum = weights.reduce((a, b) => a + b, 0);
      if (1 / sum < confidence) return 0;
      if (mode === "hard") return own[position] === top ? 0 : -Infinity;
      return Math.log(weights[position] / sum + guard);
    };
  },
});
