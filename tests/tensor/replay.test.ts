/** Running a program again: nothing is made, nothing grows, the bits are the same; what cannot be done is a value. */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { openDevice } from "../../src/device/open.ts";
import { describe, get } from "../../src/failure.ts";
import { networkOf } from "../../src/model/model.ts";
import { traceStep } from "../../src/training/step.ts";
import { gatedLora } from "../../src/model/adapters/lora.ts";
import { imageToText, sum as sumOf, textToImage } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { cosine, ramp } from "../../src/training/schedule.ts";
import { gradient as gradientStage, repeat, update } from "../../src/stages/steps.ts";
import { ringLength } from "../../src/device/rings.ts";
import { instantiate, type Executable, type HostRecord } from "../../src/tensor/executable.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { add, sub, square } from "../../src/tensor/ops/elementwise.ts";
import { linear, matmul } from "../../src/tensor/ops/matmul.ts";
import { sgdUpdate } from "../../src/tensor/ops/optimizer.ts";
import { mean } from "../../src/tensor/ops/reduce.ts";
import type { Program } from "../../src/tensor/program.ts";
import { resident } from "../../src/device/resident.ts";
import { floats, pack, size, view } from "../../src/tensor/tensor.ts";
import { fixture, readModel } from "../model/embeddings.ts";
import { deviceTest, failureOf, largestDifference, numbers, orThrow, readAll, runTests, sameBits, traced, using } from "./check.ts";

const [rows, wide, out] = [9, 7, 5];

/** A linear regression by gradient descent: weight [5, 7] and bias [5] in one flat state. */
const regression = (): Program =>
  traced(
    { state: { p: floats([128]), m: floats([128]) }, inputs: { x: floats([rows, wide]), y: floats([rows, out]), hyper: floats([4]) } },
    ({ state: { p, m }, inputs: { x, y, hyper } }) => {
      const [weight, bias] = [view(p, 0, [out, wide]), view(p, 64, [out])];
      const error = sub(linear(x, weight, bias), y);
      const loss = mean(square(error));
      const [dw, db] = gradient(loss, [weight, bias]);
      const [p2, m2] = sgdUpdate(pack([dw, db], [0, 64], 128), hyper, p, m);
      return { state: { p: p2, m: m2 }, outputs: { loss, error } };
    },
  );

const feed = (step: number): HostRecord => ({
  x: numbers([rows, wide], step % 17).data,
  y: numbers([rows, out], 100 + (step % 17)).data,
  hyper: Float32Array.of(0.05 / (1 + step), 0.9, 0, 1),
});

/** Counts what Dawn itself is asked to make, whoever asks. */
const counted = (gpu: GPUDevice): { readonly made: () => number; readonly stop: () => void } => {
  const names = [
    "createBuffer",
    "createBindGroup",
    "createBindGroupLayout",
    "createPipelineLayout",
    "createComputePipeline",
    "createComputePipelineAsync",
    "createShaderModule",
    "createTexture",
    "createQuerySet",
    "createSampler",
  ] as const;
  let made = 0;
  const patched = gpu as unknown as Record<string, unknown>;
  for (const name of names) {
    const original = (gpu[name] as (...args: readonly unknown[]) => unknown).bind(gpu);
    patched[name] = (...args: readonly unknown[]): unknown => {
      made += 1;
      return original(...args);
    };
  }
  return { made: () => made, stop: () => names.forEach((name) => delete patched[name]) };
};

deviceTest("from the second run on no GPU object is made; live bytes are the same after step 10 and step 1,000", async (device) => {
  const watch = counted(device.gpu as GPUDevice);
  await using(
    device,
    regression(),
    async (exe) => {
      assert.ok(watch.made() > 0, "the count sees what is made");
      const step = async (from: number, until: number): Promise<void> => {
        for (let i = from; i < until; i += 1) orThrow(exe.run(feed(i)));
        await readAll(exe, ["loss", "p"]);
        await get(exe.recorded("loss"));
      };
      await step(0, 1);
      const first = { created: device.ledger().created, made: watch.made() };
      await step(1, 10);
      const tenth = device.ledger();
      await step(10, 1000);
      assert.equal({ created: device.ledger().created, made: watch.made() }, first);
      assert.is(device.ledger().liveBytes, tenth.liveBytes);
      assert.is(device.ledger().peakBytes, tenth.peakBytes);
    },
    undefined,
    ["loss"],
  );
  watch.stop();
});

deviceTest("a whole CoDyRA step makes nothing either, and two executables give the same bits", async (device) => {
  const model = await readModel(fixture("clip-gelu"));
  const { config, weights } = model;
  const net = networkOf(model);
  const adapter = gatedLora({ rank: 4 });
  const { step } = repeat(10, gradientStage(sumOf(imageToText, textToImage)), update(adamW({ lr: cosine(5e-3) })), rankSelect(softThreshold(ramp(0.005))));
  const { program, recorder } = orThrow(traceStep({ model, adapter, step, steps: 10, batch: { images: 3, texts: 4, length: 6, previous: 0 }, seed: 1 }));
  const uploaded = orThrow(resident(device, weights));
  const specs = new Map(program.leaves.filter((l) => l.role === "input").map((l) => [l.name, l.outputs[0]]));
  const batch = (step: number): HostRecord =>
    Object.fromEntries(
      [...specs].map(([name, spec]) => {
        const at = recorder.hypers.get(name);
        if (at !== undefined) return [name, Float32Array.from(at, (schedule) => schedule(step))];
        if (name === "ids") return [name, Uint32Array.from({ length: size(spec.shape) }, (_, i) => (7 * i + step) % config.text.vocabulary)];
        if (name === "ends") return [name, Uint32Array.of(5, 11, 17, 23)];
        return [name, numbers(spec.shape, step, 0, 1).data];
      }),
    );
  const names = Object.keys(adapter.layouts(net));
  const run = (): Promise<Readonly<Record<string, Float32Array>>> =>
    using(
      device,
      program,
      async (exe) => {
        orThrow(exe.write("state", adapter.initial(net, weights, 1, 0)));
        orThrow(exe.run(batch(0)));
        await readAll(exe, [...names, "loss"]);
        const watch = counted(device.gpu as GPUDevice);
        const before = device.ledger();
        for (let i = 1; i < 6; i += 1) orThrow(exe.run(batch(i)));
        const got = await readAll(exe, [...names, "loss"]);
        assert.is(watch.made(), 0);
        assert.equal(device.ledger(), before);
        watch.stop();
        return got;
      },
      uploaded,
      ["loss"],
    );
  const [first, second] = [await run(), await run()];
  for (const name of Object.keys(first)) sameBits(second[name], first[name], name);
  assert.ok(Number.isFinite(first.loss[0]));
  uploaded.release();
});

deviceTest("training goes on in state alone: written back, it continues with the same bits", async (device) => {
  const run = async (exe: Executable, from: number, until: number): Promise<Readonly<Record<string, Float32Array>>> => {
    for (let i = from; i < until; i += 1) orThrow(exe.run(feed(i)));
    return readAll(exe, ["p", "m", "loss"]);
  };
  const whole = await using(device, regression(), (exe) => run(exe, 0, 30));
  const half = await using(device, regression(), (exe) => run(exe, 0, 13));
  const rest = await using(device, regression(), async (exe) => {
    orThrow(exe.write("state", { p: half.p, m: half.m }));
    return run(exe, 13, 30);
  });
  for (const name of Object.keys(whole)) sameBits(rest[name], whole[name], name);
  assert.ok(whole.loss[0] > 0);
});

deviceTest("a Gram matrix of tokens that grows in a state, run after run", async (device) => {
  const [samples, tokens, width] = [3, 5, 13];
  const program = traced(
    { state: { gram: floats([width, width]) }, inputs: { x: floats([samples, tokens, width]) } },
    ({ state: { gram }, inputs: { x } }) => ({
      state: { gram: add(gram, matmul(x, x, { ta: true })) },
    }),
  );
  const want = new Float64Array(width * width);
  await using(device, program, async (exe) => {
    for (let i = 0; i < 7; i += 1) {
      const x = numbers([samples, tokens, width], i).data;
      for (let r = 0; r < samples * tokens; r += 1) {
        for (let a = 0; a < width; a += 1) for (let b = 0; b < width; b += 1) want[a * width + b] += x[r * width + a] * x[r * width + b];
      }
      orThrow(exe.run({ x }));
    }
    const gram = await get(exe.read("gram"));
    assert.ok(largestDifference(gram, want) < 1e-5 * samples * tokens);
    // Symmetric to the bit: an eigen-decomposition may trust either half.
    gram.forEach((v, i) => assert.is(v, gram[(i % width) * width + Math.floor(i / width)], `element ${i}`));
  });
});

deviceTest("recorded numbers: every run's, oldest first, the last of a ring's length", async (device) => {
  const program = traced({ state: { n: floats([1]) }, inputs: { one: floats([1]) } }, ({ state: { n }, inputs: { one } }) => {
    return { state: { n: sub(n, one) }, outputs: { n, mean: mean(n) } };
  });
  await using(
    device,
    program,
    async (exe) => {
      const run = (times: number): void => {
        for (let i = 0; i < times; i += 1) orThrow(exe.run({ one: Float32Array.of(-1) }));
      };
      assert.equal([...(await get(exe.recorded("mean")))], []);
      run(3);
      assert.equal([...(await get(exe.recorded("mean")))], [0, 1, 2]);
      assert.equal([...(await get(exe.recorded("mean")))], []);
      run(1);
      run(1);
      assert.equal([...(await get(exe.recorded("mean")))], [3, 4]);
      run(ringLength + 7);
      const all = await get(exe.recorded("mean"));
      assert.is(all.length, ringLength);
      assert.equal([all[0], all[ringLength - 1]], [5 + 7, 5 + ringLength + 6]);
      assert.equal([...(await get(exe.read("n")))], [5 + ringLength + 6], "the output is the value before the last run");
    },
    undefined,
    ["mean"],
  );
});

deviceTest("reads at the same time wait for one another", (device) =>
  using(device, regression(), async (exe) => {
    orThrow(exe.run(feed(0)));
    const apart = await readAll(exe, ["loss", "error", "p", "m"]);
    const together = await Promise.all(["loss", "error", "p", "m", "p", "error"].map((name) => get(exe.read(name))));
    ["loss", "error", "p", "m", "p", "error"].forEach((name, i) => sameBits(together[i], apart[name], name));
  }),
);

deviceTest("inputs stay until they are replaced", (device) =>
  using(device, regression(), async (exe) => {
    orThrow(exe.write("input", feed(3)));
    orThrow(exe.run());
    const { error } = await readAll(exe, ["error"]);
    const y = feed(3).y;
    assert.ok(
      largestDifference(
        error,
        Array.from(y, (v) => -v),
      ) < 1e-6,
      "with parameters of zero the error is the target",
    );
  }),
);

const refused = (e: E.Either<Parameters<typeof describe>[0], unknown>, ...words: readonly string[]): void => {
  const text = describe(failureOf(e));
  for (const word of words) assert.ok(text.includes(word), `"${text}" does not say ${word}`);
};

deviceTest("what is not there, or has another length, is said; the run goes on", (device) =>
  using(device, regression(), async (exe) => {
    refused(exe.write("state", { q: new Float32Array(3) }), "q", "not a state");
    refused(exe.write("state", { x: new Float32Array(63) }), "x", "not a state");
    refused(exe.write("input", { x: new Float32Array(62) }), "x", "62", "63");
    refused(exe.run({ x: new Float32Array(1) }), "x", "63");
    refused(await exe.read("nothing")(), "nothing", "neither");
    refused(await exe.recorded("error")(), "error", "not recorded");
    refused(await instantiate(device, regression(), undefined, ["nothing"])(), "nothing");
    refused(await instantiate(device, regression(), undefined, ["error"])(), "error", "one number");
    orThrow(exe.run(feed(0)));
    assert.is((await get(exe.read("loss"))).length, 1);
  }),
);

test("a device that is lost is a failure of every call, and of no process", async () => {
  const device: Device = await get(openDevice());
  const exe = await get(instantiate(device, regression(), undefined, ["loss"]));
  orThrow(exe.run(feed(0)));
  await readAll(exe, ["loss"]);
  device.gpu.destroy();
  await device.gpu.lost;
  await Promise.resolve();
  refused(exe.run(feed(1)), "was lost", device.adapter.line);
  refused(await exe.read("loss")(), "was lost");
  refused(await exe.recorded("loss")(), "was lost");
  refused(await instantiate(device, regression())(), "was lost");
  refused(resident(device, [["w", { data: new Float32Array(8) }]]), "was lost");
  exe.release();
});

test("a device that is lost while a read waits", async () => {
  const device: Device = await get(openDevice());
  const exe = await get(instantiate(device, regression()));
  for (let i = 0; i < 50; i += 1) orThrow(exe.run(feed(i)));
  const waiting = exe.read("loss")();
  device.gpu.destroy();
  const ended = await waiting;
  if (E.isLeft(ended)) refused(ended, "was lost");
  exe.release();
});

runTests();
