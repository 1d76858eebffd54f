/** Products of operands that are stored as f16: near f64 of the same rounded operands, with sums in f32. */
import type { MatmulPlan, ProductTypes } from "../../src/kernels/matmul.ts";
import { matmulVariants } from "../../src/kernels/variants.ts";
import { hasF16 } from "../fixtures/shaderF16.ts";
import { deviceTestWith, runTests } from "./check.ts";
import { checkPlans, kinds, problemOf, type Sizes } from "./products.ts";

/** Small tiles first: they compile soonest. */
const bySize = (plans: readonly MatmulPlan[]): readonly MatmulPlan[] => {
  const sums = ({ constants: { ROWS, COLS } }: MatmulPlan): number => Number(ROWS) * Number(COLS);
  return [...plans].sort((x, y) => sums(x) - sums(y));
};

const checked = (name: string, types: ProductTypes, sizes: readonly Sizes[]): void =>
  deviceTestWith(hasF16, "shader-f16")(name, async (device) => {
    for (const size of sizes) {
      const problem = problemOf({ ...size, types });
      await checkPlans(device, problem, kinds(bySize(matmulVariants(device.adapter, problem.shape))));
    }
  });

checked("frozen weights in f16: x Wᵀ with a bias and a low-rank pair", { b: "f16" }, [{ m: 12, n: 20, k: 8, tb: true, bias: true, lowRank: true, r: 3 }]);
checked("saved activations in f16, read transposed", { a: "f16" }, [
  { m: 9, n: 7, k: 5, ta: true },
  { m: 1, n: 1, k: 1, ta: true },
]);
checked("f16 alone; an empty sum and an empty result", { a: "f16", b: "f16", c: "f16" }, [
  { m: 36, n: 68, k: 20, ta: true },
  { m: 4, n: 8, k: 0, ta: true },
  { m: 0, n: 8, k: 4, ta: true },
]);
checked("a result in f16 is rounded to the nearest", { c: "f16" }, [{ m: 31, n: 33, k: 17, scale: 100 }]);

runTests();
