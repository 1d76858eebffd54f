/** Adapters that are kept beside the weights: whose images take which, what later tasks leave as it is, and what is told where the method is not known. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { color } from "../../src/methods/color.ts";
import { nearestTask, ofNearestTask } from "../../src/methods/colorBranch.ts";
import { moram } from "../../src/methods/moram.ts";
import { selfActivation } from "../../src/methods/moramSlots.ts";
import { bank, membership, stacked, type LayerAdapter } from "../../src/model/bank.ts";
import { branchMemory, hasBranches, through } from "../../src/model/branch.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { networkOf, readModel, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { memory } from "../../src/model/memory.ts";
import { course, type Method } from "../../src/stages/learn.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import { answerable } from "../../src/stages/inference.ts";
import { keepPrototypes, prototypes } from "../../src/stages/keepPrototypes.ts";
import type { Report } from "../../src/training/lesson.ts";
import type { Event } from "../../src/training/runtime.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { left } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { colourTask, tinyLlama } from "../fixtures/tinyLlama.ts";
import { fixture } from "../model/embeddings.ts";
import { checkOp, deviceTest, numbers, runTests, sameBits } from "../tensor/check.ts";
import { mixedTests } from "../tensor/mixedTest.ts";
import { lessonOf, near, rowsOf, runtimeOf } from "./trace.ts";

const stream: ClassStream = { labelSpace: "union", tasks: [patternTask("first", ["cat", "dog"], 1), patternTask("second", ["car", "van"], 2)] };
const quick = { steps: 6, batch: 8, rank: 2, lr: 2e-2 } as const;

/** What came of a course. */
interface Learned {
  readonly learners: readonly Learner[];
  readonly reports: readonly Report[];
  readonly losses: readonly Readonly<Record<string, number>>[];
}

/** The learner after each task, what was reported, and the losses of all steps. */
const learn = async (device: Device, method: Method, model: Model, on = stream): Promise<Learned> => {
  const learners: Learner[] = [];
  const losses: Readonly<Record<string, number>>[] = [];
  const emit = (event: Event): void => {
    if (event.type === "lesson") learners.push(event.learner);
    if (event.type === "step") losses.push(event.losses);
  };
  const { reports } = await get(method.run(course(learner(model), on))({ ...runtimeOf(device), emit }));
  return { learners, reports, losses };
};

deviceTest(
  "CoLoR: every task has an adapter and prototypes that no later one changes, and the classes that are asked are those of the adapter",
  async (device) => {
    for (const model of [await tinyClip(), await get(readModel(fixture("vit-tiny")))]) {
      const { learners, reports } = await learn(device, color({ ...quick, prototypes: 2, evaluate: { also: ["task", "seen"] } }), model);
      const [first, second] = learners;
      assert.equal(
        learners.map((after) => [bank.of(after).length, prototypes.of(after).map(({ centres }) => centres.shape[0])]),
        [
          [1, [2]],
          [2, [2, 2]],
        ],
      );
      for (const { centres } of prototypes.of(second)) for (const row of rowsOf(centres)) assert.ok(Math.hypot(...row) <= 1 + 1e-6);
      for (const [layer, { A, B }] of bank.of(first)[0]) {
        sameBits(bank.of(second)[0].get(layer)!.A.data, A.data, layer);
        sameBits(bank.of(second)[0].get(layer)!.B.data, B.data, layer);
      }
      assert.is(second.model, learners[0].model);
      // Only the classes of the task whose adapter an image takes are left: who is right among all is right among those of its own task.
      const [one, two] = reports;
      const [ofTask, ofSeen] = [two.also!.task!, two.also!.seen!];
      ofSeen.forEach((accuracy, t) => assert.ok(accuracy! <= ofTask[t]!, `${ofSeen} of all, ${ofTask} of the task`));
      assert.equal(one.also!.seen![0], one.also!.task![0], "there is one adapter");
      assert.ok(ofSeen[0]! + ofSeen[1]! > 50, `${ofSeen}`);
      assert.is(two.mergeError, undefined);
      assert.ok(two.bytesKept > one.bytesKept && one.bytesKept > 0);
      assert.equal([...new Set(two.trained!.ranks.values())], [2]);
    }
  },
);

deviceTest("CoLoR adapts what sees images, and keeps no more prototypes than there are images", async (device) => {
  const model = await tinyClip();
  const { learners } = await learn(device, color({ ...quick, prototypes: 99 }), model);
  const seeing = layersOf(networkOf(model), { modules: ["q", "v"], towers: ["vision"] }).map(({ name }) => name);
  assert.equal([...bank.of(learners[1])[0].keys()], seeing);
  // There are 16 training images a task.
  assert.ok(
    prototypes.of(learners[1]).every(
      ({
        centres: {
          shape: [count],
        },
      }) => count > 2 && count <= 16,
    ),
  );
});

deviceTest("CoLoR behind another method: its tasks are told apart by their places in the stream, and those before it are left as they are", async (device) => {
  const three: ClassStream = { ...stream, tasks: [patternTask("before", ["oak", "elm"], 3), ...stream.tasks] };
  const first = await get(
    sequentialLora({ ...quick, steps: 1 }).run(course(learner(await tinyClip()), { ...three, tasks: three.tasks.slice(0, 1) }))(runtimeOf(device)),
  );
  const { learner: after } = await get(color({ ...quick, steps: 1 }).run(course(first.learner, three, { from: 1 }))(runtimeOf(device)));
  assert.equal(
    prototypes.of(after).map(({ position }) => position),
    [1, 2],
  );
  const correction = ofNearestTask.of(after, { [nearestTask]: Float32Array.of(0, 1, 1, 0) });
  assert.equal(
    [0, 1].map((image) => [0, 1, 2, 3].map((position) => correction(image, position))),
    [
      [0, -Infinity, 0, 0],
      [0, 0, -Infinity, 0],
    ],
  );
});

mixedTests("CoLoR and MoRAM in mixed precision lose what they lose in f32, to some hundredths, and keep adapters that are finite", async (...devices) => {
  const model = await tinyClip();
  for (const method of [color({ ...quick, lr: 1e-3, prototypes: 2 }), moram({ ...quick, lr: 1e-3 })]) {
    const [f32, mixed] = await Promise.all(devices.map((device) => learn(device, method, model)));
    const lossesOf = ({ losses }: typeof f32): readonly number[] => losses.map(({ loss }) => loss);
    assert.is(f32.losses.length, 12);
    near(lossesOf(mixed), lossesOf(f32), method.name, 0.05);
    for (const adapters of bank.of(mixed.learners[1]))
      for (const [layer, { A, B }] of adapters) assert.ok([...A.data, ...B.data].every(Number.isFinite), layer);
  }
});

deviceTest("prototypes are those of classes' images: a task that is answered in words has none", async (device) => {
  const lesson = { ...lessonOf(learner(tinyLlama()), [2], 0), task: colourTask("day", 0) };
  assert.match(describe(left(await keepPrototypes(2).run(lesson)(runtimeOf(device))())), /day is answered in words; prototypes are those of classes' images/);
});

deviceTest("MoRAM: slots of earlier tasks are frozen and go on to count; a threshold of 1 leaves the model as it was", async (device) => {
  const model = await tinyClip();
  const { learners, reports } = await learn(device, moram({ ...quick, evaluate: { labelSpace: "task" } }), model);
  const [first, second] = learners.map(bank.of);
  for (const [layer, { A, B }] of first[0]) {
    sameBits(second[0].get(layer)!.A.data, A.data, layer);
    sameBits(second[0].get(layer)!.B.data, B.data, layer);
  }
  // Where no token's largest scores are those of a new slot, it learns nothing.
  const learned = [...second[1].values()].filter(({ B }) => B.data.some((x) => x !== 0)).length;
  assert.ok(learned > second[1].size / 2, `${learned} of ${second[1].size} layers have learned`);
  assert.equal(
    reports.map(({ trained }) => [...new Set(trained!.ranks.values())]),
    [[2], [4]],
  );
  assert.ok(reports[1].row[0]! + reports[1].row[1]! > 100, `${reports[1].row}`);
  const closed = moram({ ...quick, threshold: 0.999999 });
  const after = await get(accuracies(learners[1], stream, 2, closed.inference)(runtimeOf(device)));
  const before = await get(accuracies(learner(model), stream, 2)(runtimeOf(device)));
  assert.equal(after.row, before.row);
});

deviceTest("the weights of slots and their gradient, with all slots and with some, on a row of zeros, and cut off by a threshold", async (device) => {
  const soft = (z: Float64Array, slots: number, active: number, temperature: number, threshold: number): Float64Array => {
    const out = new Float64Array(z.length);
    for (let row = 0; row < z.length; row += slots) {
      const own = z.subarray(row, row + slots);
      const length = Math.hypot(...own) || 1;
      const scores = Array.from(own, (x) => x / length);
      const taking = [...scores.keys()].sort((i, j) => scores[j] - scores[i] || i - j).slice(0, active);
      const parts = taking.map((i) => Math.exp(scores[i] / temperature));
      const sum = parts.reduce((a, b) => a + b, 0);
      taking.forEach((i, k) => (out[row + i] = threshold === 0 || scores[i] >= threshold ? parts[k] / sum : 0));
    }
    return out;
  };
  for (const [shape, active, threshold] of [
    [[2, 3, 5], 5, 0],
    [[2, 3, 5], 3, 0],
    [[3, 7], 1, 0],
    [[1, 2], 4, 0],
    [[2, 3, 5], 4, 0.3],
  ] as const) {
    const slots = shape[shape.length - 1];
    await checkOp(device, `${shape} ${active} ${threshold}`, {
      inputs: { z: numbers([...shape], 7) },
      op: ({ z }) => selfActivation(z, { active, temperature: 0.4, threshold }),
      reference: ({ z }) => soft(z, slots, Math.max(active, 2), 0.4, threshold),
      ...(threshold > 0 ? { wrt: [] } : {}),
    });
  }
});

test("adapters as one are their sum, and members are of the group in which they stand", () => {
  const matrix = (rows: number, columns: number) =>
    fc
      .array(fc.integer({ min: -9, max: 9 }), { minLength: rows * columns, maxLength: rows * columns })
      .map((of) => ({ shape: [rows, columns], data: Float32Array.from(of) }));
  const adapters = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }))
    .chain(([out, width, ranks]) => fc.tuple(...ranks.map((r) => fc.record({ A: matrix(r, width), B: matrix(out, r) }))));
  const product = ({
    A: {
      shape: [r, width],
      data: a,
    },
    B: {
      shape: [out],
      data: b,
    },
  }: LayerAdapter): readonly number[] =>
    Array.from({ length: out * width }, (_, at) =>
      Array.from({ length: r }, (__, k) => b[Math.floor(at / width) * r + k] * a[k * width + (at % width)]).reduce((x, y) => x + y),
    );
  fc.assert(
    fc.property(adapters, (own) => {
      const all = own.map(product);
      assert.equal(
        product(stacked(own)),
        all[0].map((_, i) => all.reduce((sum, one) => sum + one[i], 0)),
      );
      const { shape, data } = membership(own.map(({ A }) => A.shape[0]));
      assert.equal(shape, [own.length, stacked(own).A.shape[0]]);
      own.reduce(
        (
          at,
          {
            A: {
              shape: [r],
            },
          },
          group,
        ) => {
          for (let member = at; member < at + r; member++) own.forEach((_, g) => assert.is(data[g * shape[1] + member], g === group ? 1 : 0));
          return at + r;
        },
        0,
      );
    }),
  );
});

deviceTest("who asks a learner with a bank without its method is told, and a branch that needs the model without it is not trained on", async (device) => {
  const model = await tinyClip();
  for (const method of [color({ ...quick, steps: 1 }), moram({ ...quick, steps: 1 })]) {
    const { learners } = await learn(device, method, model);
    assert.ok(hasBranches(learners[0]));
    assert.match(describe(left(answerable({ learner: learners[0] }))), "give the folder of its run");
    assert.is(answerable({ learner: learners[0], inference: method.inference })._tag, "Right");
  }
  const [slots, other] = [branchMemory<readonly number[]>("rooms", []), memory("time slots", 0)];
  assert.equal([slots.keep(learner(model), [1]), other.keep(learner(model), 1), learner(model)].map(hasBranches), [true, false, false]);
  const asking = { name: "asking", options: {}, tensors: () => new Map(), scope: (_: Learner, __: unknown, { plain }: any) => plain("imageEmbeds") };
  assert.throws(() => through(asking, learner(model), undefined as never, undefined as never), "it asks for imageEmbeds of the model without it");
});

runTests();
