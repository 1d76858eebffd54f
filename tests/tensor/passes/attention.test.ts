/** Attention that is found in a program and becomes one operation: where, what it computes then, and what is no longer in memory. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../../src/device/device.ts";
import { resident } from "../../../src/device/resident.ts";
import { boundsOf, type Bounds } from "../../../src/kernels/bounds.ts";
import { lora } from "../../../src/model/adapters/lora.ts";
import { clip, type ClipConfig } from "../../../src/model/clip.ts";
import { llama } from "../../../src/model/llama.ts";
import { initialModel, type Model } from "../../../src/model/model.ts";
import { compose, stepStage } from "../../../src/stages/stage.ts";
import { gradient as differentiate } from "../../../src/stages/steps.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { mul, scale } from "../../../src/tensor/ops/elementwise.ts";
import { attentionScores, attentionValues } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { softmax } from "../../../src/tensor/ops/softmax.ts";
import { fusedAttention } from "../../../src/tensor/passes/attention.ts";
import { readHalves } from "../../../src/tensor/passes/halves.ts";
import { savedInHalves } from "../../../src/tensor/passes/mixed.ts";
import { optimise } from "../../../src/tensor/passes/optimise.ts";
import type { Program, Tensors } from "../../../src/tensor/program.ts";
import { floats, size, type Tensor } from "../../../src/tensor/tensor.ts";
import { matching } from "../../../src/training/objective.ts";
import { traceStep } from "../../../src/training/step.ts";
import type { BatchShape, Graded, Trainee } from "../../../src/training/trainee.ts";
import { hasF16 } from "../../fixtures/shaderF16.ts";
import { h100, lavapipe, launchesByKernel, plainGpu, planned, stepOf } from "../../fixtures/gpu.ts";
import { tinyLlamaConfig } from "../../fixtures/tinyLlama.ts";
import { deviceTest, deviceTestWith, numbers, orThrow, readAll, relativeError, runTests, specsOf, traced, using, type Value } from "../check.ts";

/** The bounds of a device as if it were a GPU. */
const asGpu = (device: Device): Bounds => ({ ...boundsOf(device), adapter: { ...device.adapter, kind: "gpu" } });

const namesOf = ({ schedule }: Program): readonly string[] => schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : []));
const fused = (program: Program): number => namesOf(program).filter((name) => name === "attention").length;

interface Sizes {
  readonly queries: number;
  readonly keys: number;
  readonly keyHeads: number;
  readonly causal?: boolean;
}

const [batch, heads, d] = [2, 4, 8];
const inputsOf = ({ queries, keys, keyHeads }: Sizes): Readonly<Record<string, Value>> => ({
  q: numbers([batch, queries, heads * d], 1),
  k: numbers([batch, keys, keyHeads * d], 2),
  v: numbers([batch, keys, keyHeads * d], 3),
  w: numbers([batch, queries, heads * d], 4),
  starts: { shape: [batch], data: Uint32Array.of(0, 9) },
});

/** Attention as models write it, out of what inputs become before. */
const attended = ({ keyHeads, causal }: Sizes, { q, k, v, starts }: Tensors): { readonly y: Tensor; readonly p: Tensor } => {
  const p = softmax(attentionScores(scale(q, 2), scale(k, 0.5), heads, 0.3, keyHeads), { causal, ...(causal && { starts }) });
  return { p, y: attentionValues(p, scale(v, 3), heads, keyHeads) };
};

const programOf = (
  sizes: Sizes,
  wrt: readonly ("q" | "k" | "v")[],
  more: (parts: { readonly y: Tensor; readonly p: Tensor }) => Tensors = () => ({}),
): Program =>
  traced({ inputs: specsOf(inputsOf(sizes)) }, ({ inputs }) => {
    const parts = attended(sizes, inputs);
    const grads = gradient(
      sum(mul(parts.y, inputs.w)),
      wrt.map((name) => inputs[name]),
    );
    return { outputs: { ...more(parts), ...Object.fromEntries(wrt.map((name, i) => [`gradient of ${name}`, grads[i]])) } };
  });

type Run = (program: Program) => Promise<Readonly<Record<string, Float32Array>>>;

/** Runs a program as it was traced and with attention in one operation: outputs that differ by f32 rounding, or as much as is said. */
const agrees = async (rewritten: Program, program: Program, run: Run, many: number, within = 3e-6): Promise<void> => {
  assert.is(fused(rewritten), many);
  const [want, got] = [await run(program), await run(rewritten)];
  assert.equal(Object.keys(got), Object.keys(want));
  for (const [name, values] of Object.entries(want)) {
    assert.ok(
      values.some((x) => x !== 0),
      name,
    );
    const off = relativeError(got[name], values);
    assert.ok(off < within, `${name}: off by ${off} of its norm`);
  }
};

for (const sizes of [
  { queries: 11, keys: 35, keyHeads: 4 },
  { queries: 34, keys: 34, keyHeads: 2, causal: true },
] as const) {
  deviceTest(`values and gradients are those of the parts: ${JSON.stringify(sizes)}`, async (device) => {
    const inputs = inputsOf(sizes);
    const data = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value.data]));
    const run = (program: Program) =>
      using(device, program, async (exe) => {
        const used = new Set(program.leaves.map(({ name }) => name));
        orThrow(exe.run(Object.fromEntries(Object.entries(data).filter(([name]) => used.has(name)))));
        return readAll(exe, Object.keys(program.outputs));
      });
    // Where not all gradients are asked for, the values are not computed otherwise.
    for (const program of [programOf(sizes, ["q", "k", "v"], ({ y }) => ({ y })), programOf(sizes, ["q"]), programOf(sizes, ["k"])]) {
      await agrees(fusedAttention(program, asGpu(device)), program, run, 1);
    }
  });
}

const tower = { width: 24, mlpWidth: 32, layers: 2, heads: 3, activation: "quick_gelu", eps: 1e-5 } as const;

/** A CLIP with 17 tokens an image and nine a text. */
const clipConfig: ClipConfig = {
  embed: 8,
  initialLogitScale: 2.6,
  vision: { ...tower, imageSize: 16, patchSize: 4, channels: 3 },
  text: { ...tower, vocabulary: 30, context: 16, eosId: 29 },
};

const wholes = (n: number, of: (i: number) => number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => of(i));

const [images, texts, length, positions] = [3, 2, 9, 5];

const steps: Readonly<
  Record<string, { readonly model: Model<any, any>; readonly shape: BatchShape; readonly data: Readonly<Record<string, Uint32Array>>; readonly many: number }>
> = {
  "a CLIP": {
    model: initialModel(clip, clipConfig, 1),
    shape: { images, texts, length, previous: 0 },
    data: { ids: wholes(texts * length, (i) => (7 * i) % 30), ends: wholes(texts, (i) => i * length + length - 1) },
    many: 4,
  },
  "a Llama with grouped keys, of padded texts": {
    model: initialModel(llama, tinyLlamaConfig, 1),
    shape: { images: 0, texts, length, positions, previous: 0 },
    data: {
      ids: wholes(texts * length, (i) => (7 * i) % tinyLlamaConfig.vocabulary),
      starts: Uint32Array.of(0, 4),
      positions: wholes(positions, (i) => 6 + 2 * i),
      next: wholes(positions, (i) => 3 + i),
    },
    many: 2,
  },
};

for (const [name, { model, shape, data, many }] of Object.entries(steps)) {
  const ofStep = async (device: Device, inHalves: boolean): Promise<void> => {
    const step = compose(
      differentiate(matching),
      stepStage<Graded, Trainee, "A" | "B">("show", {}, ({ gradients, ...trainee }, tracing) => {
        Object.entries(gradients).forEach(([group, g]) => tracing.record(`gradient of ${group}`, g));
        return trainee;
      }),
    );
    const { program } = orThrow(traceStep({ model, adapter: lora({ rank: 2 }), step, steps: 1, batch: shape }));
    const weights = orThrow(resident(device, model.weights));
    const drawn = (role: "state" | "input") =>
      Object.fromEntries(
        program.leaves
          .filter((leaf) => leaf.role === role)
          .map(({ name: leaf, outputs: [spec] }, i) => [leaf, data[leaf] ?? numbers([size(spec.shape)], 10 + i, role === "state" ? -0.3 : 0, 0.3).data]),
      );
    const run = (one: Program) =>
      using(
        device,
        one,
        async (exe) => {
          orThrow(exe.write("state", drawn("state")));
          orThrow(exe.run(drawn("input")));
          return readAll(exe, Object.keys(one.outputs));
        },
        weights,
      );
    if (!inHalves) await agrees(fusedAttention(program, asGpu(device)), program, run, many);
    else {
      const mixed = { ...asGpu(device), precision: "mixed" as const };
      // On GPUs nothing as small as this is rounded.
      const small = { ...mixed, adapter: { ...mixed.adapter, kind: "cpu" as const } };
      const halved = readHalves(savedInHalves(fusedAttention(program, mixed), small), mixed);
      for (const node of halved.schedule) {
        if (node.kind !== "apply" || node.op.name !== "attention") continue;
        assert.equal(
          [...node.inputs.slice(0, 3), node.outputs[0]].map(({ dtype }) => dtype),
          Array(4).fill("f16"),
        );
      }
      await agrees(halved, program, run, many, 5e-3);
    }
    weights.release();
  };
  deviceTest(`a step of ${name} has the loss and the gradients of the parts`, (device) => ofStep(device, false));
  deviceTestWith(hasF16, "shader-f16")(`a step of ${name} has them in f16, to what is rounded`, (device) => ofStep(device, true));
}

test("what the map of attention is read for, adapters on a CPU, few queries, wide heads and small bindings leave attention as it is", () => {
  const sizes = { queries: 16, keys: 16, keyHeads: 4 };
  const program = programOf(sizes, ["q", "k", "v"], ({ y }) => ({ y }));
  assert.is(fused(fusedAttention(program, h100)), 1);
  assert.is(fusedAttention(program, lavapipe), program);
  assert.is(fused(fusedAttention(program, { ...h100, maxBinding: 1000 })), 0);
  assert.is(fused(fusedAttention(programOf({ ...sizes, queries: 7 }, ["q"]), h100)), 0);
  assert.is(
    fused(
      fusedAttention(
        programOf(sizes, ["q"], ({ p }) => ({ p })),
        h100,
      ),
    ),
    0,
  );
  assert.is(
    fused(
      fusedAttention(
        programOf(sizes, ["q"], ({ p }) => ({ total: sum(p) })),
        h100,
      ),
    ),
    0,
  );
  // Heads of values may be wider than those of keys, and heads of both too wide.
  for (const [width, wider] of [
    [8, 16],
    [130, 130],
  ]) {
    const inputs = { q: floats([batch, 16, heads * width]), v: floats([batch, 16, heads * wider]) };
    const other = traced({ inputs }, ({ inputs: { q, v } }) => ({ outputs: { y: attentionValues(softmax(attentionScores(q, q, heads, 1)), v, heads) } }));
    assert.is(fused(fusedAttention(other, h100)), 0);
  }
});

test("scores of some size are written, since their products are faster; small ones, those of long sequences and those that exceed a binding are not", () => {
  const width = 64;
  const fusedOf = (tokens: number, bounds: Bounds = h100): boolean => {
    const spec = floats([4, tokens, 4 * width]);
    const program = traced({ inputs: { q: spec, v: spec } }, ({ inputs: { q, v } }) => {
      const y = attentionValues(softmax(attentionScores(q, q, 4, 1)), v, 4);
      return { outputs: { y, gradient: gradient(sum(mul(y, y)), [v])[0] } };
    });
    return fused(fusedAttention(program, bounds)) === 1;
  };
  // 4 · 4 · 128 · 128 numbers are 1 MiB.
  assert.equal(
    [127, 128, 8 * width, 8 * width + 1].map((tokens) => fusedOf(tokens)),
    [true, false, false, true],
  );
  // Queries fit the binding, and scores do not.
  assert.is(fusedOf(300, { ...h100, maxBinding: 4 * 300 * 4 * width }), true);
});

test("a step of ViT-B/16 whose scores exceed a binding keeps no map of attention, and launches three kernels an attention", () => {
  for (const gpu of [h100, plainGpu]) {
    const target = { ...gpu, maxBinding: 2 ** 24 };
    const program = optimise(stepOf("b16", 64), target);
    const maps = program.schedule.flatMap(({ outputs }) => outputs.filter(({ shape }) => shape.length === 4 && shape[2] === 197 && shape[3] === 197));
    assert.is(maps.length, 0);
    const launches = launchesByKernel(planned(stepOf("b16", 64), target));
    for (const kernel of ["attention", "attention-grad-queries", "attention-grad-keys"]) assert.is(launches[kernel], 24, kernel);
    assert.is(launches.softmax, undefined);
  }
});

test("on a GPU of larger bindings that step writes the scores of its pictures", () => {
  const launches = launchesByKernel(planned(stepOf("b16", 64), h100));
  for (const kernel of ["attention", "attention-grad-queries", "attention-grad-keys", "softmax"]) assert.is(launches[kernel], 12, kernel);
});

runTests();
