/**
 * Pre-trains icon-llava, a small LLaVA, on questions about icons: it learns to name them, to read positions, and to speak, before the stream icon-questions asks
 * for more.
 *
 *     npm run pretrain-questions -- [--out models/icon-llava] [--clip models/icon-nano] [--steps 2800] [--batch 128] [--lr 1e-3] [--seed 8]
 *
 * The vision tower begins as that of icon-nano, the projector and the language model with random values; all parameters are trained by the cross-entropy of the
 * answers. The run is deterministic and can be stopped: it keeps its state in `<out>.training.safetensors` and goes on from there to the same bits.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import process from "node:process";
import * as Apply from "fp-ts/lib/Apply.js";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../src/device/device.ts";
import { withDevice } from "../src/device/open.ts";
import { clipPreprocess } from "../src/data/preprocess.ts";
import { imageCache } from "../src/data/imageCache.ts";
import type { AnswerStream, AnswerTask } from "../src/data/task.ts";
import { describe, type Failure } from "../src/failure.ts";
import { writeJson } from "../src/formats/files.ts";
import { readTextTokenizer } from "../src/formats/textTokenizer.ts";
import { clip } from "../src/model/clip.ts";
import { learner } from "../src/model/learner.ts";
import { llava, type LlavaOutputs } from "../src/model/llava.ts";
import type { LlavaConfig } from "../src/model/llavaConfig.ts";
import { readCompanions } from "../src/model/companions.ts";
import { initialModel, readModelAs, writeModel, type Clip, type Model } from "../src/model/model.ts";
import { random } from "../src/random.ts";
import { encode } from "../src/stages/encode.ts";
import { answers } from "../src/training/objective.ts";
import type { Runtime } from "../src/training/runtime.ts";
import { processorConfig } from "./icons/processor.ts";
import { askBefore, pretrainingDrawings } from "./icons/questionPretraining.ts";
import { iconChat, questionOf } from "./icons/questions.ts";
import { sceneDecoder } from "./icons/scenes.ts";
import { iconImageToken, iconVocabularySize, writeIconTextTokenizer } from "./icons/tokenizer.ts";
import { pretrained } from "./run/pretraining.ts";

/** The most tokens of a question with its picture and its answer. */
const context = 64;

/** A vision tower of CLIP and a language model that is small enough to commit and to learn from on two CPU cores. */
const iconLlava = ({ config: { vision } }: Clip): LlavaConfig => ({
  vision,
  text: {
    family: "llama",
    width: 192,
    mlpWidth: 512,
    layers: 3,
    heads: 3,
    keyHeads: 1,
    headWidth: 64,
    eps: 1e-5,
    theta: 10_000,
    biased: [],
    vocabulary: iconVocabularySize + 1,
    context,
    tied: true,
    bos: iconVocabularySize - 2,
    eos: [iconVocabularySize - 1],
    pad: iconVocabularySize - 1,
  },
  imageToken: iconImageToken,
  visionDepth: vision.layers,
  select: "default",
  projectorActivation: "gelu",
  projectorBias: true,
});

type Llava = Model<LlavaOutputs, LlavaConfig>;

const sequenceS = Apply.sequenceS(TE.ApplySeq);

/** The model before its training: the vision tower of a CLIP, and all else random. Its tokenizer is made in a folder that goes away again. */
const untrained =
  (source: Clip, folder: string, seed: number): TE.TaskEither<Failure, Llava> =>
  async () => {
    const config = iconLlava(source);
    const preprocess = clipPreprocess(config.vision.imageSize);
    await mkdir(folder, { recursive: true });
    const files = await pipe(
      writeIconTextTokenizer(folder, context),
      TE.chain(() => writeJson(join(folder, "preprocessor_config.json"), processorConfig(preprocess, config.vision.imageSize))),
      TE.chain(() => sequenceS({ textTokenizer: readTextTokenizer(folder), files: readCompanions(folder) })),
    )();
    await rm(folder, { recursive: true, force: true });
    if (E.isLeft(files)) return files;
    const fresh = initialModel(llava, config, seed, { preprocess, ...files.right });
    const tower = [...source.weights].filter(([name]) => name.startsWith("vision_model."));
    return E.right({ ...fresh, weights: new Map([...fresh.weights, ...tower.map(([name, tensor]) => [`vision_tower.${name}`, tensor] as const)]) });
  };

/** How many different questions there are. */
const questions = 120_000;

/** The questions of pre-training as a task. */
const lessons = (size: number, seed: number): AnswerTask => ({
  kind: "answer",
  name: "questions about icons",
  score: "exact",
  chat: iconChat,
  decode: sceneDecoder(size),
  train: pipe(
    pretrainingDrawings,
    TE.map((drawings) => Array.from({ length: questions }, (_, i) => questionOf(`before ${i}`, askBefore(random(seed, "questions before", i), drawings)))),
  ),
  test: TE.right([]),
});

interface Options {
  readonly out: string;
  readonly clip: string;
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

const pretrain = ({ out, clip: source, steps, batch, lr, seed }: Options, device: Device): TE.TaskEither<Failure, void> => {
  console.log(`adapter: ${device.adapter.line}`);
  const runtime: Runtime = { device, seed, images: imageCache(4096), emit: (event) => event.type === "note" && console.log(event.detail) };
  return pipe(
    readModelAs(clip, source),
    TE.chain((tower) => untrained(tower, `${out}.tokenizer`, seed)),
    TE.bindTo("start"),
    TE.bind("lesson", ({ start }) => {
      const task = lessons(start.config.vision.imageSize, seed);
      const stream: AnswerStream = { tasks: [task], labelSpace: "task" };
      return encode({ batch, steps }).run({ learner: learner(start), task, position: 0, stream, learned: 1 })(runtime);
    }),
    TE.chain(({ start, lesson: { batches } }) => pretrained(start, { state: `${out}.training.safetensors`, batches, objective: answers, lr })(runtime)),
    TE.chain((model) => writeModel(out, model, { dtype: "f16" })),
  );
};

const { values: flags } = parseArgs({
  options: {
    out: { type: "string", default: "models/icon-llava" },
    clip: { type: "string", default: "models/icon-nano" },
    steps: { type: "string", default: "2800" },
    batch: { type: "string", default: "128" },
    lr: { type: "string", default: "1e-3" },
    seed: { type: "string", default: "8" },
  },
});
const options: Options = {
  out: flags.out,
  clip: flags.clip,
  steps: Number(flags.steps),
  batch: Number(flags.batch),
  lr: Number(flags.lr),
  seed: Number(flags.seed),
};
const outcome = await withDevice({})((device) => pretrain(options, device))();
if (E.isLeft(outcome)) {
  console.error(describe(outcome.left));
  process.exitCode = 1;
}
