/**
 * Pre-trains icon-nano, a small CLIP, on the icon world: what the stream asks for is among what it sees, drawn by other vendors.
 *
 *     npm run pretrain-icons -- [--out models/icon-nano] [--epochs 20] [--batch 128] [--lr 1e-3] [--seed 8]
 *
 * All parameters are trained by the symmetric contrastive loss of CLIP (arXiv 2103.00020) from random values. The run is deterministic and
 * can be stopped: it keeps its state in `<out>.training.safetensors` and goes on from there to the same bits.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import process from "node:process";
import * as Apply from "fp-ts/lib/Apply.js";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import { withDevice } from "../src/device/open.ts";
import type { Device } from "../src/device/device.ts";
import { describe, type Failure } from "../src/failure.ts";
import { writeJson } from "../src/formats/files.ts";
import { clip, type ClipConfig } from "../src/model/clip.ts";
import { learner } from "../src/model/learner.ts";
import { transformOf } from "../src/model/inputs.ts";
import { clipPreprocess } from "../src/data/preprocess.ts";
import { readCompanions } from "../src/model/companions.ts";
import { writeModel, type Clip } from "../src/model/model.ts";
import { readTokenizer, textBatch, tokenise, type Tokenizer } from "../src/formats/tokenizer.ts";
import { initialModel } from "../src/model/model.ts";
import { random } from "../src/random.ts";
import { accuracies } from "../src/stages/evaluate.ts";
import { imageToText, sum, textToImage, weighted } from "../src/training/objective.ts";
import type { Runtime } from "../src/training/runtime.ts";
import type { TrainingBatches } from "../src/training/trainee.ts";
import { randomResizedCrop } from "../src/data/augment.ts";
import { batches } from "../src/data/batches.ts";
import { imageCache } from "../src/data/imageCache.ts";
import { processorConfig } from "./icons/processor.ts";
import { pretrained } from "./run/pretraining.ts";
import { iconContext, iconVocabularySize, writeIconTokenizer } from "./icons/tokenizer.ts";
import { iconPretraining, iconStream, type IconPretraining } from "./icons/world.ts";

/** Small enough to train on two CPU cores in well under an hour, large enough to tell drawings apart. */
export const iconNano: ClipConfig = {
  embed: 128,
  initialLogitScale: Math.log(1 / 0.07),
  vision: { width: 128, mlpWidth: 512, layers: 5, heads: 2, activation: "quick_gelu", eps: 1e-5, imageSize: 48, patchSize: 12, channels: 3 },
  text: {
    width: 128,
    mlpWidth: 512,
    layers: 2,
    heads: 2,
    activation: "quick_gelu",
    eps: 1e-5,
    vocabulary: iconVocabularySize,
    context: iconContext,
    eosId: iconVocabularySize - 1,
  },
};

/** Longer captions are left out of training: every step would pay for their length. */
const longest = 12;

/** Pairs of a drawing and one of its name's captions; drawings of one name share their captions as targets. */
const pairs = (start: Clip, tokenizer: Tokenizer, world: IconPretraining, seed: number, batch: number, steps: number): TrainingBatches => {
  const { context, eosId } = start.config.text;
  const captions = world.captions.map((list) => {
    const rows = list.map((text) => tokenise(tokenizer, [text], context).ids).filter((ids) => ids.indexOf(eosId) < longest);
    return rows.length > 0 ? rows : [tokenise(tokenizer, [list[0]], context).ids.map((id, i) => (i === longest - 1 ? eosId : id))];
  });
  const images = batches({
    examples: world.examples,
    decode: world.decode,
    batch,
    seed,
    length: { steps },
    transform: transformOf(start),
    augment: randomResizedCrop(0.7, 1),
    cache: imageCache(512),
  });
  return {
    shape: { images: batch, texts: batch, length: longest, previous: 0 },
    steps,
    epoch: Math.max(1, Math.floor(world.examples.length / batch)),
    at: (step) =>
      pipe(
        images.at(step),
        TE.map(({ pixels, labels }) => {
          const draw = random(seed, "caption", step);
          const padded = new Uint32Array(batch * context);
          labels.forEach((label, i) => padded.set(captions[label][draw.integer(captions[label].length)], i * context));
          const { ids, ends } = textBatch(padded, context, eosId, longest);
          const same = Array.from(labels, (label) => labels.reduce((n, other) => n + (other === label ? 1 : 0), 0));
          const targets = Float32Array.from({ length: batch * batch }, (_, k) => {
            const [i, j] = [Math.floor(k / batch), k % batch];
            return labels[i] === labels[j] ? 1 / same[i] : 0;
          });
          return { pixels, ids, ends, targets, transposedTargets: targets };
        }),
      ),
  };
};

const sequenceS = Apply.sequenceS(TE.ApplySeq);

interface Options {
  readonly out: string;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

/** The model before its training. Its tokenizer is made in a folder of its own, which goes away again: its files become part of the model. */
const untrained =
  (folder: string, seed: number): TE.TaskEither<Failure, Clip> =>
  async () => {
    const size = iconNano.vision.imageSize;
    const preprocess = clipPreprocess(size);
    await mkdir(folder, { recursive: true });
    const files = await pipe(
      writeIconTokenizer(folder),
      TE.chain(() => writeJson(join(folder, "preprocessor_config.json"), processorConfig(preprocess, size))),
      TE.chain(() => sequenceS({ tokenizer: readTokenizer(folder), files: readCompanions(folder) })),
    )();
    await rm(folder, { recursive: true, force: true });
    return E.isLeft(files) ? files : E.right(initialModel(clip, iconNano, seed, { preprocess, ...files.right }));
  };

/** How well a model knows the icon stream, and its probe. */
const measured = (model: Clip, runtime: Runtime): TE.TaskEither<Failure, string> => {
  const stream = iconStream(model.config.vision.imageSize);
  return pipe(
    accuracies(learner(model), stream, 0)(runtime),
    TE.map(({ row, probes = [] }) => {
      const scores = [...row, ...probes.map(({ accuracy }) => accuracy)];
      const names = [...stream.tasks, ...(stream.probes ?? [])].map(({ name, classNames }) => `${name} (${classNames.length})`);
      return `zero-shot: ${names.map((name, i) => `${name} ${scores[i]?.toFixed(1)}`).join(", ")}`;
    }),
  );
};

const pretrain =
  ({ out, epochs, batch, lr, seed }: Options, device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    console.log(`adapter: ${device.adapter.line}`);
    const runtime: Runtime = { device, seed, images: imageCache(512), emit: () => {} };
    const ready = await sequenceS({ world: iconPretraining(iconNano.vision.imageSize), start: untrained(`${out}.tokenizer`, seed) })();
    if (E.isLeft(ready)) return ready;
    const { world, start } = ready.right;
    const steps = Math.ceil((epochs * world.examples.length) / batch);
    console.log(`${world.examples.length} drawings of ${world.classNames.length} names`);
    const done = await pipe(
      pretrained(start, {
        state: `${out}.training.safetensors`,
        batches: pairs(start, start.tokenizer!, world, seed, batch, steps),
        objective: sum(weighted(0.5, imageToText), weighted(0.5, textToImage)),
        lr,
      })(runtime),
      TE.chainFirst((model) =>
        pipe(
          measured(model, runtime),
          TE.map((scores) => console.log(scores)),
        ),
      ),
      TE.chain((model) => writeModel(out, model, { dtype: "f16" })),
    )();
    return done;
  };

const { values: flags } = parseArgs({
  options: {
    out: { type: "string", default: "models/icon-nano" },
    epochs: { type: "string", default: "20" },
    batch: { type: "string", default: "128" },
    lr: { type: "string", default: "1e-3" },
    seed: { type: "string", default: "8" },
  },
});
const options: Options = { out: flags.out, epochs: Number(flags.epochs), batch: Number(flags.batch), lr: Number(flags.lr), seed: Number(flags.seed) };
const outcome = await withDevice({})((device) => pretrain(options, device))();
if (E.isLeft(outcome)) {
  console.error(describe(outcome.left));
  process.exitCode = 1;
}
