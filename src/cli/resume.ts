/** `cambium resume`: goes on with a run. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { resume as goOn } from "../runs/runJob.ts";
import { command } from "./command.ts";
import { endOfRun, whenStopped } from "./endOfRun.ts";

/** Goes on with a run that was stopped, killed or failed. */
export const resume = command({
  name: "resume",
  does: "go on with a run that was stopped, was killed or failed, to the same bits",
  synopsis: ["cambium resume RUN [flags]"],
  operands: { hint: "RUN", what: "the folder of a run" },
  flags: {},
  notes: ["RUN is the folder that --out has named. A run that has ended is told again."],
  examples: [
    ["cambium resume runs/codyra", "goes on where it was stopped, and ends with the result of a run that never was"],
    ["cambium resume runs/codyra --json > result.json", "the same, and its result as JSON"],
  ],
  whenStopped,
  run: ({ operands: [folder] }, terminal) => pipe(goOn(terminal.at(folder), terminal.jobOptions), TE.map(endOfRun(folder, terminal))),
});
