/** What a decoder writes to the questions of a task. */
import * as TE from "fp-ts/lib/TaskEither.js";
import type { AnswerTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Asker } from "./answered.ts";

/** What is asked. */
export interface GeneratingOptions {
  readonly learner: Learner;
  readonly runtime: Runtime;
  readonly through?: Branch;
}

/** What continues prompts. */
export type Generating = GeneratingOptions;

/** Uses what continues the prompts of a learner's model. */
export const withGenerating =
  (options: GeneratingOptions) =>
  <A>(use: (generating: Generating) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
    use(options);

/** What is written to every question of a task. */
export const generated = (_: Asker, { name }: AnswerTask, __: Generating): TE.TaskEither<Failure, readonly string[]> =>
  TE.left({ _tag: "BadOption", option: "scores", detail: `${name} is scored by what is generated, which is not there yet` });
