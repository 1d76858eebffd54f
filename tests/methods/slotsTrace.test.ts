/** CoLoR and MoRAM step by step and at test time, against a torch reference that was written from their equations (tests/fixtures/slots_trace.py). */
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { resident } from "../../src/device/resident.ts";
import { get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { lloyd } from "../../src/linalg/kMeans.ts";
import { nearest, nearestTask, ofNearestTask } from "../../src/methods/colorBranch.ts";
import { memorySlots, selfActivated } from "../../src/methods/moramSlots.ts";
import type { Adapter } from "../../src/model/adapters/adapter.ts";
import { linearHead } from "../../src/model/adapters/heads.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { bank, bankedByLayer } from "../../src/model/bank.ts";
import type { Branch } from "../../src/model/branch.ts";
import type { Learner } from "../../src/model/learner.ts";
import { networkOf, readModelAs } from "../../src/model/model.ts";
import { vit } from "../../src/model/vit.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { keepAdapters } from "../../src/stages/keepAdapters.ts";
import { prototypes } from "../../src/stages/keepPrototypes.ts";
import { found, programs } from "../../src/stages/programs.ts";
import { ensemble } from "../../src/stages/scores.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import type { Lesson, WithBatches } from "../../src/training/lesson.ts";
import { imageToText, matching } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import { deviceTest, orThrow, runTests, sameBits } from "../tensor/check.ts";
import { fixture, goldenOf, readModel, textsOf, wholesOf } from "../model/embeddings.ts";
import { adaptTraced, batchesOf, given, learnerOf, lessonOf, near, rowAt, runStage, startingAt, type Golden } from "./trace.ts";

const classes = [3, 2];
const [rank, count, tau, least] = [3, 3, 0.05, 0.2];
const optimizer = update(adamW({ lr: constantly(1e-2) }));

/** The modules whose A and B the golden file has, too. */
const shown = {
  "color.clip": [0, 2].map((block) => `vision_model.encoder.layers.${block}.self_attn.${block === 0 ? "v" : "q"}_proj`),
  "color.vit": [0, 2].map((block) => `encoder.layer.${block}.attention.attention.${block === 0 ? "value" : "query"}`),
  moram: ["vision_model.encoder.layers.1.mlp.fc1", "text_model.encoder.layers.1.self_attn.k_proj"],
} as const;

/** One of the traces, and what is particular to it. */
interface Kind {
  /** Its name in the golden file. */
  readonly key: keyof typeof shown;
  readonly read: () => Promise<Pick<Learner["model"], "architecture" | "config" | "weights">>;
  readonly adapter: (learner: Learner) => Adapter<"A" | "B">;
  readonly steps: Steps<any>;
  /** The names of the losses that the golden file has. */
  readonly losses: readonly string[];
}

const clip = () => readModel(fixture("clip-gelu"));
const color = {
  adapter: () => lora({ rank, modules: ["q", "v"], towers: ["vision"] }),
  steps: repeat(count, gradient(imageToText), optimizer),
  losses: ["loss"],
};
const where = { modules: ["q", "k", "v", "fc1", "fc2"], towers: "all" } as const;
const moram: Kind = {
  key: "moram",
  read: clip,
  adapter: (learner) => memorySlots(bankedByLayer(learner), { rank, ...where, active: 3, temperature: tau }),
  steps: repeat(count, gradient(matching), optimizer),
  losses: ["imageToText", "textToImage"],
};

/** The two golden files: what is learned, and what comes of it. */
interface Goldens {
  readonly data: Golden;
  readonly golden: Golden;
}

const goldens = async (): Promise<Goldens> => ({ data: await goldenOf("duallora-trace.safetensors"), golden: await goldenOf("slots-trace.safetensors") });

const norm = (x: HostTensor): number => Math.hypot(...x.data);

/** Learns one task, holds every state against the reference, and keeps the adapters. */
const learn = async (device: Device, { key, adapter, steps, losses }: Kind, { data, golden }: Goldens, from: Learner, position: number): Promise<Learner> => {
  const net = networkOf(from.model);
  const name = `task${position + 1}`;
  const of = (what: string): HostTensor => golden(`${key}.${name}.${what}`);
  const first = classes.slice(0, position).reduce((a, b) => a + b, 0);
  const ids = key === "color.vit" ? {} : { ids: data(`clip.${name}.prompt_ids`) };
  const task = { pixels: data(`${name}.pixels`), labels: data(`${name}.labels`), first, classes: classes[position], ...ids };
  const batches = batchesOf(from.model.config, task, { order: data(`${name}.batches`), previous: key === "moram" ? first : 0 });
  const lesson = await runStage(device, given(batches), lessonOf(from, classes, position));

  // The reference's draw in place of ours.
  const own = adapter(from);
  const layouts = own.layouts(net);
  const drawn = flatten(layouts.A, (layer) => of(`${layer}.draw`).data);
  const start = startingAt(own, { ...own.initial(net, from.model.weights, 8, position), A: drawn });
  const headed = linearHead(classes[position], start);
  const [rows, bias] = key === "color.vit" ? ["weight", "bias"].map((part) => rowAt(of(`head.${part}`), 0).data) : [];
  const head = rows === undefined ? undefined : flatten(headed.layouts(net).head, (part) => (part === "rows" ? rows : bias));
  const attached: Adapter<any> = head === undefined ? start : startingAt(headed, { ...start.initial(net, from.model.weights, 8, position), head });

  const { states, losses: found } = await adaptTraced<any, any>(device, lesson, { adapter: attached, steps });
  near(
    found.flatMap((row) => losses.map((loss) => row[loss])),
    of("loss").data,
    `${key}, ${name}: losses`,
  );
  const names = layouts.A.entries.map((entry) => entry.name);
  states.forEach(({ step, values }) => {
    const [A, B] = [unflatten(layouts.A, values.A), unflatten(layouts.B, values.B)];
    const lengths = names.flatMap((layer) => [norm(A.get(layer)!), norm(B.get(layer)!)]);
    near(lengths, rowAt(of("lengths"), step).data, `${key}, ${name}, step ${step}: lengths of A and B`);
    if (head === undefined) return;
    const parts = unflatten(headed.layouts(net).head, values.head);
    near(parts.get("rows")!.data, rowAt(of("head.weight"), step).data, `${key}, ${name}, step ${step}: head`);
    near(parts.get("bias")!.data, rowAt(of("head.bias"), step).data, `${key}, ${name}, step ${step}: bias of the head`);
  });

  const after = await runStage<Lesson & WithBatches, Lesson>(
    device,
    pipeline(adapt<any, any, any, any>({ adapters: attached, steps }), keepAdapters() as any),
    lesson,
  );
  const kept = bank.of(after.learner).at(-1)!;
  assert.equal([...kept.keys()], names);
  const last = unflatten(layouts.A, states.at(-1)!.values.A);
  for (const layer of names) sameBits(kept.get(layer)!.A.data, last.get(layer)!.data, `what is kept of ${layer}`);
  for (const layer of shown[key]) {
    for (const factor of ["A", "B"] as const) near(kept.get(layer)![factor].data, of(`${layer}.${factor}`).data, `${key}, ${name}: ${factor} of ${layer}`);
  }
  assert.is(after.learner.model, from.model, "nothing is merged");
  return after.learner;
};

/** An output of a learner's model through a branch, by the programs that evaluate it, and what the branch noted. */
const encoded = async (
  device: Device,
  learner: Learner,
  branch: Branch | undefined,
  output: string,
  given: { readonly pixels?: HostTensor; readonly ids?: HostTensor },
): Promise<Readonly<Record<string, Float32Array>>> => {
  const weights = orThrow(resident(device, learner.model.weights));
  const { session, release } = programs(learner, { device }, weights, branch);
  try {
    const texts = given.ids === undefined ? undefined : textsOf(learner.model.config.text, wholesOf(given.ids));
    const size = { images: given.pixels?.shape[0] ?? 0, texts: texts?.count ?? 0, length: texts?.length ?? 0 };
    const opened = await get(session(output, size));
    orThrow(opened.run(texts === undefined ? { pixels: given.pixels!.data } : { ids: texts.ids, ends: texts.ends }));
    const names = Object.keys(opened.program.outputs);
    return (await get(opened.readAll(names))) as Readonly<Record<string, Float32Array>>;
  } finally {
    release();
    weights.release();
  }
};

/** Rows of `a` times rows of `b`: [n, m]. */
const products = (a: Float32Array, b: Float32Array, width: number, scale = 1): number[] =>
  Array.from({ length: a.length / width }, (_, i) =>
    Array.from({ length: b.length / width }, (__, j) => {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += a[i * width + k] * b[j * width + k];
      return scale * sum;
    }),
  ).flat();

const logitScale = ({ model }: Learner): number => Math.exp(model.weights.get("logit_scale")!.data[0]);

/** The embeddings of the prompts of both tasks. */
const promptsOf = async (device: Device, learner: Learner, branch: Branch | undefined, data: Golden): Promise<Float32Array> => {
  const parts = [];
  for (const t of [1, 2]) parts.push((await encoded(device, learner, branch, "textEmbeds", { ids: data(`clip.task${t}.prompt_ids`) }))[found]);
  return Float32Array.from(parts.flatMap((part) => [...part]));
};

for (const [key, read] of [
  ["color.clip", clip],
  ["color.vit", () => get(readModelAs(vit, fixture("vit-tiny")))],
] as const) {
  deviceTest(`CoLoR, two tasks and test images (${key}): adapters, losses, prototypes, choices and logits are torch's`, async (device) => {
    const both = await goldens();
    const { data, golden } = both;
    const kind: Kind = { ...color, key, read };
    let learner = learnerOf(await read());
    const { width } = networkOf(learner.model);
    for (const position of classes.keys()) {
      learner = await learn(device, kind, both, learner, position);
      const { [found]: features } = await encoded(device, learner, undefined, "imageFeatures", { pixels: data(`task${position + 1}.pixels`) });
      const points = { shape: [features.length / width, width], data: ensemble([{ count: features.length / width, data: features }], width).data };
      const { centres } = lloyd(points, Float64Array.from(points.data.subarray(0, 3 * width)));
      near(centres, golden(`${key}.task${position + 1}.prototypes`).data, `${key}: prototypes of task ${position + 1}`);
      const kept = { position, centres: { shape: [3, width], data: Float32Array.from(centres) } };
      learner = prototypes.keep(learner, [...prototypes.of(learner), kept]);
    }
    const output = key === "color.vit" ? "imageFeatures" : "imageEmbeds";
    const { [found]: features, [nearestTask]: chosen } = await encoded(device, learner, nearest, output, { pixels: data("test.pixels") });
    const wanted = golden(`${key}.nearest`).data;
    assert.equal(
      [...chosen],
      [...wanted].flatMap((task) => [task === 0 ? 1 : 0, task === 1 ? 1 : 0]),
    );
    const logits =
      key === "color.vit"
        ? products(features, learner.head!.rows, width).map((x, at) => x + learner.head!.bias[at % 5])
        : products(features, await promptsOf(device, learner, nearest, data), width, logitScale(learner));
    near(logits, golden(`${key}.logits`).data, `${key}: logits`);
    // The classes of the other learned task are out; a task that is not learned yet is left as it is.
    const correction = ofNearestTask.of(learner, { [nearestTask]: chosen });
    wanted.forEach((task, image) =>
      assert.equal(
        [0, 1, 2].map((position) => correction(image, position)),
        [task === 0 ? 0 : -Infinity, task === 1 ? 0 : -Infinity, 0],
      ),
    );
  });
}

deviceTest("MoRAM, two tasks in both towers and test images: slots, losses and logits are torch's", async (device) => {
  const both = await goldens();
  const { data, golden } = both;
  let learner = learnerOf(await clip());
  const { width } = networkOf(learner.model);
  for (const position of classes.keys()) learner = await learn(device, moram, both, learner, position);
  const branch = selfActivated({ active: 3, temperature: tau, threshold: least });
  const { [found]: features } = await encoded(device, learner, branch, "imageEmbeds", { pixels: data("test.pixels") });
  near(products(features, await promptsOf(device, learner, branch, data), width, logitScale(learner)), golden("moram.logits").data, "moram: logits");
});

runTests();
