/** The operation of an expression: what is computed of tensors element by element. */
import { elementwiseLaunches, type Meeting } from "../../kernels/elementwise.ts";
import { valuesOf, type Expression } from "../../kernels/expression.ts";
import { applyAll, floats, size, type Node, type Shape, type Tensor, type Vjp } from "../tensor.ts";

/** What is computed element by element, for rewrites that look at neighbours: the operation's inputs are the operands of the expression. */
export interface Computation {
  readonly expression: Expression;
  readonly meetings: readonly Meeting[];
}

/** An operand of an expression, and how it meets the result. */
export type ComputedOf = readonly [operand: Tensor, meeting: Meeting];

/** The results of an expression, each of the given shape. */
export const computeAll = (name: string, expression: Expression, operands: readonly ComputedOf[], shape: Shape, vjp?: Vjp): readonly Tensor[] => {
  const meetings = operands.map(([, meeting]) => meeting);
  const computation: Computation = { expression, meetings };
  return applyAll(
    { name, cheap: true, attributes: { ...computation }, lower: (bounds) => elementwiseLaunches(bounds, expression, meetings, size(shape)), vjp },
    operands.map(([operand]) => operand),
    valuesOf(expression).map(() => floats(shape)),
  );
};

/** The result of an expression of one value. */
export const compute = (name: string, expression: Expression, operands: readonly ComputedOf[], shape: Shape, vjp?: Vjp): Tensor =>
  computeAll(name, expression, operands, shape, vjp)[0];

/** What a node computes element by element; undefined where it does something else. */
export const computationOf = (node: Node): Computation | undefined =>
  node.kind === "apply" && node.op.attributes?.expression !== undefined ? (node.op.attributes as unknown as Computation) : undefined;
