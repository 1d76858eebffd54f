/**
 * The residual branch of DualLoRA (arXiv 2411.00623; a reconstruction, METHODS.md D.2): the residual adapters of all slots, each weighted for every image by
 * the share of the image's energy that lies in its slot.
 */
import type { Learner } from "../stages/index.ts";
import { linalg, model, subspace, tensor, type formats } from "./vocabulary.ts";
import { leadingRows, slotDirections, slotsOf, type Slot } from "./dualloraSlots.ts";

const { add, affine, constant, detach, div, matmul, reshape, scale, slice, softmax, square } = tensor;
type Tensor = tensor.Tensor;

/** How residual adapters are weighted by the shares s of an image's energy in their slots. */
export type SlotWeights = "share" | "raw" | "softmax";

/** Options of {@link residual}. */
export interface ResidualOptions extends model.LayerChoice {
  /** `share`: s / Σ s. `raw`: s. `softmax`: softmax(s / 0.1). Default `share`. */
  readonly weights?: SlotWeights;
}

/** Keeps a quotient finite where an image has no energy, or none in any slot. */
const guard = 1e-6;
const softmaxTemperature = 0.1;

/** The name under which {@link residual} notes the mean over layers of every slot's share, divided by that of the slot's own images. */
export const slotScores = "slot scores";

/** [rows, columns] of numbers. */
const matrix = (rows: number, columns: number, at: (row: number, column: number) => number): formats.HostTensor => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)),
});

/** The memory of one layer: its basis Φ, which of its columns are in which slot, and what one slot's share adds to the score of its task. */
const memoryTensors = (layer: string, basis: linalg.Basis, slots: readonly Slot[], layers: number): readonly (readonly [string, formats.HostTensor])[] => {
  const within = (column: number, slot: Slot): boolean => {
    const { from, to } = slot.columns.get(layer)!;
    return from <= column && column < to;
  };
  const score = (slot: Slot): number => {
    const normaliser = slot.normaliser.get(layer)!;
    return normaliser > 0 ? 1 / (normaliser * layers) : 0;
  };
  return [
    [`${layer} Φ`, linalg.matrixOf(basis)],
    [`${layer} slots`, matrix(basis.columns.length, slots.length, (column, s) => (within(column, slots[s]) ? 1 : 0))],
    [`${layer} scores`, matrix(slots.length, slots.length, (i, j) => (i === j ? score(slots[i]) : 0))],
  ];
};

/** The residual adapters of all slots in one layer. */
const adaptersIn = (layer: string, basis: linalg.Basis, slots: readonly Slot[]): readonly (model.LayerAdapter | undefined)[] =>
  slots.map((slot) => {
    const trained = slot.residual?.get(layer);
    return trained && { B: trained.B, A: trained.A ?? leadingRows(slotDirections(basis, slot, layer), trained.B.shape[1], basis.d) };
  });

/** The shares of images' energy in slots [images, slots]; no gradient flows through them. */
const slotShares = (x: Tensor, basis: Tensor, columnsInSlots: Tensor): Tensor => {
  const [batch, , width] = x.shape;
  const query = reshape(slice(x, 1, 0, 1), [batch, width]);
  const inSlots = matmul(square(matmul(query, basis)), columnsInSlots);
  const energy = affine(matmul(square(query), constant(1, [width, inSlots.shape[1]])), 1, guard);
  return detach(div(inSlots, energy));
};

/** The weights of residual adapters [images, slots], from the shares of their slots. */
const weightsOf = (shares: Tensor, weights: SlotWeights): Tensor => {
  if (weights === "raw") return shares;
  if (weights === "softmax") return softmax(scale(shares, 1 / softmaxTemperature));
  const slots = shares.shape[1];
  return div(shares, affine(matmul(shares, constant(1, [slots, slots])), 1, guard));
};

/**
 * The residual adapters of all slots, weighted for every image by the class token that enters each layer (METHODS.md D.2): s_τ = ‖Ψ_τᵀ x‖² / ‖x‖², through
 * which no gradient flows. Notes the scores of slots that `taskPrediction` reads.
 */
export const residual = ({ modules, towers, weights = "share" }: ResidualOptions): model.Branch => {
  /** The chosen layers in which something is remembered, with their bases. */
  const remembering = (learner: Learner, which: (layer: model.Layer, net: model.Network) => boolean = () => true): ReadonlyMap<string, linalg.Basis> => {
    const bases = subspace.remembered(learner);
    const net = model.networkOf(learner.model);
    const layers = slotsOf(learner).length === 0 ? [] : model.layersOf(net, { modules, towers }).filter((layer) => which(layer, net));
    return new Map(layers.map(({ name, in: d }) => [name, bases.get(name) ?? linalg.emptyBasis(d)] as const).filter(([, { columns }]) => columns.length > 0));
  };
  /** The layers that have a say in which slot an image belongs to: those that see images. */
  const seeing = (learner: Learner) => remembering(learner, ({ tower }, net) => net.towers[tower].inputs.includes("pixels"));
  return model.banked({
    name: "residual",
    options: { modules, towers, weights },
    adapters: (learner) => {
      const slots = slotsOf(learner);
      return new Map([...remembering(learner)].map(([layer, basis]) => [layer, adaptersIn(layer, basis, slots)] as const));
    },
    tensors: (learner) => {
      const [slots, { size }] = [slotsOf(learner), seeing(learner)];
      return new Map([...remembering(learner)].flatMap(([layer, basis]) => memoryTensors(layer, basis, slots, size)));
    },
    weights: (learner, { tensor: tensorNamed, note }) => {
      const scoring = seeing(learner);
      let total: Tensor | undefined;
      return (layer, x) => {
        const shares = slotShares(x, tensorNamed(`${layer} Φ`), tensorNamed(`${layer} slots`));
        if (scoring.has(layer)) {
          const scored = matmul(shares, tensorNamed(`${layer} scores`));
          total = total === undefined ? scored : add(total, scored);
          note(slotScores, total);
        }
        return (z) => model.weightsOfRanks(weightsOf(shares, weights), tensorNamed(`${layer} ranks`), z);
      };
    },
  });
};
