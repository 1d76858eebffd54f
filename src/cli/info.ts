/** `cambium info`: what lies in a folder. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { info as tell } from "../info/info.ts";
import { infoText } from "../info/infoText.ts";
import { command } from "./command.ts";
import { sourceFlags } from "./source.ts";

const { columns, split } = sourceFlags(
  "",
  "share of the pictures or questions that is drawn for training, where a dataset is DIR/CLASS/*.jpg or train.jsonl, without a test split",
  "none",
);
/** What of a dataset its files may not say. */
const dataset = { columns, split };

/** Tells what lies in a folder. */
export const info = command({
  name: "info",
  does: "tell in words what a model, a learner, an adapter, a dataset, a run or a sweep is",
  synopsis: ["cambium info PATH [flags]"],
  operands: { hint: "PATH", what: "the folder of a model, a learner, an adapter of PEFT, a dataset, a run or a sweep, or a name on the hub," },
  flags: dataset,
  notes: ["What is named on the hub is downloaded first. A model is read whole, so what is told of is sound. Nothing is computed, and no device is opened."],
  examples: [
    ["cambium info models/clip", "its towers, its size, and what each adapter would train"],
    ["cambium info runs/codyra", "what it learns, how far it is, what it has reached, and how to go on"],
    ["cambium info data/pets --json", "its classes and pictures, and what was left out, as JSON"],
  ],
  run: ({ flags, operands: [path] }, { jobOptions }) =>
    pipe(
      tell(path, { ...jobOptions, ...flags }),
      TE.map((told) => ({ text: (columns) => infoText({ ...told, folder: path }, columns), json: told })),
    ),
});
