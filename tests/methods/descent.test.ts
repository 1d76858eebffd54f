/** How methods descend as their authors' code does: schedules against torch's (tests/fixtures/optimizers.py), epochs, and the optimisers of presets. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { descent, descentOptions } from "../../src/methods/descent.ts";
import { byEpoch, constantly, milestones, perTask, quarterCosine, type ScheduleOf } from "../../src/training/schedule.ts";

const test = suite("descent");

interface Scheduled {
  readonly name: string;
  readonly options: { readonly lr: number; readonly steps: number; readonly milestones: readonly number[]; readonly factor: number };
  readonly lr: readonly number[];
}

const golden = (name: string): Scheduled => {
  const { schedules } = JSON.parse(readFileSync("tests/fixtures/optimizers.json", "utf8")) as { readonly schedules: readonly Scheduled[] };
  return schedules.find((schedule) => schedule.name === name)!;
};

const holds = (of: ScheduleOf, { name, lr }: Scheduled): void => {
  const at = of.of(lr.length);
  lr.forEach((want, i) => assert.ok(Math.abs(at(i) - want) <= 1e-10 * lr[0], `${name}, ${i}: ${at(i)}, not ${want}`));
};

test("a quarter of a cosine, and a fall at milestones, are torch's", () => {
  const quarter = golden("quarterCosine");
  holds(quarterCosine(quarter.options.lr), quarter);
  for (const name of ["milestones", "milestones, several"]) {
    const { options } = golden(name);
    holds(milestones(options.lr, options.milestones, options.factor), golden(name));
  }
  assert.is(quarterCosine(1e-3).of(1)(0), 1e-3);
});

test("by epoch: every step of an epoch has its value, each epoch as many steps as the others but for one, and a length in steps is one of epochs", () => {
  const counting: ScheduleOf = { name: "counting", options: {}, of: () => (epoch) => epoch };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 40 }), (epochs, each) => {
      const steps = epochs * each;
      const at = byEpoch({ epochs }, counting).of(steps);
      for (let step = 0; step < steps; step++) assert.is(at(step), Math.floor(step / each));
      const plain = byEpoch(steps, counting).of(steps);
      assert.equal([plain(0), plain(steps - 1)], [0, steps - 1]);
    }),
  );
  // 5,000 images in batches of 128: 782 steps in 20 epochs.
  const at = byEpoch({ epochs: 20 }, counting).of(782);
  const counts = Array.from({ length: 20 }, (_, epoch) => Array.from({ length: 782 }, (_, i) => at(i)).filter((e) => e === epoch).length);
  assert.equal([Math.min(...counts), Math.max(...counts)], [39, 40]);
  const lengths = [{ epochs: 2 }, { epochs: 4 }];
  assert.equal(
    [0, 1, 2].map((task) => byEpoch(lengths, counting).of(8, task)(7)),
    [1, 3, 3],
  );
  assert.is(perTask(lengths, 5), lengths[1]);
  assert.is(byEpoch({ epochs: 3 }, constantly(2)).of(7)(6), 2);
});

test("the options of a descent reach its optimisers, that of the head with its own rate", () => {
  const defaults = Object.fromEntries(Object.entries(descentOptions).map(([name, { fallback }]) => [name, fallback]));
  const common = { ...defaults, steps: { epochs: 5 }, lr: 5e-3, betas: [0.9, 0.999], weightDecay: 0, headLr: 1e-2 } as unknown as Parameters<typeof descent>[0];
  const shown = (o: Partial<typeof common>): string => JSON.stringify(descent({ ...common, ...o }).options);
  const domains = shown({ optimizer: "sgd", momentum: 0.9, lrSchedule: "milestones", milestones: [4] });
  for (const part of [`"momentum":0.9`, `"start":0.005,"at":[4],"factor":0.1`, `"start":0.01`])
    assert.match(domains, new RegExp(part.replace(/[[\].]/g, "\\$&")));
  assert.match(shown({ lrSchedule: "quarter-cosine" }), /"byEpoch":\{"quarterCosine":\{"peak":0\.005\}\}/);
  assert.match(shown({ lrSchedule: "constant" }), /"constant":\{"value":0\.005\}/);
  assert.match(shown({}), /"cosine":\{"peak":0\.005/);
});

test.run();
