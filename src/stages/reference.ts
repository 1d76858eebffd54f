/** Reference pictures: images that are never learned, on which a model is compared with what it was. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { textEncoder } from "../model/inputs.ts";
import type { Lesson } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import type { TrainingBatches } from "../training/trainee.ts";
import { ofClasses, prompts, withoutTexts } from "./captions.ts";
import { encodedBy, notEmpty, walked } from "./walks.ts";

/** Batches of reference pictures with the prompts of their classes: those of the stream, or of the task where it names none. */
export const referenceOf = (
  task: ClassTask,
  lesson: Lesson,
  runtime: Runtime,
  steps: number,
  batch: number,
): TE.TaskEither<Failure, TrainingBatches["reference"]> => {
  const { reference = task } = lesson.stream;
  return pipe(
    notEmpty(reference.name, reference.train),
    TE.map((examples) => {
      const tokens = textEncoder(lesson.learner.model);
      const { classNames, templates } = reference;
      const captions = tokens === undefined ? withoutTexts(classNames.length) : ofClasses(tokens(prompts(templates[0], classNames)));
      const images = walked({ task: reference, examples, batch, steps, purpose: "reference" }, lesson, runtime);
      const shape = { images: batch, texts: captions.texts, length: captions.length, previous: 0 };
      return { shape, at: encodedBy(images, captions, runtime) };
    }),
  );
};
