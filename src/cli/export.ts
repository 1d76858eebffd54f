/** `cambium export`: a learner for other programs. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { exportLearner, type Exported } from "../afterwards/exportLearner.ts";
import { command, type Ended } from "./command.ts";
import { oneOf, optional, some } from "./flags.ts";

/** The name of the flag that stands for an option of {@link exportLearner}. */
const flagNames: Readonly<Record<string, string>> = { model: "--out", peft: "--peft", base: "--base" };

/** A failure that speaks of flags, and names the command that writes what no adapter can say. */
const ofFlags =
  (source: string) =>
  (failure: Failure): Failure => {
    if (failure._tag === "BadTensor") return { ...failure, detail: failure.detail.replace(/write the whole model$/, `$&: cambium export ${source} --out DIR`) };
    if (failure._tag !== "BadOption" || !(failure.option in flagNames)) return failure;
    return {
      ...failure,
      option: flagNames[failure.option],
      detail: failure.detail.replace("and peft too", "and --peft too").replace("with peft alone", "with --peft alone"),
    };
  };

/** What was written, and what is not in it. */
const told = ({ model, peft, leftOut }: Exported): Ended => {
  const ranks = peft === undefined ? [] : [...peft.ranks.values()];
  const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
  const layers =
    ranks.length === 0
      ? "nothing: the weights are those of its base"
      : `${ranks.length} ${ranks.length === 1 ? "layer" : "layers"}, rank ${least === most ? least : `${least} to ${most}`}`;
  return {
    text: () =>
      [
        ...(model === undefined ? [] : [`model written to ${legible(model.folder)} (${model.dtype})`]),
        ...(peft === undefined ? [] : [`adapter written to ${legible(peft.folder)} (${layers}); its base is ${legible(peft.base)}`]),
        ...leftOut.map((what) => `left out: ${what}`),
      ].join("\n"),
    json: { ...(model === undefined ? {} : { model }), ...(peft === undefined ? {} : { peft: { ...peft, ranks: Object.fromEntries(peft.ranks) } }), leftOut },
  };
};

/** Exports a learner. */
export const exportCommand = command({
  name: "export",
  does: "write what was learned for other programs: as a model that transformers loads, or as an adapter that peft loads",
  synopsis: ["cambium export SOURCE --out DIR [flags]", "cambium export SOURCE --peft DIR [flags]"],
  operands: { hint: "SOURCE", what: "a run, a learner, a model or an adapter" },
  flags: {
    out: optional(some, "DIR", "a new folder for the model", "no model is written"),
    peft: optional(some, "DIR", "a new folder for what was added to the base model, as an adapter", "no adapter is written"),
    base: optional(some, "MODEL", "the base model of the adapter", "what --model named in the run of SOURCE, or that run's learner"),
    adapter: optional(some, "DIR", "an adapter that peft wrote, merged into SOURCE first", "none"),
    dtype: optional(oneOf("f32", "f16", "bf16"), "TYPE", "element type of what is written: f32, f16, bf16", "a model's as it was read, an adapter's f32"),
  },
  notes: [
    "The adapter is the difference of the weights from those of the base, layer by layer, of the rank that it has beyond rounding. Where other weights " +
      "differ, as behind a training in full, no adapter can say so, and --out writes the whole model.",
    "A head, and what a method evaluates through beside the weights, is in no model folder: it is said what is left out.",
  ],
  examples: [
    ["cambium export runs/pets --out models/pets --dtype f16", "writes what that run has learned as a model of half the size"],
    ["cambium export runs/pets --peft adapters/pets", "writes what it has added to its model as an adapter for peft"],
    [
      "cambium export runs/more --peft adapters/both --base models/clip",
      "what a run and the run before it, on which it goes on, have added to the first model",
    ],
    ["cambium export models/clip --adapter adapters/pets --out models/pets", "merges an adapter of peft into a model"],
  ],
  run: ({ flags: { out, ...rest }, operands: [source] }, { jobOptions }) =>
    pipe(exportLearner(source, { ...jobOptions, ...rest, model: out }), TE.map(told), TE.mapLeft(ofFlags(source))),
});
