/**
 * Questions that a small LLaVA learns before the stream icon-questions: what single drawings are, what stands where, what is there at all. They are about the
 * drawings of the pre-training set of the icon world, so that no drawing and no kind of question but the name is that of a task.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import type { Random } from "../../src/random.ts";
import { askName, numbers, oneOf, places, someOf, thingNames, type Asked, type Drawings } from "./questions.ts";
import { iconPretraining } from "./world.ts";

/** Up to `most` drawings of a few names in the cells of a grid, in the order of the cells. */
const someThings = (
  draw: Random,
  drawings: Drawings,
  grid: number,
  most: number,
): readonly { readonly name: string; readonly drawing: string; readonly cell: number }[] => {
  const count = 1 + draw.integer(most);
  const names = someOf(draw, [...drawings.keys()], 1 + draw.integer(count));
  const cells = [...draw.permutation(grid * grid).slice(0, count)].sort((a, b) => a - b);
  return cells.map((cell) => {
    const name = oneOf(draw, names);
    return { name, drawing: oneOf(draw, drawings.get(name)!), cell };
  });
};

/** What stands in a cell. */
const askWhatIsAt = (draw: Random, drawings: Drawings): Asked => {
  const placed = someThings(draw, drawings, 2, 4);
  const { name, cell } = oneOf(draw, placed);
  return { prompt: `what is at the ${places[cell]}?`, scene: { grid: 2, placed }, answer: name };
};

/** Whether something is there. */
const askWhether = (draw: Random, drawings: Drawings): Asked => {
  const placed = someThings(draw, drawings, 2, 3);
  const there = draw.integer(2) === 1;
  const absent = someOf(draw, [...drawings.keys()], placed.length + 1).find((name) => placed.every((other) => other.name !== name))!;
  return { prompt: `is there a ${there ? oneOf(draw, placed).name : absent}?`, scene: { grid: 2, placed }, answer: there ? "yes" : "no" };
};

/** All that is there, in the order of the cells. */
const askAll = (draw: Random, drawings: Drawings): Asked => {
  const grid = 2 + draw.integer(2);
  const placed = someThings(draw, drawings, grid, 3);
  return { prompt: "what do you see?", scene: { grid, placed }, answer: placed.map(({ name }) => name).join(", ") };
};

/** Another wording of the answers that tasks have: the words alone, without anything to see in them. */
const askWord = (draw: Random, drawings: Drawings): Asked => {
  const { scene } = askName(draw, drawings);
  const word = oneOf(draw, [...numbers, ...places, ...thingNames]);
  return { prompt: `say ${word}.`, scene, answer: word };
};

/** A question of pre-training. */
export const askBefore = (draw: Random, drawings: Drawings): Asked => {
  const kind = draw.uniform();
  if (kind < 0.4) return askName(draw, drawings);
  if (kind < 0.6) return askWhatIsAt(draw, drawings);
  if (kind < 0.75) return askWhether(draw, drawings);
  return kind < 0.95 ? askAll(draw, drawings) : askWord(draw, drawings);
};

/** The drawings of pre-training by their names. Fails where a package is missing. */
export const pretrainingDrawings: TE.TaskEither<Failure, Drawings> = pipe(
  iconPretraining(48),
  TE.map(({ classNames, examples }) => {
    const drawings = new Map<string, string[]>(classNames.map((name) => [name, []]));
    for (const { id, label } of examples) drawings.get(classNames[label])!.push(id);
    return new Map([...drawings].filter(([, list]) => list.length > 0));
  }),
);
