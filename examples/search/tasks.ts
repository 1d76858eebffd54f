/**
 * The two streams of a search. What is chosen is chosen on some tasks of the icon stream, by drawings of their training that are held out; what is reported is
 * measured on the other tasks, by the drawings of their tests. So nothing that is reported was ever used for choosing.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Example } from "../../src/data/example.ts";
import type { ClassStream, ClassTask } from "../../src/data/task.ts";
import { iconStream } from "../icons/world.ts";

/** The tasks of each stream, in their order: both begin with many classes, and have a task that is known well and one that is known badly. */
export const taskNames = {
  choosing: ["food", "logos", "places and vehicles", "weather and sky"],
  reporting: ["animals", "flags", "sport, music and play", "objects"],
} as const;

/** What a search does in turn. */
export type Phase = keyof typeof taskNames;

/** Whether each example is held out: a third of every class, the last ones, and one of a class that has two. */
const heldOut = (examples: readonly Example[]): readonly boolean[] =>
  examples.map((example, i) => {
    const same = examples.flatMap(({ label }, k) => (label === example.label ? [k] : []));
    return same.indexOf(i) >= same.length - Math.max(same.length > 1 ? 1 : 0, Math.floor(same.length / 3));
  });

/** A task that is learned from a part of its training drawings and scored on the others. */
export const onTraining = (task: ClassTask): ClassTask => {
  const part = (held: boolean): ClassTask["train"] =>
    pipe(
      task.train,
      TE.map((examples) => {
        const out = heldOut(examples);
        return examples.filter((_, i) => out[i] === held);
      }),
    );
  return { ...task, train: part(false), test: part(true) };
};

/** The stream of a phase at `size` x `size` pixels, with the first so many classes of each task. That of choosing has no probe. */
export const streamOf = (phase: Phase, size: number, classes?: number): ClassStream => {
  const all = iconStream(size, { classes });
  const tasks = taskNames[phase].flatMap((name) => all.tasks.filter((task) => task.name === name));
  return phase === "reporting" ? { ...all, tasks } : { ...all, tasks: tasks.map(onTraining), probes: [] };
};
