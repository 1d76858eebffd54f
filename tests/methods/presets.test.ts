import { suite } from "uvu";
import * as assert from "uvu/assert";
import { preset, type Preset } from "../../src/methods/presets.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { protocols, taskCount, type Protocol, type ProtocolName } from "../../src/data/protocols.ts";

const test = suite("presets");

const all: readonly Protocol[] = Object.values(protocols);
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

test("KeepLoRA: epochs a task in both orders (METHODS.md B.6)", () => {
  for (const method of ["keeplora", "keeplora++"] as const) {
    assert.equal(options("mtil-1", method), { steps: epochs(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5), batch: 64, rank: 16, lr: 1e-3 });
    assert.equal(options("mtil-2", method).steps, epochs(5, 2, 5, 5, 5, 5, 10, 10, 10, 10, 10));
    const { seed, firstTemplate, stated } = preset(protocols["mtil-2"], method);
    assert.equal([seed, firstTemplate, stated], [42, "keeplora", true]);
    assert.is(preset(protocols["mtil-1-5shot"], method).stated, false);
  }
  assert.equal(options("mtil-1", "keeplora+").steps, epochs(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5));
  assert.equal(options("mtil-2", "keeplora+").steps, epochs(5, 1, 1, 5, 5, 5, 5, 5, 5, 5, 5));
  assert.equal(options("x-tail", "keeplora+").steps, { epochs: 5 });
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

test("InfLoRA, and DualLoRA after it (METHODS.md D.7)", () => {
  assert.equal(options("cifar100-10", "inflora"), { steps: { epochs: 20 }, batch: 128, rank: 10, lr: 5e-4, optimizer: "adam", threshold: 0.95 });
  assert.equal(options("imagenet-r-20", "duallora"), { steps: { epochs: 50 }, batch: 128, rank: 10, lr: 5e-4, optimizer: "adam", threshold: 0.98 });
  assert.equal(options("domainnet-5", "duallora"), { steps: { epochs: 5 }, batch: 128, rank: 30, lr: 5e-3, headLr: 1e-2, optimizer: "sgd", threshold: 0.95 });
  assert.is(preset(protocols["domainnet-5"], "inflora").stated, true);
  assert.is(preset(protocols["domainnet-5"], "duallora").stated, false);
});

test("joint training takes the steps of all tasks", () => {
  for (const protocol of all) assert.is(preset(protocol, "joint").options.steps, 500 * taskCount(protocol));
  assert.is(options("mtil-1", "sequential-lora").steps, 500);
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
        if (Array.isArray(value)) assert.is(value.length, taskCount(protocol), `${protocol.name} ${method} ${name}`);
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
