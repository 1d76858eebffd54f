/** Adapters in both directions between Cambium and peft itself: the merged models give the same features and logits. Skipped without Python, torch and peft. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { mergeUpdate, type Factors, type Update } from "../../src/model/adapters/update.ts";
import { outputsOf, readModel as readFolder, type Model } from "../../src/model/model.ts";
import { updateBetween } from "../../src/model/peft/between.ts";
import { linearsOf } from "../../src/model/peft/linears.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { writePeft } from "../../src/model/peft/write.ts";
import { random } from "../../src/random.ts";
import { withSession } from "../../src/tensor/session.ts";
import { right, temporaryFolder } from "../fixtures/datasets.ts";
import { deviceTestWith, largestDifference, relativeError, runTests } from "../tensor/check.ts";
import { hasPython } from "../python.ts";
import { fixture, goldenOf, readModel, textsOf, wholesOf } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("peft-python");
test.after(remove);

const hasPeft = hasPython("torch", "transformers", "peft");
const peftTest = deviceTestWith(hasPeft, "Python with torch, transformers and peft");

type Answer = Readonly<Record<"image" | "text" | "logits", Float32Array | undefined>>;
type Kind = "CLIPModel" | "ViTModel" | "ViTForImageClassification";

const isClip = (kind: Kind): boolean => kind === "CLIPModel";
const folderOf = (kind: Kind): string => fixture(isClip(kind) ? "clip-gelu" : "vit-tiny");
const baseOf = async (kind: Kind): Promise<Model> => (isClip(kind) ? ((await readModel(folderOf(kind))) as Model) : await get(readFolder(folderOf(kind))));

/** Numbers as lists within lists. */
const nested = (data: readonly number[], [n, ...shape]: readonly number[]): unknown => {
  if (shape.length === 0) return data;
  const size = data.length / n;
  return Array.from({ length: n }, (_, i) => nested(data.slice(i * size, (i + 1) * size), shape));
};

/** One thing that both compute: what peft is asked, in one or more ways, and what our merged model gives. */
interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly requests: () => Promise<readonly object[]>;
  readonly merged: () => Promise<Model>;
}

const cases: Case[] = [];

/** What peft's merged models compute, by case: Python is started once, as loading it takes longer than all else. */
const asked = async (): Promise<readonly (readonly Answer[])[]> => {
  const all = await Promise.all(
    cases.map(async ({ kind, requests }) => {
      const golden = await goldenOf(`${isClip(kind) ? "clip-gelu" : "vit-tiny"}/golden.safetensors`);
      const [pixels, ids] = [golden("pixel_values"), isClip(kind) ? golden("input_ids") : undefined];
      const inputs = { pixel_values: nested([...pixels.data], pixels.shape), ...(ids && { input_ids: nested([...ids.data], ids.shape) }) };
      return (await requests()).map((rest) => ({ kind, base: folderOf(kind), adapters: [], ...inputs, ...rest }));
    }),
  );
  const path = join(root, "requests.json");
  writeFileSync(path, JSON.stringify(all.flat()));
  const text = execFileSync("python3", ["tests/python/peft_model.py", path], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const answers = JSON.parse(text.trim().split("\n").at(-1)!) as Readonly<Record<string, number[][]>>[];
  const plain = answers.map((answer) => {
    const flat = (key: string): Float32Array | undefined => answer[key] && Float32Array.from(answer[key].flat());
    return { image: flat("image"), text: flat("text"), logits: flat("logits") };
  });
  return all.map((requests) => requests.map(() => plain.shift()!));
};
let answers: ReturnType<typeof asked> | undefined;

/** What a model of ours computes. */
const computed = async (device: Device, kind: Kind, model: Model): Promise<Answer> => {
  const golden = await goldenOf(`${isClip(kind) ? "clip-gelu" : "vit-tiny"}/golden.safetensors`);
  const { data: pixels, shape } = golden("pixel_values");
  const texts = isClip(kind) ? textsOf(model.config.text, wholesOf(golden("input_ids"))) : undefined;
  const names = isClip(kind) ? { image: "imageFeatures", text: "textFeatures", logits: "logits" } : { image: "imageFeatures" };
  const found = await get(
    withSession(
      device,
      (leaves) => {
        const outputs = outputsOf(model, leaves, { images: shape[0], texts: texts?.count ?? 0, length: texts?.length ?? 0 });
        return E.right({ outputs: Object.fromEntries(Object.entries(names).map(([key, name]) => [key, outputs[name]])) });
      },
      { weights: model.weights },
    )((session) =>
      pipe(
        TE.fromEither(session.run({ pixels, ...(texts && { ids: texts.ids, ends: texts.ends }) })),
        TE.chain(() => session.readAll(Object.keys(names))),
      ),
    ),
  );
  return found as Answer;
};

/** Features are as near as f32 lets them be; logits, which are up to 18 times a cosine, differ by at most 1e-5 of the largest. */
const near = (ours: Answer, theirs: Answer): void => {
  for (const key of ["image", "text", "logits"] as const) {
    if (ours[key] === undefined) continue;
    const off = relativeError(ours[key], theirs[key]!);
    assert.ok(off < 1e-5, `${key}: off by ${off}`);
    assert.ok(largestDifference(ours[key], theirs[key]!) < 1e-5 * Math.max(...theirs[key]!.map(Math.abs)) + 1e-5, key);
  }
};

/** Factors of another rank for every other layer. */
const drawn = (model: Model, seed: number): Update => {
  const factors = linearsOf(model).flatMap(({ name, out, in: columns }, i): readonly (readonly [string, Factors])[] => {
    if (i % 2 === seed % 2) return [];
    const [draw, rank] = [random(seed, name), 1 + (i % 5)];
    const A = Float32Array.from({ length: rank * columns }, () => 0.3 * draw.normal());
    return [[name, { rank, B: Float64Array.from({ length: out * rank }, () => 0.3 * draw.normal()), A }]];
  });
  return { factors: new Map(factors) };
};

for (const kind of ["CLIPModel", "ViTModel"] as const) {
  const updates = async () => {
    const base = await baseOf(kind);
    const [first, second] = [1, 2].map((seed) => drawn(base, seed));
    return { base, first, second, merged: mergeUpdate(mergeUpdate(base, first), second) };
  };
  cases.push({
    name: `peft loads what Cambium writes for a ${kind}: one adapter after the other, and their sum`,
    kind,
    requests: async () => {
      const { base, first, second, merged } = await updates();
      const folders = ["first", "second", "both"].map((name) => join(root, `${kind}-${name}`));
      for (const [i, update] of [first, second, right(updateBetween(base, merged))].entries())
        await get(writePeft(folders[i], base, update, { base: folderOf(kind) }));
      return [{ adapters: folders.slice(0, 2) }, { adapters: folders.slice(2) }];
    },
    merged: async () => (await updates()).merged,
  });
}

const made: readonly (readonly [string, Kind, object, string?])[] = [
  ["a list and an rslora", "CLIPModel", { r: 4, lora_alpha: 3, target_modules: ["q_proj", "v_proj"], use_rslora: true }],
  [
    "an expression and patterns",
    "CLIPModel",
    {
      r: 2,
      lora_alpha: 4,
      target_modules: ".*(text|vision)_model.*(fc1|out_proj)",
      rank_pattern: { "layers.0.mlp.fc1": 5, out_proj: 3 },
      alpha_pattern: { "text_model.*fc1": 1 },
    },
  ],
  ["all-linear but a part, in bf16", "CLIPModel", { r: 2, target_modules: "all-linear", exclude_modules: ["fc2"] }, "bfloat16"],
  [
    "some blocks, in f16",
    "ViTModel",
    { r: 3, lora_alpha: 2, target_modules: ["k_proj", "fc1"], layers_to_transform: [0, 1], layers_pattern: "layers" },
    "float16",
  ],
  [
    "a classifier's model",
    "ViTForImageClassification",
    { r: 2, lora_alpha: 8, target_modules: ["q_proj", "o_proj"], rank_pattern: { "1.attention.q_proj": 4 } },
  ],
];

for (const [name, kind, config, dtype] of made) {
  const folder = join(root, `made-${name.replace(/\W+/g, "-")}`);
  cases.push({
    name: `Cambium reads what peft writes for a ${kind}: ${name}`,
    kind,
    requests: async () => [{ make: { folder, seed: 3, config, ...(dtype && { dtype }) } }],
    merged: async () => {
      const base = await baseOf(kind);
      return mergeUpdate(base, await get(readPeft(folder, base)));
    },
  });
}

for (const [i, { name, kind, merged }] of cases.entries())
  peftTest(name, async (device) => {
    const theirs = (await (answers ??= asked()))[i];
    const ours = await computed(device, kind, await merged());
    for (const answer of theirs) near(ours, answer);
  });

runTests();
