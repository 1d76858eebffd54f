/** The log-likelihoods that a decoder gives tokens, in batches of few shapes. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Question } from "../data/question.ts";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";
import { pictureTokensOf } from "../language/asking.ts";
import { writePictures, type LoadPictures } from "../language/pictures.ts";
import { inputsOfRows, upTo, type Row, type RowsShape } from "../language/rows.ts";
import { transformOf } from "../model/inputs.ts";
import type { Model } from "../model/model.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Session } from "../tensor/session.ts";
import type { Runtime } from "../training/runtime.ts";
import { notFiniteScore } from "./answers.ts";
import { found, type Programs } from "./programs.ts";

/** A row, and the question whose pictures it is about. */
export interface Asked<R extends Row = Row> {
  readonly question: Question;
  readonly row: R;
}

/** What rows are run through. */
export interface Likely {
  readonly model: Model;
  readonly programs: Programs;
  readonly load: LoadPictures;
  readonly runtime: Pick<Runtime, "signal">;
}

/** Rows of a batch, and the multiple that their lengths are rounded up to: few shapes are bound, and little is filled up. */
const [rowsAtATime, lengths, predictions] = [16, 32, 8];

/** Programs of earlier shapes stay on the device as long as they take no more. */
const keptBytes = 2 ** 29;

/** Rows of one shape, by their numbers. */
interface Bucket {
  readonly shape: RowsShape;
  readonly batches: readonly (readonly number[])[];
}

/** The rows in batches of rows that are about as long; all batches of a length have one shape. */
const bucketsOf = (asked: readonly Asked[], pictureTokens: number): readonly Bucket[] => {
  const byLength = new Map<number, number[]>();
  asked.forEach(({ row }, i) => {
    const length = upTo(Math.max(1, row.ids.length), lengths);
    byLength.set(length, [...(byLength.get(length) ?? []), i]);
  });
  return [...byLength].map(([length, rows]) => {
    const texts = Math.ceil(rows.length / Math.ceil(rows.length / rowsAtATime));
    const batches = Array.from({ length: Math.ceil(rows.length / texts) }, (_, b) => rows.slice(b * texts, (b + 1) * texts));
    const predicted = (batch: readonly number[]): number => batch.reduce((n, i) => n + asked[i].row.predicted.length, 0);
    const positions = upTo(Math.max(...batches.map(predicted)), predictions);
    const pictures = rows.reduce((most, i) => Math.max(most, asked[i].question.pictures.length), 0);
    return { shape: { texts, length, positions, pictures, pictureTokens }, batches };
  });
};

/** The pixels of a batch's pictures. */
const pixelsOf = async (asked: readonly Asked[], { texts, pictures }: RowsShape, { model, load }: Likely): Promise<E.Either<Failure, HostRecord>> => {
  if (pictures === 0) return E.right({});
  const transform = transformOf(model);
  const pixels = new Float32Array(3 * transform.size.height * transform.size.width * texts * pictures);
  for (const [place, { question }] of asked.entries()) {
    const images = await load(question);
    const written = E.isLeft(images) ? images : writePictures(transform, question, images.right, pixels, place * pictures);
    if (E.isLeft(written)) return written;
  }
  return E.right({ pixels });
};

/** Runs the batches of a bucket, one after another, and hands on what each row's tokens were given. */
const runBucket = async (
  session: Session,
  asked: readonly Asked[],
  { shape, batches }: Bucket,
  pad: number,
  likely: Likely,
  give: (row: number, values: Float32Array) => void,
): Promise<E.Either<Failure, void>> => {
  const inputsAt = async (b: number): Promise<E.Either<Failure, HostRecord>> => {
    const rows = batches[b].map((i) => asked[i]);
    return E.map(
      (pixels: HostRecord): HostRecord => ({
        ...inputsOfRows(
          rows.map(({ row }) => row),
          shape,
          pad,
        ),
        ...pixels,
      }),
    )(await pixelsOf(rows, shape, likely));
  };
  let next = inputsAt(0);
  for (const [b, batch] of batches.entries()) {
    if (likely.runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
    const ran = pipe(await next, E.chain(session.run));
    if (E.isLeft(ran)) return ran;
    // The next batch is prepared while the device works on this one.
    if (b + 1 < batches.length) next = inputsAt(b + 1);
    const values = await session.read(found)();
    if (E.isLeft(values)) return values;
    let at = 0;
    for (const i of batch) {
      const ofRow = values.right.subarray(at, (at += asked[i].row.predicted.length));
      if (firstNotFinite(ofRow) >= 0) return E.left(notFiniteScore(`A score of ${asked[i].question.id}`));
      give(i, ofRow);
    }
  }
  return E.right(undefined);
};

/**
 * The log-likelihoods of the predicted tokens of rows, row by row. Fails with `NotFinite`, with `Interrupted` on request, and with what the device or a picture
 * says.
 */
export const likelihoods =
  (asked: readonly Asked[], likely: Likely): TE.TaskEither<Failure, readonly Float32Array[]> =>
  async () => {
    const { model, programs } = likely;
    const results: Float32Array[] = [];
    for (const bucket of bucketsOf(asked, pictureTokensOf(model))) {
      const { texts, length, positions, pictures } = bucket.shape;
      // The next shape may need the memory, and the next dataset may have this one.
      programs.release(keptBytes);
      const session = await programs.session("logLikelihood", { images: texts * pictures, texts, length, positions })();
      if (E.isLeft(session)) return session;
      const ran = await runBucket(session.right, asked, bucket, model.textTokenizer!.pad, likely, (i, values) => (results[i] = values.slice()));
      if (E.isLeft(ran)) return ran;
    }
    return E.right(results);
  };
