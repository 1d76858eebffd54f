/** Slices and zero padding along one axis: each is the gradient of the other. */
import { elementGrid, input, output, windowOf, windows } from "../../kernels/launch.ts";
import { apply, check, floats, reshape, show, size, type Tensor } from "../tensor.ts";

/** y[.., i, ..] = x[.., i + shift, ..] where that exists, else 0; the axis becomes `to` long. */
const window = (name: string, x: Tensor, axis: number, to: number, shift: number): Tensor => {
  const from = x.shape[axis];
  const inner = size(x.shape.slice(axis + 1));
  const shape = x.shape.map((d, i) => (i === axis ? to : d));
  return apply(
    {
      name,
      lower: () => [
        {
          kernel: "window",
          constants: {},
          dims: [size(shape), inner, to, from, shift],
          operands: [input(0), output(0)],
          grid: elementGrid(size(shape)),
        },
      ],
      vjp: (_, [dy]) => [dy && window(`${name} (gradient)`, dy, axis, from, -shift)],
    },
    [x],
    floats(shape),
  );
};

/** `length` entries of an axis from `start` on. */
export const slice = (x: Tensor, axis: number, start: number, length: number): Tensor => {
  check(start >= 0 && length >= 0 && start + length <= x.shape[axis], "slice", () => `${start}..${start + length} of axis ${axis} of ${show(x)}`);
  return window("slice", x, axis, length, start);
};

/** Zeros before and after an axis. */
export const pad = (x: Tensor, axis: number, before: number, after: number): Tensor => window("pad", x, axis, x.shape[axis] + before + after, -before);

/** A copy with memory of its own. */
export const copy = (x: Tensor): Tensor => {
  const count = size(x.shape);
  const copied = apply(
    {
      name: "copy",
      lower: (target) =>
        windows(target, count).map(({ offset, length }) => ({
          kernel: "window",
          constants: {},
          dims: [length, 1, length, length, 0],
          operands: [windowOf(input(0), offset, length), windowOf(output(0), offset, length)],
          grid: elementGrid(length),
        })),
      vjp: (_, [dy]) => [dy],
    },
    [reshape(x, [count])],
    floats([count]),
  );
  return reshape(copied, x.shape);
};
