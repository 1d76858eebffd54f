/** Layer normalisation over the last axis, and its form without a mean. */
import { foldGroups, input, launch, output, rowLaunch } from "../../kernels/launch.ts";
import type { Constants } from "../../kernels/template.ts";
import { apply, applyAll, check, floats, show, size, type Dtype, type Node, type Tensor } from "../tensor.ts";
import { sumRows, sumTo } from "./reduce.ts";

/** A tensor as the rows that are normalised. */
const rowsOf = ({ shape }: Tensor): { readonly rows: number; readonly width: number } => {
  const width = shape[shape.length - 1];
  return { rows: size(shape.slice(0, -1)), width };
};

/** The constants of a norm's kernels that read x, or write y, as f16. */
const stored = (x: Tensor, y?: Dtype): Constants =>
  x.dtype === "f16" || y === "f16" ? { HALF: true, ...(x.dtype === "f16" ? { X_HALF: true } : {}), ...(y === "f16" ? { Y_HALF: true } : {}) } : {};

/** A norm of x with a gain and, but for the form without a mean, a bias: y, and the statistics of rows. */
const normOf = (inputs: readonly Tensor[], eps: number, y: Dtype = "f32"): readonly Tensor[] => {
  const [x, gain] = inputs;
  const { rows, width } = rowsOf(x);
  const RMS = inputs.length === 2;
  const constants = { ...(RMS ? { RMS } : {}), ...stored(x, y) };
  return applyAll(
    {
      name: RMS ? "rmsNorm" : "layerNorm",
      cheap: true,
      halves: { inputs: [true], outputs: [true, false], of: (others, [type]) => normOf(others, eps, type) },
      lower: (t) => [rowLaunch(t, "layer-norm", { rows, width, eps }, [input(0), input(1), RMS ? undefined : input(2), output(0), output(1)], constants)],
      vjp: ([, stats], [dy], needed) => {
        if (dy === undefined) return [];
        const grads = [needed[0] ? gradX(dy, x, stats, gain, RMS) : undefined, needed[1] ? gradGain(dy, x, stats, gain) : undefined];
        return RMS ? grads : [...grads, needed[2] ? sumRows(dy) : undefined];
      },
    },
    inputs,
    [{ shape: x.shape, dtype: y }, floats([rows, 2])],
  );
};

/** `(x - mean) / sqrt(var + eps) · gain + bias` over the last axis; gain and bias are [width]. */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, eps: number): Tensor => {
  const { width } = rowsOf(x);
  check(size(gain.shape) === width && size(bias.shape) === width, "layerNorm", () => `gain ${show(gain)} and bias ${show(bias)} for ${show(x)}`);
  check(x.dtype !== "f16", "layerNorm", () => `${show(x)} must be widened first`);
  return normOf([x, gain, bias], eps)[0];
};

/** `x / sqrt(mean(x²) + eps) · gain` over the last axis, the root mean square norm (Zhang and Sennrich, 2019); gain is [width]. */
export const rmsNorm = (x: Tensor, gain: Tensor, eps: number): Tensor => {
  const { width } = rowsOf(x);
  check(size(gain.shape) === width, "rmsNorm", () => `gain ${show(gain)} for ${show(x)}`);
  check(x.dtype !== "f16", "rmsNorm", () => `${show(x)} must be widened first`);
  return normOf([x, gain], eps)[0];
};

const gradX = (dy: Tensor, x: Tensor, stats: Tensor, gain: Tensor, RMS = false): Tensor => gradientOf([dy, x, stats, gain], RMS);

/** The gradient of x from dy, x, the statistics and the gain; with a fifth tensor, the sum of that and the gradient. */
const gradientOf = (inputs: readonly Tensor[], RMS: boolean): Tensor => {
  const dims = { ...rowsOf(inputs[1]), zero: 0 };
  const ADD = inputs.length > 4;
  const constants = stored(inputs[1]);
  return apply(
    {
      name: `${RMS ? "rmsNorm" : "layerNorm"} (gradient)`,
      attributes: { RMS },
      halves: { inputs: [false, true], outputs: [false], of: (others) => [gradientOf(others, RMS)] },
      lower: (t) => [
        rowLaunch(t, "layer-norm-grad", dims, [input(0), input(1), input(2), input(3), output(0), ...(ADD ? [input(4)] : [])], {
          RMS,
          ...(ADD ? { ADD } : {}),
          ...constants,
        }),
      ],
    },
    inputs,
    floats(inputs[1].shape),
  );
};

/** The sum of a norm's gradient for its input and another tensor like it, in one operation; undefined where the node is no such gradient. */
export const withResidual = (node: Node, residual: Tensor): Tensor | undefined =>
  node.kind === "apply" && /^(layer|rms)Norm \(gradient\)$/.test(node.op.name) && node.inputs.length === 4
    ? gradientOf([...node.inputs, residual], node.op.attributes!.RMS === true)
    : undefined;

/** Rows that one thread sums before the partial sums are summed. */
const chunk = 64;

/** The statistics of a norm without a mean say that it is 0: one kernel serves both. */
const gradGain = (dy: Tensor, x: Tensor, stats: Tensor, gain: Tensor): Tensor => {
  const { rows, width } = rowsOf(x);
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
