/** Softmax over the last axis, with the causal mask of attention. */
import { input, output, rowLaunch } from "../../kernels/launch.ts";
import { apply, floats, size, type Tensor } from "../tensor.ts";

/** `softmax(x)` over the last axis. `causal`: x is [.., queries, keys], and key j is masked (probability 0) for query i < j. */
export const softmax = (x: Tensor, { causal = false }: { readonly causal?: boolean } = {}): Tensor => {
  const [width, queries] = [x.shape[x.shape.length - 1], x.shape[x.shape.length - 2] ?? 1];
  const rows = size(x.shape) / width;
  const dims = { rows, width, queries, scale: 1 };
  return apply(
    {
      name: "softmax",
      lower: (t) => [rowLaunch(t, "softmax", dims, [input(0), output(0)], { CAUSAL: causal })],
      vjp: ([p], [dp]) => [
        dp &&
          apply(
            {
              name: "softmax (gradient)",
              lower: (t) => [rowLaunch(t, "softmax-grad", dims, [input(0), input(1), output(0)], { CAUSAL: causal })],
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
