/** Products of activations multiply f16 where an adapter has units for it; those that losses read do not. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { matmulShapes } from "../../../src/tensor/program.ts";
import { multiplyHalves } from "../../../src/tensor/passes/units.ts";
import { h100, inMixed, lavapipe, launchesByKernel, planned, stepOf } from "../../fixtures/gpu.ts";

const program = stepOf("nano", 4);

test("in f32, and without units, nothing changes", () => {
  assert.is(multiplyHalves(program, h100), program);
  assert.is(multiplyHalves(program, inMixed(lavapipe)), program);
});

test("in mixed precision all products of a step run on units, but those of features with one another", () => {
  const multiplied = multiplyHalves(program, inMixed(h100));
  const shapes = matmulShapes(multiplied, h100);
  const exact = shapes.filter(({ multiply }) => multiply === undefined);
  assert.is(shapes.length, matmulShapes(program, h100).length);
  assert.ok(exact.length > 0 && exact.length < 0.1 * shapes.length, `${exact.length} of ${shapes.length} stay f32`);
  const kernels = launchesByKernel(planned(program, inMixed(h100)));
  assert.ok(kernels["matmul-matrix"] > 0.5 * shapes.length, JSON.stringify(kernels));
  assert.is(launchesByKernel(planned(program, h100))["matmul-matrix"], undefined);
});

test.run();
