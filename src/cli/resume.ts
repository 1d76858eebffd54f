/** `cambium resume`: goes on with a run, or with a sweep. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { resume as goOn } from "../runs/runJob.ts";
import { isSweep } from "../sweep/readSweep.ts";
import { resumeSweep } from "../sweep/runSweep.ts";
import { command, type Ended } from "./command.ts";
import { endOfRun, whenStopped } from "./endOfRun.ts";
import { endOfSweep } from "./endOfSweep.ts";

/** Goes on with what was stopped, killed or failed. */
export const resume = command({
  name: "resume",
  does: "go on with a run or a sweep that was stopped, was killed or failed, to the same bits",
  synopsis: ["cambium resume RUN [flags]"],
  operands: { hint: "RUN", what: "the folder of a run, or of a sweep," },
  flags: {},
  notes: [
    "RUN is the folder that --out has named, or the out of a sweep, whose jobs that have not ended run here. A run that has ended is told again.",
    "What was chosen when it began stays, precision, accumulate and recompute with it: the same bits come of the same arithmetic alone.",
  ],
  examples: [
    ["cambium resume runs/codyra", "goes on where it was stopped, and ends with the result of a run that never was"],
    ["cambium resume runs/codyra --json > result.json", "the same, and its result as JSON"],
  ],
  whenStopped,
  run: ({ operands: [folder] }, terminal) => {
    const at = terminal.at(folder);
    return pipe(
      TE.fromTask<boolean, Failure>(isSweep(at)),
      TE.chain(
        (many): TE.TaskEither<Failure, Ended> =>
          many
            ? pipe(resumeSweep(at, terminal.jobOptions), TE.map(endOfSweep(folder)))
            : pipe(goOn(at, terminal.jobOptions), TE.map(endOfRun(folder, terminal))),
      ),
    );
  },
});
