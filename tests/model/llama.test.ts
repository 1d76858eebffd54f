/** Llama's and Qwen2's logits, losses and gradients against transformers' (golden files), their folders read and written, and what is said of others. */
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { layersOf } from "../../src/model/network.ts";
import { networkOf, readModel } from "../../src/model/model.ts";
import { deviceTest, relativeError, runTests, withKernelsOf } from "../tensor/check.ts";
import { lengthsOf, lossAndGradients, outputsFor, rowsOf } from "./decoders.ts";
import { fixture, goldenOf } from "./embeddings.ts";

const folders = ["llama-grouped", "llama-wide", "qwen2-tiny"] as const;

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
/** The tokens before the last three, or before all but the first of a shorter row. */
const beforeAnswer = (length: number): readonly number[] => range(length - 1).slice(-3);

for (const folder of folders)
  for (const kind of ["cpu", "gpu"] as const)
    for (const side of ["right", "left"] as const)
      deviceTest(`${folder}, padded on the ${side}: logits, loss and gradients of LoRA are transformers' (${kind} kernels)`, async (opened) => {
        const device = withKernelsOf(kind, opened);
        const [model, golden] = [await get(readModel(fixture(folder))), await goldenOf(`${folder}/golden.safetensors`)];
        const ids = golden(`${side}_ids`);
        const lengths = lengthsOf(golden("starts"), ids.shape[1]);
        const { logits } = await outputsFor(device, model, rowsOf(ids, lengths, side === "left", range), ["logits"]);
        const off = relativeError(logits, golden("logits").data);
        assert.ok(off < 1e-5, `logits: off by ${off}`);

        const layers = layersOf(networkOf(model), { modules: "all", towers: "all" });
        const factors = new Map(layers.map(({ name }) => [name, { A: golden(`${name}.lora_A`), B: golden(`${name}.lora_B`) }]));
        const got = await lossAndGradients(device, model, rowsOf(ids, lengths, side === "left", beforeAnswer), factors);
        assert.ok(Math.abs(got.loss[0] / golden("loss").data[0] - 1) < 1e-5, `loss: ${got.loss[0]}`);
        for (const { name } of layers)
          for (const letter of ["A", "B"]) {
            const wrong = relativeError(got[`${letter} of ${name}`], golden(`grad.${name}.lora_${letter}`).data);
            assert.ok(wrong < 1e-4, `${letter} of ${name}: off by ${wrong}`);
          }
      });

runTests();
