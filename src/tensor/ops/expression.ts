/** The operation of an expression: what is computed of tensors element by element. */
import { elementwiseLaunches, type ElementType, type Meeting } from "../../kernels/elementwise.ts";
import { valuesOf, type Expression } from "../../kernels/expression.ts";
import { applyAll, check, show, size, type Node, type Shape, type Tensor, type Vjp } from "../tensor.ts";

/** What is computed element by element, for rewrites that look at neighbours: the operation's inputs are the operands of the expression. */
export interface Computation {
  readonly expression: Expression;
  readonly meetings: readonly Meeting[];
}

/** An operand of an expression, and how it meets the result. */
export type ComputedOf = readonly [operand: Tensor, meeting: Meeting];

/**
 * The results of an expression, each of the given shape. Without a gradient, as passes make them, operands and results may be stored as f16; the kernel then
 * needs `shader-f16`.
 */
export const computeAll = (
  name: string,
  expression: Expression,
  operands: readonly ComputedOf[],
  shape: Shape,
  vjp?: Vjp,
  results: readonly ElementType[] = valuesOf(expression).map(() => "f32"),
): readonly Tensor[] => {
  const half = vjp && operands.find(([{ dtype }]) => dtype === "f16");
  check(half === undefined, name, () => `${show(half![0])} must be widened first`);
  const meetings = operands.map(([, meeting]) => meeting);
  const computation: Computation = { expression, meetings };
  const types = { operands: operands.map(([{ dtype }]) => (dtype === "f16" ? dtype : "f32")), results } as const;
  return applyAll(
    {
      name,
      cheap: true,
      attributes: { ...computation },
      halves: {
        inputs: operands.map(() => true),
        outputs: results.map(() => true),
        of: (inputs, types) => {
          const moved = inputs.map((input, j) => [input, meetings[j]] as const);
          return computeAll(name, expression, moved, shape, undefined, types as readonly ElementType[]);
        },
      },
      sameElements: meetings.flatMap((meeting, j) => (meeting === "same" ? [j] : [])),
      lower: (bounds, over) => elementwiseLaunches(bounds, expression, meetings, size(shape), types, over),
      vjp,
    },
    operands.map(([operand]) => operand),
    results.map((dtype) => ({ shape, dtype })),
  );
};

/** The result of an expression of one value. */
export const compute = (name: string, expression: Expression, operands: readonly ComputedOf[], shape: Shape, vjp?: Vjp): Tensor =>
  computeAll(name, expression, operands, shape, vjp)[0];

/** What a node computes element by element; undefined where it does something else. */
export const computationOf = (node: Node): Computation | undefined =>
  node.kind === "apply" && node.op.attributes?.expression !== undefined ? (node.op.attributes as unknown as Computation) : undefined;
