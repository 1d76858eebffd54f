/** Dropout whose masks are a function of (seed, site, element). */
import { dropoutThreshold } from "../../kernels/dropout.ts";
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { windows } from "../../kernels/windows.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";

/**
 * Inverted dropout (Srivastava et al., 2014): `x · keep / (1 - p)`, where every element is kept with probability 1 - p, 0 ≤ p < 1.
 *
 * What is kept depends on `seed` (f32 [2], whole numbers below 2²⁴, given anew to every run), on `site` (a whole number below 2³² that
 * tells the places of a model apart) and on the element, by whole-number arithmetic alone: the same on every adapter. p = 0 is x itself. Where x is a part of
 * a larger tensor, its first element is element `from` of that.
 * Fails (while tracing) where p, the site or the shape of the seed is not such.
 */
export const dropout = (x: Tensor, p: number, seed: Tensor, site: number, from = 0): Tensor => {
  check(p >= 0 && p < 1, "dropout", () => `the probability ${p} is not in [0, 1)`);
  check(Number.isInteger(site) && site >= 0 && site < 2 ** 32, "dropout", () => `the site ${site} is not a whole number below 2^32`);
  check(size(seed.shape) === 2 && seed.dtype === "f32", "dropout", () => `seed ${show(seed)}`);
  if (p === 0) return x;
  return apply(
    {
      name: "dropout",
      cheap: true,
      lower: (target) =>
        windows(target, size(x.shape)).map(({ first, count, cut }) =>
          elementLaunch("dropout", { count, first: from + first, site, threshold: dropoutThreshold(p), scale: 1 / (1 - p) }, [
            cut(input(0)),
            input(1),
            cut(output(0)),
          ]),
        ),
      // Linear in x: the gradient meets the same mask.
      vjp: (_, [dy]) => [dy && dropout(dy, p, seed, site, from)],
    },
    [x, seed],
    floats(x.shape),
  );
};
