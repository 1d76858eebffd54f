/** Slices and zero padding along one axis: each is the gradient of the other. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { windows } from "../../kernels/windows.ts";
import { apply, check, floats, reshape, show, size, type Tensor } from "../tensor.ts";

/** y[.., i, ..] = x[.., i + shift, ..] where that exists, else 0; the axis becomes `to` long. */
const window = (name: string, x: Tensor, axis: number, to: number, shift: number): Tensor => {
  const from = x.shape[axis];
  const inner = size(x.shape.slice(axis + 1));
  const shape = x.shape.map((d, i) => (i === axis ? to : d));
  return apply(
    {
      name,
      cheap: true,
      lower: () => [elementLaunch("window", { count: size(shape), inner, to, length: from, shift }, [input(0), output(0)])],
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
        windows(target, count).map(({ count: to, cut }) =>
          elementLaunch("window", { count: to, inner: 1, to, length: to, shift: 0 }, [cut(input(0)), cut(output(0))]),
        ),
      vjp: (_, [dy]) => [dy],
    },
    [reshape(x, [count])],
    floats([count]),
  );
  return reshape(copied, x.shape);
};
