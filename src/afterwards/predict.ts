/** Asking a learner: what pictures show, and the features of pictures and texts. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { exampleDecoder } from "../data/decode.ts";
import type { Example, ImageReference } from "../data/example.ts";
import { imageCache, type ImageCache } from "../data/imageCache.ts";
import type { OnCorrupt } from "../data/source.ts";
import type { Device } from "../device/device.ts";
import { withDevice, type DeviceOptions } from "../device/open.ts";
import { lineOf } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { readoutFor } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Image, Platform } from "../platform/platform.ts";
import { answerable, type Predictor } from "../stages/inference.ts";
import { asked, classified, embeddedImages, embeddedTexts, type Classified, type Embedded, type Labels, type Pictures } from "../stages/predict.ts";
import { whileProfiled } from "../runs/profiled.ts";
import type { Profile } from "../tensor/profile.ts";
import type { Event, Runtime } from "../training/runtime.ts";

/** A picture: the path of its file, the bytes of one, or decoded pixels. */
export type Picture = string | Uint8Array | Image;

/** Options of {@link classify}, {@link embedImages} and {@link embedTexts}. */
export interface PredictOptions {
  /** An open device, which stays open, so that several calls can share one; or which device is opened for this call. Default: the first that opens. */
  readonly device?: Device | DeviceOptions;
  /** What is done with a picture that cannot be decoded: `skip` leaves it out, and `watch` hears of it. Default `fail`. */
  readonly onCorrupt?: OnCorrupt;
  /** Called with every event. */
  readonly watch?: (event: Event) => void;
  /** Called with the adapter's line when the device is open. */
  readonly opened?: (adapter: string) => void;
  /** Called at the end with where the time on the device went. Where it is not given nothing is measured. */
  readonly profiled?: (profile: Profile) => void;
  /** Aborted when the call should stop. */
  readonly signal?: Runtime["signal"];
  /** Where picture files are, and what decodes them. Default: Node and Deno. */
  readonly platform?: Pick<Platform, "files" | "decodeImage">;
}

/** Options of {@link classify}. */
export type ClassifyOptions = PredictOptions & Omit<Labels, "labels">;

/** Where the pixels of a picture are. */
export const referenceOf = (picture: Picture): ImageReference => {
  if (typeof picture === "string") return { kind: "file", path: picture };
  return picture instanceof Uint8Array ? { kind: "bytes", bytes: picture } : { kind: "pixels", image: picture };
};

const isOne = (pictures: Picture | readonly Picture[]): pictures is Picture => !Array.isArray(pictures);

const picturesOf = (given: Picture | readonly Picture[], { platform = defaultPlatform }: PredictOptions): Pictures => {
  const list = isOne(given) ? [given] : given;
  const examples = list.map(
    (picture, i): Example => ({ id: typeof picture === "string" ? picture : `picture ${i + 1}`, label: 0, image: referenceOf(picture) }),
  );
  return { examples, decode: exampleDecoder(platform) };
};

/** A learner, or what is known of one that was opened. */
export const predictorOf = (asked: Learner | Predictor): Predictor => ("learner" in asked ? asked : { learner: asked });

/** Runs something on the device of the options. Nothing of it is random. By default no picture is kept: whoever asks for some more than once gives a cache. */
export const onDeviceOf = <A>(
  options: PredictOptions,
  use: (runtime: Runtime) => TE.TaskEither<Failure, A>,
  images: ImageCache = imageCache(0),
): TE.TaskEither<Failure, A> => {
  const { device = {}, onCorrupt = "fail", watch = () => undefined, signal, opened, profiled } = options;
  const told = profiled && ((profile: Profile) => TE.rightIO<Failure, void>(() => profiled(profile)));
  return withDevice(device)((open) => {
    opened?.(lineOf(open));
    return whileProfiled(open, told)((running) => use({ device: running, seed: 0, emit: watch, images, signal, onCorrupt }));
  });
};

/** Asks a learner, where its answers are those of its method. */
const asking = <A>(
  learner: Learner | Predictor,
  options: PredictOptions,
  ask: (predictor: Predictor) => (runtime: Runtime) => TE.TaskEither<Failure, A>,
): TE.TaskEither<Failure, A> =>
  pipe(
    TE.fromEither(answerable(predictorOf(learner))),
    TE.chainEitherK(() => readoutFor(predictorOf(learner).learner.model.architecture)),
    TE.chain(() => onDeviceOf(options, ask(predictorOf(learner)))),
  );

/**
 * Classifies pictures: by the texts of labels where the model reads texts, plus what the learner's head says; else by its head, whose classes are those that
 * were learned, and all of them where no labels are given. Scores are the softmax over all labels, as those of transformers' zero-shot pipeline. What
 * `openLearner` gave of a run is asked as its method evaluates it, and so is `{ learner, inference: method.inference }` of one that a program has trained
 * itself. Fails with `CorruptSample` or `FileUnreadable`, which name the picture; with `BadOption` where there are no labels, where one is empty or comes
 * twice, or where the learner cannot tell them apart; and as a device does.
 *
 * ```ts
 * const opened = await openLearner(`${folder}/runs/pets`)();
 * if (opened._tag === "Right") {
 *   const answers = await classify(opened.right, ["a.jpg", "b.jpg"], ["cat", "dog"], { top: 1 })();
 *   if (answers._tag === "Right") for (const { picture, labels } of answers.right) console.log(picture, labels[0].label, labels[0].score);
 * }
 * assert.equal(opened._tag, "Left"); // There is no such run.
 * ```
 */
export const classify = (
  learner: Learner | Predictor,
  pictures: Picture | readonly Picture[],
  labels?: readonly string[],
  options: ClassifyOptions = {},
): TE.TaskEither<Failure, readonly Classified[]> =>
  pipe(
    TE.fromEither(asked(predictorOf(learner), { ...options, labels })),
    TE.chain((checked) => onDeviceOf(options, classified(checked, picturesOf(pictures, options), options.top))),
  );

/**
 * Unit features of pictures as an array of f32, [pictures, width], in their order. Fails as {@link classify} does, but for labels, and with `BadOption` where
 * the model answers in words.
 *
 * ```ts
 * const opened = await openLearner(`${folder}/clip`)();
 * const features = opened._tag === "Left" ? opened : await embedImages(opened.right, "a.jpg")();
 * assert.ok(features._tag === "Left"); // There is no such model.
 * ```
 */
export const embedImages = (
  learner: Learner | Predictor,
  pictures: Picture | readonly Picture[],
  options: PredictOptions = {},
): TE.TaskEither<Failure, Embedded> => asking(learner, options, (predictor) => embeddedImages(predictor, picturesOf(pictures, options)));

/**
 * Unit features of texts as an array of f32, [texts, width], in their order; a text stands as it is, without a template. Fails with `ShapeMismatch` where the
 * model reads no texts, and as a device does.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const features = await embedTexts(learner(model.initialModel(model.vit, { vision }, 1)), ["a cat"])();
 * assert.ok(features._tag === "Left");
 * ```
 */
export const embedTexts = (learner: Learner | Predictor, texts: string | readonly string[], options: PredictOptions = {}): TE.TaskEither<Failure, HostTensor> =>
  asking(learner, options, (predictor) => embeddedTexts(predictor, typeof texts === "string" ? [texts] : texts));
