/** Scaling rows to unit length. */
import { input, output, rowLaunch } from "../../kernels/launch.ts";
import { apply, floats, size, type Tensor } from "../tensor.ts";

/** `x / ‖x‖₂` over the last axis; a zero row stays zero. */
export const normalize = (x: Tensor): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const rows = size(x.shape) / width;
  return apply(
    {
      name: "normalize",
      exactFrom: 0,
      lower: (t) => [rowLaunch(t, "normalize", { rows, width }, [input(0), output(0), output(1)])],
      vjp: ([y, norm], [dy]) => [
        dy &&
          apply(
            {
              name: "normalize (gradient)",
              exactFrom: 0,
              lower: (t) => [rowLaunch(t, "normalize-grad", { rows, width }, [input(0), input(1), input(2), output(0)])],
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
