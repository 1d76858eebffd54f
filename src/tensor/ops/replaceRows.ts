/** Rows of one tensor in the place of some of another's: the tokens of pictures among those of a text. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { rowWindows, windows } from "../../kernels/windows.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";
import { constant } from "./elementwise.ts";
import { scatterAdd } from "./embedding.ts";

/**
 * x [...picks, width] with other rows in some places: row i is `rows[picks[i] - 1]` where picks[i] is not 0, and x's own where it is; rows [n, width],
 * picks u32. A pick beyond n leaves x's own.
 */
export const replaceRows = (x: Tensor, rows: Tensor, picks: Tensor): Tensor => {
  const [n, width] = rows.shape;
  const count = size(x.shape);
  const fits = rows.shape.length === 2 && picks.dtype === "u32" && x.shape[x.shape.length - 1] === width && count === size(picks.shape) * width;
  check(fits, "replaceRows", () => `${show(rows)} in the places ${show(picks)} of ${show(x)}`);
  return apply(
    {
      name: "replaceRows",
      lower: (t) => [
        ...windows(t, count).map(({ count: to, cut }) =>
          elementLaunch("window", { count: to, inner: 1, to, length: to, shift: 0 }, [cut(input(0)), cut(output(0))]),
        ),
        ...rowWindows(t, n, width).map(({ first, count: inside, cut }) =>
          elementLaunch("gather", { count, width, first: first + 1, rows: inside }, [cut(input(1)), input(2), output(0)], { KEEP: true }),
        ),
      ],
      vjp: (_, [dy], needed) =>
        dy === undefined ? [] : [needed[0] ? replaceRows(dy, constant(0, rows.shape), picks) : undefined, needed[1] ? scatterAdd(dy, picks, n, 1) : undefined],
    },
    [x, rows, picks],
    floats(x.shape),
  );
};
