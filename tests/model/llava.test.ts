import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { llava as architecture, type LlavaOutputs } from "../../src/model/llava.ts";
import { tokensOfPicture, type LlavaConfig } from "../../src/model/llavaConfig.ts";
import { networkOf, readModelAs, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { deviceTest, relativeError, runTests, withKernelsOf, type Value } from "../tensor/check.ts";
import { lossAndGradients, outputsFor, type Rows } from "./decoders.ts";
import { fixture, goldenOf } from "./embeddings.ts";

type Llava = Model<LlavaOutputs, LlavaConfig>;

const readLlava = (dir = fixture("llava-tiny")) => readModelAs(architecture, dir);

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const whole = (shape: readonly number[], data: ArrayLike<number>): Value => ({ shape, data: Uint32Array.from(data) });

/** The picks of rows of ids: the tokens of pictures stand in their order. */
const picksOf = (ids: readonly number[], token: number): readonly number[] => {
  let k = 0;
  return ids.map((id) => (id === token ? ++k : 0));
};

/** Rows of one length with their pixels; `positions` are those whose next token counts. */
const rowsOf = (ids: readonly (readonly number[])[], pixels: HostTensor, token: number, positions: readonly number[]): Rows => {
  const shape = [ids.length, ids[0].length];
  const flat = ids.flat();
  return {
    ids: whole(shape, flat),
    starts: whole(
      [ids.length],
      ids.map(() => 0),
    ),
    positions,
    next: positions.map((at) => flat[Math.min(at + 1, flat.length - 1)]),
    pictures: { pixels, picks: whole(shape, picksOf(flat, token)) },
  };
};

const table = (t: HostTensor): readonly (readonly number[])[] => range(t.shape[0]).map((i) => [...t.data.slice(i * t.shape[1], (i + 1) * t.shape[1])]);

/** The batch of the golden file. */
const goldenRows = async ({ config }: Llava, golden: (name: string) => HostTensor): Promise<Rows> => {
  const labels = table(golden("labels"));
  const positions = labels.flatMap((row, i) => range(row.length - 1).flatMap((k) => (row[k + 1] === -100 ? [] : [i * row.length + k])));
  return rowsOf(table(golden("ids")), golden("pixel_values"), config.imageToken, positions);
};

for (const kind of ["cpu", "gpu"] as const) {
  deviceTest(`tokens of pictures, logits, the loss and gradients of LoRA and of the projector are transformers' (${kind} kernels)`, async (opened) => {
    const device = withKernelsOf(kind, opened);
    const [model, golden] = [await get(readLlava()), await goldenOf("llava-tiny/golden.safetensors")];
    const rows = await goldenRows(model, golden);
    const outputs = await outputsFor(device, model, rows, ["visionTokens", "imageTokens", "logits", "answerLoss"]);
    for (const name of ["visionTokens", "imageTokens", "logits"] as const) {
      const off = relativeError(outputs[name], golden(name).data);
      assert.ok(off < 1e-5, `${name}: off by ${off}`);
    }
    assert.ok(Math.abs(outputs.answerLoss[0] / golden("loss").data[0] - 1) < 1e-5, `loss: ${outputs.answerLoss[0]}`);

    const layers = layersOf(networkOf(model), { modules: "all", towers: "all" });
    assert.is(layers.length, 2 * 6 + 2 + 2 * 7);
    const factors = new Map(layers.map(({ name }) => [name, { A: golden(`${name}.lora_A`), B: golden(`${name}.lora_B`) }]));
    const projector = [1, 2].flatMap((i) => ["weight", "bias"].map((what) => `multi_modal_projector.linear_${i}.${what}`));
    const got = await lossAndGradients(device, model, rows, factors, projector);
    assert.ok(Math.abs(got.loss[0] / golden("adapted_loss").data[0] - 1) < 1e-5, `loss: ${got.loss[0]}`);
    const wanted = layers.flatMap(({ name }) => ["A", "B"].map((letter) => [`${letter} of ${name}`, `grad.${name}.lora_${letter}`] as const));
    for (const [ours, theirs] of [...wanted, ...projector.map((name) => [name, `grad.${name}`] as const)]) {
      const wrong = relativeError(got[ours], golden(theirs).data);
      assert.ok(wrong < 1e-4, `${ours}: off by ${wrong}`);
    }
  });
}

/** A LLaVA whose pictures are seen otherwise. */
const variants = { last: { visionDepth: 3, select: "full" }, first: { visionDepth: 1, select: "default" } } as const;

for (const [name, change] of Object.entries(variants)) {
  deviceTest(
    `the features of block ${change.visionDepth}, with ${change.select === "full" ? "the" : "no"} class token, give transformers' logits`,
    async (device) => {
      const [plain, golden] = [await get(readLlava()), await goldenOf("llava-tiny/golden.safetensors")];
      const model = { ...plain, config: { ...plain.config, ...change } };
      const tokens = tokensOfPicture(model.config);
      const { imageToken } = model.config;
      // Every run of a picture's tokens gets as many as the variant has.
      const rows = table(golden("ids")).map((row) =>
        row.flatMap((id, i) => (id !== imageToken ? [id] : row[i - 1] === imageToken ? [] : range(tokens).map(() => id))),
      );
      const longest = Math.max(...rows.map((row) => row.length));
      const padded = rows.map((row) => [...row, ...range(longest - row.length).map(() => plain.config.text.pad!)]);
      const wanted = golden(`logits.${name}`);
      const first = table(golden("labels"))[0].findIndex((label) => label !== -100) - 1 + tokens - 16;
      const { logits } = await outputsFor(
        device,
        model,
        rowsOf(
          padded,
          golden("pixel_values"),
          imageToken,
          range(wanted.shape[0]).map((i) => first + i),
        ),
        ["logits"],
      );
      const off = relativeError(logits, wanted.data);
      assert.ok(off < 1e-5, `off by ${off}`);
    },
  );
}

runTests();
