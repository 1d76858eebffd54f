/** Memory: what shares a buffer, what must not, what outlives a run, and what is said of tensors that are too large. */
import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { target as targetOf, type Target } from "../../src/kernels/target.ts";
import { describe, get } from "../../src/failure.ts";
import { traceStep } from "../../src/training/step.ts";
import { gatedLora } from "../../src/model/adapters/lora.ts";
import { imageToText, sum as sumOf, textToImage } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { cosine, ramp } from "../../src/training/schedule.ts";
import { gradient as gradientStage, repeat, update } from "../../src/stages/steps.ts";
import { instantiate } from "../../src/tensor/executable.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { add, affine, constant, exp, gelu, mul, quickGelu, scale, square, sub } from "../../src/tensor/ops/elementwise.ts";
import { dropout } from "../../src/tensor/ops/dropout.ts";
import { gather } from "../../src/tensor/ops/embedding.ts";
import { linear, matmul } from "../../src/tensor/ops/matmul.ts";
import { adamwUpdate, sgdUpdate, shrink } from "../../src/tensor/ops/optimizer.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { optimise } from "../../src/tensor/passes/optimise.ts";
import { plan, type Plan } from "../../src/tensor/plan.ts";
import { trace, type Program, type Tensors } from "../../src/tensor/program.ts";
import { resident } from "../../src/device/resident.ts";
import { aligned, floats, indices, leaf, pack, reshape, size, view, type Tensor } from "../../src/tensor/tensor.ts";
import { fixture, readModel } from "../model/embeddings.ts";
import {
  deviceTest,
  evaluate,
  failureOf,
  largestDifference,
  numbers,
  orThrow,
  readAll,
  relativeError,
  runTests,
  sameBits,
  specsOf,
  traced,
  using,
  wholes,
} from "./check.ts";
import type { GPUSupportedLimits } from "../../src/platform/webgpu.ts";

/** A launch may write parts of one buffer, and read another; never both. */
const launchesAreSound = ({ launches, buffers }: Plan): void => {
  for (const { launch, operands } of launches) {
    const sides = { input: new Set<number>(), output: new Set<number>(), scratch: new Set<number>() };
    operands.forEach((o, i) => {
      if (o === undefined) return;
      const { buffer, offset, bytes } = o;
      sides[launch.operands[i]!.from].add(buffer);
      assert.ok(offset % 256 === 0 && offset + bytes <= buffers[buffer].bytes, `${launch.kernel}: an operand leaves its buffer`);
    });
    for (const b of sides.output) assert.not.ok(sides.input.has(b), `${launch.kernel} reads and writes buffer ${b}`);
    for (const b of sides.scratch) assert.not.ok(sides.input.has(b) || sides.output.has(b), `${launch.kernel} has buffer ${b} as scratch and otherwise`);
  }
};

const elementsOf = ({ buffers }: Plan): number => buffers.reduce((n, b) => n + b.bytes / 4, 0);
/** What every value would need with a buffer of its own. */
const valuesOf = ({ schedule }: Program): number =>
  schedule.reduce((n, node) => n + (node.kind === "view" ? 0 : node.outputs.reduce((s, o) => s + size(o.shape), 0)), 0);
const kernels = ({ launches }: Plan): readonly string[] => launches.map(({ launch }) => launch.kernel);

const cpu: Target = {
  adapter: { line: "none", key: "none", kind: "cpu", features: new Set(), subgroupSize: 0 },
  maxBinding: 2 ** 25,
  precision: "f32",
  matmul: () => ({ kernel: "matmul-tiled", constants: {}, grid: [1, 1, 1] }),
};

const chain = (x: Tensor, n: number): Tensor => (n === 0 ? x : chain(affine(x, 0.5, 1), n - 1));

deviceTest("a chain of values needs one buffer beside its ends", async () => {
  const program = traced({ inputs: { x: floats([1000]) } }, ({ inputs: { x } }) => ({ outputs: { y: chain(x, 20) } }));
  const planned = plan(program, cpu);
  launchesAreSound(planned);
  assert.is(planned.launches.length, 20);
  assert.is(elementsOf(planned), 3000);
  assert.is(valuesOf(program), 21000);
});

deviceTest("what is computed element by element takes the place of an operand whose life ends there, and of no other", async () => {
  const values = { x: floats([1000]), row: floats([10]), one: floats([1]) };
  const elements = (f: (a: Tensor, given: Tensors) => Tensors): number => {
    const program = traced({ inputs: values }, ({ inputs }) => ({ outputs: f(affine(inputs.x, 2), inputs) }));
    const planned = plan(program, cpu);
    launchesAreSound(planned);
    return elementsOf(planned) - 1011;
  };
  const end = (t: Tensor): Tensors => ({ y: sum(t) });
  const alone = elements((a) => end(a));
  assert.is(
    elements((a) => end(exp(a))),
    alone,
  );
  assert.is(
    elements((a, { x }) => end(add(x, a))),
    alone,
    "the second operand",
  );
  assert.is(
    elements((a) => end(add(a, exp(a)))),
    alone + 1000,
    "one that is read later",
  );
  assert.is(
    elements((a) => end(mul(a, a))),
    alone + 1000,
    "one that is two operands",
  );
  assert.is(
    elements((a, { row }) => end(add(mul(reshape(a, [100, 10]), exp(row)), affine(row, 3)))),
    alone + 10,
    "not a row that is broadcast, but through a view",
  );
  assert.is(
    elements((a) => ({ a, ...end(exp(a)) })),
    alone + 1000,
    "an output",
  );
  assert.is(
    elements((_, { x }) => end(exp(x))),
    alone,
    "an input",
  );
});

deviceTest("a pack gives its place as well, where it has no gaps", async () => {
  const bytes = (second: number): number => {
    const program = traced({ inputs: { x: floats([64]) } }, ({ inputs: { x } }) => ({
      outputs: { y: sum(affine(pack([exp(x), square(x)], [0, second], second + 64), 0.5, 1)) },
    }));
    const planned = plan(program, cpu);
    launchesAreSound(planned);
    return elementsOf(planned) - 64;
  };
  assert.equal([bytes(64) < 2 * 128, bytes(128) >= 2 * 192], [true, true]);
});

deviceTest("a new state takes the place of the old one, where nothing else reads that", async () => {
  const plans = [false, true].map((read) =>
    plan(
      traced({ state: { p: floats([1000]) }, inputs: { x: floats([1000]) } }, ({ state: { p }, inputs: { x } }) => ({
        state: { p: add(p, x) },
        outputs: { norm: read ? sum(square(p)) : sum(x), ...(read ? { p } : {}) },
      })),
      cpu,
    ),
  );
  plans.forEach(launchesAreSound);
  const [either] = kernels(
    plan(
      traced({ state: { p: floats([64]) }, inputs: { x: floats([64]) } }, ({ state: { p }, inputs: { x } }) => ({ state: { p: add(square(x), p) } })),
      cpu,
    ),
  ).slice(1);
  assert.is(either, "elementwise", "rather than that of another operand");
  // Else it is copied home.
  assert.equal(
    plans.map((one) => kernels(one).includes("window")),
    [false, true],
  );
});

deviceTest("a slot grows to its largest value and is reused by smaller ones", async () => {
  const program = traced({ inputs: { x: floats([10]), z: floats([5000]) } }, ({ inputs: { x, z } }) => ({
    outputs: { y: add(sum(square(exp(x))), sum(square(exp(z)))) },
  }));
  const planned = plan(program, cpu);
  launchesAreSound(planned);
  assert.ok(elementsOf(planned) < 5010 + 2 * 5000 + 100, `${elementsOf(planned)} elements`);
});

deviceTest("parts of a pack are computed where they will lie, views cost nothing, an optimiser updates in place", async () => {
  const program = traced(
    { state: { p: floats([256]), m: floats([256]) }, inputs: { x: floats([64]), hyper: floats([4]) } },
    ({ state: { p, m }, inputs: { x, hyper } }) => {
      const [a, b] = [view(p, 0, [8, 8]), view(p, 128, [64])];
      const g = pack([exp(a), mul(b, x)], [0, 128], 256);
      const [p2, m2] = sgdUpdate(g, hyper, p, m);
      return { state: { p: p2, m: m2 } };
    },
  );
  const planned = plan(program, cpu);
  launchesAreSound(planned);
  assert.equal(kernels(planned), ["elementwise", "elementwise", "sgd"]);
  assert.equal(
    planned.buffers.map((b) => b.bytes / 4).sort((a, b) => a - b),
    [4, 64, 256, 256, 256],
    "inputs, state and the pack",
  );
});

deviceTest("packs without gaps share memory with other values, as long as nobody reads their parts", async (device) => {
  const x = numbers([128], 1);
  const step = (late: boolean) =>
    traced({ inputs: { x: floats([128]) } }, ({ inputs }) => {
      const [a, b] = [exp(inputs.x), square(inputs.x)];
      const first = sum(pack([a, b], [0, 128], 256));
      const [c, d] = [affine(inputs.x, 2), affine(inputs.x, 3)];
      const second = sum(pack([c, d], [0, 128], 256));
      return { outputs: { first, second, third: sum(late ? mul(a, c) : mul(inputs.x, c)) } };
    });
  const [early, late] = [step(false), step(true)];
  const packs = (program: Program): number => plan(program, cpu).buffers.filter(({ bytes }) => bytes === 4 * 256).length;
  assert.is(packs(early), 1, "one after the other");
  assert.is(packs(late), 2, "a part of the first is read behind the second");
  for (const program of [early, late]) {
    launchesAreSound(plan(program, cpu));
    await using(device, program, async (exe) => {
      orThrow(exe.run({ x: x.data }));
      const got = await readAll(exe, ["first", "second", "third"]);
      const total = (f: (v: number) => number): number => Array.from(x.data, f).reduce((s, v) => s + v, 0);
      const want = [total((v) => Math.exp(v) + v * v), total((v) => 5 * v), total((v) => (program === late ? Math.exp(v) : v) * 2 * v)];
      assert.ok(largestDifference([got.first[0], got.second[0], got.third[0]], want) < 1e-3);
    });
  }
});

deviceTest("a training step of CoDyRA copies nothing and lives in a fraction of its values' memory", async (device) => {
  const model = await readModel(fixture("clip-gelu"));
  const { step } = repeat(10, gradientStage(sumOf(imageToText, textToImage)), update(adamW({ lr: cosine(1e-3) })), rankSelect(softThreshold(ramp(0.005))));
  const batch = { images: 8, texts: 5, length: 9, previous: 0 };
  const { program } = orThrow(traceStep({ model, adapter: gatedLora({ rank: 4 }), step, steps: 10, batch, seed: 1 }));
  const planned = plan(program, targetOf(device));
  launchesAreSound(planned);
  const copies = program.schedule.filter((node) => node.kind === "apply" && node.op.name === "copy").length;
  assert.is(copies, 0);
  // `window` also slices and pads: exactly as often as the graph says.
  const windows = program.schedule.filter((node) => node.kind === "apply" && node.op.lower(cpu).some((l) => l.kernel === "window")).length;
  assert.is(kernels(planned).filter((k) => k === "window").length, windows);
  const leaves = program.leaves.reduce((n, l) => n + size(l.outputs[0].shape), 0);
  assert.ok(elementsOf(planned) - leaves < (valuesOf(program) - leaves) * 0.55, `${elementsOf(planned) - leaves} of ${valuesOf(program) - leaves}`);
});

deviceTest(
  "an activation that alone reads a product is computed by it; one whose gradient is wanted, or whose product is an output, on GPUs alone",
  async (device) => {
    const inputs = { x: numbers([5, 7], 1), w: numbers([9, 7], 2), b: numbers([9], 3) };
    for (const [f, kernel] of [
      [quickGelu, "quickGelu"],
      [gelu, "gelu"],
    ] as const) {
      const step = (more: (y: Tensor, z: Tensor, x: Tensor) => Tensors): Program =>
        traced({ inputs: specsOf(inputs) }, ({ inputs: { x, w, b } }) => {
          const y = linear(x, w, b);
          const z = f(y);
          return { outputs: { z, twice: scale(z, 2), ...more(y, z, x) } };
        });
      const [alone, beside, learned] = [step(() => ({})), step((y) => ({ y })), step((_, z, x) => ({ g: gradient(sum(z), [x])[0] }))];
      const has = (program: Program): boolean => program.schedule.some((node) => node.kind === "apply" && node.op.name === kernel);
      // On GPUs a product leaves its sum beside what is computed of it, where that is wanted, too.
      for (const [kind, wanted] of [
        ["cpu", [false, true, true]],
        ["gpu", [false, false, false]],
      ] as const) {
        const target = { ...targetOf(device), adapter: { ...device.adapter, kind } };
        assert.equal(
          [alone, beside, learned].map((program) => has(optimise(program, target))),
          wanted,
          kind,
        );
      }
      const feed = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
      const run = (program: Program): Promise<Readonly<Record<string, Float32Array>>> =>
        using(device, program, (exe) => {
          orThrow(exe.run(feed));
          return readAll(exe, ["z", "twice"]);
        });
      const [fused, apart] = [await run(alone), await run(beside)];
      assert.ok(relativeError(fused.z, apart.z) < 1e-6 && relativeError(fused.twice, apart.twice) < 1e-6);
    }
  },
);

// What a step means, whatever shares memory ------------------------------------------------------------------------------------------------

const ones = (n: number, value = 1): Float32Array => new Float32Array(n).fill(value);

deviceTest("states that are unchanged, swapped, copied, moved in a circle, or not returned at all", async (device) => {
  const names = ["a", "b", "c", "d", "e"];
  const state = Object.fromEntries(names.map((name) => [name, floats([3])]));
  const program = traced({ state }, ({ state: { a, b, c, d } }) => ({ state: { a: b, b: c, c: a, d }, outputs: { seen: add(a, d) } }));
  await using(device, program, async (exe) => {
    orThrow(exe.write("state", Object.fromEntries(names.map((name, i) => [name, ones(3, i + 1)]))));
    const expect = async (seen: number, values: readonly number[]): Promise<void> => {
      orThrow(exe.run());
      const got = await readAll(exe, ["seen", ...names.filter((n) => n !== "e")]);
      assert.equal(
        [got.seen, got.a, got.b, got.c, got.d].map((x) => x[0]),
        [seen, ...values],
      );
    };
    await expect(5, [2, 3, 1, 4]);
    await expect(6, [3, 1, 2, 4]);
    await expect(7, [1, 2, 3, 4]);
    // `e` is no part of the step, but it is a state of the program, and stays.
    assert.equal([...(await readAll(exe, ["e"])).e], [5, 5, 5]);
  });
});

deviceTest("old and new values of a state, and an update of a state that is not returned", async (device) => {
  const program = traced(
    { state: { p: floats([5]), q: floats([5]), r: floats([5]) }, inputs: { kappa: floats([1]) } },
    ({ state: { p, q, r }, inputs: { kappa } }) => {
      const shrunk = shrink(p, kappa, "paper");
      return {
        state: { p: shrunk, r: shrink(q, kappa, "paper") },
        outputs: { before: p, after: shrunk, view: view(p, 0, [2]), aside: shrink(q, kappa, "paper"), twice: shrink(shrunk, kappa, "paper"), was: r },
      };
    },
  );
  launchesAreSound(plan(program, cpu));
  await using(device, program, async (exe) => {
    orThrow(exe.write("state", { p: ones(5, 10), q: ones(5, 7), r: ones(5, 1) }));
    for (const [p, was] of [
      [10, 1],
      [9, 6],
      [8, 6],
    ]) {
      orThrow(exe.run({ kappa: Float32Array.of(1) }));
      const got = await readAll(exe, ["before", "after", "view", "aside", "twice", "was", "p", "q", "r"]);
      assert.equal(
        Object.values(got).map((x) => x[0]),
        [p, p - 1, p, 6, p - 2, was, p - 1, 7, 6],
      );
    }
  });
});

deviceTest("an input or a frozen tensor is never updated in place", async (device) => {
  const x = numbers([5], 1, 1, 2);
  const got = await evaluate(device, { x, kappa: { shape: [1], data: Float32Array.of(0.25) } }, ({ x: t, kappa }) => ({
    y: shrink(t, kappa, "paper"),
    z: shrink(t, kappa, "paper"),
    x: t,
  }));
  assert.equal([...got.x], [...x.data]);
  assert.equal([...got.y], [...x.data.map((v) => v - 0.25)]);
  assert.equal([...got.z], [...got.y]);
});

deviceTest("one tensor as two moments, and as its own gradient", async (device) => {
  const hyper = Float32Array.of(0.1, 0.9, 0.99, 1e-8, 0, 0.1, 0.01, 1);
  const program = traced({ state: { p: floats([3]) }, inputs: { hyper: floats([8]) } }, ({ state: { p }, inputs }) => {
    const zero = constant(0, [3]);
    const [p2, m, v] = adamwUpdate(p, inputs.hyper, p, zero, zero);
    return { state: { p: p2 }, outputs: { m, v } };
  });
  launchesAreSound(plan(program, cpu));
  await using(device, program, async (exe) => {
    orThrow(exe.write("state", { p: ones(3, 2) }));
    orThrow(exe.run({ hyper }));
    const got = await readAll(exe, ["p", "m", "v"]);
    assert.ok(largestDifference([got.p[0], got.m[0], got.v[0]], [1.9, 0.2, 0.04]) < 1e-6, `${got.p[0]} ${got.m[0]} ${got.v[0]}`);
  });
});

deviceTest("packs: parts of one another, a part twice, a part in two packs, a part that is read after the pack was updated", async (device) => {
  const [x, kappa] = [numbers([70], 1), { shape: [1], data: Float32Array.of(0.5) }];
  const got = await evaluate(device, { x, kappa }, ({ x: t, kappa: k }) => {
    const a = affine(t, 1, 1);
    const b = affine(a, 2);
    const first = pack([a, b, a, view(b, 64, [6])], [0, 128, 256, 384], 448);
    const second = pack([b, t], [64, 192], 320);
    return { first, second, shrunk: shrink(pack([a, b], [0, 128], 256), k, "paper"), a, of: square(b) };
  });
  const want = (parts: readonly (readonly [number, (v: number) => number, number?])[], length: number): Float64Array => {
    const out = new Float64Array(length);
    for (const [offset, f, from = 0] of parts) x.data.subarray(from).forEach((v, i) => void (out[offset + i] = f(v)));
    return out;
  };
  const [a, b] = [(v: number): number => v + 1, (v: number): number => 2 * (v + 1)];
  const soft = (v: number): number => Math.sign(v) * Math.max(0, Math.abs(v) - 0.5);
  assert.ok(
    largestDifference(
      got.first,
      want(
        [
          [0, a],
          [128, b],
          [256, a],
          [384, b, 64],
        ],
        448,
      ),
    ) < 1e-6,
  );
  assert.ok(
    largestDifference(
      got.second,
      want(
        [
          [64, b],
          [192, (v) => v],
        ],
        320,
      ),
    ) < 1e-6,
  );
  assert.ok(
    largestDifference(
      got.shrunk,
      want(
        [
          [0, (v) => soft(a(v))],
          [128, (v) => soft(b(v))],
        ],
        256,
      ),
    ) < 1e-6,
  );
  assert.ok(largestDifference(got.a, want([[0, a]], 70)) < 1e-6);
  assert.ok(largestDifference(got.of, want([[0, (v) => b(v) ** 2]], 70)) < 1e-5);
});

deviceTest("an update in place of a pack leaves its parts, and one of a part its pack", async (device) => {
  const [x, kappa] = [numbers([5], 1, 1, 2), { shape: [1], data: Float32Array.of(0.5) }];
  const got = await evaluate(device, { x, kappa }, ({ x: t, kappa: k }) => {
    const [a, b] = [affine(t, 2), affine(t, 3)];
    return { a, updated: shrink(pack([a], [0], 64), k, "paper"), packed: pack([b], [0], 64), b: shrink(b, k, "paper") };
  });
  const near = (name: string, f: (v: number) => number): void => assert.ok(largestDifference(got[name].subarray(0, 5), x.data.map(f)) < 1e-6, name);
  near("a", (v) => 2 * v);
  near("updated", (v) => 2 * v - 0.5);
  near("packed", (v) => 3 * v);
  near("b", (v) => 3 * v - 0.5);
});

deviceTest("the gaps of a pack stay zero, run after run", async (device) => {
  const program = traced({ state: { p: floats([192]) }, inputs: { x: floats([5]) } }, ({ state: { p }, inputs: { x } }) => {
    const g = pack([affine(x, 1, 3), exp(x)], [0, 128], 192);
    return { state: { p: add(p, g) }, outputs: { g } };
  });
  await using(device, program, async (exe) => {
    for (let i = 0; i < 3; i += 1) orThrow(exe.run({ x: ones(5, i) }));
    const { g, p } = await readAll(exe, ["g", "p"]);
    for (const flat of [g, p]) flat.forEach((v, i) => assert.is(v === 0, (i >= 5 && i < 128) || i >= 133, `element ${i} is ${v}`));
  });
});

deviceTest("two tensors of one name, and a pack on the way of a gradient, are refused", async () => {
  const twice = failureOf(trace({}, () => E.right({ outputs: { y: add(leaf("input", "x", floats([2])), leaf("input", "x", floats([2]))) } })));
  assert.match(describe(twice), "input x");
  const packed = failureOf(
    trace({ inputs: { x: floats([2]) } }, ({ inputs: { x } }) => E.right({ outputs: { g: gradient(sum(pack([x], [0], 64)), [x])[0] } })),
  );
  assert.match(describe(packed), "pack");
  const grown = failureOf(trace({ state: { p: floats([2]) } }, () => E.right({ state: { p: constant(0, [3]) } })));
  assert.match(describe(grown), "p was f32[2] and becomes f32[3]");
  const unknown = failureOf(trace({}, () => E.right({ state: { q: constant(0, [3]) } })));
  assert.match(describe(unknown), "never had");
});

deviceTest("the gradient of a tensor on the way to another one counts both paths", async (device) => {
  const x = numbers([5], 1);
  const got = await evaluate(device, { x }, ({ x: t }) => {
    const y = affine(t, 3);
    const [dx, dy, other] = gradient(sum(add(square(y), t)), [t, y, constant(1, [2])]);
    return { dx, dy, other };
  });
  assert.ok(
    largestDifference(
      got.dy,
      x.data.map((v) => 6 * v),
    ) < 1e-5,
  );
  assert.ok(
    largestDifference(
      got.dx,
      x.data.map((v) => 18 * v + 1),
    ) < 1e-5,
  );
  assert.equal([...got.other], [0, 0], "what the loss does not depend on has the gradient zero");
});

// Random graphs -----------------------------------------------------------------------------------------------------------------------------

/** A value of a random graph: symbolic, and as numbers. */
interface Both {
  readonly t: Tensor;
  readonly v: Float64Array;
}

interface Draw {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

const lengths = [1, 70, 130, 64];
const kappa = 0.125;
const [rate, momentum] = [0.25, 0.5];
const threshold = (v: number): number => Math.sign(v) * Math.max(0, Math.abs(v) - kappa);

/** Extends a list of values by one that is computed from two of it; what a draw cannot do is skipped. */
const grow = (values: readonly Both[], { kind, a, b }: Draw, hyper: Readonly<Record<"kappa" | "sgd", Tensor>>): readonly Both[] => {
  const x = values[a % values.length];
  const same = values.filter(({ v }) => v.length === x.v.length);
  const [y, z] = [same[b % same.length], same[(a + b) % same.length]];
  const any = values[b % values.length];
  const pairwise = (f: (p: number, q: number) => number): Float64Array => x.v.map((p, i) => f(p, y.v[i]));
  switch (kind % 9) {
    case 0:
      return [{ t: affine(x.t, 0.5, 0.25), v: x.v.map((p) => 0.5 * p + 0.25) }];
    case 1:
      return [{ t: affine(add(x.t, y.t), 0.5), v: pairwise((p, q) => 0.5 * (p + q)) }];
    case 2:
      return [{ t: sub(x.t, y.t), v: pairwise((p, q) => p - q) }];
    case 3:
      return [
        {
          t: mul(affine(x.t, 0.25), reshape(sum(any.t, 1 / any.v.length), [])),
          v: x.v.map((p) => 0.25 * p * (any.v.reduce((s, q) => s + q, 0) / any.v.length)),
        },
      ];
    case 4:
      return [{ t: reshape(sum(x.t, 1 / x.v.length), [1]), v: Float64Array.of(x.v.reduce((s, p) => s + p, 0) / x.v.length) }];
    case 5:
      return x.v.length > 64 ? [{ t: view(x.t, 64, [x.v.length - 64]), v: x.v.slice(64) }] : [];
    case 6: {
      const [first, second] = [aligned(x.v.length), aligned(any.v.length)];
      if (first + second > 600) return [];
      const v = new Float64Array(first + second);
      v.set(x.v);
      v.set(any.v, first);
      return [{ t: pack([x.t, any.t], [0, first], first + second), v }];
    }
    case 7:
      return [{ t: shrink(x.t, hyper.kappa, "paper"), v: x.v.map(threshold) }];
    default: {
      // Gradient x, parameters y, momentum z.
      const [p, m] = sgdUpdate(x.t, hyper.sgd, y.t, z.t);
      const moved = z.v.map((q, i) => momentum * q + x.v[i]);
      return [
        { t: p, v: y.v.map((q, i) => q - rate * moved[i]) },
        { t: m, v: moved },
      ];
    }
  }
};

const recipe = fc.record({
  draws: fc.array(fc.record({ kind: fc.nat(8), a: fc.nat(1000), b: fc.nat(1000) }), { minLength: 1, maxLength: 18 }),
  outputs: fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }),
  states: fc.array(fc.option(fc.nat(1000), { nil: undefined }), { minLength: lengths.length, maxLength: lengths.length }),
});
type Recipe = typeof recipe extends fc.Arbitrary<infer R> ? R : never;

/** Walks a recipe from leaves: the results by name. */
const follow = (
  { draws, outputs, states }: Recipe,
  leaves: readonly Both[],
  hyper: Readonly<Record<"kappa" | "sgd", Tensor>>,
): { readonly outputs: Readonly<Record<string, Both>>; readonly state: Readonly<Record<string, Both>> } => {
  const values = draws.reduce<readonly Both[]>((all, draw) => [...all, ...grow(all, draw, hyper)], leaves);
  const state = states.flatMap((pick, i) => {
    const fits = values.filter(({ v }) => v.length === lengths[i]);
    return pick === undefined ? [] : [[`s${i}`, fits[pick % fits.length]] as const];
  });
  return { outputs: Object.fromEntries(outputs.map((pick, i) => [`o${i}`, values[pick % values.length]])), state: Object.fromEntries(state) };
};

deviceTest("random graphs give what they mean, whatever shares memory", async (device) => {
  const signature = {
    inputs: { ...Object.fromEntries(lengths.map((n, i) => [`x${i}`, floats([n])])), kappa: floats([1]), sgd: floats([4]) },
    state: Object.fromEntries(lengths.map((n, i) => [`s${i}`, floats([n])])),
  };
  const doubles = (seed: number): readonly Float64Array[] => lengths.map((n) => Float64Array.from(numbers([n], seed).data));
  await fc.assert(
    fc.asyncProperty(recipe, async (one) => {
      const nothing = { kappa: constant(0, [1]), sgd: constant(0, [4]) };
      const blank = (n: number): Tensor => constant(0, [n]);
      const program = traced(signature, ({ inputs, state }) => {
        const leaves = lengths.flatMap((n, i) => [
          { t: inputs[`x${i}`], v: new Float64Array(n) },
          { t: state[`s${i}`], v: new Float64Array(n) },
        ]);
        const results = follow(one, leaves, { kappa: inputs.kappa, sgd: inputs.sgd });
        const symbols = (all: Readonly<Record<string, Both>>): Readonly<Record<string, Tensor>> =>
          Object.fromEntries(Object.entries(all).map(([name, { t }]) => [name, t]));
        return { outputs: symbols(results.outputs), state: symbols(results.state) };
      });
      launchesAreSound(plan(program, targetOf(device)));
      await using(device, program, async (exe) => {
        let states = doubles(50);
        orThrow(exe.write("state", Object.fromEntries(states.map((v, i) => [`s${i}`, Float32Array.from(v)]))));
        for (const seed of [1, 2, 3]) {
          const inputs = doubles(seed);
          orThrow(
            exe.run({
              ...Object.fromEntries(inputs.map((v, i) => [`x${i}`, Float32Array.from(v)])),
              kappa: Float32Array.of(kappa),
              sgd: Float32Array.of(rate, momentum, 0, 1),
            }),
          );
          const want = follow(
            one,
            lengths.flatMap((n, i) => [
              { t: blank(n), v: inputs[i] },
              { t: blank(n), v: states[i] },
            ]),
            nothing,
          );
          states = states.map((v, i) => want.state[`s${i}`]?.v ?? v);
          const got = await readAll(exe, [...Object.keys(want.outputs), ...states.map((_, i) => `s${i}`)]);
          const near = (name: string, v: Float64Array): void => {
            const scale = v.reduce((m, p) => Math.max(m, Math.abs(p)), 1);
            assert.ok(largestDifference(got[name], v) <= 2e-5 * scale, `run ${seed}: ${name} is off by ${largestDifference(got[name], v)}`);
          };
          for (const [name, { v }] of Object.entries(want.outputs)) near(name, v);
          states.forEach((v, i) => near(`s${i}`, v));
        }
      });
      const failure = device.failure();
      if (failure !== undefined) throw new Error(describe(failure));
    }),
    { numRuns: 100, seed: 20260101 },
  );
});

// Limits ------------------------------------------------------------------------------------------------------------------------------------

/** The device as if its largest binding were smaller. */
const narrowed = (device: Device, elements: number): Device => ({
  ...device,
  limits: { ...device.limits, maxStorageBufferBindingSize: 4 * elements } as GPUSupportedLimits,
});

deviceTest("what an executable owned is released, also when it could not be made", async (device) => {
  const before = device.ledger().liveBytes;
  const program = traced({ inputs: { x: floats([1000]) } }, ({ inputs: { x } }) => ({ outputs: { y: chain(x, 5), loss: sum(x) } }));
  const exe = await get(instantiate(device, program, undefined, ["loss"]));
  assert.ok(device.ledger().liveBytes - before >= exe.bytes, "its bytes are live");
  orThrow(exe.run({ x: ones(1000) }));
  await readAll(exe, ["y"]);
  await get(exe.recorded("loss"));
  exe.release();
  exe.release();
  assert.is(device.ledger().liveBytes, before);

  const frozen = traced({}, () => ({ outputs: { y: exp(leaf("frozen", "w", floats([10]))) } }));
  const missing = failureOf(await instantiate(device, frozen)());
  assert.match(describe(missing), "tensor w is missing");
  failureOf(await instantiate(narrowed(device, 100), program)());
  assert.is(device.ledger().liveBytes, before);
});

deviceTest("a tensor over a limit is a failure that names it, the limit and the adapter; nothing stays behind", async (device) => {
  const before = device.ledger().liveBytes;
  const most = Math.floor(device.limits.maxBufferSize / 4);
  const tooLarge = traced({ inputs: { pixels: floats([most + 64]) } }, ({ inputs: { pixels } }) => ({ outputs: { y: sum(pixels) } }));
  const first = failureOf(await instantiate(device, tooLarge)());
  assert.is(first._tag, "OverLimit");
  for (const word of ["input pixels", "maxBufferSize", "MiB", device.adapter.line]) assert.ok(describe(first).includes(word), describe(first));

  const program = traced({ inputs: { x: floats([1000]) } }, ({ inputs: { x } }) => ({ outputs: { y: sum(x) } }));
  const second = failureOf(await instantiate(narrowed(device, 999), program)());
  assert.is(second._tag, "OverLimit");
  for (const word of ["reduce", "maxStorageBufferBindingSize", device.adapter.line]) assert.ok(describe(second).includes(word), describe(second));

  const weights = { shape: [most + 1], data: { length: most + 1, byteLength: 4 * (most + 1) } as unknown as Float32Array };
  const third = failureOf(
    resident(device, [
      ["small", { data: ones(10) }],
      ["token_embedding", weights],
    ]),
  );
  assert.is(third._tag, "OverLimit");
  assert.match(describe(third), "token_embedding");
  assert.is(device.ledger().liveBytes, before);
});

deviceTest("tensors larger than a binding are visited window by window: maps, updates, tables", async (device) => {
  const small = narrowed(device, 640);
  const [rows, width] = [200, 5];
  const [table, index, x] = [numbers([rows, width], 1), wholes([77], 2, rows), numbers([1000], 3)];
  const names = ["y", "z", "thinned", "rows", "gradient"];
  const program = traced(
    {
      state: { p: floats([1000]), m: floats([1000]), v: floats([1000]) },
      inputs: { table: floats(table.shape), index: indices([77]), x: floats([1000]), hyper: floats([8]), kappa: floats([1]), seed: floats([2]) },
    },
    ({ state, inputs }) => {
      const picked = gather(inputs.table, inputs.index);
      const [p, m, v] = adamwUpdate(inputs.x, inputs.hyper, state.p, state.m, state.v);
      return {
        state: { p, m, v },
        outputs: {
          y: exp(inputs.x),
          z: add(shrink(inputs.x, inputs.kappa, "paper"), inputs.x),
          thinned: dropout(inputs.x, 0.5, inputs.seed, 1),
          rows: picked,
          gradient: gradient(sum(square(picked)), [inputs.table])[0],
        },
      };
    },
  );
  const feed = {
    table: table.data,
    index: index.data,
    x: x.data,
    hyper: Float32Array.of(0.1, 0.9, 0.99, 1e-8, 0.1, 0.1, 0.01, 1),
    kappa: Float32Array.of(0.5),
    seed: Float32Array.of(3, 4),
  };
  const run = (on: Device): Promise<Readonly<Record<string, Float32Array>>> =>
    using(on, program, async (exe) => {
      orThrow(exe.run(feed));
      return readAll(exe, [...names, "p", "m", "v"]);
    });
  const [whole, cut] = [await run(device), await run(small)];
  assert.ok(kernels(plan(program, targetOf(small))).length > kernels(plan(program, targetOf(device))).length + 6);
  for (const name of Object.keys(whole)) sameBits(cut[name], whole[name], name);
  assert.equal(
    [...whole.rows],
    [...index.data].flatMap((r) => [...table.data.subarray(r * width, (r + 1) * width)]),
  );
});

deviceTest("products with a weight larger than a binding, in every form, with their epilogue and gradients", async (device) => {
  const [m, n, k, r] = [3, 150, 140, 2];
  const inputs = {
    x: numbers([m, k], 1),
    xt: numbers([k, m], 2),
    w: numbers([n, k], 3),
    wt: numbers([k, n], 4),
    bias: numbers([n], 5),
    p: numbers([m, r], 6),
    q: numbers([n, r], 7),
  };
  const program = traced({ inputs: specsOf(inputs) }, ({ inputs: { x, xt, w, wt, bias, p, q } }) => {
    const y = linear(x, w, bias, { p, q });
    const [dx, dp, dq, db] = gradient(sum(square(y)), [x, p, q, bias]);
    return {
      outputs: {
        y,
        dx,
        dp,
        dq,
        db,
        active: quickGelu(linear(x, w, bias)),
        nn: matmul(x, wt),
        tn: matmul(xt, wt, { ta: true, scale: 0.5 }),
        tt: matmul(xt, w, { ta: true, tb: true }),
      },
    };
  });
  const feed = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  const run = (on: Device): Promise<Readonly<Record<string, Float32Array>>> =>
    using(on, program, async (exe) => {
      orThrow(exe.run(feed));
      return readAll(exe, Object.keys(program.outputs));
    });
  // Windows of 64 rows.
  const small = narrowed(device, 100 * n);
  launchesAreSound(plan(program, targetOf(small)));
  const [whole, cut] = [await run(device), await run(small)];
  for (const name of Object.keys(whole)) assert.ok(relativeError(cut[name], whole[name]) < 1e-6, `${name} is off by ${relativeError(cut[name], whole[name])}`);
});

deviceTest("a token table larger than the adapter's largest binding", async (device) => {
  const [rows, width] = [70000, 512];
  if (device.limits.maxStorageBufferBindingSize >= 4 * rows * width) return;
  const data = new Float32Array(rows * width);
  const ids = [0, 69999, 65536, 12345, 69999];
  for (const r of ids) for (let c = 0; c < width; c += 1) data[r * width + c] = r + c / 1024;
  const before = device.ledger().liveBytes;
  const weights = orThrow(resident(device, [["table", { data }]]));
  const program = traced(
    { frozen: { table: floats([rows, width]) }, inputs: { ids: indices([5]), pick: indices([3]), x: floats([2, width]) } },
    ({ frozen: { table }, inputs }) => {
      const tokens = gather(table, inputs.ids);
      const [grad] = gradient(sum(square(tokens), 0.5), [table]);
      // As a frozen weight of a product, of which some columns are read.
      const scores = matmul(inputs.x, table, { tb: true });
      return { outputs: { tokens, slopes: gather(grad, inputs.pick), scores: gather(reshape(scores, [2 * rows, 1]), inputs.pick) } };
    },
  );
  await using(
    device,
    program,
    async (exe) => {
      orThrow(exe.run({ ids: Uint32Array.from(ids), pick: Uint32Array.of(69999, 12345, 1), x: new Float32Array(2 * width).fill(1 / width) }));
      const got = await readAll(exe, ["tokens", "slopes", "scores"]);
      assert.equal(
        [...got.tokens],
        ids.flatMap((r) => Array.from({ length: width }, (_, c) => Math.fround(r + c / 1024))),
      );
      assert.equal(
        [...got.slopes],
        [69999, 12345, 1].flatMap((r) =>
          Array.from({ length: width }, (_, c) => (r === 1 ? 0 : Math.fround((r === 69999 ? 2 : 1) * Math.fround(r + c / 1024)))),
        ),
      );
      [69999, 12345].forEach((r, i) => assert.ok(Math.abs(got.scores[i] / (r + 511 / 2048) - 1) < 2e-5, `score ${got.scores[i]}`));
      assert.is(got.scores[2], 0);
    },
    weights,
  );
  weights.release();
  assert.is(device.ledger().liveBytes, before);
});

runTests();
