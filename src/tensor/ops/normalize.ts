/** Scaling rows to unit length. */
import { input, output, rowConstants, rowGrid } from "../../kernels/launch.ts";
import { apply, floats, size, type Tensor } from "../tensor.ts";

/** `x / ‖x‖₂` over the last axis; a zero row stays zero. */
export const normalize = (x: Tensor): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const rows = size(x.shape) / width;
  return apply(
    {
      name: "normalize",
      lower: (t) => [
        {
          kernel: "normalize",
          constants: rowConstants(t),
          dims: [rows, width],
          operands: [input(0), output(0), output(1)],
          grid: rowGrid(t, rows),
        },
      ],
      vjp: ([y, norm], [dy]) => [
        dy &&
          apply(
            {
              name: "normalize (gradient)",
              lower: (t) => [
                {
                  kernel: "normalize-grad",
                  constants: rowConstants(t),
                  dims: [rows, width],
                  operands: [input(0), input(1), input(2), output(0)],
                  grid: rowGrid(t, rows),
                },
              ],
            },
            [dy, y, norm],
            floats(x.shape),
          ),
      ],
    },
    [x],
    floats(x.shape),
    floats([rows]),
  );
};
