/** A learner that is asked for other classes than those of its stream, or for some of them: its head and its calibration as they are for these. */
import * as E from "fp-ts/lib/Either.js";
import { firstOfName } from "../data/classNames.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { Head } from "../model/adapters/adapter.ts";
import { readoutFor } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf } from "../model/model.ts";
import type { Inference, Predictor } from "./inference.ts";

/** The place of a class among those that a learner has seen; undefined where it has not. */
export type Place = number | undefined;

/** Whether a head has a row for the class at a place. A method that trains none may have learned later classes. */
const hasRow = ({ bias }: Head, place: Place): place is number => place !== undefined && place < bias.length;

/** A head for classes at these places, in their order. A class that it has no row for gets one of zeros, by which it scores 0. */
const headFor = (head: Head, width: number, places: readonly Place[]): Head => {
  const rows = new Float32Array(places.length * width);
  const bias = new Float32Array(places.length);
  places.forEach((place, i) => {
    if (!hasRow(head, place)) return;
    rows.set(head.rows.subarray(place * width, (place + 1) * width), i * width);
    bias[i] = head.bias[place];
  });
  return { ...head, rows, bias };
};

/** The position of the learned task that a place belongs to. */
const positionOf = (tasks: readonly number[], place: Place): number | undefined => {
  if (place === undefined) return undefined;
  let behind = 0;
  const position = tasks.findIndex((count) => place < (behind += count));
  return position < 0 ? undefined : position;
};

/** Of each class whose place is given, the position of its learned task, where that is known. */
export const positionsOf = ({ tasks = [] }: Predictor, places: readonly Place[]): readonly (number | undefined)[] =>
  places.map((place) => positionOf(tasks, place));

/** The inference of a learner for tasks whose classes are at these places; one whose classes were not learned is left as it is. */
const inferenceFor = (predictor: Predictor, places: readonly (readonly Place[])[]): Inference => {
  const { inference: { through, calibration, adaptation } = {} } = predictor;
  if (calibration === undefined) return { through, adaptation };
  const learned = places.map((task) => positionsOf(predictor, task).find((position) => position !== undefined));
  return {
    ...{ through, adaptation },
    calibration: {
      ...calibration,
      of: (learner, notes) => {
        const correction = calibration.of(learner, notes);
        return (image, position) => (learned[position] === undefined ? 0 : correction(image, learned[position]));
      },
    },
  };
};

/** A learner as it is for tasks whose classes are at these places among those that it has seen. */
export const fittedTo = (predictor: Predictor, places: readonly (readonly Place[])[]): { readonly learner: Learner; readonly inference: Inference } => {
  const { learner } = predictor;
  const { width } = networkOf(learner.model);
  return {
    learner: learner.head === undefined ? learner : { ...learner, head: headFor(learner.head, width, places.flat()) },
    inference: inferenceFor(predictor, places),
  };
};

/** How many names a failure spells out. */
const spelledOut = 20;

/** Fails where a learner knows classes by its head alone, and has no row for one of these, which were given as `option`. */
export const knowsAll = ({ model, head, seen }: Learner, classNames: readonly string[], places: readonly Place[], option: string): E.Either<Failure, void> => {
  const bad = (what: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: what, detail });
  const { name } = model.architecture;
  const readout = readoutFor(model.architecture);
  if (E.isLeft(readout)) return readout;
  if (readout.right.texts !== undefined) return E.right(undefined);
  if (head === undefined) return bad("model", `a ${name} reads no texts, and this one has learned no classes: it has features, and no answers`);
  const unknown = places.findIndex((place) => !hasRow(head, place));
  if (unknown < 0) return E.right(undefined);
  const known = `${seen
    .slice(0, spelledOut)
    .map((one) => printed(one))
    .join(", ")}${seen.length > spelledOut ? ", …" : ""}`;
  return bad(option, `${printed(classNames[unknown])} is no class that was learned, and a ${name} reads no texts; it knows ${known}`);
};

/** The places of a name among the classes that a learner has seen: several where several tasks have a class of it. */
export const placesOfNames = (seen: readonly string[], classNames: readonly string[]): readonly (readonly number[])[] => {
  const name = firstOfName([{ classNames: seen }, { classNames }]);
  return classNames.map((_, i) => seen.flatMap((_, place) => (name[place] === name[seen.length + i] ? [place] : [])));
};

/**
 * The places of the classes of some tasks among those that a learner has seen, task by task. A task whose classes stand there one after the other has them all:
 * behind those of the task before it, or where they stand first. Of any other, a class has the first place of its name.
 */
export const placesOfTasks = (seen: readonly string[], tasks: readonly { readonly classNames: readonly string[] }[]): readonly (readonly Place[])[] => {
  let behind = 0;
  return tasks.map(({ classNames }) => {
    const standsAt = (place: number): boolean => classNames.every((name, i) => seen[place + i] === name);
    const start = standsAt(behind) ? behind : seen.findIndex((_, place) => standsAt(place));
    if (start < 0) return placesOfNames(seen, classNames).map(([place]) => place);
    behind = start + classNames.length;
    return classNames.map((_, i) => start + i);
  });
};
