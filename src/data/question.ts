/**
 * A question: a prompt, pictures in their order, and the answer to it, as plain data. Like an {@link Example} it says where its pixels are and reads
 * nothing, so that a learner may keep some and a checkpoint may hold them.
 */
import type { Failure } from "../failure.ts";
import { noLabel, type Example, type ImageReference } from "./example.ts";

/** An example of a task that is answered in words. `id` names it in messages. */
export interface Question {
  readonly id: string;
  readonly prompt: string;
  /** In their order; the frames of a video, too. */
  readonly pictures: readonly ImageReference[];
  /** Whether its pictures are the frames of one video. */
  readonly video?: true;
  /** The answer; where there are several references, the first is what is learned. */
  readonly answer: string | readonly string[];
  /** What the answer is one of, where that is known. */
  readonly choices?: readonly string[];
}

/** The references of a question's answer. */
export const answersOf = ({ answer }: Question): readonly string[] => (typeof answer === "string" ? [answer] : answer);

/** Percent of right guesses among the choices of those questions that have some; null where none has. */
export const chanceOf = (questions: readonly Question[]): number | null => {
  const choices = questions.flatMap((question) => (question.choices === undefined ? [] : [question.choices.length]));
  return choices.length === 0 ? null : choices.reduce((sum, n) => sum + 100 / n, 0) / choices.length;
};

/** A picture of a question, as decoders take it. */
export const pictureOf = ({ id, pictures }: Question, k: number): Example => ({
  id: pictures.length === 1 ? id : `${id}#${k}`,
  label: noLabel,
  image: pictures[k],
});

/**
 * Stands in a split for a question that cannot be read, so that whoever walks the split meets the failure and counts it.
 *
 * ```ts
 * const failure = { _tag: "CorruptSample", path: "test.jsonl", member: "in line 3", detail: "its answer is empty" } as const;
 * assert.equal(data.damageOf(data.damagedQuestion("test.jsonl:3", failure)), failure);
 * ```
 */
export const damagedQuestion = (id: string, failure: Failure): Question => ({ id, prompt: "", pictures: [{ kind: "damaged", failure }], answer: "" });

/**
 * Why a question cannot be read; undefined where it can.
 *
 * ```ts
 * assert.equal(data.damageOf({ id: "1", prompt: "1 + 1?", pictures: [], answer: "2" }), undefined);
 * ```
 */
export const damageOf = ({ pictures }: Question): Failure | undefined => {
  for (const picture of pictures) if (picture.kind === "damaged") return picture.failure;
  return undefined;
};

/** What stands in a prompt for a picture. */
export const imageMark = "<image>";

/** How many pictures a prompt has places for. */
export const placesIn = (prompt: string): number => prompt.split(imageMark).length - 1;

/**
 * A prompt with an `<image>` for each of so many pictures. One picture stands in a line before the text, as LLaVA is trained; several stand where the prompt
 * has places for them, and else in lines before the text.
 */
export const picturesFirst = (prompt: string, pictures: number): string => {
  if (pictures === 0 || (pictures > 1 && placesIn(prompt) === pictures)) return prompt;
  return `${`${imageMark}\n`.repeat(pictures)}${prompt.replaceAll(imageMark, "").trim()}`;
};
