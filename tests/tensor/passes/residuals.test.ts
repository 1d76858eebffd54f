import * as assert from "uvu/assert";
import { gradient } from "../../../src/tensor/gradient.ts";
import { add, gelu, square } from "../../../src/tensor/ops/elementwise.ts";
import { layerNorm, rmsNorm } from "../../../src/tensor/ops/layerNorm.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { residualGradients } from "../../../src/tensor/passes/residuals.ts";
import { deviceTest, numbers, runTests, specsOf, traced } from "../check.ts";
import { keepsBits } from "./bits.ts";

const values = { x: numbers([3, 5, 12], 1), gain: numbers([12], 2), bias: numbers([12], 3), w: numbers([3, 5, 12], 4) };
const feed = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));

deviceTest("the gradient of a residual is added by the norm beside it, of either kind", async (device) => {
  const program = traced({ inputs: specsOf(values) }, ({ inputs: { x, gain, bias, w } }) => {
    const y = add(x, gelu(layerNorm(x, gain, bias, 1e-5)));
    const z = add(y, square(rmsNorm(y, gain, 1e-5)));
    const loss = sum(square(add(z, w)));
    return { outputs: { loss, dx: gradient(loss, [x])[0] } };
  });
  const { launches } = await keepsBits(device, program, residualGradients, feed);
  assert.is(launches[0] - launches[1], 2);
});

deviceTest("a gradient that is read elsewhere, or is a result, stays", async (device) => {
  const program = traced({ inputs: specsOf(values) }, ({ inputs: { x, gain, bias, w } }) => {
    const loss = sum(square(add(w, layerNorm(x, gain, bias, 1e-5))));
    const [dx] = gradient(loss, [x]);
    return { outputs: { dx, more: add(dx, w) } };
  });
  const { launches } = await keepsBits(device, program, residualGradients, feed);
  assert.is(launches[0], launches[1]);
});

runTests();
