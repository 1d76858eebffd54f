/** What is computed again for the backward pass, when, and that no bit changes by it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { works, weightsOf, type WorkName } from "../../../bench/steps.ts";
import type { Device } from "../../../src/device/device.ts";
import { get } from "../../../src/failure.ts";
import { boundsOf } from "../../../src/kernels/bounds.ts";
import { gatedLora } from "../../../src/model/adapters/lora.ts";
import { networkOf } from "../../../src/model/model.ts";
import { random } from "../../../src/random.ts";
import { dropout as dropoutStage, gradient as gradientStage, repeat, update } from "../../../src/stages/steps.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { exp, gelu, mul, quickGelu, square } from "../../../src/tensor/ops/elementwise.ts";
import { layerNorm } from "../../../src/tensor/ops/layerNorm.ts";
import { linear, matmul } from "../../../src/tensor/ops/matmul.ts";
import { shrink } from "../../../src/tensor/ops/optimizer.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { isBackward } from "../../../src/tensor/passes/backward.ts";
import { outputsOf, rewrite } from "../../../src/tensor/passes/pass.ts";
import { recompute } from "../../../src/tensor/passes/recompute.ts";
import type { Program, Recompute } from "../../../src/tensor/program.ts";
import { openSession } from "../../../src/tensor/session.ts";
import { floats, kept, type Tensor } from "../../../src/tensor/tensor.ts";
import { matching } from "../../../src/training/objective.ts";
import { adamW } from "../../../src/training/optimizer.ts";
import { cosine } from "../../../src/training/schedule.ts";
import { traceStep } from "../../../src/training/step.ts";
import { h100, lavapipe } from "../../fixtures/gpu.ts";
import { deviceTest, numbers, orThrow, readAll, runTests, sameBits, specsOf, traced, using } from "../check.ts";

/** The operations of a program in their order; those that are computed again in brackets. */
const told = ({ schedule, recomputed }: Program): readonly string[] =>
  schedule.flatMap((node) => (node.kind !== "apply" ? [] : [recomputed?.has(node) ? `(${node.op.name})` : node.op.name]));

const again = (program: Program): readonly string[] => told(program).filter((name) => name.startsWith("("));

/** Rows for which a value of 256 columns is worth computing again. */
const many = 4096;

/** A norm, a layer and an activation, between products whose gradients are wanted. */
const block = (rows: number): Program =>
  traced({ inputs: { x: floats([rows, 256]), a: floats([256, 256]), b: floats([8, 256]), g: floats([256]), s: floats([256]) } }, ({ inputs }) => {
    const { x, a, b, g, s } = inputs;
    const normed = layerNorm(matmul(x, a, { tb: true }), g, s, 1e-5);
    const loss = sum(square(matmul(quickGelu(linear(normed, a)), b, { tb: true })));
    const [da, db] = gradient(loss, [a, b]);
    return { outputs: { loss, da, db } };
  });

test("the outputs of activations and norms are computed again on GPUs, right before their first reader in the backward pass", () => {
  const program = recompute(block(many), h100);
  assert.equal(again(program), ["(quickGelu)", "(layerNorm)"]);
  const order = told(program);
  for (const name of again(program)) assert.is(order[order.indexOf(name) + 1], "matmul", `the product that needs ${name}`);
  const backward = isBackward(program);
  program.schedule.forEach((node, i) => {
    if (told({ ...program, schedule: [node] })[0]?.startsWith("(")) assert.ok(backward(node), `node ${i}`);
  });
});

test("small values are kept, and on CPU adapters all are", () => {
  const small = block(many / 8);
  assert.is(recompute(small, h100), small);
  const large = block(many);
  assert.is(recompute(large, lavapipe), large);
});

test("what follows from a value that is not kept, what is an output, and what many kernels lead to, is kept", () => {
  const shape = [many, 256];
  const names = (f: (x: Tensor, y: Tensor) => { readonly loss: Tensor; readonly more?: Readonly<Record<string, Tensor>> }): readonly string[] => {
    const program = traced({ inputs: { x: floats(shape), y: floats(shape) } }, ({ inputs: { x, y } }) => {
      const { loss, more } = f(x, y);
      return { outputs: { loss, ...more, g: gradient(loss, [x])[0] } };
    });
    return again(recompute(program, h100));
  };
  assert.equal(
    names((x) => ({ loss: sum(exp(x)) })),
    ["(exp)"],
  );
  // A product is dear, and only its exp is read by the backward pass.
  assert.equal(
    names((x) => ({ loss: sum(exp(matmul(x, x, { ta: true, scale: 1e-9 }))) })),
    [],
  );
  assert.equal(
    names((x) => {
      const y = exp(x);
      return { loss: sum(y), more: { y } };
    }),
    [],
  );
  // Three kernels in a row at most: the fourth value is kept, and from it the next are computed.
  const chain = (x: Tensor, n: number): Tensor => (n === 0 ? x : chain(exp(x), n - 1));
  assert.is(names((x) => ({ loss: sum(chain(x, 8)) })).length, 6);
  // The derivative of the square reads the sum of both, which is nowhere else.
  assert.equal(
    names((x, y) => ({ loss: sum(square(mul(x, exp(y)))) })),
    ["(exp)", "(mul)"],
  );
});

deviceTest("values that are computed again have the same bits, also where a later pass rewrites them", async (device: Device) => {
  const inputs = { x: numbers([many, 256], 1), w: numbers([8, 256], 2), g: numbers([256], 3), s: numbers([256], 4) };
  const program = traced({ inputs: specsOf(inputs) }, ({ inputs: { x, w, g, s } }) => {
    const loss = sum(square(matmul(gelu(layerNorm(x, g, s, 1e-5)), w, { tb: true })));
    const [dx, dw, dg] = gradient(loss, [x, w, g]);
    return { outputs: { loss, dx, dw, dg } };
  });
  const less = recompute(program, h100);
  assert.equal(again(less), ["(layerNorm)", "(gelu)"]);
  const moved = rewrite(less, (node) => (node.kind === "apply" && node.op.name === "layerNorm" ? outputsOf({ ...node }) : undefined));
  assert.equal(told(moved), told(less));
  const run = (what: Program): Promise<Readonly<Record<string, Float32Array>>> =>
    using(device, what, (exe) => {
      orThrow(exe.run(Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]))));
      return readAll(exe, ["loss", "dx", "dw", "dg"]);
    });
  const want = await run(program);
  for (const what of [less, moved]) {
    const got = await run(what);
    for (const name of Object.keys(want)) sameBits(got[name], want[name], name);
  }
});

test("with blocks, all before a mark is computed again from the mark before, and marks are gone", () => {
  const program = (asked?: Recompute): Program => ({
    ...traced(
      { state: { w: floats([4, 4]), p: floats([4, 4]) }, inputs: { x: floats([3, 4]), kappa: floats([1]) } },
      ({ state: { w, p }, inputs: { x, kappa } }) => {
        const layer = (y: Tensor): Tensor => gelu(matmul(kept(y), w, { tb: true }));
        const loss = sum(square(layer(layer(layer(x)))));
        return { state: { w: gradient(loss, [w])[0], p: shrink(p, kappa, "paper") }, outputs: { loss } };
      },
    ),
    recompute: asked,
  });
  // The last block is kept: its backward pass comes first.
  assert.equal(again(recompute(program("blocks"), lavapipe)), ["(matmul)", "(matmul)"]);
  assert.equal(again(recompute(program(), lavapipe)), []);
  for (const asked of ["blocks", undefined] as const) {
    const { schedule } = recompute(program(asked), lavapipe);
    assert.not.ok(schedule.some((node) => node.kind === "view" && node.kept));
  }
});

/** Two steps of a training with dropout: what was trained, and the losses. */
const trained = async (device: Device, name: WorkName, asked?: Recompute): Promise<Readonly<Record<string, Float32Array>>> => {
  const work = works[name].of(2);
  const { model, batch, data } = work;
  const adapter = gatedLora({ rank: 4 });
  const { step } = repeat(2, dropoutStage(0.25), gradientStage(matching), update(adamW({ lr: cosine(1e-2) })));
  const { program, recorder } = orThrow(traceStep({ model, adapter, step, steps: 2, batch, seed: 1, recompute: asked }));
  assert.is(again(recompute(program, boundsOf(device))).length > 0, asked === "blocks");
  const weights = weightsOf(work);
  const session = await get(openSession(device, program, { weights, record: ["loss"] }));
  orThrow(session.write(adapter.initial(networkOf(model), weights, 1, 0)));
  const inputs = data(random(1, "test"));
  for (let i = 0; i < 2; i++)
    orThrow(session.run({ ...inputs, ...Object.fromEntries([...recorder.hypers].map(([n, at]) => [n, Float32Array.from(at, (f) => f(i))])) }));
  const states = await get(session.readAll(Object.keys(program.state)));
  const loss = await get(session.recorded("loss"));
  session.release();
  return { ...states, loss };
};

for (const name of ["icon", "small-llama"] as const) {
  deviceTest(`a training of ${name} with blocks that are computed again has the same bits, dropout and all`, async (device) => {
    const [plain, blocks] = [await trained(device, name), await trained(device, name, "blocks")];
    for (const [what, values] of Object.entries(plain)) sameBits(blocks[what], values, what);
    assert.ok(plain.loss[1] !== plain.loss[0]);
  });
}

runTests();
