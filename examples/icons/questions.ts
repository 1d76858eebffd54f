/**
 * The stream icon-questions: four tasks of questions about pictures that are composed of icons.
 *
 * ```ts
 * const stream = iconQuestions(48); // names, colours, counts, comparisons
 * ```
 *
 * What is asked about is drawn by other vendors in training and in test, as in the icon stream. Every question is drawn from (seed, task, split, number), so
 * that the stream is the same on every machine.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Question } from "../../src/data/question.ts";
import type { AnswerStream, AnswerTask, Split } from "../../src/data/task.ts";
import { random, type Random } from "../../src/random.ts";
import type { Catalogue } from "./catalogue.ts";
import { grounds, sceneDecoder, sceneName, type Ground, type Scene } from "./scenes.ts";
import type { Drawing } from "./sets.ts";
import { baseSets, list, testSets } from "./tasks.ts";
import { open } from "./world.ts";

/** What can stand in a picture, by its task in the icon stream. */
const things: Readonly<Record<string, readonly string[]>> = {
  animals: list("tiger, pig, rabbit, elephant, panda, penguin, frog, turtle, tropical fish, octopus, snail, snake"),
  food: list("watermelon, lemon, banana, pineapple, red apple, grapes, strawberry, tomato, pizza, hamburger, doughnut, birthday cake"),
};

/** The names of all that can stand in a picture. */
export const thingNames: readonly string[] = Object.values(things).flat();

/** The words for one, two, …, nine. */
export const numbers: readonly string[] = list("one, two, three, four, five, six, seven, eight, nine");

/** The cells of a grid of two. */
export const places: readonly string[] = list("top left, top right, bottom left, bottom right");

/** The colours of grounds. */
export const colours = Object.keys(grounds) as readonly Ground[];

/** How a small LLaVA of icons is asked: the question alone. */
export const iconChat = "{prompt} ";

/** Drawings of names. */
export type Drawings = ReadonlyMap<string, readonly string[]>;

/** What is asked about a scene. */
export interface Asked extends Pick<Question, "prompt" | "answer" | "choices"> {
  readonly scene: Scene;
}

/** One of a list. */
export const oneOf = <A>(draw: Random, from: readonly A[]): A => from[draw.integer(from.length)];

/** So many of a list, each once. */
export const someOf = <A>(draw: Random, from: readonly A[], n: number): readonly A[] => Array.from(draw.permutation(from.length).slice(0, n), (i) => from[i]);

const namesOf = (drawings: Drawings): readonly string[] => [...drawings.keys()];

/** One drawing, and what it is. */
export const askName = (draw: Random, drawings: Drawings): Asked => {
  const [name, ...others] = someOf(draw, namesOf(drawings), 6);
  return {
    prompt: "what is this?",
    scene: { grid: 1, placed: [{ drawing: oneOf(draw, drawings.get(name)!), cell: 0 }] },
    answer: name,
    choices: someOf(draw, [name, ...others], 6),
  };
};

/** One to six drawings of one name, and how many. */
export const askCount = (draw: Random, drawings: Drawings): Asked => {
  const [grid, most] = [3, 6];
  const name = oneOf(draw, namesOf(drawings));
  const count = 1 + draw.integer(most);
  const cells = someOf(
    draw,
    Array.from({ length: grid * grid }, (_, i) => i),
    count,
  );
  return {
    prompt: "how many are there?",
    scene: { grid, placed: cells.map((cell) => ({ drawing: oneOf(draw, drawings.get(name)!), cell })) },
    answer: numbers[count - 1],
    choices: numbers.slice(0, most),
  };
};

/** One drawing on a ground, and which colour that has. */
export const askColour = (draw: Random, drawings: Drawings): Asked => {
  const ground = oneOf(draw, colours);
  return {
    prompt: "what colour is behind it?",
    scene: { ground, grid: 2, placed: [{ drawing: oneOf(draw, drawings.get(oneOf(draw, namesOf(drawings)))!), cell: draw.integer(4) }] },
    answer: ground,
    choices: colours,
  };
};

/** One to six drawings of one name, and whether they are more than three. */
export const askMore = (draw: Random, drawings: Drawings): Asked => {
  const { scene } = askCount(draw, drawings);
  return { prompt: "are there more than three?", scene, answer: scene.placed.length > 3 ? "yes" : "no", choices: ["yes", "no"] };
};

/** The tasks in the order of the stream. */
const kinds: readonly (readonly [string, (draw: Random, drawings: Drawings) => Asked])[] = [
  ["names", askName],
  ["colours", askColour],
  ["counts", askCount],
  ["comparisons", askMore],
];

/** A question about a scene. */
export const questionOf = (id: string, { scene, ...asked }: Asked): Question => ({ id, pictures: [{ kind: "named", name: sceneName(scene) }], ...asked });

/** The drawings of all things by some vendors. */
export const drawingsOf = ({ stream }: Catalogue, wanted: (d: Drawing) => boolean): Drawings =>
  new Map(
    Object.entries(things).flatMap(([task, names]) =>
      names.map((name): [string, readonly string[]] => [
        name,
        stream
          .get(task)!
          .get(name)!
          .drawings.filter(wanted)
          .map(({ set, icon }) => `${set}:${icon}`),
      ]),
    ),
  );

/** Options of {@link iconQuestions}: how long it is. */
export interface IconQuestionsOptions {
  /** The first so many tasks. Default: all four. */
  readonly tasks?: number;
  /** Questions of each task to learn from. Default 480. */
  readonly train?: number;
  /** Questions of each task to be tested with. Default 96. */
  readonly test?: number;
}

/** The stream icon-questions at `size` x `size` pixels. The icon sets are read when a split is first opened, which fails where a package is missing. */
export const iconQuestions = (size: number, { tasks, train = 480, test = 96 }: IconQuestionsOptions = {}): AnswerStream => ({
  labelSpace: "task",
  tasks: kinds.slice(0, tasks).map(([name, ask], position): AnswerTask => {
    const split = (part: string, count: number, wanted: (d: Drawing) => boolean): Split<Question> =>
      pipe(
        open,
        TE.map((all) => {
          const drawings = drawingsOf(all, wanted);
          return Array.from({ length: count }, (_, i) => questionOf(`${name} ${part} ${i}`, ask(random(0, `icon questions ${part}`, position, i), drawings)));
        }),
      );
    return {
      kind: "answer",
      name,
      score: "choice",
      chat: iconChat,
      train: split("train", train, ({ set }) => !testSets.has(set) && !baseSets.has(set)),
      test: split("test", test, ({ set }) => testSets.has(set)),
      decode: sceneDecoder(size),
    };
  }),
});
