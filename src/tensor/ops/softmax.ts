/** Softmax over the last axis, with the causal mask of attention. */
import { f32, input, output, rowConstants, rowGrid } from "../../kernels/launch.ts";
import { apply, floats, size, type Tensor } from "../tensor.ts";

/** `softmax(x)` over the last axis. `causal`: x is [.., queries, keys], and key j is masked (probability 0) for query i < j. */
export const softmax = (x: Tensor, { causal = false }: { readonly causal?: boolean } = {}): Tensor => {
  const [width, queries] = [x.shape[x.shape.length - 1], x.shape[x.shape.length - 2] ?? 1];
  const rows = size(x.shape) / width;
  const dims = [rows, width, queries, f32(1)];
  return apply(
    {
      name: "softmax",
      lower: (t) => [{ kernel: "softmax", constants: { ...rowConstants(t), CAUSAL: causal }, dims, operands: [input(0), output(0)], grid: rowGrid(t, rows) }],
      vjp: ([p], [dp]) => [
        dp &&
          apply(
            {
              name: "softmax (gradient)",
              lower: (t) => [
                {
                  kernel: "softmax-grad",
                  constants: { ...rowConstants(t), CAUSAL: causal },
                  dims,
                  operands: [input(0), input(1), output(0)],
                  grid: rowGrid(t, rows),
                },
              ],
            },
            [p, dp],
            floats(x.shape),
          ),
      ],
    },
    [x],
    floats(x.shape),
  );
};
