/** The parts of DualLoRA (METHODS.md D.6) on their own: what is orthogonal, what is weighted by what, its options, empty slots, and sizes. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { duallora, type DualLoraOptions } from "../../src/methods/duallora.ts";
import { networkOf, type Clip } from "../../src/model/model.ts";
import { initialWeights } from "../../src/model/weights.ts";
import { layersOf } from "../../src/model/network.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { random } from "../../src/random.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { remembered, type Bases } from "../../src/subspace/bases.ts";
import { encode } from "../../src/stages/encode.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import { course } from "../../src/stages/learn.ts";
import type { Evaluated, Report } from "../../src/training/lesson.ts";
import { bytesKept } from "../../src/model/memory.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { project, rowsOutOf, startingOutside } from "../../src/stages/project.ts";
import { residual, type SlotWeights } from "../../src/methods/dualloraBranch.ts";
import { taskPrediction, type TaskPredictionOptions } from "../../src/methods/dualloraPrediction.ts";
import { slotsOf } from "../../src/methods/dualloraSlots.ts";
import type { Event } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { manifest, pipeline, type Manifest } from "../../src/stages/stage.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { products, weightsFor, withLastShown } from "./slots.ts";
import { near, rowsOf, runStage, runtimeOf } from "./trace.ts";

/** Two blocks: the class token that enters the first is the same for every image, the second sees images. */
const clip = async (): Promise<Clip> => {
  const plain = await tinyClip();
  const config = { ...plain.config, vision: { ...plain.config.vision, layers: 2 } };
  return { ...plain, config, weights: initialWeights(plain.architecture, config, 1) };
};

const where = { modules: ["k", "v"], towers: ["vision"] } as const;
const rank = 3;
const quick = { steps: 4, batch: 8, rank, lr: 1e-2, threshold: 0.99 } as const;
const stream: ClassStream = {
  labelSpace: "union",
  tasks: [patternTask("first", ["cat", "dog"], 1), patternTask("second", ["car", "van"], 2), patternTask("third", ["oak", "elm"], 3)],
};

/** The learner before the first task and after each, and what was reported. */
interface Learned {
  readonly learners: readonly Learner[];
  readonly reports: readonly Report[];
}

const learn = async (device: Device, options: DualLoraOptions = {}, on: ClassStream = stream): Promise<Learned> => {
  const start = learner(await clip());
  const learners = [start];
  const emit = (event: Event): void => void (event.type === "lesson" && learners.push(event.learner));
  const { reports } = await get(duallora({ ...quick, ...options }).run(course(start, on))({ ...runtimeOf(device), emit }));
  return { learners, reports };
};

let usual: Promise<Learned> | undefined;
/** Three tasks with the usual options: learned once. */
const learned = (device: Device): Promise<Learned> => (usual ??= learn(device));

const adapted = ({ model }: Learner): readonly string[] => layersOf(networkOf(model), where).map(({ name }) => name);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const columnsOf = (learner: Learner, name: string): readonly Float32Array[] => remembered(learner).get(name)?.columns ?? [];
/** Ψ of every task in one module: the columns that it added. */
const slotsIn = (learners: readonly Learner[], name: string): readonly (readonly Float32Array[])[] =>
  learners.slice(1).map((after, t) => columnsOf(after, name).slice(columnsOf(learners[t], name).length));
const weightOf = ({ model }: Learner, name: string) => model.weights.get(`${name}.weight`)!;
/** Largest magnitude. */
const largest = (x: ArrayLike<number>): number => Array.from(x).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
/** The rows of a matrix times a vector. */
const times = (matrix: Parameters<typeof rowsOf>[0], x: ArrayLike<number>): readonly number[] => rowsOf(matrix).map((row) => dot(row, x));
const change = (before: Learner, after: Learner, name: string) => {
  const [{ shape, data: was }, { data: is }] = [weightOf(before, name), weightOf(after, name)];
  return { shape, data: is.map((w, i) => w - was[i]) };
};

const orthonormal = (vectors: readonly Float32Array[], what: string): void =>
  vectors.forEach((p, i) => vectors.forEach((q, j) => near([dot(p, q)], [i === j ? 1 : 0], `${what}: ${i} · ${j}`, 1e-5)));

deviceTest("O's update has no part in the features of past tasks; its B is what it is without them", async (device) => {
  const { learners } = await learned(device);
  for (const name of adapted(learners[0])) {
    for (const t of [2, 3]) {
      const [before, after] = [learners[t - 1], learners[t]];
      const moved = change(before, after, name);
      assert.ok(largest(moved.data) > 1e-3, `${name}: task ${t} changed it`);
      for (const column of columnsOf(before, name)) {
        const inside = largest(times(moved, column));
        assert.ok(inside <= 1e-5 * largest(moved.data), `${name}: task ${t} changes what a past feature gives by ${inside} of ${largest(moved.data)}`);
      }
    }
  }
});

deviceTest("with R off, what enters from the span of Φ leaves as it did, whatever later tasks' O learned", async (device) => {
  const { learners } = await learned(device);
  const draw = random(4, "combination");
  for (const name of adapted(learners[0])) {
    const basis = columnsOf(learners[1], name);
    const x = new Float32Array(basis[0].length);
    for (const column of basis) {
      const c = draw.normal();
      column.forEach((v, i) => (x[i] += c * v));
    }
    const [before, after] = [learners[1], learners[3]].map((l) => times(weightOf(l, name), x));
    near(after, before, name, 1e-5 * largest(before));
  }
});

deviceTest("Φ is orthonormal, slots are orthogonal to each other, and what was remembered stays", async (device) => {
  const { learners } = await learned(device);
  for (const name of adapted(learners[0])) {
    orthonormal(columnsOf(learners[3], name), name);
    for (const t of [1, 2]) columnsOf(learners[t], name).forEach((column, i) => assert.is(columnsOf(learners[3], name)[i], column, `${name}: column ${i}`));
  }
  assert.equal(
    learners.map((learner) => slotsOf(learner).length),
    [0, 1, 2, 3],
  );
});

/** What a learner remembers of a task. */
interface Slot {
  readonly residual?: ReadonlyMap<string, { readonly A?: HostTensor; readonly B: HostTensor }>;
  readonly normaliser: ReadonlyMap<string, number>;
}
const slotsKept = ({ memory }: Learner): readonly Slot[] => (memory.slots as { readonly all: readonly Slot[] }).all;

deviceTest("the residual adapter of a slot never changes after its task", async (device) => {
  const { learners } = await learned(device);
  const residualsOf = (l: Learner) => slotsKept(l).map(({ residual: own }) => own);
  assert.equal(
    learners.slice(1).map((l) => residualsOf(l).map((own) => own !== undefined)),
    [[false], [true, false], [true, true, false]],
  );
  assert.is(residualsOf(learners[3])[0], residualsOf(learners[2])[0]);
  for (const { B } of [...residualsOf(learners[3])[1]!.values()].slice(2)) assert.ok(largest(B.data) > 1e-3, "it has learned something");
  slotsKept(learners[2]).forEach(({ normaliser }, s) => assert.is(slotsKept(learners[3])[s].normaliser, normaliser));
});

/** The weights of slots for class tokens, [images, slots], where every slot has a residual adapter. */
const slotWeights = async (device: Device, after: Learner, weights: SlotWeights, name: string, queries: readonly ArrayLike<number>[]) => {
  const shown = await withLastShown(device, after, { ...where, rank });
  const flat = Float32Array.from(queries.flatMap((q) => [...Array.from(q)]));
  const all = await weightsFor(device, shown, residual({ ...where, weights }), name, flat);
  const slots = slotsOf(after).length;
  return queries.map((_, i) => Array.from({ length: slots }, (__, s) => all[(i * slots + s) * rank]));
};

deviceTest("a class token within one slot gives it the whole weight; shares are from 0 to 1, in all 1; outside of all there are none", async (device) => {
  const { learners } = await learned(device);
  const after = learners[3];
  const draw = random(6, "class tokens");
  for (const name of adapted(after).slice(2)) {
    const slots = slotsIn(learners, name);
    const d = slots[0][0].length;
    assert.ok(
      slots.every((s) => s.length > 0),
      `${name}: every slot has directions`,
    );
    const inside = slots.map((columns) =>
      columns.reduce<readonly number[]>((x, c) => {
        const factor = draw.normal();
        return x.map((v, i) => v + factor * c[i]);
      }, new Array(d).fill(0)),
    );
    near((await slotWeights(device, after, "share", name, inside)).flat(), [1, 0, 0, 0, 1, 0, 0, 0, 1], `${name}: shares in one slot`, 1e-5);
    const any = Array.from({ length: 8 }, () => Array.from({ length: d }, () => draw.normal()));
    for (const w of await slotWeights(device, after, "share", name, any)) {
      assert.ok(
        w.every((x) => x >= 0 && x <= 1),
        `${name}: ${w}`,
      );
      // As much is missing as the ε beside Σ s makes out of it.
      near([w.reduce((a, b) => a + b)], [1], `${name}: sum of shares`, 1e-4);
    }
    const outside = any.map((x) => slots.flat().reduce((rest, c) => rest.map((v, i) => v - dot(rest, c) * c[i]), x));
    near((await slotWeights(device, after, "share", name, [...outside, new Array(d).fill(0)])).flat(), new Array(27).fill(0), `${name}: none`, 1e-6);
    // The other tokens of such an image, whatever they are, get nothing from R.
    const x = Float32Array.from([...outside[0], ...inside[0], ...any[1]]);
    const p = await products(device, after, residual(where), name, { shape: [1, 3, d], data: x });
    near(p, new Array(p.length).fill(0), `${name}: products`, 1e-6);
  }
});

deviceTest("raw weights are shares of an image's energy, softmax weights the softmax of these over 0.1, empty slots among them", async (device) => {
  const { learners } = await learned(device);
  const draw = random(7, "class tokens");
  for (const name of adapted(learners[3])) {
    const slots = slotsIn(learners, name);
    const x = Array.from({ length: slots[0][0].length }, () => draw.normal());
    const s = slots.map((columns) => columns.reduce((sum, c) => sum + dot(c, x) ** 2, 0) / dot(x, x));
    const e = s.map((v) => Math.exp(v / 0.1));
    const soft = e.map((v) => v / e.reduce((a, b) => a + b));
    for (const [weights, want] of [
      ["raw", s],
      ["softmax", soft],
    ] as const) {
      const [got] = await slotWeights(device, learners[3], weights, name, [x]);
      slots.forEach((columns, i) => columns.length > 0 && near([got[i]], [want[i]], `${name}: ${weights} of slot ${i + 1}`, 1e-5));
    }
  }
  // In the first block the class token is the same for every image.
  assert.equal(
    slotsIn(learners, adapted(learners[0])[0]).map((columns) => columns.length),
    [1, 0, 0],
  );
});

deviceTest("AdamW with weight decay stays outside of Φ because A is projected after the step", async (device) => {
  const before = (await learned(device)).learners[1];
  const lesson = { learner: before, task: stream.tasks[1], position: 1, stream, learned: 2 };
  const optimizer = update(adamW({ lr: constantly(1e-2), weightDecay: 0.1 }));
  const orthogonal = startingOutside(remembered(before), lora({ rank, ...where }));
  const both = (steps: Steps<any>) =>
    runStage(device, pipeline(encode({ batch: 8, steps: 4 }), adapt<any, any, any, any>({ adapters: parallel({ orthogonal }), steps })), lesson);
  const insideOf = async (steps: Steps<any>): Promise<number> => {
    const {
      adapters: { adapter, values },
    } = (await both(steps)) as Awaited<ReturnType<typeof both>> & { readonly adapters: any };
    const A = unflatten(adapter.layouts(networkOf(before.model))["orthogonal.A"], values["orthogonal.A"]);
    return Math.max(
      ...adapted(before).flatMap((name) => columnsOf(before, name).map((column) => largest(times(A.get(name)!, column)) / largest(A.get(name)!.data))),
    );
  };
  assert.ok((await insideOf(repeat(4, gradient(imageToText), optimizer, project(rowsOutOf("orthogonal.A"))))) < 1e-5);
  assert.ok((await insideOf(repeat(4, gradient(imageToText), optimizer))) > 1e-3);
});

test("A starts outside of the given bases, orthonormal where that is asked for; rows beyond the directions that are left are zero", async () => {
  const model = await clip();
  const { config, weights } = model;
  const net = networkOf(model);
  const [{ name }] = layersOf(net, where);
  const d = config.vision.width;
  const axis = (i: number): Float32Array => Float32Array.from({ length: d }, (_, k) => (k === i ? 1 : 0));
  const start = (left: number, options = {}) => {
    const bases: Bases = new Map([[name, { d, columns: Array.from({ length: d - left }, (_, i) => axis(i)) }]]);
    const adapter = startingOutside(bases, lora({ rank, ...where }), options);
    const { A, B } = adapter.initial(net, weights, 1, 1);
    assert.ok(B.every((b) => b === 0));
    return unflatten(adapter.layouts(net).A, A);
  };
  const [free, plain] = [lora({ rank, ...where }).initial(net, weights, 1, 1), start(d - 4)];
  rowsOf(plain.get(name)!).forEach((row, r) => {
    const drawn = free.A.subarray(r * d, (r + 1) * d);
    assert.equal(
      [...row],
      [...drawn].map((x, i) => (i < 4 ? 0 : x)),
      "the draw without what is inside",
    );
  });
  for (const [, A] of start(d - 4, { orthonormal: true })) orthonormal(rowsOf(A), "rows");
  assert.ok(rowsOf(start(d - 4, { orthonormal: true }).get(name)!).every((row) => largest(row.subarray(0, 4)) === 0));
  const two = rowsOf(start(2, { orthonormal: true }).get(name)!);
  orthonormal(two.slice(0, 2), "what is left");
  assert.ok(two[2].every((x) => x === 0));
});

deviceTest("slot 'current': every task's residual adapter acts on its own directions, outside of those remembered, from the first task on", async (device) => {
  const { learners } = await learn(device, { slot: "current" });
  const slots = slotsKept(learners[3]);
  assert.ok(slots.every(({ residual: own }) => own !== undefined));
  for (const [t, { residual: own }] of slots.entries()) {
    for (const name of adapted(learners[0]).slice(2)) {
      const A = rowsOf({ shape: [rank, learners[0].model.config.vision.width], data: own!.get(name)!.A!.data }).filter((row) => largest(row) > 0);
      assert.ok(A.length > 0, `${name}, slot ${t + 1}`);
      orthonormal(A, name);
      for (const column of columnsOf(learners[t], name)) A.forEach((row) => near([dot(row, column)], [0], `${name}, slot ${t + 1}: outside`, 1e-5));
      assert.ok(largest(own!.get(name)!.B.data) > 1e-3);
    }
  }
  assert.is(slots[0].residual, slotsKept(learners[1])[0].residual);
});

deviceTest("tokens 'all': the memory holds directions of every token", async (device) => {
  const [cls, all] = [(await learned(device)).learners, (await learn(device, { tokens: "all", steps: 1 })).learners];
  for (const name of adapted(cls[0])) {
    orthonormal(columnsOf(all[3], name), name);
    assert.ok(columnsOf(all[1], name).length > columnsOf(cls[1], name).length, `${name}: ${columnsOf(all[1], name).length} columns`);
  }
});

deviceTest("SGD, an orthonormal start, and both towers: finite, and outside of Φ as ever", async (device) => {
  for (const options of [{ optimizer: "sgd", lr: 0.1, orthonormal: true }, { towers: ["vision", "text"] }] as const) {
    const { learners, reports } = await learn(device, options);
    for (const { data } of learners[3].model.weights.values()) assert.ok(data.every(Number.isFinite));
    assert.ok(reports.every(({ mergeError }) => mergeError! < 1e-4));
    for (const name of adapted(learners[0])) {
      const moved = change(learners[1], learners[3], name);
      assert.ok(largest(moved.data) > 0, `${name} moved`);
      for (const column of columnsOf(learners[1], name)) assert.ok(largest(times(moved, column)) <= 1e-5 * largest(moved.data), name);
    }
  }
});

/** A learner whose memory has so many slots, and an image for every row of their scores. */
const noting = (slots: number, ...scores: readonly (readonly number[])[]) => {
  const remembering = { ...learner({} as Clip), memory: { slots: { all: new Array(slots).fill({}) } } };
  return { remembering, notes: { "slot scores": Float32Array.from(scores.flat()) } };
};

test("prediction: softly, hard or not at all, where it is confident, and never for classes of tasks that are not learned", () => {
  const { remembering, notes } = noting(2, [0.3, 0.1], [0.2, 0.2]);
  const p = 1 / (1 + Math.exp(-2));
  const of = (options: TaskPredictionOptions) => {
    const added = taskPrediction(options).of(remembering, notes);
    return [0, 1].map((image) => [0, 1, 2].map((position) => added(image, position)));
  };
  near(of({})[0], [Math.log(p + 1e-6), Math.log(1 - p + 1e-6), 0], "soft", 1e-6);
  near(of({})[1], [Math.log(0.5 + 1e-6), Math.log(0.5 + 1e-6), 0], "even", 1e-6);
  assert.equal(of({ confidence: 0.6, mode: "hard" }), [
    [0, -Infinity, 0],
    [0, 0, 0],
  ]);
  assert.equal(of({ confidence: 0.9 }), [
    [0, 0, 0],
    [0, 0, 0],
  ]);
  near([of({ temperature: 0.2 })[0][0]], [Math.log(1 / (1 + Math.exp(-1)) + 1e-6)], "temperature", 1e-6);
  assert.equal(of({ mode: "off" }), [
    [0, 0, 0],
    [0, 0, 0],
  ]);
  assert.is(taskPrediction({ confidence: 0 }).of(learner(remembering.model), {})(0, 0), 0, "a learner without slots predicts nothing");
});

test("prediction corrects the classes of the tasks that the slots are of, also behind tasks that another method learned", () => {
  const { remembering, notes } = noting(2, [0.3, 0.1]);
  const behind = { ...remembering, memory: { slots: { all: [{ position: 1 }, { position: 3 }] } } };
  const added = taskPrediction({ mode: "hard", confidence: 0 }).of(behind, notes);
  assert.equal(
    [0, 1, 2, 3, 4].map((position) => added(0, position)),
    [0, 0, 0, -Infinity, 0],
  );
});

deviceTest("slots remember the positions of their tasks", async (device) => {
  const { learners } = await learned(device);
  assert.equal(
    slotsOf(learners[3]).map(({ position }) => position),
    [0, 1, 2],
  );
});

deviceTest("prediction while scoring: 'hard' keeps the classes of one task, and changes nothing where the task is given", async (device) => {
  const {
    learners: [, , , after],
  } = await learned(device);
  const through = residual(where);
  const score = (options?: TaskPredictionOptions, labelSpace: "task" | "union" = "union"): Promise<Evaluated> => {
    const calibration = options && taskPrediction(options);
    return get(accuracies(after, stream, 3, { through, labelSpace, calibration })(runtimeOf(device)));
  };
  const [plain, off, given] = [await score(), await score({ mode: "off" }), await score(undefined, "task")];
  assert.equal(off, plain);
  for (const mode of ["soft", "hard"] as const) assert.equal(await score({ mode, confidence: 0 }, "task"), given);
  // An image of a predicted task is right among its classes at most as often as among those of the task that it is of.
  const { row } = await score({ mode: "hard", confidence: 0 });
  row.forEach((accuracy, j) => assert.ok(accuracy! <= given.row[j]!, `${stream.tasks[j].name}: ${accuracy} of ${given.row[j]}`));
});

deviceTest("a task that brings no new direction leaves an empty slot, and learning goes on", async (device) => {
  const [first] = stream.tasks;
  const again: ClassStream = { ...stream, tasks: [first, { ...first, name: "again" }, stream.tasks[1]] };
  const { learners, reports } = await learn(device, { threshold: 0.02 }, again);
  const widths = adapted(learners[0]).map((name) => slotsIn(learners, name).map((s) => s.length));
  assert.ok(
    widths.every(([one, two]) => one === 1 && two === 0),
    JSON.stringify(widths),
  );
  assert.ok(reports.every(({ row }) => row.every((x) => x !== null)));
  // The last task's residual adapter had nothing to act on.
  const { residual: own, normaliser } = slotsKept(learners[3])[1];
  for (const { B } of own!.values()) assert.ok(B.data.every((b) => b === 0));
  assert.ok([...normaliser.values()].every((n) => n === 0));
  for (const { data } of learners[3].model.weights.values()) assert.ok(data.every(Number.isFinite));
});

deviceTest("a slot narrower than the rank: the rows beyond it are zero, and B learns nothing there", async (device) => {
  const { learners } = await learn(device, { rank: 8 });
  for (const name of adapted(learners[0])) {
    const [width] = slotsIn(learners, name).map((s) => s.length);
    const {
      shape: [out, r],
      data,
    } = slotsKept(learners[3])[0].residual!.get(name)!.B;
    assert.equal([width < 8, r], [true, 8]);
    for (let o = 0; o < out; o++)
      assert.ok(
        data.subarray(o * 8 + width, (o + 1) * 8).every((b) => b === 0),
        name,
      );
    assert.ok(name.includes("layers.0.") || largest(data) > 1e-3, `${name}: the others learn`);
  }
});

/** Bytes by METHODS.md D.4: Φ of every block once, for K and V see the same input, and the B of every residual adapter. */
const bytesOf = (blocks: number, width: number, columns: readonly number[], residuals: number, r: number): number =>
  4 * (columns.reduce((sum, k) => sum + k * width, 0) + residuals * 2 * blocks * width * r);

deviceTest("the memory holds Φ once for K and V, and B of every residual adapter", async (device) => {
  const { learners } = await learned(device);
  const { layers, width } = learners[0].model.config.vision;
  learners.forEach((l, t) => {
    const columns = adapted(l)
      .filter((_, i) => i % 2 === 0)
      .map((name) => columnsOf(l, name).length);
    assert.is(bytesKept(l), bytesOf(layers, width, columns, Math.max(0, t - 1), rank), `after ${t} tasks`);
  });
  // ViT-B/16, rank 10, ten slots: 7.4 MB of B, and at most 28 MB of Φ.
  assert.is((bytesOf(12, 768, [], 10, 10) / 1e6).toFixed(1), "7.4");
  assert.is((bytesOf(12, 768, new Array(12).fill(768), 0, 10) / 1e6).toFixed(0), "28");
});

const names = ({ name, parts = [] }: Manifest): unknown => (parts.length === 0 ? name : { [name]: parts.map(names) });

test("the method reads like its algorithm", () => {
  assert.equal(names(manifest(duallora())), {
    duallora: [{ scan: ["encode", "project", "adapt", "project", "merge", "project", "evaluate"] }],
  });
  const said = JSON.stringify(manifest(duallora({ slot: "current", weights: "raw", prediction: { mode: "hard" } })));
  for (const part of ["residualDirections", "keepResidual", "addSlot", "branch(orthogonal)", "rowsOutOf", "taskPrediction", '"mode":"hard"']) {
    assert.ok(said.includes(part), part);
  }
});

runTests();
