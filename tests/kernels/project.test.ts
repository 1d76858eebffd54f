import { checkElements, deviceTest, numbers, reads, runTests, writes } from "./check.ts";

deviceTest("project takes out of x, or keeps, what lies in a span", async (device) => {
  for (const [rows, width, rank] of [
    [1, 1, 1],
    [13, 7, 3],
    [64, 65, 8],
    [63, 64, 63],
    [5, 129, 1],
    [7, 3, 0],
    [0, 4, 2],
    [4, 0, 2],
  ]) {
    const [x, basis, coeff] = [numbers(rows * width, 1, -3, 3), numbers(rows * rank, 2), numbers(rank * width, 3)];
    for (const ONLY of [false, true]) {
      for (const sign of [1, -1]) {
        const out = Float64Array.from(x, (v, e) => {
          const [r, c] = [Math.floor(e / width), e % width];
          let dot = 0;
          for (let k = 0; k < rank; k += 1) dot += basis[r * rank + k] * coeff[k * width + c];
          return (ONLY ? 0 : v) + sign * dot;
        });
        await checkElements(device, x.length, {
          kernel: "project",
          constants: { ONLY },
          dims: { rows, width, rank, sign },
          operands: [ONLY ? undefined : reads(x), reads(basis), reads(coeff), writes(out, { absolute: 3e-6, relative: 1e-7 })],
        });
      }
    }
  }
});

runTests();
