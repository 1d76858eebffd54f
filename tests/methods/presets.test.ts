import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Preset } from "../../src/methods/preset.ts";
import { preset } from "../../src/methods/presets.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { classProtocols, protocols, taskCount, type Protocol, type ProtocolName } from "../../src/data/protocols.ts";

const test = suite("presets");

const all: readonly Protocol[] = Object.values(protocols);
const classified: readonly Protocol[] = Object.values(classProtocols);
const names = Object.keys(methods) as MethodName[];
const options = (protocol: ProtocolName, method: MethodName): Preset["options"] => preset(protocols[protocol], method).options;
const epochs = (...counts: readonly number[]): readonly unknown[] => counts.map((n) => ({ epochs: n }));

test("CoDyRA (METHODS.md A.6)", () => {
  const { seed, stated, evaluate } = preset(protocols["x-tail"], "codyra");
  assert.equal(options("x-tail", "codyra"), { steps: 500, batch: 64, rank: 16, lr: 5e-4, kappa: 0.005 });
  assert.equal([seed, stated, evaluate], [8, true, { templates: "single" }]);
  const elsewhere = preset(protocols["mtil-1"], "codyra");
  assert.equal([elsewhere.seed, elsewhere.stated], [undefined, false]);
});

test("MoRAM (METHODS.md H.2)", () => {
  const { options: given, seed, stated, evaluate } = preset(protocols["x-tail"], "moram");
  assert.equal([given, seed, stated, evaluate], [{ steps: 500, batch: 64, rank: 16, lr: 5e-4 }, 42, true, { templates: "single" }]);
  assert.equal([preset(protocols["mtil-1"], "moram").stated, preset(protocols["x-tail"], "color").stated], [false, false]);
});

test("KeepLoRA: epochs a task in both orders (METHODS.md B.6)", () => {
  for (const method of ["keeplora", "keeplora++"] as const) {
    const code = { side: "output", counting: "below", padding: "zero" };
    assert.equal(options("mtil-1", method), { steps: epochs(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5), batch: 64, rank: 16, lr: 1e-3, ...code });
    assert.equal(options("mtil-2", method).steps, epochs(5, 2, 5, 5, 5, 5, 10, 10, 10, 10, 10));
    const { seed, firstTemplate, stated } = preset(protocols["mtil-2"], method);
    assert.equal([seed, firstTemplate, stated], [42, "keeplora", true]);
    assert.is(preset(protocols["mtil-1-5shot"], method).stated, false);
  }
  for (const method of ["keeplora+", "keeplora++cls"] as const) {
    assert.equal(options("mtil-1", method).steps, epochs(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5));
    assert.equal(options("mtil-2", method).steps, epochs(5, 1, 1, 5, 5, 5, 5, 5, 5, 5, 5));
    assert.equal(options("x-tail", method).steps, { epochs: 5 });
    assert.is(options("mtil-1", method).side, "output");
  }
});

test("DAC: learning rates of order II by task (METHODS.md C.6)", () => {
  const { seed, evaluate, stated } = preset(protocols["mtil-1-5shot"], "dac");
  assert.equal(options("mtil-1-5shot", "dac"), { steps: 501, batch: 32, rank: 12, lr: 2e-3 });
  assert.equal([seed, evaluate, stated], [42, { templates: "ensemble" }, true]);
  const order = protocols["mtil-2-5shot"].datasets.map((d) => d.name);
  const rates = options("mtil-2-5shot", "dac").lr as readonly number[];
  assert.equal(Object.fromEntries(order.map((name, i) => [name, rates[i]]).filter(([, rate]) => rate !== 2e-3)), {
    mnist: 1e-3,
    aircraft: 3e-3,
    eurosat: 1e-3,
    cifar100: 3e-3,
  });
});

test("InfLoRA: all of its public configurations; DualLoRA takes what it can of them (METHODS.md D.7)", () => {
  const pictures = { cropScale: 0.08, interpolation: "bilinear", flip: true };
  const adam = { batch: 128, rank: 10, lr: 5e-4, optimizer: "adam" };
  const falling = { betas: [0.9, 0.999], lrSchedule: "quarter-cosine" };
  assert.equal(options("cifar100-10", "inflora"), { ...adam, steps: { epochs: 20 }, threshold: 0.95, ...pictures, ...falling });
  assert.equal(options("imagenet-r-5", "inflora"), { ...adam, steps: { epochs: 50 }, threshold: 0.98, ...pictures, ...falling });
  const domains = { steps: { epochs: 5 }, batch: 128, rank: 30, lr: 5e-3, headLr: 1e-2, optimizer: "sgd", threshold: 0.95 };
  const atFour = { momentum: 0.9, lrSchedule: "milestones", milestones: [4], decay: 0.1 };
  assert.equal(options("domainnet-5", "inflora"), { ...domains, ...pictures, ...atFour });
  for (const [name, crop] of [
    ["cifar100-10", 1],
    ["imagenet-r-20", 0.875],
    ["domainnet-5", 0.875],
  ] as const) {
    const { stated, seed, classOrder, pixels } = preset(protocols[name], "inflora");
    assert.equal([stated, seed, classOrder], [true, 0, "natural"]);
    assert.equal(pixels, { mean: [0, 0, 0], std: [1, 1, 1], crop, resampling: "bilinear" });
  }
  const elsewhere = preset(protocols["x-tail"], "inflora");
  assert.equal([elsewhere.stated, elsewhere.classOrder, elsewhere.pixels], [false, undefined, undefined]);
  assert.equal(options("imagenet-r-20", "duallora"), { ...adam, steps: { epochs: 50 }, threshold: 0.98 });
  assert.equal(options("domainnet-5", "duallora"), domains);
  assert.is(preset(protocols["domainnet-5"], "duallora").stated, false);
});

test("SD-LoRA: descent with momentum, whose pictures are not known", () => {
  const descent = { batch: 128, rank: 10, optimizer: "sgd", momentum: 0.9, lrSchedule: "constant" };
  assert.equal(options("cifar100-10", "sd-lora"), { ...descent, steps: { epochs: 20 }, lr: 8e-3 });
  assert.equal(options("imagenet-r-10", "sd-lora"), { ...descent, steps: { epochs: 20 }, lr: 1e-2 });
  const falling = { lrSchedule: "milestones", milestones: [4, 6, 8], decay: 0.005 };
  assert.equal(options("domainnet-5", "sd-lora"), { ...descent, steps: { epochs: 10 }, lr: 2e-2, ...falling });
  assert.is(preset(protocols["domainnet-5"], "sd-lora").stated, false);
});

test("ZSCL and what it is compared with: rates by dataset; what ZSCL and LwF distil on is not the authors'", () => {
  for (const method of ["zscl", "lwf", "wise-ft"] as const) {
    for (const name of ["mtil-1", "mtil-2"] as const) {
      const lr = protocols[name].datasets.map((dataset) => (["aircraft", "mnist"].includes(dataset.name) ? 5e-5 : 1e-5));
      assert.is(lr.filter((rate) => rate === 5e-5).length, 2);
      assert.equal(options(name, method), { steps: 1000, batch: 64, lr });
    }
    assert.is(preset(protocols["mtil-1"], method).stated, method === "wise-ft");
    assert.is(preset(protocols["mtil-2"], method).stated, false);
  }
  assert.equal(options("mtil-1", "zscl").lr, [5e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 5e-5, 1e-5, 1e-5, 1e-5]);
});

test("joint training takes the steps of all tasks", () => {
  for (const protocol of classified) assert.is(preset(protocol, "joint").options.steps, 500 * taskCount(protocol));
  assert.is(options("mtil-1", "sequential-lora").steps, 500);
});

test("KeepLoRA where tasks are answered in words, as its authors' code has it for LLaVA and Video-LLaVA", () => {
  for (const method of ["keeplora", "keeplora++"] as const) {
    const expected: Readonly<Record<string, Preset["options"]>> = {
      ucit: { steps: { epochs: 1 }, rank: 32, alpha: 8, lr: [2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 1e-4], projectorLr: 2e-5, batch: 64 },
      "mllm-dcl": { steps: [1, 3, 1, 2, 1].map((n) => ({ epochs: n })), rank: 64, alpha: 128, lr: 2e-5, projectorLr: 2e-5, batch: 64 },
      "cl-vista": { steps: { epochs: 1 }, rank: 64, alpha: 128, lr: 1e-4, projectorLr: 1e-5, gradientShare: 0.1, batch: 16 },
    };
    for (const [name, own] of Object.entries(expected)) {
      const { options: given, stated } = preset(protocols[name as ProtocolName], method);
      assert.equal(given, { ...own, modules: "all", towers: ["language"] });
      assert.is(stated, true);
    }
    assert.is(preset(protocols.trace, method).stated, false);
  }
});

test("texts: TRACE's epochs and CoDyRA's own options, O-LoRA in its three orders", () => {
  const { steps, batch, lr } = options("trace", "codyra");
  assert.equal([steps, batch, lr], [[5, 3, 7, 5, 3, 5, 5, 7].map((n) => ({ epochs: n })), 32, 1e-4]);
  const { rank, kappa, dense, modules } = options("trace", "codyra");
  assert.equal([rank, kappa, dense, modules, preset(protocols.trace, "codyra").stated], [16, 0.005, 0.5, "all", false]);
  assert.equal(options("trace", "sequential-lora"), { steps, batch, lr, rank: 8, modules: ["q", "v"] });
  for (const name of ["standard-cl-1", "standard-cl-2", "standard-cl-3"] as const) {
    assert.equal(options(name, "o-lora"), { steps: { epochs: 1 }, batch: 32, rank: 8, lr: 1e-3, modules: ["q", "v"], orthogonality: 0.5 });
    assert.is(preset(protocols[name], "o-lora").stated, true);
  }
  assert.equal(options("trace", "joint").steps, { epochs: 5 });
  assert.equal(options("ucit", "joint").steps, { epochs: 1 });
  assert.equal(options("ucit", "zero-shot"), {});
});

test("baselines that nobody states anything for keep their own ranks", () => {
  for (const [method, rank] of [
    ["sequential-lora", 16],
    ["sd-lora", 10],
    ["o-lora", 16],
  ] as const) {
    assert.is((methods[method](options("x-tail", method)).options as { readonly rank: number }).rank, rank, method);
  }
});

test("what is given a task at a time is given for every task", () => {
  for (const protocol of all) {
    for (const method of names) {
      for (const [name, value] of Object.entries(preset(protocol, method).options)) {
        const ofAll = ["modules", "towers", "betas", "milestones"].includes(name);
        if (Array.isArray(value) && !ofAll) assert.is(value.length, taskCount(protocol), `${protocol.name} ${method} ${name}`);
      }
    }
  }
});

test("every method takes every option that a preset has for it", () => {
  for (const method of names) {
    const known = methods[method]({}).options as object;
    for (const protocol of all) {
      for (const name of Object.keys(preset(protocol, method).options)) assert.ok(name in known, `${method} has no option ${name}`);
    }
  }
});

test.run();
