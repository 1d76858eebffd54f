/** From f16, which is a way of storage, to f32, which everything computes in. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { rowWindows, windowOf } from "../../kernels/windows.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";

/** The tensor of f16 that a tensor was widened from; any other tensor itself. What reads f16 need not wait until all of it is widened. */
export const storedOf = (x: Tensor): Tensor => (x.node.kind === "apply" && x.node.op.name === "widen" ? x.node.inputs[0] : x);

/** The values of a tensor of f16 as f32, exactly, in the same shape. Fails (while tracing) for another type of elements. */
export const widen = (x: Tensor): Tensor => {
  check(x.dtype === "f16", "widen", () => `${show(x)} is not of f16`);
  const elements = size(x.shape);
  return apply(
    {
      name: "widen",
      cheap: true,
      halves: { inputs: [true], outputs: [false], everywhere: true, of: ([stored]) => [widen(stored)] },
      // Windows of pairs, so that each begins with a whole word.
      lower: (target) =>
        rowWindows(target, Math.ceil(elements / 2), 2).map(({ first, count: pairs }) => {
          const count = Math.min(2 * pairs, elements - 2 * first);
          return elementLaunch("widen", { count }, [windowOf(input(0), 2 * first, count), windowOf(output(0), 2 * first, count)]);
        }),
    },
    [x],
    floats(x.shape),
  );
};
