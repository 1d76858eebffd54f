/** Rows of a table by index, and the patches of an image. */
import { elementGrid, f32, input, output, rowWindows, windowOf, windows, type Launch } from "../../kernels/launch.ts";
import type { Target } from "../../kernels/target.ts";
import { apply, check, floats, indices, show, size, type Tensor } from "../tensor.ts";

/**
 * `table[index[i]]` for every i: table [rows, width], index u32 of any shape → [...index, width]. A table larger than a binding is
 * visited window by window.
 */
export const gather = (table: Tensor, index: Tensor): Tensor => {
  check(table.shape.length === 2 && index.dtype === "u32", "gather", () => `table ${show(table)}, index ${show(index)}`);
  const [rows, width] = table.shape;
  const count = size(index.shape) * width;
  return apply(
    {
      name: "gather",
      lower: (t) =>
        rowWindows(t, rows, width).map((w, i) => ({
          kernel: "gather",
          constants: { KEEP: i > 0 },
          dims: [count, width, w.first, w.count, 0],
          operands: [windowOf(input(0), w.first * width, w.count * width), input(1), output(0)],
          grid: elementGrid(count),
        })),
      vjp: (_, [dy]) => [dy && scatterAdd(dy, index, rows)],
    },
    [table, index],
    floats([...index.shape, width]),
  );
};

/** Sums rows of `dy` [...index, width] into a [rows, width] table by index; equal indices are summed in their order. */
export const scatterAdd = (dy: Tensor, index: Tensor, rows: number): Tensor => {
  const width = dy.shape[dy.shape.length - 1];
  const entries = size(index.shape);
  const count = entries * width;
  const zero = (t: Target): readonly Launch[] =>
    windows(t, rows * width).map(({ offset, length }) => ({
      kernel: "fill",
      constants: {},
      dims: [length, f32(0)],
      operands: [windowOf(output(0), offset, length)],
      grid: elementGrid(length),
    }));
  return apply(
    {
      name: "scatterAdd",
      lower: (t) => [
        ...zero(t),
        { kernel: "links", constants: {}, dims: [entries], operands: [input(1), output(1)], grid: elementGrid(entries) },
        ...rowWindows(t, rows, width).map(
          (w): Launch => ({
            kernel: "scatter-add",
            constants: {},
            dims: [count, width, w.first, w.count],
            operands: [input(0), input(1), output(1), windowOf(output(0), w.first * width, w.count * width)],
            grid: elementGrid(count),
          }),
        ),
      ],
      vjp: (_, [d]) => [d && gather(d, index)],
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
      lower: () => [
        {
          kernel: "patchify",
          constants: {},
          dims: [size(shape), channels, height, width, patch],
          operands: [input(0), output(0)],
          grid: elementGrid(size(shape)),
        },
      ],
    },
    [pixels],
    floats(shape),
  );
};
