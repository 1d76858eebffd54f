/** Layer normalisation over the last axis. */
import { foldGroups, input, launch, output, rowLaunch } from "../../kernels/launch.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";
import { sumRows, sumTo } from "./reduce.ts";

/** `(x - mean) / sqrt(var + eps) · gain + bias` over the last axis; gain and bias are [width]. */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, eps: number): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const rows = size(x.shape) / width;
  check(size(gain.shape) === width && size(bias.shape) === width, "layerNorm", () => `gain ${show(gain)} and bias ${show(bias)} for ${show(x)}`);
  return apply(
    {
      name: "layerNorm",
      lower: (t) => [rowLaunch(t, "layer-norm", { rows, width, eps }, [input(0), input(1), input(2), output(0), output(1)])],
      vjp: ([, stats], [dy], needed) =>
        dy === undefined
          ? []
          : [needed[0] ? gradX(dy, x, stats, gain) : undefined, needed[1] ? gradGain(dy, x, stats, gain) : undefined, needed[2] ? sumRows(dy) : undefined],
    },
    [x, gain, bias],
    floats(x.shape),
    floats([rows, 2]),
  );
};

const gradX = (dy: Tensor, x: Tensor, stats: Tensor, gain: Tensor): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const rows = size(x.shape) / width;
  return apply(
    {
      name: "layerNorm (gradient)",
      lower: (t) => [rowLaunch(t, "layer-norm-grad", { rows, width }, [input(0), input(1), input(2), input(3), output(0)])],
    },
    [dy, x, stats, gain],
    floats(x.shape),
  );
};

/** Rows that one thread sums before the partial sums are summed. */
const chunk = 64;

const gradGain = (dy: Tensor, x: Tensor, stats: Tensor, gain: Tensor): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const rows = size(x.shape) / width;
  const chunks = Math.max(1, Math.ceil(rows / chunk));
  const partial = apply(
    {
      name: "layerNorm (gradient of the gain)",
      lower: () => [
        launch("layer-norm-grad-gain", { rows, width, chunk }, [input(0), input(1), input(2), output(0)], foldGroups(Math.ceil((chunks * width) / 64))),
      ],
    },
    [dy, x, stats],
    floats([chunks, width]),
  );
  return sumTo(partial, { outer: chunks, mod: width, div: 1 }, gain.shape);
};
