/** DualLoRA task by task and step by step, on a CLIP and a ViT, against a torch reference written from METHODS.md D (tests/fixtures/duallora_trace.py). */
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { layersOf, type Layer } from "../../src/model/network.ts";
import { networkOf, readModelAs } from "../../src/model/model.ts";
import { vit } from "../../src/model/vit.ts";
import type { Learner } from "../../src/model/learner.ts";
import { branch } from "../../src/subspace/selection.ts";
import { linearHead } from "../../src/model/adapters/heads.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { growing, remembered } from "../../src/subspace/bases.ts";
import type { Lesson, Merged, WithAdapters, WithBatches, WithDirections } from "../../src/training/lesson.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { project, rowsOutOf, startingOutside } from "../../src/stages/project.ts";
import { residual, type SlotWeights } from "../../src/methods/dualloraBranch.ts";
import { taskPrediction, type TaskPredictionOptions } from "../../src/methods/dualloraPrediction.ts";
import { addSlot, keepResidual, residualDirections } from "../../src/methods/dualloraSlots.ts";
import { constantly } from "../../src/training/schedule.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";
import { embed, fixture, goldenOf, readModel, wholesOf, type Model } from "../model/embeddings.ts";
import { forward, weightsFor, withLastShown } from "./slots.ts";
import { adaptTraced, batchesOf, columnsOf, given, learnerOf, lessonOf, near, projector, rowAt, runStage, startingAt, type Golden } from "./trace.ts";

const classes = [3, 2, 2];
const tasks = [1, 2, 3];
const images = 12;
const rank = 3;
const where = { modules: ["k", "v"], towers: ["vision"] } as const;
const memory = (weights?: SlotWeights) => residual({ ...where, weights });
const features = { ...where, tokens: "class", accumulate: "gram", through: memory(), energy: growing(0.95) } as const;

const steps = repeat(5, gradient(imageToText), update(adamW({ lr: constantly(1e-2) })), project(rowsOutOf("orthogonal.A")));

/** One of the two models. */
interface Kind {
  readonly key: "clip" | "vit";
  readonly read: () => Promise<Pick<Learner["model"], "architecture" | "config" | "weights">>;
}

const kinds: readonly Kind[] = [
  { key: "clip", read: () => readModel(fixture("clip-gelu")) },
  { key: "vit", read: () => get(readModelAs(vit, fixture("vit-tiny"))) },
];

/** Σ aᵢ bᵢ of a row of one list and a row of another. */
const inner = (a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, width: number): number => {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += a[i * width + k] * b[j * width + k];
  return sum;
};

/** The columns of a module's basis after 0, 1, 2 and 3 tasks; `index` counts the modules. */
const widthsOf = (golden: Golden, key: string, index: number): readonly number[] => {
  const {
    shape: [, count],
    data,
  } = golden(`${key}.widths`);
  return [0, ...tasks.map((_, t) => data[t * count + index])];
};

/** Learns one task through the stages of `duallora` and holds every state against the reference. */
const learn = async (device: Device, { key }: Kind, golden: Golden, from: Learner, position: number): Promise<Learner> => {
  const { config } = from.model;
  const net = networkOf(from.model);
  const name = `task${position + 1}`;
  const all = layersOf(net, where);
  const of = (module: Layer, what: string): HostTensor => golden(`${key}.${name}.${module.name}.${what}`);
  const first = classes.slice(0, position).reduce((a, b) => a + b, 0);
  const data = {
    pixels: golden(`${name}.pixels`),
    labels: golden(`${name}.labels`),
    first,
    classes: classes[position],
    ...(key === "clip" ? { ids: golden(`clip.${name}.prompt_ids`) } : {}),
  };
  const walk = batchesOf(config, data, { order: { shape: [2, 6], data: Float32Array.from({ length: images }, (_, i) => i) } });
  const training = batchesOf(config, data, { order: golden(`${name}.batches`) });

  // The reference's draw in place of ours.
  const draw = (): ReturnType<typeof lora> => {
    const own = lora({ rank, ...where });
    const { A, B } = own.layouts(net);
    return startingAt(own, { A: flatten(A, (at) => of(all.find((m) => m.name === at)!, "draw").data), B: new Float32Array(B.length) });
  };
  const adapters = ({ directions, learner }: Lesson & WithDirections) => {
    const both = parallel({ orthogonal: startingOutside(remembered(learner), draw()), residual: lora({ rank, ...where, directions }) });
    if (key === "clip") return both;
    const headed = linearHead(classes[position], both);
    const [rows, bias] = [rowAt(golden(`vit.${name}.head.weight`), 0).data, rowAt(golden(`vit.${name}.head.bias`), 0).data];
    const head = flatten(headed.layouts(net).head, (part) => (part === "rows" ? rows : bias));
    return { ...headed, initial: (...args: Parameters<typeof headed.initial>) => ({ ...headed.initial(...args), head }) };
  };

  const before = await runStage(
    device,
    pipeline(given(walk), project(residualDirections({ rank, slot: "previous", ...features })), given(training)),
    lessonOf(from, classes, position),
  );
  const adapter = adapters(before);
  const { states, losses } = await adaptTraced<any, any>(device, before, { adapter, steps, branch: memory() });
  near(
    losses.map(({ loss }) => loss),
    golden(`${key}.${name}.loss`).data,
    `${key}, ${name}: losses`,
  );
  const layouts = adapter.layouts(net) as Readonly<Record<string, Parameters<typeof unflatten>[0]>>;
  const start = { step: 0, values: adapter.initial(net, from.model.weights, 8, position) as Readonly<Record<string, Float32Array>> };
  for (const { step, values } of [start, ...states]) {
    const what = (module: Layer, group: string): string => `${key}, ${name}, step ${step}: ${group} of ${module.name}`;
    const group = (g: string): ReadonlyMap<string, HostTensor> => unflatten(layouts[g], values[g]);
    const [A, B, AR, BR] = ["orthogonal.A", "orthogonal.B", "residual.A", "residual.B"].map(group);
    for (const module of all) {
      near(A.get(module.name)!.data, rowAt(of(module, "A_O"), step).data, what(module, "A of O"));
      near(B.get(module.name)!.data, rowAt(of(module, "B_O"), step).data, what(module, "B of O"));
      const [a, b] = [AR.get(module.name)!, BR.get(module.name)!];
      if (position === 0) {
        assert.ok(
          [...a.data, ...b.data].every((x) => x === 0),
          what(module, "R"),
        );
        continue;
      }
      const signs = Array.from({ length: rank }, (_, r) => (inner(a.data, r, of(module, "A_R").data, r, module.in) < 0 ? -1 : 1));
      near(
        a.data.map((x, i) => x * signs[Math.floor(i / module.in)]),
        of(module, "A_R").data,
        what(module, "A of R"),
      );
      near(
        b.data.map((x, i) => x * signs[i % rank]),
        rowAt(of(module, "B_R"), step).data,
        what(module, "B of R"),
      );
    }
    if (key === "clip") continue;
    const head = group("head");
    near(head.get("rows")!.data, rowAt(golden(`vit.${name}.head.weight`), step).data, `${key}, ${name}, step ${step}: head`);
    near(head.get("bias")!.data, rowAt(golden(`vit.${name}.head.bias`), step).data, `${key}, ${name}, step ${step}: bias`);
  }

  const stage = adapt<any, any, any, any>({ through: memory(), adapters, steps });
  const adapted = await runStage<any, Lesson & WithBatches & WithAdapters<any>>(device, stage, before);
  for (const [group, values] of Object.entries<Float32Array>(adapted.adapters.values)) sameBits(values, states.at(-1)!.values[group], `adapt: ${group}`);

  const after = await runStage<Lesson & WithBatches & WithAdapters<any>, Lesson & Merged>(
    device,
    pipeline(project(keepResidual("previous")), merge(branch<any>("orthogonal")), given(walk), project(addSlot(features))),
    adapted,
  );
  const bases = remembered(after.learner);
  const slots = after.learner.memory.slots as { readonly all: readonly { readonly normaliser: ReadonlyMap<string, number> }[] };
  all.forEach((module, m) => {
    const [old, merged] = [from.model.weights, after.learner.model.weights].map((weights) => weights.get(`${module.name}.weight`)!.data);
    const norm = golden(`${key}.${name}.norms`).data[m];
    near([Math.hypot(...merged.map((w, i) => w - old[i]))], [norm], `${key}, ${name}: the length of the change of ${module.name}`);
    const { columns, d } = bases.get(module.name)!;
    const widths = widthsOf(golden, key, m);
    const normaliser = rowAt(golden(`${key}.normalisers`), position).data[m];
    near([slots.all[position].normaliser.get(module.name)!], [normaliser], `${key}, ${name}: normaliser of ${module.name}`);
    assert.is(columns.length, widths[position + 1], `${key}, ${name}: columns of Φ of ${module.name}`);
    const psi = columns.slice(widths[position]);
    if (psi.length === 0) return;
    // K and V see the same input: the reference keeps the bases of K.
    const want = of(all.find(({ depth, kind }) => depth === module.depth && kind === "k")!, "psi");
    near(projector(psi, d), projector(columnsOf(want), d), `${key}, ${name}: Ψ of ${module.name}`);
  });
  return after.learner;
};

/** The logits of the test images among all classes, [6, 7], from their features. */
const logitsOf = async (device: Device, key: Kind["key"], golden: Golden, { model, head }: Learner, own: Float32Array): Promise<readonly number[]> => {
  const { width } = networkOf(model);
  const all = (logit: (image: number, cls: number) => number): readonly number[] => Array.from({ length: 6 * 7 }, (_, at) => logit(Math.floor(at / 7), at % 7));
  if (key === "vit") return all((i, c) => inner(own, i, head!.rows, c, width) + head!.bias[c]);
  const ids = Uint32Array.from(tasks.flatMap((t) => [...wholesOf(golden(`clip.task${t}.prompt_ids`))]));
  const { textEmbeds } = await embed(device, model as Model, golden("test.pixels").data, ids);
  const scale = Math.exp(model.weights.get("logit_scale")!.data[0]);
  return all((i, c) => (scale * inner(own, i, textEmbeds, c, width)) / Math.sqrt(inner(own, i, own, i, width)));
};

/** What a calibration adds to the logits of every image's classes: [images, 7]. */
const corrections = (learner: Learner, notes: Readonly<Record<string, Float32Array>>, options: TaskPredictionOptions): readonly number[] => {
  const of = taskPrediction(options).of(learner, notes);
  return Array.from({ length: 6 }, (_, i) => classes.flatMap((n, t) => Array.from({ length: n }, () => of(i, t)))).flat();
};

/** Inference after the last task, in every way of weighing. */
const infer = async (device: Device, kind: Kind, golden: Golden, after: Learner): Promise<void> => {
  const { key } = kind;
  const all = layersOf(networkOf(after.model), where);
  const probed = await withLastShown(device, after, { ...where, rank });
  for (const weights of ["share", "raw", "softmax"] as const) {
    const [what, want] = [`${key}, ${weights}`, (name: string) => golden(`${key}.${weights}.${name}`).data];
    const { features: own, queries, notes } = await forward(device, after, memory(weights), golden("test.pixels"));
    const logits = await logitsOf(device, key, golden, after, own);
    near(logits, want("logits"), `${what}: logits`);
    for (const [index, module] of all.entries()) {
      if (module.kind !== "k") continue;
      const widths = widthsOf(golden, key, index);
      const compare = async (how: SlotWeights, name: string): Promise<void> => {
        const got = await weightsFor(device, probed, memory(how), module.name, queries[module.name]);
        const theirOwn = want(`${module.name}.${name}`);
        for (let at = 0; at < 6 * 3; at++) {
          // A residual adapter has as many rows as its slot has directions, up to the rank; a slot without any shows no weight.
          const rows = Math.min(rank, widths[(at % 3) + 1] - widths[at % 3]);
          const shown = got.subarray(at * rank, at * rank + rows);
          near(shown, new Array(rows).fill(theirOwn[at]), `${what}: ${name} in ${module.name}, image and slot ${Math.floor(at / 3)}, ${at % 3}`);
        }
      };
      await compare(weights, "w");
      if (weights === "share") await compare("raw", "s");
    }
    // With log p for all images, p is what was added.
    const p = corrections(after, notes, { confidence: 0 }).map(Math.exp);
    near(
      p.filter((_, at) => [0, 3, 5].includes(at % 7)),
      want("p").map((x) => x + 1e-6),
      `${what}: p`,
    );
    const calibrated = (options: TaskPredictionOptions): readonly number[] => {
      const added = corrections(after, notes, options);
      return logits.map((x, at) => x + added[at]);
    };
    near(calibrated({}), want("calibrated"), `${what}: calibrated`);
    if (weights !== "share") continue;
    near(calibrated({ confidence: 0.8 }), want("strict"), `${what}: strict`);
    for (const [confidence, name] of [
      [0.5, "hard"],
      [0.8, "strict_hard"],
    ] as const) {
      const stay = corrections(after, notes, { confidence, mode: "hard" }).map((c) => (c === 0 ? 1 : 0));
      assert.equal(stay, [...want(name)], `${what}: ${name}`);
    }
    near(calibrated({ mode: "off" }), logits, `${what}: off`, 0);
  }
};

for (const kind of kinds) {
  deviceTest(`three tasks and inference on a ${kind.key}: adapters, losses, merges, memory, weights and calibration are torch's`, async (device) => {
    const { key } = kind;
    const golden = await goldenOf("duallora-trace.safetensors");
    let learner = learnerOf(await kind.read());
    for (const position of tasks.keys()) learner = await learn(device, kind, golden, learner, position);
    for (const module of layersOf(networkOf(learner.model), where)) {
      const wanted = (module.depth === 1 && module.kind === "k") || (module.depth === 2 && module.kind === "v");
      if (!wanted) continue;
      near(learner.model.weights.get(`${module.name}.weight`)!.data, golden(`${key}.merged.${module.name}.weight`).data, `${key}: merged ${module.name}`);
    }
    await infer(device, kind, golden, learner);
  });
}

runTests();
