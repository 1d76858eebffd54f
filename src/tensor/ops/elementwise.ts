/**
 * Element-wise operations. Binary ones broadcast their second operand: its shape is the first one's with leading dimensions left out or
 * equal to one, trailing ones equal to one, and those of one gap between: [n, 1, r] or [r] meet [n, l, r].
 */
import { oneStep, type ElementFunction, type Expression } from "../../kernels/expression.ts";
import { broadcastPattern } from "../../kernels/pattern.ts";
import { check, sameShape, show, type Shape, type Tensor } from "../tensor.ts";
import { compute, computeAll } from "./expression.ts";
import { sumTo } from "./reduce.ts";

/** A tensor of one repeated value. */
export const constant = (value: number, shape: Shape): Tensor => compute("constant", oneStep("constant", [value]), [], shape);

/** `f(x)`, element by element; `vjp` gives the gradient of x. */
const map = (fn: ElementFunction, x: Tensor, vjp?: (x: Tensor, y: Tensor, dy: Tensor) => Tensor, constants?: readonly number[]): Tensor =>
  compute(fn, oneStep(fn, constants), [[x, "same"]], x.shape, vjp && (([y], [dy]) => [dy && vjp(x, y, dy)]));

/** `alpha * x + beta`. */
export const affine = (x: Tensor, alpha: number, beta = 0): Tensor => map("affine", x, (_, __, dy) => scale(dy, alpha), [alpha, beta]);
/** `alpha x`. */
export const scale = (x: Tensor, alpha: number): Tensor => (alpha === 1 ? x : affine(x, alpha));
/** `eˣ`, element by element. */
export const exp = (x: Tensor): Tensor => map("exp", x, (_, y, dy) => mul(dy, y));
/** The natural logarithm, element by element. */
export const log = (x: Tensor): Tensor => map("log", x, (a, _, dy) => div(dy, a));
/** The square root, element by element. */
export const sqrt = (x: Tensor): Tensor => map("sqrt", x, (_, y, dy) => div(scale(dy, 0.5), y));
/** `x²`, element by element. */
export const square = (x: Tensor): Tensor => map("square", x, (a, _, dy) => scale(mul(dy, a), 2));
/** `|x|`, element by element; its derivative at 0 is 0. */
export const abs = (x: Tensor): Tensor => map("abs", x, (a, _, dy) => mul(dy, map("sign", a)));
/** 1 where x is at least `least`, else 0, element by element; no gradient flows to x. */
export const atLeast = (x: Tensor, least: number): Tensor => {
  const steps = [
    { fn: "affine", of: [0], constants: [-1, least] },
    { fn: "sign", of: [1] },
    { fn: "constant", of: [], constants: [0] },
    { fn: "max", of: [2, 3] },
    { fn: "affine", of: [4], constants: [-1, 1] },
  ] as const;
  return compute("atLeast", { operands: 1, steps }, [[x, "same"]], x.shape, () => []);
};
/** `1 / (1 + e⁻ˣ)`, element by element. */
export const sigmoid = (x: Tensor): Tensor => map("sigmoid", x, (_, y, dy) => mul(dy, mul(y, affine(y, -1, 1))));
/** `dy f'(x)`, for an f whose slope is a function of its own. */
const slope = (fn: "silu" | "gelu", x: Tensor, dy: Tensor): Tensor => {
  const steps = [
    { fn: `${fn}Slope`, of: [0] },
    { fn: "mul", of: [1, 2] },
  ] as const;
  return compute(
    `${fn} (gradient)`,
    { operands: 2, steps },
    [
      [x, "same"],
      [dy, "same"],
    ],
    x.shape,
  );
};
/** `x · sigmoid(1.702 x)`, the activation of OpenAI's CLIP. */
export const quickGelu = (x: Tensor): Tensor =>
  map("quickGelu", x, (a, _, dy) =>
    compute(
      "quickGelu (gradient)",
      oneStep("quickGeluGrad"),
      [
        [a, "same"],
        [dy, "same"],
      ],
      a.shape,
    ),
  );
/** `x · sigmoid(x)`, element by element. */
export const silu = (x: Tensor): Tensor => map("silu", x, (a, _, dy) => slope("silu", a, dy));
/** The exact gelu, `x · Φ(x)`. */
export const gelu = (x: Tensor): Tensor => map("gelu", x, (a, _, dy) => slope("gelu", a, dy));

type BinaryVjp = (a: Tensor, b: Tensor, y: Tensor, dy: Tensor, needed: readonly boolean[]) => readonly [Tensor | undefined, Tensor | undefined];

const zip = (name: string, expression: Expression, a: Tensor, b: Tensor, vjp: BinaryVjp): Tensor => {
  const at = sameShape(a.shape, b.shape) ? "same" : broadcastPattern(a.shape, b.shape);
  check(at !== undefined, name, () => `${show(b)} does not broadcast to ${show(a)}`);
  const meeting = at!;
  return compute(
    name,
    expression,
    [
      [a, "same"],
      [b, meeting],
    ],
    a.shape,
    ([y], [dy], needed) => {
      if (dy === undefined) return [];
      const [da, db] = vjp(a, b, y, dy, needed);
      return [da, db && (meeting === "same" ? db : sumTo(db, meeting, b.shape))];
    },
  );
};

/** `a + b`; `b` broadcasts where its dimensions other than 1 are a run of those of `a`, with one gap at most. */
export const add = (a: Tensor, b: Tensor): Tensor => zip("add", oneStep("add"), a, b, (_, __, ___, dy) => [dy, dy]);
/** `a - b`; `b` broadcasts where its dimensions other than 1 are a run of those of `a`, with one gap at most. */
export const sub = (a: Tensor, b: Tensor): Tensor => zip("sub", oneStep("sub"), a, b, (_, __, ___, dy, [, db]) => [dy, db ? scale(dy, -1) : undefined]);
/** `a b`, element by element; `b` broadcasts as in {@link add}. */
export const mul = (a: Tensor, b: Tensor): Tensor =>
  zip("mul", oneStep("mul"), a, b, (x, y, _, dy, [da, db]) => [da ? mul(dy, y) : undefined, db ? mul(dy, x) : undefined]);
/** `a / b`, element by element; `b` broadcasts as in {@link add}. */
export const div = (a: Tensor, b: Tensor): Tensor =>
  zip("div", oneStep("div"), a, b, (_, d, y, dy, [da, db]) => [da ? div(dy, d) : undefined, db ? scale(div(mul(dy, y), d), -1) : undefined]);
/** The larger of `a` and `b`, element by element; `b` broadcasts as in {@link add}. Of equals both get half of the gradient. */
export const max = (a: Tensor, b: Tensor): Tensor =>
  zip("max", oneStep("max"), a, b, (x, y, _, dy, [da, db]) => {
    const sign = map("sign", sub(x, y));
    return [da ? mul(dy, affine(sign, 0.5, 0.5)) : undefined, db ? mul(dy, affine(sign, -0.5, 0.5)) : undefined];
  });

/** The steps of {@link swiglu}'s gradients: of dy, gate and up the gradients of gate and up. */
const swigluGradients: Expression = {
  operands: 3,
  steps: [
    { fn: "mul", of: [0, 2] },
    { fn: "siluSlope", of: [1] },
    { fn: "mul", of: [3, 4] },
    { fn: "silu", of: [1] },
    { fn: "mul", of: [0, 6] },
  ],
  values: [5, 7],
};

/** `silu(gate) · up`, element by element: what is between the linear layers of a gated MLP (Shazeer, 2020). Both have one shape. */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => {
  check(sameShape(gate.shape, up.shape), "swiglu", () => `gate ${show(gate)} and up ${show(up)}`);
  const steps = [
    { fn: "silu", of: [0] },
    { fn: "mul", of: [2, 1] },
  ] as const;
  return zip("swiglu", { operands: 2, steps }, gate, up, (g, u, _, dy) => {
    const [dgate, dup] = computeAll(
      "swiglu (gradient)",
      swigluGradients,
      [
        [dy, "same"],
        [g, "same"],
        [u, "same"],
      ],
      g.shape,
    );
    return [dgate, dup];
  });
};
