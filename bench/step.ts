/**
 * Time and memory of one CoDyRA training step, and its matrix products' share of the adapter's matmul rate.
 *
 *     npm run bench:step -- [nano|b16|smollm2] [batch] [steps]
 *
 * Weights and batch are random; the step is the one that `codyra` runs: forward and backward through all towers, AdamW, soft threshold. Of smollm2 a batch is
 * rows of 64 tokens, of which the last 16 are answers; bench/torch_step.py times the same step in torch.
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
import type { LanguageConfig } from "../src/model/languageConfig.ts";
import { llama } from "../src/model/llama.ts";
import { initialModel, networkOf, type Model } from "../src/model/model.ts";
import { matching } from "../src/training/objective.ts";
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
import { random, type Random } from "../src/random.ts";
import type { HostRecord } from "../src/tensor/replay.ts";
import type { BatchShape } from "../src/training/trainee.ts";

const tower = (width: number, layers: number, heads: number): TowerConfig => ({
  width,
  mlpWidth: 4 * width,
  layers,
  heads,
  activation: "quick_gelu",
  eps: 1e-5,
});

/** What is trained: a model, the shape of its batches, and random ones. */
interface Work {
  readonly model: Model;
  readonly shape: BatchShape;
  readonly data: (draw: Random) => HostRecord;
  readonly told: string;
}

const range = (n: number, of: (i: number) => number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => of(i));

/** Images and class texts for a CLIP. */
const pictures =
  (config: ClipConfig, texts: number, length: number) =>
  (images: number): Work => ({
    model: initialModel(clip, config, 1),
    shape: { images, texts, length, previous: 0 },
    data: (draw) => {
      const { channels, imageSize } = config.vision;
      const targets = new Float32Array(images * texts);
      for (let i = 0; i < images; i++) targets[i * texts + (i % texts)] = 1;
      const transposedTargets = new Float32Array(images * texts);
      for (let i = 0; i < images; i++) transposedTargets[(i % texts) * images + i] = 1;
      return {
        pixels: Float32Array.from({ length: images * channels * imageSize ** 2 }, () => draw.normal()),
        targets,
        transposedTargets,
        ids: range(texts * length, () => draw.integer(1000)),
        ends: range(texts, (i) => i * length + length - 1),
      };
    },
    told: `batch ${images}, ${texts} texts of ${length} tokens`,
  });

/** Questions and answers for a language model. */
const answered =
  (config: LanguageConfig, length: number, answer: number) =>
  (texts: number): Work => {
    const positions = texts * answer;
    return {
      model: initialModel(llama, config, 1),
      shape: { images: 0, texts, length, positions, previous: 0 },
      data: (draw) => ({
        ids: range(texts * length, () => draw.integer(config.vocabulary)),
        starts: new Uint32Array(texts),
        positions: range(positions, (i) => (Math.floor(i / answer) + 1) * length - answer - 1 + (i % answer)),
        next: range(positions, () => draw.integer(config.vocabulary)),
        share: new Float32Array(positions).fill(1 / positions),
      }),
      told: `batch ${texts} of ${length} tokens, ${answer} of them answers`,
    };
  };

const works: Readonly<Record<string, { readonly batch: number; readonly steps: number; readonly of: (batch: number) => Work }>> = {
  /** The shape of a small CLIP: 64 pixels in patches of 16. */
  nano: {
    batch: 32,
    steps: 12,
    of: pictures(
      {
        embed: 512,
        initialLogitScale: 2.6592,
        vision: { ...tower(192, 6, 3), imageSize: 64, patchSize: 16, channels: 3 },
        text: { ...tower(128, 3, 2), vocabulary: 8194, context: 32, eosId: 8193 },
      },
      101,
      10,
    ),
  },
  /** OpenAI's ViT-B/16. */
  b16: {
    batch: 4,
    steps: 3,
    of: pictures(
      {
        embed: 512,
        initialLogitScale: Math.log(100),
        vision: { ...tower(768, 12, 12), imageSize: 224, patchSize: 16, channels: 3 },
        text: { ...tower(512, 12, 8), vocabulary: 49408, context: 77, eosId: 49407 },
      },
      10,
      10,
    ),
  },
  /** SmolLM2-135M. */
  smollm2: {
    batch: 4,
    steps: 4,
    of: answered(
      {
        family: "llama",
        ...{ width: 576, mlpWidth: 1536, layers: 30, heads: 9, keyHeads: 3, headWidth: 64, eps: 1e-5, theta: 1e5, biased: [] },
        ...{ vocabulary: 49152, context: 8192, tied: true, eos: [2] },
      },
      64,
      16,
    ),
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

const [name = "nano", batch, count] = process.argv.slice(2);

const bench =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const { of, ...usual } = works[name];
    const { model, shape, data, told } = of(Number(batch ?? usual.batch));
    const steps = Number(count ?? usual.steps);
    console.log(`adapter: ${device.adapter.line}`);
    const rate = await matmulRate(device, 1024);
    const adapter = gatedLora({ rank: 16 });
    const { step } = repeat(500, gradient(matching), update(adamW({ lr: cosine(5e-4), betas: [0.9, 0.9999] })), rankSelect(softThreshold(ramp(0.005))));
    const { program, recorder } = value(traceStep({ model, adapter, step, steps: 500, batch: shape, seed: 1 }));
    const before = device.ledger().peakBytes;
    const session = await get(openSession(device, program, { weights: model.weights, record: ["loss"] }));
    value(session.write(adapter.initial(networkOf(model), model.weights, 1, 0)));
    const inputs = data(random(1, "bench"));
    const times: number[] = [];
    for (let step = 0; step < steps; step++) {
      times.push(
        await seconds(async () => {
          value(
            session.run({
              ...(step === 0 ? inputs : {}),
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
    console.log(`${name}, ${told}: ${session.launches} dispatches, ${(flops / 1e9).toFixed(2)} GFLOP in matrix products`);
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
