import type { Adapter } from "../../src/device/device.ts";
import { matmulDims } from "../../src/kernels/matmul.ts";
import { registerPlans } from "../../src/kernels/registers.ts";
import { projectionShape } from "../../src/kernels/product.ts";
import { checkKernel, deviceTest, numbers, reads, runTests, writes } from "./check.ts";

deviceTest("project takes out of x what lies in a span", async (device) => {
  const plain: Adapter = { ...device.adapter, features: new Set() };
  for (const [rows, width, rank] of [
    [1, 1, 1],
    [13, 7, 3],
    [64, 65, 8],
    [63, 64, 63],
    [5, 129, 1],
    [7, 3, 0],
    [0, 4, 2],
    [4, 0, 2],
    [16, 768, 40],
  ]) {
    const [x, basis, coefficients] = [numbers(rows * width, 1, -3, 3), numbers(width * rank, 2), numbers(rows * rank, 3)];
    const out = Float64Array.from(x, (v, e) => {
      const [r, c] = [Math.floor(e / width), e % width];
      let dot = 0;
      for (let k = 0; k < rank; k += 1) dot += coefficients[r * rank + k] * basis[c * rank + k];
      return v - dot;
    });
    const shape = projectionShape(rows, width, rank);
    for (const adapter of [device.adapter, plain]) {
      const [{ constants, grid }] = registerPlans(adapter, shape);
      await checkKernel(device, {
        kernel: "project",
        constants,
        dims: matmulDims(shape),
        operands: [reads(coefficients), reads(basis), writes(out, { absolute: 3e-6, relative: 1e-7 }), undefined, undefined, undefined, reads(x)],
        grid,
      });
    }
  }
});

runTests();
