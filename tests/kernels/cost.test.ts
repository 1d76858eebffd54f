/** What launches cost: the products are those of the program, an element-wise kernel reads and writes its operands once, and every kernel has its costs. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { wgsl } from "../../wgsl/generated.ts";
import { costs, launchCost } from "../../src/kernels/cost.ts";
import { elementwiseLaunches } from "../../src/kernels/elementwise.ts";
import { oneStep } from "../../src/kernels/expression.ts";
import { elementLaunch, input, output } from "../../src/kernels/launch.ts";
import { matmulFlops } from "../../src/tensor/flops.ts";
import { optimise } from "../../src/tensor/passes/optimise.ts";
import { costsOf } from "../../src/tensor/replay.ts";
import { h100, lavapipe, planned, stepOf } from "../fixtures/gpu.ts";

test("every kernel has its costs, and nothing else has", () => {
  assert.equal(Object.keys(costs).sort(), Object.keys(wgsl).sort());
});

test("the products of a step cost what its program says, on every adapter", () => {
  const program = stepOf("small-llama");
  for (const target of [h100, lavapipe]) {
    const all = costsOf(planned(program, target));
    const inProducts = all.filter(({ kernel }) => kernel.startsWith("matmul")).reduce((n, { flops }) => n + flops, 0);
    const expected = matmulFlops(optimise(program, target));
    // Epilogues are counted here, and not there.
    assert.ok(inProducts >= expected && inProducts < 1.01 * expected, `${inProducts} where the program says ${expected}`);
    for (const { kernel, shape, flops, bytes } of all) {
      assert.ok(Number.isFinite(flops) && flops >= 0 && bytes > 0, `${kernel} ${shape}: ${flops} operations, ${bytes} bytes`);
      assert.ok(shape.length > 0 && !shape.includes("undefined") && !shape.includes("NaN"), `${kernel}: ${shape}`);
    }
  }
});

test("what is updated in place is read and written", () => {
  const update = elementLaunch("adamw", { count: 100 }, [input(0), input(1), output(0), output(1), output(2)]);
  assert.equal(launchCost(update, [400, 32, 400, 400, 400]), { kernel: "adamw", shape: "100", flops: 1500, bytes: 400 + 32 + 2 * 1200 });
});

test("a result that overwrites an operand is read and written", () => {
  const meetings = ["same", "same"] as const;
  const costOf = (over: readonly (number | undefined)[]) => {
    const [launch] = elementwiseLaunches({ maxBinding: 2 ** 25 }, oneStep("add"), meetings, 100, undefined, over);
    return launchCost(
      launch,
      launch.operands.map((operand) => (operand === undefined ? 0 : 400)),
    );
  };
  assert.equal(costOf([1]), costOf([]));
  assert.equal(costOf([]), { kernel: "elementwise", shape: "100, add", flops: 100, bytes: 1200 });
});

test("of a table only the rows that are asked for are read", () => {
  const gather = elementLaunch("gather", { count: 30, width: 10, first: 0, rows: 1000 }, [input(0), input(1), output(0)]);
  assert.is(launchCost(gather, [40_000, 12, 120]).bytes, 12 + 240);
});

test.run();
