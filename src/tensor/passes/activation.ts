/**
 * An activation that alone reads a matrix product becomes the product's epilogue: one kernel less, and the product before the activation is never written.
 * While training, the activation's gradient reads it too, and nothing is rewritten.
 */
import { computationOf } from "../ops/expression.ts";
import { withActivation } from "../ops/matmul.ts";
import { outputsOf, rewrite, type Pass, type Rule } from "./pass.ts";

const rule: Rule = (node, traced, graph) => {
  if (node.kind !== "apply" || traced.kind !== "apply") return undefined;
  const steps = computationOf(node)?.expression.steps ?? [];
  const activation = steps.length === 1 ? steps[0].fn : undefined;
  const source = traced.inputs[0]?.node;
  if ((activation !== "quickGelu" && activation !== "gelu") || graph.readers(source).length !== 1 || graph.isResult(source)) return undefined;
  const fused = withActivation(node.inputs[0].node, activation);
  return fused && outputsOf(fused);
};

/** Puts activations into the epilogues of products. */
export const activationEpilogue: Pass = (program) => rewrite(program, rule);
