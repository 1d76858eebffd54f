/** Gradients of a whole CLIP against torch autograd, and a directional derivative of its loss. */
import * as assert from "uvu/assert";
import type { GroupValues } from "../../src/model/adapters/adapter.ts";
import { allParameters } from "../../src/model/adapters/inFull.ts";
import { gatedLora } from "../../src/model/adapters/lora.ts";
import { networkOf } from "../../src/model/model.ts";
import { random } from "../../src/random.ts";
import { imageToText, sum, textToImage, weighted } from "../../src/training/objective.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { deviceTest, relativeError, runTests, withKernelsOf } from "../tensor/check.ts";
import { batchOf, differentiate } from "./differentiate.ts";
import { fixture, goldenOf, readModel } from "./embeddings.ts";

const near = (value: number, want: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(value - want) <= tolerance * Math.abs(want), `${what}: ${value}, not ${want}`);

const groups = { A: "lora_A", B: "lora_B", gate: "gate" } as const;

for (const [name, kind] of [
  ["clip-gelu", "cpu"],
  ["clip-patch32", "cpu"],
  ["clip-patch32", "gpu"],
] as const) {
  deviceTest(`${name}: losses and gradients of gated LoRA are torch's (${kind} kernels)`, async (opened) => {
    const device = withKernelsOf(kind, opened);
    const model = await readModel(fixture(name));
    const golden = await goldenOf(`lora-gradients.${name}.safetensors`);
    const adapter = gatedLora({ rank: 3 });
    const layouts = adapter.layouts(networkOf(model));
    const values = Object.fromEntries(
      Object.entries(groups).map(([group, suffix]) => [group, flatten(layouts[group as keyof typeof groups], (m) => golden(`${m}.${suffix}`).data)]),
    ) as GroupValues<"A" | "B" | "gate">;
    const old = golden("old_ids").shape[0];
    const labels = [...golden("labels").data].map((label) => label - old);
    const { shape, batch } = batchOf(model, golden("pixel_values"), golden("current_ids"), labels, old);
    const [got] = await differentiate(device, model, adapter, sum(imageToText, textToImage), shape, batch, [values]);

    near(got.loss[0], golden("loss").data[0], 1e-5, "loss");
    near(got.imageToText[0], golden("loss_image_to_text").data[0], 1e-5, "image to text");
    near(got.textToImage[0], golden("loss_text_to_image").data[0], 1e-5, "text to image");
    for (const [group, suffix] of Object.entries(groups)) {
      for (const [module, { data }] of unflatten(layouts[group as keyof typeof groups], got[`gradient of ${group}`])) {
        const off = relativeError(data, golden(`grad.${module}.${suffix}`).data);
        assert.ok(off < 1e-3, `${module}.${suffix}: off by ${off} of its norm`);
      }
    }
  });
}

const symmetric = sum(weighted(0.5, imageToText), weighted(0.5, textToImage));

deviceTest("gradients of all parameters of the contrastive loss are torch's", async (device) => {
  const model = await readModel(fixture("clip-gelu"));
  const golden = await goldenOf("contrastive-gradients.clip-gelu.safetensors");
  const adapter = allParameters();
  const { weights: layout } = adapter.layouts(networkOf(model));
  const { shape, batch } = batchOf(model, golden("pixel_values"), golden("input_ids"), [0, 1, 2, 3, 4], 0);
  const [got] = await differentiate(device, model, adapter, symmetric, shape, batch, [adapter.initial(networkOf(model), model.weights, 0, 0)]);

  near(got.loss[0], golden("loss").data[0], 1e-5, "loss");
  const grads = unflatten(layout, got["gradient of weights"]);
  const norm = Math.hypot(...[...grads.keys()].map((name) => Math.hypot(...golden(`grad.${name}`).data)));
  for (const [name, { data }] of grads) {
    const want = golden(`grad.${name}`).data;
    // A key bias moves every score of a query alike: its gradient is rounding, and is measured against the whole.
    const off = name.endsWith("k_proj.bias") ? Math.hypot(...data.map((g, i) => g - want[i])) / norm : relativeError(data, want);
    assert.ok(off < 1e-3, `${name}: off by ${off} of its norm`);
  }
});

deviceTest("the directional derivative of a whole CLIP loss is its gradient", async (device) => {
  const model = await readModel(fixture("clip-patch32"));
  const golden = await goldenOf("clip-patch32/golden.safetensors");
  const adapter = allParameters();
  const { weights: layout } = adapter.layouts(networkOf(model));
  const { shape, batch } = batchOf(model, golden("pixel_values"), golden("input_ids"), [3, 0, 4], 0);
  const at = adapter.initial(networkOf(model), model.weights, 0, 0).weights;
  // A unit direction; the step is where rounding (f32 loss) and curvature are both small, and Richardson's combination
  // removes the first term of the latter.
  const draw = random(3, "direction");
  const raw = flatten(layout, (name) =>
    Float32Array.from({ length: layout.entries.find((e) => e.name === name)!.shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  );
  const length = Math.hypot(...raw);
  const direction = raw.map((x) => x / length);
  const h = 0.04;
  const moved = (t: number): GroupValues<"weights"> => ({ weights: at.map((x, i) => x + t * direction[i]) });
  const got = await differentiate(device, model, adapter, symmetric, shape, batch, [{ weights: at }, moved(h), moved(-h), moved(2 * h), moved(-2 * h)]);
  const [near1, near2] = [(got[1].loss[0] - got[2].loss[0]) / (2 * h), (got[3].loss[0] - got[4].loss[0]) / (4 * h)];
  const slope = (4 * near1 - near2) / 3;
  const gradientSlope = got[0]["gradient of weights"].reduce((s, g, i) => s + g * direction[i], 0);
  assert.ok(Math.abs(slope - gradientSlope) < 2e-3 * Math.abs(slope), `${gradientSlope} instead of ${slope} (${near1}, ${near2})`);
});

runTests();
