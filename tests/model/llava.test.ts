import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { withGenerator } from "../../src/language/generate.ts";
import { promptTokens } from "../../src/language/promptTokens.ts";
import { learner } from "../../src/model/learner.ts";
import { llava as architecture } from "../../src/model/llava.ts";
import { tokensOfPicture } from "../../src/model/llavaConfig.ts";
import { networkOf, readModelAs } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { deviceTest, orThrow, relativeError, runTests, withKernelsOf } from "../tensor/check.ts";
import { lossAndGradients, outputsFor } from "./decoders.ts";
import { goldenRows, range, rowsOf, table } from "./llavaRows.ts";
import { fixture, goldenOf } from "./embeddings.ts";

const readLlava = (dir = fixture("llava-tiny")) => readModelAs(architecture, dir);

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

deviceTest("pooled tokens are the means of 2 x 2 neighbours, and stand among those of the text", async (device) => {
  const [plain, golden] = [await get(readLlava()), await goldenOf("llava-tiny/golden.safetensors")];
  const model = { ...plain, config: { ...plain.config, pooled: true as const } };
  assert.is(tokensOfPicture(model.config), 4);
  const { ids } = orThrow(promptTokens(model, "<image> and <image> or <image>?", 3));
  const rows = rowsOf([ids], golden("pixel_values"), model.config.imageToken, [ids.length - 1]);
  const { imageTokens, logits } = await outputsFor(device, model, rows, ["imageTokens", "logits"]);
  const [whole, width] = [golden("imageTokens").data, 24];
  const at = (image: number, y: number, x: number, c: number): number => whole[((image * 4 + y) * 4 + x) * width + c];
  const means = range(3).flatMap((image) =>
    range(4).flatMap((k) => {
      const [y, x] = [2 * Math.floor(k / 2), 2 * (k % 2)];
      return range(width).map((c) => (at(image, y, x, c) + at(image, y, x + 1, c) + at(image, y + 1, x, c) + at(image, y + 1, x + 1, c)) / 4);
    }),
  );
  const off = relativeError(imageTokens, means);
  assert.ok(off < 1e-5, `off by ${off}`);
  // The same text of tokens that stand for nothing else, whose embeddings are the means.
  const free = range(12).map((k) => 200 + k);
  assert.ok(ids.every((id) => !free.includes(id)));
  let [picked, table] = [0, plain.weights.get("language_model.model.embed_tokens.weight")!];
  table = { ...table, data: table.data.slice() };
  table.data.set(means, free[0] * width);
  const written = { ...model, weights: new Map([...plain.weights, ["language_model.model.embed_tokens.weight", table]]) };
  const spelled = { ...rows, ids: { shape: rows.ids.shape, data: Uint32Array.from(ids, (id) => (id === model.config.imageToken ? free[picked++] : id)) } };
  const none = { pixels: { shape: [0, 3, 28, 28], data: new Float32Array(0) }, picks: { ...spelled.ids, data: new Uint32Array(ids.length) } };
  const byHand = await outputsFor(device, written, { ...spelled, pictures: none }, ["logits"]);
  assert.is(picked, 12);
  const wrong = relativeError(logits, byHand.logits);
  assert.ok(wrong < 1e-5, `off by ${wrong}`);
});

deviceTest("greedy answers to prompts with one and with two pictures, in one batch, are transformers'", async (device) => {
  const [model, golden] = [await get(readLlava()), await goldenOf("llava-tiny/golden.safetensors")];
  const all = golden("pixel_values").data;
  const plane = 3 * 28 * 28;
  const pixels = [0, 1, 2].map((i) => all.slice(i * plane, (i + 1) * plane));
  const prompts = [[0], [1, 2]].map((pictures, i) => {
    const ids = [...golden(`ids.${i}`).data];
    let picked = 0;
    const picks = ids.map((id) => (id === model.config.imageToken ? ++picked : 0));
    return { ids, picks, pictures: { count: pictures.length, pixels: TE.right(pictures.map((k) => pixels[k])) } };
  });
  const answers = await get(withGenerator({ learner: learner(model), device })((generator) => generator.all(prompts, { maxTokens: 8 })));
  assert.equal(
    answers.map(({ tokens }) => tokens),
    [0, 1].map((i) => [...golden(`new.${i}`).data]),
  );
});

runTests();
