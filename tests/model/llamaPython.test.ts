/** Folders of decoders and adapters in both directions between Cambium, transformers and peft: the same logits. Skipped without Python, torch and peft. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { elements } from "../../src/formats/hostTensor.ts";
import { mergeUpdate, type Factors, type Update } from "../../src/model/adapters/update.ts";
import { initialModel, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { linearsOf } from "../../src/model/peft/linears.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { writePeft } from "../../src/model/peft/write.ts";
import { random } from "../../src/random.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { deviceTestWith, relativeError, runTests } from "../tensor/check.ts";
import { hasPython } from "../python.ts";
import { outputsFor, rowsOf } from "./decoders.ts";
import { fixture, goldenOf } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("llama-python");
test.after(remove);

const hasPeft = hasPython("torch", "transformers", "peft");
const peftTest = deviceTestWith(hasPeft, "Python with torch, transformers and peft");

const folders = ["llama-grouped", "llama-wide", "qwen2-tiny"] as const;
type Folder = (typeof folders)[number];

interface Answer {
  readonly parameters: number;
  readonly dtype: string;
  readonly logits: Float32Array;
}

/** One thing that both compute: what Python is asked, and the model of ours that must give the same. */
interface Case {
  readonly name: string;
  readonly folder: Folder;
  readonly request: () => Promise<object>;
  readonly ours: () => Promise<Model>;
  readonly dtype?: string;
}

const cases: Case[] = [];

/** The texts of a folder without padding: the first rows of its golden file, cut to one length. */
const idsOf = async (folder: Folder): Promise<readonly (readonly number[])[]> => {
  const { data, shape } = (await goldenOf(`${folder}/golden.safetensors`))("right_ids");
  return [0, 2].map((row) => [...data.subarray(row * shape[1], row * shape[1] + 7)]);
};

const asked = async (): Promise<readonly Answer[]> => {
  const path = join(root, "requests.json");
  const requests = [];
  for (const { folder, request } of cases) requests.push({ base: fixture(folder), adapters: [], ids: await idsOf(folder), ...(await request()) });
  writeFileSync(path, JSON.stringify(requests));
  const text = execFileSync("python3", ["tests/python/decoder.py", path], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const answers = JSON.parse(text.trim().split("\n").at(-1)!) as (Omit<Answer, "logits"> & { readonly logits: number[][][] })[];
  return answers.map((answer) => ({ ...answer, logits: Float32Array.from(answer.logits.flat(2)) }));
};
let answers: ReturnType<typeof asked> | undefined;

/** Factors of another rank for every other layer. */
const drawn = (model: Model, seed: number): Update => {
  const factors = linearsOf(model).flatMap(({ name, out, in: columns }, i): readonly (readonly [string, Factors])[] => {
    if (i % 2 === seed % 2) return [];
    const [draw, rank] = [random(seed, name), 1 + (i % 4)];
    const A = Float32Array.from({ length: rank * columns }, () => 0.3 * draw.normal());
    return [[name, { rank, B: Float64Array.from({ length: out * rank }, () => 0.3 * draw.normal()), A }]];
  });
  return { factors: new Map(factors) };
};

for (const [folder, dtype, torch] of [
  ["llama-grouped", "f32", "float32"],
  ["llama-wide", "bf16", "bfloat16"],
  ["qwen2-tiny", "f16", "float16"],
] as const) {
  const written = join(root, `${folder}-${dtype}`);
  const seeded = async (): Promise<Model> => {
    const { architecture, config } = await get(readModel(fixture(folder)));
    return initialModel(architecture, config, 8);
  };
  cases.push({
    name: `transformers loads the folder of ${folder} that Cambium writes in ${dtype}`,
    folder,
    request: async () => {
      await get(writeModel(written, await seeded(), { dtype }));
      return { base: written };
    },
    ours: () => get(readModel(written)),
    dtype: torch,
  });
}

for (const folder of folders) {
  const merged = async () => {
    const base = await get(readModel(fixture(folder)));
    return { base, first: drawn(base, 1), second: drawn(base, 2) };
  };
  cases.push({
    name: `peft loads the adapters of ${folder} that Cambium writes, on all linear layers`,
    folder,
    request: async () => {
      const { base, first, second } = await merged();
      const adapters = ["first", "second"].map((name) => join(root, `${folder}-${name}`));
      for (const [i, update] of [first, second].entries()) await get(writePeft(adapters[i], base, update, { base: fixture(folder) }));
      return { adapters };
    },
    ours: async () => {
      const { base, first, second } = await merged();
      return mergeUpdate(mergeUpdate(base, first), second);
    },
  });
}

const made: readonly (readonly [string, Folder, object, string?])[] = [
  [
    "the seven linear layers",
    "llama-grouped",
    { r: 3, lora_alpha: 6, target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] },
  ],
  ["all-linear, for a causal language model, in bf16", "qwen2-tiny", { r: 2, target_modules: "all-linear", task_type: "CAUSAL_LM" }, "bfloat16"],
  ["q and v, and the product at the end", "llama-wide", { r: 2, lora_alpha: 8, target_modules: ["q_proj", "v_proj", "lm_head"] }],
];

for (const [name, folder, config, dtype] of made) {
  const adapter = join(root, `made-${name.replace(/\W+/g, "-")}`);
  cases.push({
    name: `Cambium reads the adapter of ${folder} that peft writes: ${name}`,
    folder,
    request: async () => ({ make: { folder: adapter, seed: 3, config, ...(dtype && { dtype }) } }),
    ours: async () => {
      const base = await get(readModel(fixture(folder)));
      return mergeUpdate(base, await get(readPeft(adapter, base)));
    },
  });
}

for (const [i, { name, folder, ours, dtype }] of cases.entries())
  peftTest(name, async (device) => {
    const theirs = (await (answers ??= asked()))[i];
    const [model, ids] = [await ours(), await idsOf(folder)];
    assert.is(
      theirs.parameters,
      [...model.weights.values()].reduce((n, { shape }) => n + elements(shape), 0),
    );
    if (dtype !== undefined) assert.is(theirs.dtype, dtype);
    const rows = rowsOf({ shape: [ids.length, ids[0].length], data: Float32Array.from(ids.flat()) }, [7, 7], false, (length) =>
      Array.from({ length }, (_, at) => at),
    );
    const off = relativeError((await outputsFor(device, model, rows, ["logits"])).logits, theirs.logits);
    assert.ok(off < 1e-5, `logits: off by ${off}`);
  });

runTests();
