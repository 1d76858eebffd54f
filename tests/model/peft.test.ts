/** Adapters that PEFT wrote, against what it computes with them; and those that Cambium writes, read back. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { mergeUpdate, type Factors, type Update } from "../../src/model/adapters/update.ts";
import { baseOfPeft } from "../../src/model/peft/config.ts";
import { linearsOf } from "../../src/model/peft/linears.ts";
import { byPattern, targeted, type Targets } from "../../src/model/peft/matching.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { writePeft } from "../../src/model/peft/write.ts";
import { describe, get } from "../../src/failure.ts";
import { initialModel, outputsOf, readModel as readFolder, type Model } from "../../src/model/model.ts";
import { platform } from "../../src/platform/default.ts";
import { vit } from "../../src/model/vit.ts";
import type { Device } from "../../src/device/device.ts";
import { random } from "../../src/random.ts";
import { withSession } from "../../src/tensor/session.ts";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { left, right, temporaryFolder } from "../fixtures/datasets.ts";
import { memoryFiles } from "../fixtures/memoryPlatform.ts";
import { deviceTest, relativeError, runTests } from "../tensor/check.ts";
import { embed, fixture, goldenOf, readModel, wholesOf } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("peft");
test.after(remove);

const folder = (name: string): string => fixture(`peft/${name}`);

/** The features of images under a ViT. */
const imageFeatures = (device: Device, model: Model, pixels: Float32Array, images: number): Promise<Float32Array> =>
  get(
    withSession(device, (leaves) => E.right({ outputs: { features: outputsOf(model, leaves, { images, texts: 0, length: 0 }).imageFeatures } }), {
      weights: model.weights,
    })((session) =>
      pipe(
        TE.fromEither(session.run({ pixels })),
        TE.chain(() => session.readAll(["features"])),
        TE.map(({ features }) => features),
      ),
    ),
  );

// What peft wrote -----------------------------------------------------------------------------------------------------------------------

for (const name of ["clip-patterns", "clip-all", "clip-blocks"]) {
  deviceTest(`${name} merged gives the features that peft's merged model gives`, async (device) => {
    const [golden, given] = [await goldenOf("peft/golden.safetensors"), await goldenOf("clip-gelu/golden.safetensors")];
    const base = await readModel(fixture("clip-gelu"));
    const merged = mergeUpdate(base, await get(readPeft(folder(name), base)));
    const ids = wholesOf(given("input_ids"));
    const got = await embed(device, merged, given("pixel_values").data, ids);
    const plain = await embed(device, base, given("pixel_values").data, ids);
    for (const [mine, theirs] of [
      ["imageFeatures", "image"],
      ["textFeatures", "text"],
    ] as const) {
      const want = golden(`${name}.${theirs}`).data;
      const off = relativeError(got[mine], want);
      assert.ok(off < 1e-5, `${theirs} are off by ${off}`);
      const untouched = name === "clip-all" && theirs === "text";
      assert.is(relativeError(plain[mine], want) > 0.01, !untouched, "the adapter makes a difference where it stands");
    }
  });
}

for (const [name, stored] of [
  ["vit", "vit"],
  ["vit", "vit-old"],
  ["vit-classifier", "vit-classifier"],
]) {
  deviceTest(`${stored} merged gives the features that peft's merged model gives`, async (device) => {
    const [golden, given] = [await goldenOf("peft/golden.safetensors"), await goldenOf("vit-tiny/golden.safetensors")];
    const base = await get(readFolder(fixture("vit-tiny")));
    const merged = mergeUpdate(base, await get(readPeft(folder(stored), base)));
    const { shape, data } = given("pixel_values");
    const want = golden(`${name}.image`).data;
    const off = relativeError(await imageFeatures(device, merged, data, shape[0]), want);
    assert.ok(off < 1e-5, `off by ${off}`);
    assert.ok(relativeError(await imageFeatures(device, base, data, shape[0]), want) > 0.01);
  });
}

test("rank and scale of every layer follow patterns as in peft", async () => {
  const base = await readModel(fixture("clip-gelu"));
  const { factors } = await get(readPeft(folder("clip-patterns"), base));
  const ranks = Object.fromEntries([...factors].map(([name, { rank }]) => [name.replace(/(_model)?\.encoder\.layers|self_attn\.|mlp\./g, ""), rank]));
  assert.equal(ranks, {
    "vision.0.q_proj": 1,
    "vision.1.q_proj": 1,
    "vision.2.q_proj": 1,
    "vision.0.fc1": 3,
    "vision.1.fc1": 2,
    "vision.2.fc1": 2,
    "text.1.v_proj": 5,
    "text.1.out_proj": 3,
  });
});

test("the base model of an adapter, with the revision where there is one", async () => {
  assert.is(await get(baseOfPeft(folder("vit"), platform.files)), "tests/fixtures/vit-tiny");
});

// Matching ------------------------------------------------------------------------------------------------------------------------------

test("layers are chosen by peft's rules", () => {
  const names = ["q_proj", "a.q_proj", "a.b.q_proj", "xq_proj", "model.layers.1.fc", "model.layers.11.fc", "vit.encoder.layer.1.fc.2.x"];
  const chosen = (targets: Targets): readonly string[] => {
    const chooses = targeted(targets);
    if (E.isLeft(chooses)) throw new Error(chooses.left);
    return names.filter(chooses.right);
  };
  assert.equal(chosen({ target_modules: ["q_proj"] }), ["q_proj", "a.q_proj", "a.b.q_proj"]);
  assert.equal(chosen({ target_modules: ["b.q_proj", "fc"] }), ["a.b.q_proj", "model.layers.1.fc", "model.layers.11.fc"]);
  assert.equal(chosen({ target_modules: "q_proj" }), ["q_proj"], "an expression is the whole name");
  assert.equal(chosen({ target_modules: ".*q_proj" }), ["q_proj", "a.q_proj", "a.b.q_proj", "xq_proj"]);
  assert.equal(chosen({ target_modules: "(?P<x>a)\\.b\\.q_proj|(?P<y>q)_proj" }), ["q_proj", "a.b.q_proj"], "groups with names as in Python");
  assert.equal(chosen({ target_modules: "All-Linear" }), names);
  assert.equal(chosen({ target_modules: "all-linear", exclude_modules: ["q_proj", "x"] }), ["xq_proj", "model.layers.1.fc", "model.layers.11.fc"]);
  assert.equal(chosen({ target_modules: ["q_proj"], exclude_modules: "a.*" }), ["q_proj"]);
  assert.equal(chosen({ target_modules: ["fc", "x"], layers_to_transform: 1 }), ["model.layers.1.fc", "vit.encoder.layer.1.fc.2.x"]);
  assert.equal(chosen({ target_modules: ["fc"], layers_to_transform: [11], layers_pattern: "layers" }), ["model.layers.11.fc"]);
  assert.equal(chosen({ target_modules: ["fc", "x"], layers_to_transform: [2], layers_pattern: ["layers", "fc"] }), ["vit.encoder.layer.1.fc.2.x"]);
  assert.equal(chosen({ target_modules: ["fc"], layers_to_transform: [] }), ["model.layers.1.fc", "model.layers.11.fc"]);
});

test("patterns are names, ends of names, or expressions; the first that fits counts", () => {
  const rank = right(byPattern({ "b.q": 1, q: 2, "layers\\.[0-9]\\.fc": 3, "^v.*k": 4 }) as never) as unknown as (name: string) => number | undefined;
  assert.equal(["q", "a.b.q", "c.q", "xq", "m.layers.1.fc", "m.layers.11.fc", "v.x.k", "a.v.k"].map(rank), [2, 1, 2, undefined, 3, undefined, 4, undefined]);
});

test("an expression that JavaScript reads otherwise than Python is refused, not guessed", () => {
  for (const pattern of ["a\\Z", "(?i)q", "(?x: a)", "a++", "(?>a)", "a{,2}"])
    assert.match((targeted({ target_modules: pattern }) as E.Left<string>).left, /which is not read/, pattern);
  assert.match((targeted({ target_modules: "(" }) as E.Left<string>).left, /is no regular expression/);
  for (const pattern of ["(a+)+b", "(a|a)*b", "(a*){2,}", ".*".repeat(9)])
    assert.match((targeted({ target_modules: pattern }) as E.Left<string>).left, /repeats too much, and is not tried/, pattern);
});

// What Cambium writes -------------------------------------------------------------------------------------------------------------------

const vision = { width: 6, mlpWidth: 9, layers: 12, heads: 2, activation: "gelu", eps: 1e-6, imageSize: 4, patchSize: 2, channels: 3 } as const;
const small = initialModel(vit, { vision }, 1);

/** Factors of f32 numbers, so that writing rounds nothing. */
const drawn = (seed: number, out: number, columns: number, rank: number): Factors => {
  const draw = random(seed, "factors");
  return {
    rank,
    B: Float64Array.from({ length: out * rank }, () => Math.fround(draw.normal())),
    A: Float32Array.from({ length: rank * columns }, () => draw.normal()),
  };
};

const someLayers = fc.array(fc.record({ layer: fc.nat(), rank: fc.integer({ min: 1, max: 4 }), seed: fc.integer() }), { minLength: 1, maxLength: 20 });

test("what is written is read back, whatever ranks its layers have; equal updates give equal bytes", () =>
  fc.assert(
    fc.asyncProperty(someLayers, async (choices) => {
      const layers = linearsOf(small);
      const by = new Map(choices.map(({ layer, rank, seed }) => [layers[layer % layers.length], { rank, seed }] as const));
      const factors = new Map(layers.flatMap((l) => (by.has(l) ? [[l.name, drawn(by.get(l)!.seed, l.out, l.in, by.get(l)!.rank)] as const] : [])));
      const [one, two] = [memoryFiles(), memoryFiles()];
      for (const { files } of [one, two]) await get(writePeft("/a", small, { factors }, { base: "/models/vit", files }));
      const read = await get(readPeft("/a", small, { files: one.files }));
      assert.equal(read.factors, factors);
      for (const path of ["adapter_config.json", "adapter_model.safetensors", "README.md"].map((name) => `/a/${name}`))
        assert.equal(await get(one.files.read(path)), await get(two.files.read(path)));
    }),
    { numRuns: 40 },
  ));

test("a configuration has a scale of 1 in every layer, the names that transformers 5 has, and a revision apart", async () => {
  const [layer] = linearsOf(small);
  const update: Update = { factors: new Map([[layer.name, drawn(1, layer.out, layer.in, 2)]]) };
  await get(writePeft(join(root, "named"), small, update, { base: "google/vit@0123abc" }));
  const config = JSON.parse(readFileSync(join(root, "named/adapter_config.json"), "utf8"));
  assert.equal([config.r, config.lora_alpha, config.peft_type, config.task_type, config.use_rslora], [2, 2, "LORA", null, false]);
  assert.equal(config.target_modules, ["layers.0.attention.q_proj"]);
  assert.equal([config.base_model_name_or_path, config.revision], ["google/vit", "0123abc"]);
  assert.equal(config.auto_mapping, { base_model_class: "ViTModel", parent_library: "transformers.models.vit.modeling_vit" });
  assert.is(await get(baseOfPeft(join(root, "named"), platform.files)), "google/vit@0123abc");
  assert.match(readFileSync(join(root, "named/README.md"), "utf8"), /PeftModel\.from_pretrained/);
});

test("a folder name with an @ is no revision", async () => {
  const [layer] = linearsOf(small);
  const update: Update = { factors: new Map([[layer.name, drawn(1, layer.out, layer.in, 2)]]) };
  await get(writePeft(join(root, "at"), small, update, { base: "/models/vit@2" }));
  assert.is(await get(baseOfPeft(join(root, "at"), platform.files)), "/models/vit@2");
});

test("an update in which nothing lives is an adapter that adds nothing", async () => {
  await get(writePeft(join(root, "none"), small, { factors: new Map() }, { base: "/models/vit" }));
  const { factors } = await get(readPeft(join(root, "none"), small));
  assert.equal(
    [...factors.values()].map(({ rank }) => rank),
    [0],
  );
});

test("weights that were trained in full, and numbers that are not finite, are not written", async () => {
  const { files, paths } = memoryFiles();
  const whole = left(await writePeft("/a", small, { factors: new Map(), weights: small.weights }, { base: "/b", files })());
  assert.match(describe(whole), /tensor embeddings\.cls_token was trained in full, which no LoRA adapter can say; write the whole model/);
  const [{ name, out, in: columns }] = linearsOf(small);
  const spoilt = { ...drawn(1, out, columns, 1), A: new Float32Array(columns).fill(Number.NaN) };
  assert.match(
    describe(left(await writePeft("/a", small, { factors: new Map([[name, spoilt]]) }, { base: "/b", files })())),
    /q_proj\.lora_A\.weight is not finite/,
  );
  assert.equal(
    paths().filter((path) => path !== "/"),
    [],
  );
});

runTests();
