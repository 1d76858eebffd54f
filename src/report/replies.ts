/** What the test questions of a stream were answered with: before it, once their task was learned, and at its end. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { corrupt } from "../formats/files.ts";
import type { Failure } from "../failure.ts";
import { list, parseJson } from "../formats/json.ts";
import { firstError, natural, nullable, percent } from "./codec.ts";
import { decodeLines, jsonLine, type LinesDecoder } from "./jsonLines.ts";

/** A question that was answered in words. */
export interface Reply {
  readonly sample: string;
  readonly prompt: string;
  /** The first of its references. */
  readonly answer: string;
  /** What the score of its task is of: the choice, or what was generated. */
  readonly predicted: string;
  /** What this answer alone scores, in percent; null where the score of its task is of all answers together. */
  readonly score: number | null;
  /** What was generated, where the score is of a choice. */
  readonly generated?: string;
}

const replyFields = { sample: t.string, prompt: t.string, answer: t.string, predicted: t.string, score: nullable(percent) } as const;

/** The codec of a reply. */
export const ReplyCodec: t.Type<Reply, unknown> = t.intersection([t.type(replyFields), t.partial({ generated: t.string })]);

/** A line of `predictions.jsonl`: a question of the test split of `task`, and after how many tasks it was answered; 0 is before the first. */
export interface ReplyRecord extends Reply {
  readonly after?: number;
  readonly task: string;
}

const record = t.intersection([t.type({ task: t.string, ...replyFields }), t.partial({ after: natural, generated: t.string })]);

/** A record as one JSON line, newline included. */
export const replyLine = ({ after, task, sample, prompt, answer, predicted, score, generated }: ReplyRecord): string =>
  jsonLine({ after, task, sample, prompt, answer, predicted, score, generated });

/**
 * Reads the lines of the `predictions.jsonl` of tasks that are answered in words; a last line that was cut off is left out, any other bad line is a
 * `FileCorrupt` failure.
 *
 * ```ts
 * const sky = { after: 1, task: "colours", sample: "1", prompt: "What colour is the sky?", answer: "blue", predicted: "red", score: 0 };
 * const read = report.decodeReplies("predictions.jsonl")(report.replyLine(sky));
 * assert.ok(read._tag === "Right");
 * assert.deepEqual(read.right, [sky]);
 * ```
 */
export const decodeReplies: LinesDecoder<ReplyRecord> = decodeLines(record, "a reply");

/** A reply as far as it changes: what was answered, and its score as that of a {@link Reply}. */
export interface Said {
  readonly predicted: string;
  readonly score: number | null;
}

/** A question, and what it was answered with; null where it was not asked then. */
export interface Followed extends Pick<Reply, "sample" | "prompt" | "answer"> {
  readonly before: Said | null;
  /** Right after its task; null also for a model that never learns, or learns all tasks at once. */
  readonly learned: Said | null;
  readonly last: Said | null;
}

/** The test questions of one dataset. */
export interface DatasetReplies {
  readonly dataset: string;
  readonly questions: readonly Followed[];
}

const said = nullable(t.type({ predicted: t.string, score: nullable(percent) }));

/** The codec of `replies.json`. */
export const RepliesCodec: t.Type<readonly DatasetReplies[], unknown> = list(
  t.type({
    dataset: t.string,
    questions: list(t.type({ sample: t.string, prompt: t.string, answer: t.string, before: said, learned: said, last: said })),
  }),
);

/** Reads the text of a `replies.json`; `path` names the file in the `FileCorrupt` failure of one that is damaged. */
export const parseReplies =
  (path: string) =>
  (text: string): E.Either<Failure, readonly DatasetReplies[]> =>
    pipe(
      parseJson(text),
      E.chain((u) => pipe(RepliesCodec.decode(u), E.mapLeft(firstError))),
      E.mapLeft((detail): Failure => corrupt(path, detail)),
    );
