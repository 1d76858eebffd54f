/** The low-rank adapters: LoRA, the gated LoRA of CoDyRA and SoRA, the frozen A of KeepLoRA and InfLoRA, and DAC's pool of experts. */
import type { LayerChoice } from "../network.ts";
import type { Adapter } from "./adapter.ts";
import { lowRank, type Directions, type GateInit, type LowRankGroup, type LowRankOptions } from "./lowRank.ts";
import type { Scale } from "./scale.ts";

/** Options of all low-rank adapters. */
export interface LoraOptions {
  /** Rank of every layer. Default 16. */
  readonly rank?: number;
  /** Kinds of layers. Default: all linear layers of every block. */
  readonly modules?: LayerChoice["modules"];
  /** Default: all. */
  readonly towers?: LayerChoice["towers"];
  /** Of every tower the last so many blocks alone, or all where it has fewer. Default: all. */
  readonly last?: LayerChoice["last"];
  /** The update is scaled by `scale`: CoDyRA uses 1, plain LoRA α/r. Default 1. */
  readonly scale?: Scale;
}

/** A that is chosen, not trained. Where a B is given the update is A (B − B₀), so that the model starts unchanged (KeepLoRA's first form, METHODS.md B.3.3). */
export interface FrozenA {
  readonly directions: Directions;
}

const complete = (options: LoraOptions): LowRankOptions => ({ rank: 16, modules: "all", towers: "all", scale: 1, ...options });

/** Gates from N(mean, deviation²): CoDyRA's start from N(0, 1), and half of them being small is what makes pruning find them (METHODS.md A.3). */
export const normal = (mean: number, deviation: number): GateInit => ({
  name: `normal(${mean}, ${deviation})`,
  draw: ({ normal: n }) => mean + deviation * n(),
});

/** Gates that all start at one value. */
export const constantGate = (value: number): GateInit => ({ name: `constant(${value})`, draw: () => value });

/** The groups of a frozen A: B₀ too, where some B is given. */
const startOf = (directions: Directions): readonly LowRankGroup[] => ([...directions.values()].some(({ B }) => B !== undefined) ? ["B0"] : []);

/**
 * LoRA (arXiv 2106.09685): y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ. Groups: A [r, in], B [out, r]. With `directions` A is given and B alone is
 * trained (KeepLoRA, arXiv 2601.19659; InfLoRA, arXiv 2404.00228).
 */
export function lora(options: LoraOptions & FrozenA): Adapter<"A" | "B", "B">;
export function lora(options?: LoraOptions): Adapter<"A" | "B">;
export function lora({ directions, ...options }: LoraOptions & Partial<FrozenA> = {}): Adapter<any> {
  if (directions === undefined) return lowRank(complete(options), { name: "lora", groups: ["A", "B"], trained: ["A", "B"] });
  return lowRank(complete(options), { name: "lora", groups: ["A", "B", ...startOf(directions)], trained: ["B"], directions });
}

/** Options of {@link gatedLora}. */
export interface GatedLoraOptions extends LoraOptions {
  /** How the gates start. Default `normal(0, 1)`. */
  readonly gate?: GateInit;
}

/**
 * LoRA with a gate for every rank-1 component (CoDyRA, arXiv 2412.01004; METHODS.md A.2): y = x Wᵀ + b + scale · ((x Aᵀ) ⊙ g) Bᵀ.
 * Groups: A [r, in], B [out, r], gate [r]; with `directions` A is given. The effective rank of a layer is the number of its gates that are not zero.
 */
export function gatedLora(options: GatedLoraOptions & FrozenA): Adapter<"A" | "B" | "gate", "B" | "gate">;
export function gatedLora(options?: GatedLoraOptions): Adapter<"A" | "B" | "gate">;
export function gatedLora({ gate = normal(0, 1), directions, ...options }: GatedLoraOptions & Partial<FrozenA> = {}): Adapter<any> {
  const name = "gatedLora";
  if (directions === undefined) return lowRank(complete(options), { name, groups: ["A", "B", "gate"], trained: ["A", "B", "gate"], gate });
  return lowRank(complete(options), { name, groups: ["A", "B", "gate", ...startOf(directions)], trained: ["B", "gate"], directions, gate });
}

/**
 * A LoRA read as r rank-1 experts (DAC, arXiv 2601.22828; METHODS.md C.2): beside A [r, in] and B [out, r] every layer has a router, a linear
 * layer from its input to r scores, and counts [r] of the votes that each expert got. Without a stage that chooses, all experts are active.
 */
export const expertPool = (options: LoraOptions = {}): Adapter<"A" | "B" | "router" | "counts", "A" | "B" | "router"> => {
  const groups = ["A", "B", "router", "counts"] as const;
  return lowRank(complete({ rank: 12, scale: 1 / 12, ...options }), { name: "expertPool", groups, trained: ["A", "B", "router"] }) as Adapter<any, any>;
};
