/** What a run leaves of the questions that were answered: before, once learned, and at the end, matched by their ids. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { repliesOf } from "../../src/runs/answers.ts";
import type { Reply } from "../../src/report/replies.ts";
import type { Evaluated, Report } from "../../src/training/lesson.ts";
import { colourTask } from "../fixtures/tinyLlama.ts";

const reply = (sample: string, predicted: string, score: number | null = 0): Reply => ({ sample, prompt: `${sample}?`, answer: "red", predicted, score });
const evaluated = (...replies: readonly (readonly Reply[] | null)[]): Evaluated => ({ row: replies.map(() => 0), replies });
const report = (...replies: readonly (readonly Reply[] | null)[]): Report => evaluated(...replies) as Report;

const said = (predicted: string, score: number | null = 0) => ({ predicted, score });

test("replies are matched by their ids, in whatever order they come; null stands where a question was not asked", () => {
  const stream = { tasks: [colourTask("one", 0), colourTask("two", 1)], labelSpace: "task" as const };
  const zeroShot = evaluated([reply("b", "blue"), reply("a", "green")], null);
  const reports = [report([reply("a", "red", 100)], null), report([reply("a", "blue"), reply("b", "red", null)], [reply("c", "red", 100)])];
  assert.equal(repliesOf(stream, { zeroShot, reports }, 2), [
    {
      dataset: "one",
      questions: [
        { sample: "a", prompt: "a?", answer: "red", before: said("green"), learned: said("red", 100), last: said("blue") },
        { sample: "b", prompt: "b?", answer: "red", before: said("blue"), learned: null, last: said("red", null) },
      ],
    },
    { dataset: "two", questions: [{ sample: "c", prompt: "c?", answer: "red", before: null, learned: said("red", 100), last: said("red", 100) }] },
  ]);
});

test.run();
