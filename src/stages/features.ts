/** Features of images and texts under a model, in batches of one shape. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { evaluationBatches } from "../data/batches.ts";
import { decoderOf } from "../data/decode.ts";
import type { Example } from "../data/example.ts";
import type { ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";
import { printed } from "../formats/json.ts";
import { readoutFor } from "../model/architecture.ts";
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { textEncoder, transformOf } from "../model/inputs.ts";
import { networkOf } from "../model/model.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { resident } from "../device/resident.ts";
import type { Session } from "../tensor/session.ts";
import { size } from "../tensor/tensor.ts";
import { ahead } from "../training/ahead.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";
import { adaptable, type Adaptation } from "./adaptation.ts";
import { collected, notFiniteFeature, type Features, type ImageFeatures } from "./imageFeatures.ts";
import { found, programs } from "./programs.ts";
import { adaptedImages } from "./testTime.ts";
import { withShapeFailures } from "../tensor/shapeFailures.ts";

/** Encodes images and texts by one learner's model until it is released. */
export interface Encoder {
  /** Whether the features of an image depend on the classes that it is answered among. */
  readonly adapts: boolean;
  /**
   * Features of a task's examples, in their order; of those only that could be decoded. Where the model adapts to every picture, it does so among classes whose
   * texts have these features; without any it does not. Fails with `NotFinite` where one is not a number.
   */
  readonly images: (task: Pick<ClassTask, "name" | "decode">, examples: readonly Example[], among?: Features) => TE.TaskEither<Failure, ImageFeatures>;
  /** Features of texts. Fails with `ShapeMismatch` where the architecture reads none. */
  readonly texts: (texts: readonly string[]) => TE.TaskEither<Failure, Features>;
  readonly release: () => void;
}

/** Images that are encoded at a time; a batch that is not full is filled with zeros. */
const imageBatch = 64;
const textsAtATime = 128;

/** Runs the batches of examples through a session, one after another; those behind it are prepared while the device works. */
const encodeImages = async (
  session: Session,
  learner: Learner,
  task: Pick<ClassTask, "name" | "decode">,
  examples: readonly Example[],
  batch: number,
  runtime: Runtime,
): Promise<E.Either<Failure, ImageFeatures>> => {
  const { model } = learner;
  const { images: cache, onCorrupt } = runtime;
  const source = evaluationBatches({ examples, decode: decoderOf(task), batch, transform: transformOf(model), cache, onCorrupt });
  const noted = Object.keys(session.program.outputs).filter((name) => name !== found);
  const { add, all } = collected(task.name, examples.length, batch, networkOf(model).width, noted);
  const full = new Float32Array(size(model.architecture.inputs(model.config, { images: batch, texts: 0, length: 0 }).pixels.shape));
  const { next, more } = ahead(source.at, 0, source.steps, ({ pixels }) => pixels.byteLength);
  let last: Promise<E.Either<Failure, void>> = Promise.resolve(E.right(undefined));
  for (let step = 0; step < source.steps; step++) {
    if (runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
    const loaded = await next();
    if (E.isLeft(loaded)) return loaded;
    full.fill(0);
    full.set(loaded.right.pixels);
    const ran = session.run({ pixels: full });
    if (E.isLeft(ran)) return ran;
    const [before, reading] = [last, TE.traverseArray(session.read)([found, ...noted])()];
    more();
    last = before.then(async (kept) => (E.isLeft(kept) ? kept : E.chain((read: readonly Float32Array[]) => add(loaded.right, read))(await reading)));
    // A GPU has the next batch before what it gave for this one is read; a CPU adapter computes on the cores that prepare that batch.
    const kept = await (runtime.device.adapter.kind === "gpu" ? before : last);
    if (E.isLeft(kept)) return kept;
  }
  const kept = await last;
  if (E.isLeft(kept)) return kept;
  skippedReporter(runtime)(source.skipped());
  return E.right(all());
};

/** Uploads a learner's model and makes its encoder, through a branch if there is one, and with what adapts it to pictures. */
const encoder = (learner: Learner, runtime: Runtime, branch?: Branch, adaptation?: Adaptation): E.Either<Failure, Encoder> =>
  pipe(
    readoutFor(learner.model.architecture),
    E.bindTo("readout"),
    E.chainFirst(() => adaptable(learner, adaptation)),
    E.bind("weights", () => resident(runtime.device, learner.model.weights)),
    E.map(({ readout, weights }): Encoder => {
      const { model } = learner;
      const { session, release } = programs(learner, runtime, weights, branch);
      const tokens = textEncoder(model);
      const textsAt = (list: readonly string[]): TE.TaskEither<Failure, Float32Array> => {
        const { ids, ends, count, length } = tokens!(list);
        const inputs: HostRecord = { ids, ends };
        return pipe(
          session(readout.texts!, { images: 0, texts: count, length }),
          TE.chain((s) =>
            pipe(
              TE.fromEither(s.run(inputs)),
              TE.chain(() => s.read(found)),
              TE.filterOrElse(
                (rows) => firstNotFinite(rows) < 0,
                (rows) => notFiniteFeature(`the text ${printed(list[Math.floor((firstNotFinite(rows) * count) / rows.length)])}`),
              ),
            ),
          ),
        );
      };
      return {
        adapts: adaptation !== undefined,
        images: (task, examples, among) => {
          if (adaptation !== undefined && among !== undefined) return adaptedImages({ learner, runtime, weights, branch, adaptation, among }, task, examples);
          const batch = Math.min(imageBatch, Math.max(1, examples.length));
          return pipe(
            session(readout.images, { images: batch, texts: 0, length: 0 }),
            TE.chain((s) => () => encodeImages(s, learner, task, examples, batch, runtime)),
          );
        },
        texts: (list) => {
          if (tokens === undefined) return TE.left({ _tag: "ShapeMismatch", op: "texts", detail: `a ${model.architecture.name} reads no texts` });
          const parts = Array.from({ length: Math.ceil(list.length / textsAtATime) }, (_, i) => list.slice(i * textsAtATime, (i + 1) * textsAtATime));
          return pipe(
            parts,
            TE.traverseSeqArray(textsAt),
            TE.map((rows) => ({ count: list.length, data: Float32Array.from(rows.flatMap((row) => [...row])) })),
          );
        },
        release: () => {
          release();
          weights.release();
        },
      };
    }),
  );

/** Uses the encoder of a learner, through a branch if there is one and adapting to pictures where that is said, and releases it whatever happens. */
export const withEncoder =
  (learner: Learner, runtime: Runtime, branch: Branch | undefined, adaptation?: Adaptation) =>
  <A>(use: (encode: Encoder) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const opened = encoder(learner, runtime, branch, adaptation);
    if (E.isLeft(opened)) return opened;
    try {
      return await withShapeFailures(() => use(opened.right))();
    } finally {
      opened.right.release();
    }
  };
