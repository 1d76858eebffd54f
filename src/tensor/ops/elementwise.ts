/**
 * Element-wise operations. Binary ones broadcast their second operand: its shape is the first one's with leading dimensions left out or
 * equal to one, trailing ones equal to one, and those of one gap between: [n, 1, r] or [r] meet [n, l, r].
 */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { broadcastConstants, broadcastDims, broadcastPattern } from "../../kernels/pattern.ts";
import { windows } from "../../kernels/windows.ts";
import { apply, applyAll, check, floats, sameShape, show, size, type Shape, type Tensor } from "../tensor.ts";
import { sumTo } from "./reduce.ts";

/** A tensor of one repeated value. */
export const constant = (value: number, shape: Shape): Tensor =>
  apply(
    {
      name: "constant",
      lower: (t) => windows(t, size(shape)).map(({ count, cut }) => elementLaunch("fill", { count, value }, [cut(output(0))])),
      attributes: { value },
    },
    [],
    floats(shape),
  );

type Unary = "QUICK_GELU" | "GELU" | "EXP" | "LOG" | "SQRT" | "SQUARE" | "ABS" | "SIGN" | "AFFINE" | "SIGMOID" | "SILU" | "RECIPROCAL";

const map = (fn: Unary, x: Tensor, vjp?: (x: Tensor, y: Tensor, dy: Tensor) => Tensor, alpha = 1, beta = 0): Tensor =>
  apply(
    {
      name: fn.toLowerCase(),
      lower: (t) =>
        windows(t, size(x.shape)).map(({ count, cut }) => elementLaunch("map", { count, alpha, beta }, [cut(input(0)), cut(output(0))], { [fn]: true })),
      vjp: vjp && (([y], [dy]) => [dy && vjp(x, y, dy)]),
      attributes: { fn, alpha, beta },
    },
    [x],
    floats(x.shape),
  );

/** `alpha * x + beta`. */
export const affine = (x: Tensor, alpha: number, beta = 0): Tensor => map("AFFINE", x, (_, __, dy) => scale(dy, alpha), alpha, beta);
/** `alpha x`. */
export const scale = (x: Tensor, alpha: number): Tensor => (alpha === 1 ? x : affine(x, alpha));
/** `eˣ`, element by element. */
export const exp = (x: Tensor): Tensor => map("EXP", x, (_, y, dy) => mul(dy, y));
/** The natural logarithm, element by element. */
export const log = (x: Tensor): Tensor => map("LOG", x, (a, _, dy) => div(dy, a));
/** The square root, element by element. */
export const sqrt = (x: Tensor): Tensor => map("SQRT", x, (_, y, dy) => div(scale(dy, 0.5), y));
/** `x²`, element by element. */
export const square = (x: Tensor): Tensor => map("SQUARE", x, (a, _, dy) => scale(mul(dy, a), 2));
/** `|x|`, element by element; its derivative at 0 is 0. */
export const abs = (x: Tensor): Tensor => map("ABS", x, (a, _, dy) => mul(dy, map("SIGN", a)));
/** `1 / (1 + e⁻ˣ)`, element by element. */
export const sigmoid = (x: Tensor): Tensor => map("SIGMOID", x, (_, y, dy) => mul(dy, mul(y, affine(y, -1, 1))));
/** `x · sigmoid(1.702 x)`, the activation of OpenAI's CLIP. */
export const quickGelu = (x: Tensor): Tensor => map("QUICK_GELU", x, (a, _, dy) => zip("QUICK_GELU_GRAD", a, dy));
/** `x · sigmoid(x)`, element by element. */
export const silu = (x: Tensor): Tensor => map("SILU", x, (a, _, dy) => zip("SILU_GRAD", a, dy));
/** The exact gelu, `x · Φ(x)`. */
export const gelu = (x: Tensor): Tensor => map("GELU", x, (a, _, dy) => zip("GELU_GRAD", a, dy));

type Binary = "ADD" | "SUB" | "MUL" | "DIV" | "MAX" | "QUICK_GELU_GRAD" | "GELU_GRAD" | "SILU_GRAD" | "SWIGLU";
type BinaryVjp = (a: Tensor, b: Tensor, y: Tensor, dy: Tensor, needed: readonly boolean[]) => readonly [Tensor | undefined, Tensor | undefined];

const zip = (fn: Binary, a: Tensor, b: Tensor, vjp?: BinaryVjp): Tensor => {
  const name = fn.toLowerCase();
  const same = sameShape(a.shape, b.shape);
  const pattern = same ? { outer: 1, mod: size(a.shape), div: 1 } : broadcastPattern(a.shape, b.shape);
  check(pattern !== undefined, name, () => `${show(b)} does not broadcast to ${show(a)}`);
  const at = pattern!;
  const dims = broadcastDims(at);
  const elements = size(a.shape);
  return apply(
    {
      name,
      lower: (t) =>
        same
          ? windows(t, elements).map(({ count, cut }) =>
              elementLaunch("zip", { count, ...dims }, [cut(input(0)), cut(input(1)), cut(output(0))], { [fn]: true, SAME: true }),
            )
          : [elementLaunch("zip", { count: elements, ...dims }, [input(0), input(1), output(0)], { ...broadcastConstants(at), [fn]: true })],
      vjp:
        vjp &&
        (([y], [dy], needed) => {
          if (dy === undefined) return [];
          const [da, db] = vjp(a, b, y, dy, needed);
          return [da, db && (same ? db : sumTo(db, at, b.shape))];
        }),
    },
    [a, b],
    floats(a.shape),
  );
};

/** `a + b`; `b` broadcasts where its dimensions other than 1 are a run of those of `a`, with one gap at most. */
export const add = (a: Tensor, b: Tensor): Tensor => zip("ADD", a, b, (_, __, ___, dy) => [dy, dy]);
/** `a - b`; `b` broadcasts where its dimensions other than 1 are a run of those of `a`, with one gap at most. */
export const sub = (a: Tensor, b: Tensor): Tensor => zip("SUB", a, b, (_, __, ___, dy, [, db]) => [dy, db ? scale(dy, -1) : undefined]);
/** `a b`, element by element; `b` broadcasts as in {@link add}. */
export const mul = (a: Tensor, b: Tensor): Tensor => zip("MUL", a, b, (x, y, _, dy, [da, db]) => [da ? mul(dy, y) : undefined, db ? mul(dy, x) : undefined]);
/** `a / b`, element by element; `b` broadcasts as in {@link add}. */
export const div = (a: Tensor, b: Tensor): Tensor =>
  zip("DIV", a, b, (_, d, y, dy, [da, db]) => [da ? div(dy, d) : undefined, db ? scale(div(mul(dy, y), d), -1) : undefined]);
/** The larger of `a` and `b`, element by element; `b` broadcasts as in {@link add}. Of equals both get half of the gradient. */
export const max = (a: Tensor, b: Tensor): Tensor =>
  zip("MAX", a, b, (x, y, _, dy, [da, db]) => {
    const sign = map("SIGN", sub(x, y));
    return [da ? mul(dy, affine(sign, 0.5, 0.5)) : undefined, db ? mul(dy, affine(sign, -0.5, 0.5)) : undefined];
  });

/** The gradients of {@link swiglu} for both of its operands, in one pass. */
const swigluGradients = (dy: Tensor, gate: Tensor, up: Tensor): readonly [gate: Tensor, up: Tensor] => {
  const [dgate, dup] = applyAll(
    {
      name: "swiglu (gradient)",
      lower: (t) =>
        windows(t, size(dy.shape)).map(({ count, cut }) =>
          elementLaunch("swiglu-grad", { count }, [cut(input(0)), cut(input(1)), cut(input(2)), cut(output(0)), cut(output(1))]),
        ),
    },
    [dy, gate, up],
    [floats(gate.shape), floats(up.shape)],
  );
  return [dgate, dup];
};

/** `silu(gate) · up`, element by element: what is between the linear layers of a gated MLP (Shazeer, 2020). Both have one shape. */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => {
  check(sameShape(gate.shape, up.shape), "swiglu", () => `gate ${show(gate)} and up ${show(up)}`);
  return zip("SWIGLU", gate, up, (g, u, _, dy) => swigluGradients(dy, g, u));
};
