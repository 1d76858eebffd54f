/**
 * Time and memory of one CoDyRA training step, and its matrix products' share of the adapter's matmul rate.
 *
 *     npm run bench:step -- [nano|b16] [batch] [steps]
 *
 * Weights and batch are random; the step is the one that `codyra` runs: forward and backward through both towers, AdamW, soft threshold.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { withDevice } from "../src/device/open.ts";
import type { Device } from "../src/device/device.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { gatedLora } from "../src/model/adapters/lora.ts";
import type { TowerConfig } from "../src/model/blocks.ts";
import { clip, type ClipConfig } from "../src/model/clip.ts";
import { networkOf } from "../src/model/model.ts";
import { initialModel } from "../src/model/model.ts";
import { imageToText, sum, textToImage } from "../src/training/objective.ts";
import { adamW } from "../src/training/optimizer.ts";
import { cosine, ramp } from "../src/training/schedule.ts";
import { rankSelect, softThreshold } from "../src/stages/rankSelect.ts";
import { gradient, repeat, update } from "../src/stages/steps.ts";
import { traceStep } from "../src/training/step.ts";
import { openSession } from "../src/tensor/session.ts";
import { matmulFlops } from "../src/tensor/flops.ts";
import { trace } from "../src/tensor/program.ts";
import { matmul } from "../src/tensor/ops/matmul.ts";
import { floats } from "../src/tensor/tensor.ts";
import { random } from "../src/random.ts";

const tower = (width: number, layers: number, heads: number): TowerConfig => ({
  width,
  mlpWidth: 4 * width,
  layers,
  heads,
  activation: "quick_gelu",
  eps: 1e-5,
});

const configs: Readonly<Record<string, { readonly config: ClipConfig; readonly texts: number; readonly length: number }>> = {
  /** The shape of a small CLIP: 64 pixels in patches of 16. */
  nano: {
    config: {
      embed: 512,
      initialLogitScale: 2.6592,
      vision: { ...tower(192, 6, 3), imageSize: 64, patchSize: 16, channels: 3 },
      text: { ...tower(128, 3, 2), vocabulary: 8194, context: 32, eosId: 8193 },
    },
    texts: 101,
    length: 10,
  },
  /** OpenAI's ViT-B/16. */
  b16: {
    config: {
      embed: 512,
      initialLogitScale: Math.log(100),
      vision: { ...tower(768, 12, 12), imageSize: 224, patchSize: 16, channels: 3 },
      text: { ...tower(512, 12, 8), vocabulary: 49408, context: 77, eosId: 49407 },
    },
    texts: 10,
    length: 10,
  },
};

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** The rate of a plain square product on this adapter, in GFLOP/s: the best of some runs. */
const matmulRate = async (device: Device, n: number): Promise<number> => {
  const program = value(
    trace({ inputs: { a: floats([n, n]), b: floats([n, n]) } }, ({ inputs }) => E.right({ outputs: { c: matmul(inputs.a, inputs.b, { tb: true }) } })),
  );
  const session = await get(openSession(device, program));
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    best = Math.min(
      best,
      await seconds(async () => {
        value(session.run());
        await get(device.settled);
      }),
    );
  }
  session.release();
  return (2 * n ** 3) / best / 1e9;
};

const [name = "nano", batch = name === "b16" ? "4" : "32", count = name === "b16" ? "3" : "12"] = process.argv.slice(2);

const bench =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const { config, texts, length } = configs[name];
    const images = Number(batch);
    console.log(`adapter: ${device.adapter.line}`);
    const rate = await matmulRate(device, 1024);
    const model = initialModel(clip, config, 1);
    const adapter = gatedLora({ rank: 16 });
    const { step } = repeat(
      500,
      gradient(sum(imageToText, textToImage)),
      update(adamW({ lr: cosine(5e-4), betas: [0.9, 0.9999] })),
      rankSelect(softThreshold(ramp(0.005))),
    );
    const { program, recorder } = value(traceStep({ model, adapter, step, steps: 500, batch: { images, texts, length, previous: 0 }, seed: 1 }));
    const before = device.ledger().peakBytes;
    const session = await get(openSession(device, program, { weights: model.weights, record: ["loss"] }));
    value(session.write(adapter.initial(networkOf(model), model.weights, 1, 0)));
    const draw = random(1, "bench");
    const { channels, imageSize } = config.vision;
    const targets = new Float32Array(images * texts);
    for (let i = 0; i < images; i++) targets[i * texts + (i % texts)] = 1;
    const transposedTargets = new Float32Array(images * texts);
    for (let i = 0; i < images; i++) transposedTargets[(i % texts) * images + i] = 1;
    const data = {
      pixels: Float32Array.from({ length: images * channels * imageSize ** 2 }, () => draw.normal()),
      targets,
      transposedTargets,
      ids: Uint32Array.from({ length: texts * length }, () => draw.integer(1000)),
      ends: Uint32Array.from({ length: texts }, (_, i) => i * length + length - 1),
    };
    const times: number[] = [];
    for (let step = 0; step < Number(count); step++) {
      times.push(
        await seconds(async () => {
          value(
            session.run({
              ...(step === 0 ? data : {}),
              ...Object.fromEntries([...recorder.hypers].map(([n, at]) => [n, Float32Array.from(at, (f) => f(step))])),
            }),
          );
          await get(device.settled);
        }),
      );
    }
    const losses = await get(session.recorded("loss"));
    const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
    const flops = matmulFlops(program);
    console.log(
      `${name}, batch ${images}, ${texts} texts of ${length} tokens: ${session.launches} dispatches, ${(flops / 1e9).toFixed(2)} GFLOP in matrix products`,
    );
    console.log(`first step ${times[0].toFixed(2)} s, median ${median.toFixed(3)} s, loss ${losses[0].toFixed(4)} -> ${losses[losses.length - 1].toFixed(4)}`);
    console.log(
      `peak device bytes ${((device.ledger().peakBytes - before) / 2 ** 20).toFixed(1)} MiB (${(session.bytes / 2 ** 20).toFixed(1)} MiB of activations and state)`,
    );
    console.log(
      `achieved ${(flops / median / 1e9).toFixed(2)} GFLOP/s, matmul at 1024: ${rate.toFixed(2)} GFLOP/s, share ${((100 * flops) / median / 1e9 / rate).toFixed(0)} %`,
    );
    session.release();
    return E.right(undefined);
  };

const outcome = await withDevice({})(bench)();
if (E.isLeft(outcome)) {
  console.error(describe(outcome.left));
  process.exitCode = 1;
}
