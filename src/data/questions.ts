/** Questions from records: what is damaged stands in their list or fails it, and what is worth telling is counted. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { basename } from "../formats/path.ts";
import type { Row } from "./answerFiles.ts";
import type { ImageReference } from "./example.ts";
import { leftOut, someOf, type PassedOver } from "./leftOut.ts";
import { damagedQuestion, imageMark, placesIn, type Question } from "./question.ts";
import type { FindPictures } from "./questionPictures.ts";
import { recordOf, type Recorded } from "./record.ts";
import { skipOr, type Listing, type OnCorrupt } from "./source.ts";

/** How records become questions. */
export interface QuestionOptions {
  /** The choices of a record that names none. */
  readonly choices?: readonly string[];
  /** Whether a question without choices is damaged: there is no other way to score it. */
  readonly chosen: boolean;
  readonly onCorrupt: OnCorrupt;
}

/** {@link skipOr} for questions. */
export const skipOrFailQuestion = skipOr(damagedQuestion);

/** Reads the record of a question; on the left what is wrong with it. */
export const recordIn = (value: unknown, { choices, chosen }: QuestionOptions, found?: readonly string[]): E.Either<string, Recorded> =>
  E.chain((recorded: Recorded) =>
    chosen && recorded.turns.some((turn) => turn.choices === undefined) ? E.left("it has no choices, and its task is scored by choice") : E.right(recorded),
  )(recordOf(value, choices, found));

/** What a video is called in prompts. */
const videoMark = "<video>";

/** The questions of a record with these pictures: one, or one a turn. A prompt has a place for each of its pictures, or none. */
export const questionsOf = (id: string, { turns, pictures: named }: Recorded, pictures: readonly ImageReference[]): readonly Question[] =>
  turns.map(({ prompt, answers, choices }, i) => {
    const bare = prompt.replaceAll(videoMark, "").replaceAll(imageMark, "").trim();
    return {
      id: turns.length === 1 ? id : `${id}.${i + 1}`,
      prompt: placesIn(prompt) === pictures.length && !prompt.includes(videoMark) ? prompt : bare,
      pictures,
      ...("video" in named ? { video: true } : {}),
      answer: answers.length === 1 ? answers[0] : answers,
      ...(choices === undefined ? {} : { choices }),
    };
  });

/** Counts what is worth telling of records. */
export const tally = () => {
  const [converted, turns, twice, empty]: [PassedOver[], PassedOver[], PassedOver[], PassedOver[]] = [[], [], [], []];
  const unread = new Set<string>();
  const line = (passed: readonly PassedOver[], end: string): readonly string[] => (passed.length === 0 ? [] : [`${leftOut(passed).words()}${end}`]);
  return {
    add: (recorded: Recorded, place: string): void => {
      for (const name of recorded.unread) unread.add(name);
      if (recorded.converted) converted.push(["answer or choice is a number or a truth value", "answers or choices are numbers or truth values", place]);
      if (recorded.turns.length > 1) turns.push(["record has several turns", "records have several turns", place]);
      if (recorded.empty) empty.push(["prompt is empty", "prompts are empty", place]);
      if (recorded.twice) twice.push(["choice comes twice", "choices come twice", place]);
    },
    notes: (): readonly string[] => [
      ...(unread.size === 0 ? [] : [`left out fields that are not known: ${someOf([...unread])}`]),
      ...line(converted, "; they count as text"),
      ...line(turns, "; each turn is a question of its own, without those before it"),
      ...line(twice, "; it counts once"),
      ...line(empty, "; the answer stands alone"),
    ],
  };
};

/** The questions of a file's rows, and what there is to say of them. */
export const listingOf = async (
  path: string,
  rows: readonly Row[],
  find: FindPictures,
  options: QuestionOptions,
): Promise<E.Either<Failure, Listing<Question>>> => {
  const examples: Question[] = [];
  const { add, notes } = tally();
  for (const { number, member, value } of rows) {
    const id = `${path}:${number}`;
    const recorded = E.chain((record: unknown) => recordIn(record, options))(value);
    const pictures = E.isLeft(recorded) ? recorded : await find(recorded.right.pictures);
    if (E.isRight(recorded) && E.isRight(pictures)) {
      add(recorded.right, `${basename(path)}:${number}`);
      examples.push(...questionsOf(id, recorded.right, pictures.right));
      continue;
    }
    const detail = E.isLeft(recorded) ? recorded.left : (pictures as E.Left<string>).left;
    const answered = skipOrFailQuestion(options.onCorrupt, id, { _tag: "CorruptSample", path, member, detail });
    if (E.isLeft(answered)) return answered;
    examples.push(answered.right);
  }
  return E.right({ examples, notes: notes() });
};
