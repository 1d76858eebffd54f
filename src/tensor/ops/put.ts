/** Rows that are put into a cache, which keeps what it has of earlier runs. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { rowWindows } from "../../kernels/windows.ts";
import { applyAll, check, floats, show, size, type Tensor } from "../tensor.ts";

/**
 * The cache [b, capacity, width] with the rows x [b, n, width] in the places from `at` (u32 [1]) on, in place on the device: of a state that becomes this,
 * nothing but these rows is written. Rows behind the capacity are dropped. No gradient flows.
 */
export const put = (cache: Tensor, x: Tensor, at: Tensor): Tensor => {
  const [b, capacity, width] = cache.shape;
  const [batch, length, columns] = x.shape;
  const fits = cache.shape.length === 3 && x.shape.length === 3 && batch === b && columns === width;
  check(fits && at.dtype === "u32" && size(at.shape) === 1, "put", () => `${show(x)} at ${show(at)} into ${show(cache)}`);
  return applyAll(
    {
      name: "put",
      inPlace: [2],
      lower: (t) =>
        rowWindows(t, b * capacity, width).map(({ first, count: rows, cut }) =>
          elementLaunch("put", { count: size(x.shape), width, length, capacity, first, rows }, [input(0), input(1), cut(output(0))]),
        ),
    },
    [x, at, cache],
    [floats(cache.shape)],
  )[0];
};
