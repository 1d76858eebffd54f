/** Cross-entropy with soft targets. */
import { input, output, rowLaunch } from "../../kernels/launch.ts";
import { apply, check, floats, sameShape, show, type Tensor } from "../tensor.ts";

/**
 * `-Σ_j targets[i, j] · logsoftmax(logits[i])_j` for every row: [rows, classes] × [rows, classes] → [rows].
 * Targets need not sum to one: a row of zeros costs nothing, a multi-hot row counts every hot column (METHODS.md A.3).
 */
export const crossEntropy = (logits: Tensor, targets: Tensor): Tensor => {
  check(logits.shape.length === 2 && sameShape(logits.shape, targets.shape), "crossEntropy", () => `logits ${show(logits)} and targets ${show(targets)}`);
  const [rows, width] = logits.shape;
  return apply(
    {
      name: "crossEntropy",
      exactFrom: 0,
      lower: (t) => [rowLaunch(t, "cross-entropy", { rows, width }, [input(0), input(1), output(0), output(1)])],
      vjp: ([, lse], [dloss]) => [
        dloss &&
          apply(
            {
              name: "crossEntropy (gradient)",
              exactFrom: 0,
              lower: (t) => [rowLaunch(t, "cross-entropy-grad", { rows, width }, [input(0), input(1), input(2), input(3), output(0)])],
            },
            [logits, targets, lse, dloss],
            floats(logits.shape),
          ),
      ],
    },
    [logits, targets],
    floats([rows]),
    floats([rows]),
  );
};
