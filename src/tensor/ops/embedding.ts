/** Rows of a table by index, and the patches of an image. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { rowWindows, windows, windowOf } from "../../kernels/windows.ts";
import { apply, check, floats, indices, show, size, type Tensor } from "../tensor.ts";
import { storedOf } from "./widen.ts";

/**
 * `table[index[i] - base]` for every i: table [rows, width], index u32 of any shape → [...index, width]; zeros where the table has no such row. A table larger
 * than a binding is visited window by window. Of a table that was widened from f16 the rows that are asked for alone are.
 */
export const gather = (table: Tensor, index: Tensor, base = 0): Tensor => {
  check(table.shape.length === 2 && index.dtype === "u32", "gather", () => `table ${show(table)}, index ${show(index)}`);
  const [rows, width] = table.shape;
  const count = size(index.shape) * width;
  const stored = storedOf(table);
  const HALF = stored.dtype === "f16";
  // Windows of f16 are of pairs of rows, so that each begins where a binding may.
  const together = HALF ? 2 : 1;
  return apply(
    {
      name: "gather",
      cheap: true,
      halves: { inputs: [true, false], outputs: [false], everywhere: true, of: ([moved, at]) => [gather(moved, at, base)] },
      lower: (t) =>
        rowWindows(t, Math.ceil(rows / together), together * width).map((window, i) => {
          const first = together * window.first;
          const inside = Math.min(together * window.count, rows - first);
          const part = windowOf(input(0), first * width, inside * width);
          return elementLaunch("gather", { count, width, first: base + first, rows: inside }, [part, input(1), output(0)], { KEEP: i > 0, HALF });
        }),
      vjp: (_, [dy]) => [dy && scatterAdd(dy, index, rows, base)],
    },
    [stored, index],
    floats([...index.shape, width]),
  );
};

/** Sums rows of `dy` [...index, width] into a [rows, width] table by index, whose first row is `base`; equal indices are summed in their order. */
export const scatterAdd = (dy: Tensor, index: Tensor, rows: number, base = 0): Tensor => {
  const width = dy.shape[dy.shape.length - 1];
  const entries = size(index.shape);
  const count = entries * width;
  return apply(
    {
      name: "scatterAdd",
      lower: (t) => [
        ...windows(t, rows * width).map((window) => elementLaunch("fill", { count: window.count, value: 0 }, [window.cut(output(0))])),
        elementLaunch("links", { count: entries }, [input(1), output(1)]),
        ...rowWindows(t, rows, width).map(({ first, count: inside, cut }) =>
          elementLaunch("scatter-add", { count, width, first: base + first, rows: inside }, [input(0), input(1), output(1), cut(output(0))]),
        ),
      ],
      vjp: (_, [d]) => [d && gather(d, index, base)],
    },
    [dy, index],
    floats([rows, width]),
    indices([entries]),
  );
};

/** Square patches as rows: [batch, channels, height, width] → [batch, patches, channels · patch²], columns in the order of a convolution's weight. */
export const patchify = (pixels: Tensor, patch: number): Tensor => {
  const [batch, channels, height, width] = pixels.shape;
  check(pixels.shape.length === 4 && height % patch === 0 && width % patch === 0, "patchify", () => `${show(pixels)} in patches of ${patch}`);
  const shape = [batch, (height / patch) * (width / patch), channels * patch * patch];
  return apply(
    {
      name: "patchify",
      cheap: true,
      lower: () => [elementLaunch("patchify", { count: size(shape), channels, height, width, side: patch }, [input(0), output(0)])],
    },
    [pixels],
    floats(shape),
  );
};
