/**
 * A record of a file of questions: what is asked, what is answered, and which pictures it names.
 *
 * Two kinds are read. `{ prompt, answer, choices?, image? | images? | video? }`, where the prompt may be called `question` or `text`; and LLaVA's,
 * `{ image, conversations: [{ from: "human", value }, { from: "gpt", value }, …] }`, in which every turn is a question of its own.
 */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { explain } from "../formats/files.ts";
import { isObject, list, printed } from "../formats/json.ts";
import { imageMark, placesIn } from "./question.ts";

/** A question and its answers, without its pictures. */
export interface Asked {
  readonly prompt: string;
  readonly answers: readonly string[];
  readonly choices?: readonly string[];
}

/** The pictures that a record names: image files in their order, or one video. */
export type Named = { readonly images: readonly string[] } | { readonly video: string };

/** A record as it is read: its turns, its pictures, and what of it is worth telling. */
export interface Recorded {
  readonly turns: readonly Asked[];
  readonly pictures: Named;
  /** Fields that nothing is made of. */
  readonly unread: readonly string[];
  /** Whether an answer or a choice is a number or a truth value. */
  readonly converted: boolean;
  /** Whether a choice came twice, and counts once. */
  readonly twice: boolean;
  /** Whether there is nothing before an answer: no text and no picture. */
  readonly empty: boolean;
}

/** Texts, or what stands for one in JSON: a number or a truth value. */
const wordsOf = (u: unknown): string | undefined => (typeof u === "string" ? u : typeof u === "number" || typeof u === "boolean" ? String(u) : undefined);

const Words = new t.Type<string, unknown, unknown>(
  "a text",
  t.string.is,
  (u, context) => {
    const words = wordsOf(u);
    return words === undefined ? t.failure(u, context) : t.success(words);
  },
  t.identity,
);

/** One of something, or a list of them, as a list. */
const oneOrMore = (item: t.Type<string, unknown, unknown>): t.Type<readonly string[], unknown, unknown> =>
  new t.Type<readonly string[], unknown, unknown>(
    `${item.name} or a list of them`,
    (u): u is readonly string[] => list(item).is(u),
    (u, context) => {
      const items = list(item).decode(Array.isArray(u) ? u : [u]);
      return E.isRight(items) ? items : t.failure(u, context);
    },
    t.identity,
  );

const Text = new t.Type<string, unknown, unknown>("a text", t.string.is, t.string.validate, t.identity);

const Turn = t.strict({ from: Text, value: Text });

/** All fields that are read; which of them belong together is checked behind. */
const Fields = t.partial({
  prompt: Text,
  question: Text,
  text: Text,
  answer: oneOrMore(Words),
  choices: list(Words),
  conversations: list(Turn),
  image: oneOrMore(Text),
  images: oneOrMore(Text),
  video: Text,
});
type Fields = t.TypeOf<typeof Fields>;

/** What numbers a record and needs not be told of. */
const numbers: readonly string[] = ["id", "question_id"];

/** The only one of some fields that is there; on the left what is wrong. */
const onlyOf = <K extends keyof Fields>(fields: Fields, names: readonly K[]): E.Either<string, K | undefined> => {
  const there = names.filter((name) => fields[name] !== undefined);
  return there.length > 1 ? E.left(`it has ${there.map((name) => `"${name}"`).join(" and ")}; one of them is read`) : E.right(there[0]);
};

/** The pictures that fields name, or those that were found beside them. */
const picturesOf = (fields: Fields, found: readonly string[] | undefined): E.Either<string, Named> =>
  E.chain((name: "image" | "images" | "video" | undefined): E.Either<string, Named> => {
    if (found !== undefined)
      return name !== undefined && found.length === 0 ? E.left(`it has "${name}", and there is no picture beside it`) : E.right({ images: found });
    if (name === "video") return E.right({ video: fields.video! });
    return E.right({ images: (name === undefined ? undefined : fields[name]) ?? [] });
  })(onlyOf(fields, ["image", "images", "video"]));

const human: readonly string[] = ["human", "user"];
const model: readonly string[] = ["gpt", "assistant"];

/** The turns of a conversation: a question and its answer each. */
const turnsOf = (turns: NonNullable<Fields["conversations"]>): E.Either<string, readonly Asked[]> => {
  if (turns.length === 0) return E.left('its "conversations" are empty');
  const wrong = turns.findIndex(({ from }, i) => !(i % 2 === 0 ? human : model).includes(from));
  if (wrong >= 0) return E.left(`turn ${wrong + 1} of its conversation is from ${printed(turns[wrong].from)}; "human" and "gpt" take turns`);
  if (turns.length % 2 === 1) return E.left("its conversation ends without an answer");
  return E.right(turns.flatMap(({ value }, i): readonly Asked[] => (i % 2 === 0 ? [{ prompt: value, answers: [turns[i + 1].value] }] : [])));
};

/** The question of a record that is no conversation. */
const questionOf = (fields: Fields): E.Either<string, readonly Asked[]> => {
  const prompt = onlyOf(fields, ["prompt", "question", "text"]);
  if (E.isLeft(prompt)) return prompt;
  if (prompt.right === undefined) return E.left('it has no "prompt" (nor "question", "text" or "conversations")');
  if (fields.answer === undefined) return E.left('it has no "answer"');
  return E.right([{ prompt: fields[prompt.right]!, answers: fields.answer }]);
};

/** What is wrong with a question; undefined for nothing. */
const faultOf = ({ answers, choices }: Asked): string | undefined => {
  if (answers.length === 0 || answers.some((answer) => answer.trim() === "")) return "its answer is empty";
  if (choices?.some((choice) => choice.trim() === "")) return "one of its choices is empty";
  if ([...answers, ...(choices ?? [])].some((text) => placesIn(text) > 0)) return `${imageMark} stands in an answer or a choice; pictures belong to prompts`;
  if (choices === undefined) return undefined;
  const other = answers.find((answer) => !choices.includes(answer));
  return other === undefined ? undefined : `its answer ${printed(other)} is none of its choices ${printed(choices)}`;
};

/** What is wrong with the places that prompts have for pictures; undefined for nothing. A video stands before its prompt, whatever is in it. */
const faultOfPlaces = (turns: readonly Asked[], pictures: Named): string | undefined => {
  if ("video" in pictures) return undefined;
  const places = turns.reduce((sum, { prompt }) => sum + placesIn(prompt), 0);
  const { length } = pictures.images;
  return places === 0 || places === length
    ? undefined
    : `its prompt has ${imageMark} ${places === 1 ? "once" : `${places} times`}, and it names ${length} ${length === 1 ? "picture" : "pictures"}`;
};

/** Without what is null: JSON of many programs has it for what is not there. */
const withoutNull = (record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));

/**
 * Reads a record; on the left what is wrong with it, in words. `choices` are those of a record that has none. Where the pictures were `found` beside it, what
 * it calls them does not matter.
 */
export const recordOf = (value: unknown, choices?: readonly string[], found?: readonly string[]): E.Either<string, Recorded> => {
  if (!isObject(value)) return E.left(`it is ${printed(value)} and no object`);
  const record = withoutNull(value);
  const decoded = Fields.decode(record);
  if (E.isLeft(decoded)) return E.left(explain(decoded.left));
  const fields = decoded.right;
  const pictures = picturesOf(fields, found);
  if (E.isLeft(pictures)) return pictures;
  const turns = fields.conversations === undefined ? questionOf(fields) : turnsOf(fields.conversations);
  if (E.isLeft(turns)) return turns;
  const among = fields.choices === undefined ? choices : [...new Set(fields.choices)];
  const asked = turns.right.map((turn): Asked => (among === undefined ? turn : { ...turn, choices: among }));
  const fault = faultOfPlaces(asked, pictures.right) ?? asked.map(faultOf).find((words) => words !== undefined);
  if (fault !== undefined) return E.left(fault);
  const unread = Object.keys(record).filter((name) => !Object.hasOwn(Fields.props, name) && !numbers.includes(name));
  const raw: readonly unknown[] = [record.answer, record.choices].flat();
  const converted = raw.some((one) => typeof one === "number" || typeof one === "boolean");
  const twice = (among?.length ?? 0) < (fields.choices?.length ?? 0);
  const pictured = "video" in pictures.right || pictures.right.images.length > 0;
  const empty = !pictured && asked.some(({ prompt }) => prompt.trim() === "");
  return E.right({ turns: asked, pictures: pictures.right, unread, converted, twice, empty });
};
