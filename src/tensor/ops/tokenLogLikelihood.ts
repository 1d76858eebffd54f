/** How likely logits hold given tokens, without targets as wide as a vocabulary. */
import { elementLaunch, input, output, rowLaunch, type Launch, type Operand } from "../../kernels/launch.ts";
import type { Target } from "../../kernels/target.ts";
import { rowWindows, windowOf } from "../../kernels/windows.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";

/** A launch for every window of rows: `wide` cuts operands [rows, width], `narrow` those of [rows]. */
const byRows = (
  target: Target,
  rows: number,
  width: number,
  launchOf: (rows: number, wide: (o: Operand) => Operand, narrow: (o: Operand) => Operand) => Launch,
): readonly Launch[] => rowWindows(target, rows, width).map(({ first, count, cut }) => launchOf(count, cut, (operand) => windowOf(operand, first, count)));

const logitsGradient = (logits: Tensor, next: Tensor, lse: Tensor, dy: Tensor): Tensor => {
  const [rows, width] = logits.shape;
  return apply(
    {
      name: "tokenLogLikelihood (gradient)",
      exactFrom: 0,
      lower: (target) =>
        byRows(target, rows, width, (count, wide, narrow) =>
          elementLaunch("token-log-likelihood-grad", { count: count * width, width }, [
            wide(input(0)),
            narrow(input(1)),
            narrow(input(2)),
            narrow(input(3)),
            wide(output(0)),
          ]),
        ),
    },
    [logits, next, lse, dy],
    floats(logits.shape),
  );
};

/**
 * `logsoftmax(logits[i])` at column `next[i]` for every row: logits [rows, vocabulary] and next u32 [rows] → [rows], none above 0; minus the cross-entropy
 * with these tokens. Logits larger than a binding are visited window by window. A token past the vocabulary counts as its last.
 * Fails (while tracing) for other shapes.
 */
export const tokenLogLikelihood = (logits: Tensor, next: Tensor): Tensor => {
  const [rows, width] = logits.shape;
  const fits = logits.shape.length === 2 && next.dtype === "u32" && size(next.shape) === rows;
  check(fits, "tokenLogLikelihood", () => `logits ${show(logits)} and next ${show(next)}`);
  return apply(
    {
      name: "tokenLogLikelihood",
      exactFrom: 0,
      lower: (target) =>
        byRows(target, rows, width, (count, wide, narrow) =>
          rowLaunch(target, "token-log-likelihood", { rows: count, width }, [wide(input(0)), narrow(input(1)), narrow(output(0)), narrow(output(1))]),
        ),
      vjp: ([, lse], [dy], needed) => [dy && needed[0] ? logitsGradient(logits, next, lse, dy) : undefined],
    },
    [logits, next],
    floats([rows]),
    floats([rows]),
  );
};
