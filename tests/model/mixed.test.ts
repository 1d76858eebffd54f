/** Mixed precision on a whole CLIP: gradients of every adapter are near those of f32, and the same again. */
import * as assert from "uvu/assert";
import type { Adapter, GroupValues } from "../../src/model/adapters/adapter.ts";
import { allParameters, cosineHead, expertPool, gatedLora, lora, parallel, wholeLayers } from "../../src/model/adapters/index.ts";
import { networkOf } from "../../src/model/model.ts";
import { random } from "../../src/random.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { imageToText, sum, textToImage } from "../../src/training/objective.ts";
import { relativeError, runTests, sameBits, withKernelsOf } from "../tensor/check.ts";
import { mixedTest } from "../tensor/mixedTest.ts";
import { batchOf, differentiate, type Gradients } from "./differentiate.ts";
import { fixture, goldenOf, readModel } from "./embeddings.ts";

/** How far a gradient may be off, as a share of its norm. */
const tolerance = 1e-2;

const model = await readModel(fixture("clip-gelu"));
const net = networkOf(model);
const golden = await goldenOf("lora-gradients.clip-gelu.safetensors");
const old = golden("old_ids").shape[0];
const { shape, batch } = batchOf(
  model,
  golden("pixel_values"),
  golden("current_ids"),
  [...golden("labels").data].map((label) => label - old),
  old,
);
const both = sum(imageToText, textToImage);

const adapters: readonly Adapter<any>[] = [
  lora({ rank: 3 }),
  gatedLora({ rank: 3 }),
  expertPool({ rank: 3 }),
  parallel({ wide: lora({ rank: 4 }), thin: gatedLora({ rank: 2 }) }),
  cosineHead(
    Float32Array.from({ length: shape.texts * model.config.embed }, (_, i) => Math.sin(i)),
    shape.texts,
    lora({ rank: 3 }),
  ),
  wholeLayers({ modules: ["q", "fc1"], towers: ["vision"] }),
  allParameters(),
];

/** Values at which every group has a gradient: a B of zeros gives A none. */
const valuesOf = (adapter: Adapter<any>): GroupValues<any> => {
  const start = adapter.initial(net, model.weights, 0, 0);
  const draw = random(5, "values");
  // The model reads no router and no counts where no stage chooses.
  const read = Object.entries(start).filter(([name]) => name !== "router" && name !== "counts");
  return Object.fromEntries(read.map(([name, flat]) => [name, flat.every((x) => x === 0) ? flat.map(() => 0.1 * draw.normal()) : flat]));
};

/** The gradients of a group by module; a group that the loss does not depend on has none. */
const byModule = (adapter: Adapter<any>, group: string, found: Gradients) => {
  const flat = found[`gradient of ${group}`];
  return flat === undefined ? [] : [...unflatten((adapter.layouts(net) as any)[group], flat)];
};

for (const adapter of adapters) {
  mixedTest(`${adapter.name}: gradients in mixed precision are those of f32 to a hundredth, and the same bits again`, async (f32, mixed) => {
    const values = valuesOf(adapter);
    const [want] = await differentiate(f32, model, adapter, both, shape, batch, [values]);
    const [got, again] = await differentiate(mixed, model, adapter, both, shape, batch, [values, values]);
    assert.ok(Math.abs(got.loss[0] - want.loss[0]) < 2e-3 * Math.abs(want.loss[0]), `loss ${got.loss[0]}, not ${want.loss[0]}`);
    // Where all parameters are trained, no weight is stored as f16, and on GPUs nothing as small as these activations is.
    const rounded = f32.adapter.kind === "cpu" || adapter.name !== allParameters().name;
    if (rounded) assert.not.equal(got.loss, want.loss);
    else assert.equal(got.loss, want.loss);
    for (const group of adapter.trained) {
      const exact = new Map(byModule(adapter, group, want));
      // The gradient of a module is off by a share of its norm, or of that of modules in general where it is next to nothing itself.
      const general = Math.hypot(...[...exact.values()].map(({ data }) => Math.hypot(...data))) / Math.sqrt(exact.size);
      for (const [module, { data }] of byModule(adapter, group, got)) {
        const reference = exact.get(module)!.data;
        const off = Math.hypot(...data.map((g, i) => g - reference[i])) / Math.max(general, Math.hypot(...reference));
        assert.ok(off < tolerance, `${group} of ${module}: off by ${off}`);
      }
    }
    for (const name of Object.keys(got)) sameBits(again[name], got[name], name);
  });
}

for (const kind of ["cpu", "gpu"] as const) {
  mixedTest(`losses and gradients of gated LoRA are torch's to a hundredth (${kind} kernels)`, async (_, opened) => {
    const adapter = gatedLora({ rank: 3 });
    const groups = { A: "lora_A", B: "lora_B", gate: "gate" } as const;
    const layouts = adapter.layouts(net);
    const values = Object.fromEntries(
      Object.entries(groups).map(([group, suffix]) => [group, flatten(layouts[group as "A"], (m) => golden(`${m}.${suffix}`).data)]),
    ) as GroupValues<"A" | "B" | "gate">;
    const [got] = await differentiate(withKernelsOf(kind, opened), model, adapter, both, shape, batch, [values]);
    assert.ok(Math.abs(got.loss[0] - golden("loss").data[0]) < 2e-3 * golden("loss").data[0]);
    for (const [group, suffix] of Object.entries(groups)) {
      for (const [module, { data }] of unflatten(layouts[group as "A"], got[`gradient of ${group}`])) {
        const off = relativeError(data, golden(`grad.${module}.${suffix}`).data);
        assert.ok(off < tolerance, `${module}.${suffix}: off by ${off} of its norm`);
      }
    }
  });
}

runTests();
