/** What a decoder answers to the questions of a task by likelihood: which choice, and how well it knows the answers. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { ChoiceRow } from "../language/choices.ts";
import { argmax } from "../language/sampling.ts";
import type { Asker } from "./asker.ts";
import { likelihoods, type Asked, type Likely } from "./likelihood.ts";
import type { Programs } from "./programs.ts";

const likelyOf = ({ model, load, runtime }: Asker, programs: Programs): Likely => ({ model, load, runtime, programs });

/** What was chosen: the choice of the highest mean log-likelihood, the first of equals. */
export interface Chosen {
  readonly choice: string;
  /** Mean log-likelihoods of the choices, in their order. */
  readonly likelihoods: readonly number[];
}

/** The choice that is the answer to each question; those of an asker that asks by choice. */
export const chosen = (asker: Asker, programs: Programs): TE.TaskEither<Failure, readonly Chosen[]> => {
  const { questions, tokens } = asker;
  const asked = questions.flatMap((question, of) => tokens[of].choices!.map((row): Asked<ChoiceRow> & { of: number } => ({ question, row, of })));
  return pipe(
    likelihoods(asked, likelyOf(asker, programs)),
    TE.map((values) => {
      const sums = questions.map(({ choices }) => choices!.map(() => ({ sum: 0, count: 0 })));
      asked.forEach(({ row, of }, r) =>
        row.of.forEach((choice, i) => {
          sums[of][choice].sum += values[r][i];
          sums[of][choice].count++;
        }),
      );
      return sums.map((ofChoices, i): Chosen => {
        const means = ofChoices.map(({ sum, count }) => sum / count);
        return { choice: questions[i].choices![argmax(means)], likelihoods: means };
      });
    }),
  );
};

/** The perplexity of the answers to all questions of a probe: exp of the mean of −log-likelihood over their tokens, without what closes them. */
export const perplexity = (asker: Asker, programs: Programs): TE.TaskEither<Failure, number> =>
  pipe(
    likelihoods(
      asker.questions.flatMap((question, i) => asker.tokens[i].answer!.map((row) => ({ question, row }))),
      likelyOf(asker, programs),
    ),
    TE.map((rows) => {
      const tokens = rows.flatMap((row) => [...row]);
      return Math.exp(-tokens.reduce((sum, x) => sum + x, 0) / tokens.length);
    }),
  );
