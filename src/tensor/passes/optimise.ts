/** All passes, in their order. */
import type { Bounds } from "../../kernels/bounds.ts";
import type { Program } from "../program.ts";
import { fusedAttention } from "./attention.ts";
import { elementwiseChains } from "./chains.ts";
import { productEpilogues } from "./epilogues.ts";
import { readHalves } from "./halves.ts";
import { savedInHalves } from "./mixed.ts";
import type { Pass } from "./pass.ts";
import { recompute } from "./recompute.ts";
import { residualGradients } from "./residuals.ts";
import { sharedLayers } from "./layers.ts";
import { sharedInputs } from "./sharing.ts";
import { sharedSplits } from "./splits.ts";
import { sharedSums } from "./sums.ts";
import { thinGradients } from "./thin.ts";

const passes: readonly Pass[] = [
  // First: it is found by what was traced, and recomputation then knows what is left of it.
  fusedAttention,
  // Before what fuses operations: it chooses among them as they were written.
  recompute,
  // After these, which say what the backward pass reads; before what fuses, which keeps the types that it finds.
  savedInHalves,
  readHalves,
  // Before products compute sums: it changes what is summed.
  thinGradients,
  // Before chains: what a product computes is no launch at all.
  productEpilogues,
  // After products have computed what is summed.
  sharedSums,
  // After these, too: products that share an input share what they compute of it, and have what is summed lie where it is.
  sharedInputs,
  // After products, which add without another text of a kernel of rows.
  residualGradients,
  // After products that are computed together, whose parts are one tensor.
  sharedSplits,
  // After that, which takes those with long sums.
  sharedLayers,
  // Last: whatever is element-wise then has a launch of its own.
  elementwiseChains,
];

/** The program as it runs on a device: with the same results, in fewer launches. */
export const optimise = (program: Program, bounds: Bounds): Program => passes.reduce((rewritten, pass) => pass(rewritten, bounds), program);
