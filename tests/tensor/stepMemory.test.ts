/** What steps of a training need of a GPU's memory, as they are planned. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { add, square } from "../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../src/tensor/ops/matmul.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { bytesOfPlan, plannedBytes } from "../../src/tensor/planned.ts";
import { claims, hasGaps, keptOutputs, lastUses, packsOf } from "../../src/tensor/lives.ts";
import { optimise } from "../../src/tensor/passes/optimise.ts";
import { plan, type Plan } from "../../src/tensor/plan.ts";
import type { Program } from "../../src/tensor/program.ts";
import { byteSize, floats, type Node } from "../../src/tensor/tensor.ts";
import { deviceTest, orThrow, runTests, traced } from "./check.ts";
import { weightsOf, works } from "../../bench/steps.ts";
import { get } from "../../src/failure.ts";
import { target } from "../../src/kernels/target.ts";
import { costsOf } from "../../src/tensor/replay.ts";
import { openSession } from "../../src/tensor/session.ts";
import { h100, inMixed, optimised, planned, stepOf } from "../fixtures/gpu.ts";

const GiB = 2 ** 30;

const vitB16 = stepOf("b16", 64);

/**
 * The most bytes of values that live at once, whatever buffers they lie in. A part of a pack lives in it: from its first part on there is room for all of it.
 * Outputs and packs with gaps, which have buffers of their own, are left out.
 */
const livingBytes = (program: Program): number => {
  const claimed = claims(program);
  const [last, kept] = [lastUses(program, claimed), keptOutputs(program)];
  const [ends, begun] = [new Map<number, number>(), new Set<Node>()];
  let [now, most] = [0, 0];
  program.schedule.forEach((node, at) => {
    if (node.kind === "apply" && node.op.inPlace === undefined) {
      node.outputs.forEach((spec, output) => {
        if (kept(node, output)) return;
        const pack = packsOf({ node, output }, claimed).at(-1);
        if (pack !== undefined && (begun.has(pack) || hasGaps(pack) || kept(pack, 0))) return;
        if (pack !== undefined) begun.add(pack);
        const end = Math.max(at, last({ node, output }), pack === undefined ? 0 : last({ node: pack, output: 0 }));
        const bytes = byteSize(pack?.outputs[0] ?? spec);
        now += bytes;
        ends.set(end, (ends.get(end) ?? 0) + bytes);
      });
    }
    const between = node.kind === "apply" ? (node.op.scratch?.(h100) ?? []) : [];
    most = Math.max(most, now + between.reduce((n, spec) => n + byteSize(spec), 0));
    now -= ends.get(at) ?? 0;
  });
  return most;
};

test("the arena is hardly larger than what lives at once", () => {
  for (const [name, step, most] of [
    ["nano", stepOf("nano", 32), 1.03],
    ["b16", vitB16, 1.03],
    ["smollm2", stepOf("smollm2", 4), 1.05],
  ] as const) {
    const program = optimise(step, h100);
    const arena = plan(program, h100).buffers.reduce((n, { label, bytes }) => n + (label.startsWith("arena") ? bytes : 0), 0);
    const living = livingBytes(program);
    assert.ok(arena < most * living, `${name}: ${arena} bytes, where ${living} live at once`);
  }
});

/** A step of CLIP ViT-B/16 at batch 64 on an H100. */
const b16 = (options: Pick<Program, "recompute"> = {}): Plan => planned({ ...vitB16, ...options }, h100);

test("a step of CLIP ViT-B/16 at batch 64 needs less than PyTorch's 10.0 GiB", () => {
  const { all } = bytesOfPlan(b16());
  assert.ok(all < 7 * GiB, `${(all / GiB).toFixed(2)} GiB`);
});

test("in mixed precision it needs less than PyTorch's 6.4 GiB", () => {
  const { all } = bytesOfPlan(planned(vitB16, { ...h100, precision: "mixed" }));
  assert.ok(all < 4 * GiB, `${(all / GiB).toFixed(2)} GiB`);
});

test("small models, too, need less in mixed precision than in f32", () => {
  for (const [name, batch] of [
    ["icon", 1],
    ["small-llama", 1],
    ["small-llama", 4],
  ] as const) {
    const [plain, mixed] = [bytesOfPlan(planned(stepOf(name, batch), h100)), bytesOfPlan(planned(stepOf(name, batch, "mixed"), inMixed(h100)))];
    // Beside some numbers of the loss scale.
    assert.ok(mixed.computed <= plain.computed + 2 ** 12 && mixed.frozen < 0.6 * plain.frozen, `${name}: ${mixed.all} bytes, in f32 ${plain.all}`);
  }
});

test("with blocks that are computed again it needs a fraction of that, for at most a third more work", () => {
  const [plain, blocks] = [b16(), b16({ recompute: "blocks" })];
  const { all } = bytesOfPlan(blocks);
  assert.ok(all < 2 * GiB, `${(all / GiB).toFixed(2)} GiB`);
  const [before, after] = [plain, blocks].map((one) => costsOf(one).reduce((n, { flops }) => n + flops, 0));
  assert.ok(after < before * (4 / 3), `${after} operations, where ${before} are needed`);
});

test("a program says how many bytes it needs, by what they are for", () => {
  const program = traced(
    { frozen: { w: floats([8, 16]) }, state: { p: floats([8, 16]) }, inputs: { x: floats([4, 16]) } },
    ({ frozen: { w }, state: { p }, inputs: { x } }) => {
      const y = matmul(x, w, { tb: true });
      return { state: { p: add(p, w) }, outputs: { loss: sum(square(y)) } };
    },
  );
  const bytes = plannedBytes(program, h100);
  assert.equal([bytes.frozen, bytes.state, bytes.input], [512, 512, 256]);
  // The new state takes the place of the old one.
  assert.is(bytes.computed, 256 + 256, "the product and its loss");
  assert.is(bytes.all, bytes.frozen + bytes.state + bytes.input + bytes.computed);
  assert.is(plannedBytes(stepOf("nano"), h100).all, bytesOfPlan(plan(optimised(stepOf("nano"), h100), h100)).all);
});

deviceTest("what a program says is what it takes of a device, but for the numbers of its launches", async (device) => {
  const work = works["small-llama"].of(2);
  const { program } = orThrow(work.traced());
  const before = device.ledger().liveBytes;
  const session = await get(openSession(device, program, { weights: weightsOf(work) }));
  const taken = device.ledger().liveBytes - before;
  const said = plannedBytes(program, target(device));
  const uniforms = 256 * session.launches;
  assert.ok(taken >= said.all && taken <= said.all + uniforms + 2 ** 16, `${taken} bytes, where ${said.all} are said`);
  session.release();
  assert.is(device.ledger().liveBytes, before);
});

runTests();
