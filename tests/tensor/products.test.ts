/** The matrix products of a program, as its target is asked for them before it is planned. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { MatmulShape } from "../../src/kernels/matmul.ts";
import type { Target } from "../../src/kernels/target.ts";
import { matmulFlops } from "../../src/tensor/flops.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { attentionScores, linear, matmul } from "../../src/tensor/ops/matmul.ts";
import { projectOut } from "../../src/tensor/ops/projection.ts";
import { mean } from "../../src/tensor/ops/reduce.ts";
import { plan } from "../../src/tensor/plan.ts";
import { matmulShapes } from "../../src/tensor/program.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { traced } from "./check.ts";

const program = traced(
  { frozen: { w: floats([100, 8]), p: floats([6, 2]), q: floats([100, 2]) }, inputs: { x: floats([6, 8]), tokens: floats([2, 5, 12]) } },
  ({ frozen: { w, p, q }, inputs: { x, tokens } }) => {
    const y = linear(x, w, undefined, { p, q });
    return { outputs: { y, dx: gradient(mean(y), [x])[0], scores: attentionScores(tokens, tokens, 3, 0.5), gram: matmul(tokens, tokens, { ta: true }) } };
  },
);

test("the shapes that a plan asks for are known before it is made, with large operands in windows", () => {
  for (const maxBinding of [2 ** 20, 512]) {
    const asked: MatmulShape[] = [];
    const target: Target = {
      adapter: { line: "none", key: "none", kind: "cpu", features: new Set(), subgroupSize: 0 },
      maxBinding,
      precision: "f32",
      matmul: (shape) => {
        asked.push(shape);
        return { kernel: "matmul-tiled", constants: {}, grid: [1, 1, 1] };
      },
    };
    plan(program, target);
    assert.equal(asked, matmulShapes(program, target));
  }
  assert.is(matmulShapes(program, { maxBinding: 2 ** 20 }).length, 4);
  assert.equal(
    matmulShapes(program, { maxBinding: 512 }).map(({ m, n, k }) => [m, n, k]),
    [
      [6, 64, 8],
      [6, 36, 8],
      [6, 8, 64],
      [6, 8, 36],
      [5, 5, 4],
      [12, 12, 10],
    ],
  );
});

test("operations are counted from the products, whatever the windows", () => {
  assert.is(matmulFlops(program), 2 * (6 * 100 * (8 + 2) + 6 * 8 * 100 + 2 * 3 * 5 * 5 * 4 + 12 * 12 * 10));
  const projected = traced({ inputs: { x: floats([3, 7]), m: floats([7, 2]) } }, ({ inputs: { x, m } }) => ({ outputs: { y: projectOut(x, m) } }));
  assert.is(matmulFlops(projected), 2 * (3 * 2 * 7 + 3 * 7 * 2));
});

test.run();
