/**
 * An activation that alone reads a matrix product becomes the product's epilogue: one kernel less, and the product before the activation is never written.
 * While training, the activation's gradient reads it too, and nothing is rewritten.
 */
import { withActivation } from "../ops/matmul.ts";
import { outputsOf, rewrite, type Pass, type Rule } from "./pass.ts";

const activations: Readonly<Record<string, "quickGelu" | "gelu">> = { QUICK_GELU: "quickGelu", GELU: "gelu" };

const rule: Rule = (node, traced, graph) => {
  if (node.kind !== "apply" || traced.kind !== "apply") return undefined;
  const activation = activations[String(node.op.attributes?.fn)];
  const source = traced.inputs[0]?.node;
  if (activation === undefined || graph.readers(source).length !== 1 || graph.isResult(source)) return undefined;
  const fused = withActivation(node.inputs[0].node, activation);
  return fused && outputsOf(fused);
};

/** Puts activations into the epilogues of products. */
export const activationEpilogue: Pass = (program) => rewrite(program, rule);
