/** The flags that say which datasets are meant: folders, or those of a protocol. */
import * as E from "fp-ts/lib/Either.js";
import { protocols, type ProtocolName } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import type { Job } from "../runs/job.ts";
import type { Values } from "./flags.ts";
import { columns, list, oneOf, optional, positive, some, whole } from "./flags.ts";

const protocolNames = Object.keys(protocols) as readonly ProtocolName[];

/** Flags of datasets; `what` is what becomes of those of `--data`, and `flat` of the pictures of one without train and test. */
export const sourceFlags = (what: string, split: string, flat: string) => ({
  data: optional(
    list(some),
    "DATA[,DATA…]",
    `datasets, ${what}: folders (WebDataset, ImageFolder, Parquet or JSON lines of questions), or names on the hub, as in wds_vtab-dtd or org/name[@revision]`,
    "those of the preset",
  ),
  split: optional(positive(0.999), "X", split, flat),
  columns: optional(columns, "image=NAME,label=NAME", "columns of Parquet files, where names and types do not tell", "what names and types tell"),
  preset: optional(oneOf(...protocolNames), "NAME", protocolNames.join(", "), "none"),
  "data-root": optional(
    some,
    "DIR",
    "where the datasets of the preset are, such as wds_vtab-dtd or dtd",
    "those that CLIP benchmark has published on the hub; presets of questions need it",
  ),
  "class-order": optional(
    oneOf("natural", "seeded"),
    "ORDER",
    "the order in which a class-incremental preset learns classes: that of the dataset's labels, or one drawn from the seed",
    "the method's in the preset, or seeded",
  ),
});

/** Flags of datasets whose questions are answered in words. */
export const answerFlags = {
  chat: optional(some, "CHAT", "how questions are asked: chatml, vicuna, or a text that has {prompt}", "as the dataset says, or as the model is tuned"),
  context: optional(
    whole(1),
    "N",
    "the most tokens of a question and its answer; longer questions are cut at their beginning",
    "what the dataset says, or 2048",
  ),
  "max-tokens": optional(
    whole(1),
    "N",
    "the most tokens of an answer that is generated",
    "what the dataset says, or as many as its longest training answer has",
  ),
  scores: optional(
    oneOf("own", "all"),
    "WHICH",
    "score questions as their dataset says (own), or also by choice and by exact match where all have choices",
    "all",
  ),
};

/** What the flags name, as they name it. Fails with `BadOption` where they name nothing, or two things. */
export const sourceOf = ({
  data,
  split,
  preset,
  "data-root": root,
  "class-order": classOrder,
}: Values<ReturnType<typeof sourceFlags>>): E.Either<Failure, Job["source"]> => {
  const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });
  if (preset === undefined) {
    if (root !== undefined) return bad("--data-root", "has a meaning with --preset alone; dataset folders are given by --data");
    if (classOrder !== undefined) return bad("--class-order", "has a meaning with --preset alone, whose classes go into groups");
    if (data === undefined) return bad("--data", "is missing, and --preset too; --help says what they take");
    return E.right({ folders: data, ...(split === undefined ? {} : { split }) });
  }
  if (data !== undefined) return bad("--preset", "names its datasets itself; give --data, or --preset");
  if (split !== undefined) return bad("--split", "has a meaning with --data alone; a preset has splits of its own");
  return E.right({ protocol: preset, ...(root === undefined ? {} : { root }), ...(classOrder === undefined ? {} : { classOrder }) });
};
