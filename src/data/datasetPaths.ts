/** Which files of a dataset are read. */
import * as E from "fp-ts/lib/Either.js";
import { missingParts } from "../formats/parts.ts";
import { answerFilesIn } from "./answerFiles.ts";
import { pictureName } from "./classFolders.ts";
import { someOf } from "./leftOut.ts";
import { parquetSplits } from "./parquetPaths.ts";

/** Files that say what classes are called and how to ask for them. */
const companions: readonly string[] = ["classnames.txt", "zeroshot_classification_templates.txt", "README.md"];

/** What of a dataset is wanted. */
export interface DatasetPart {
  /** A folder of it, which is a dataset of its own: one of its configurations. */
  readonly config?: string;
  /** Whether it is learned; of what is scored alone no training pictures are read. Default: true. */
  readonly training?: boolean;
}

/** The files of a dataset of questions: its splits, how it is asked, and all pictures, since a record may name any. Undefined where it has no questions. */
const questionPaths = (inside: readonly string[], below: (path: string) => string, training: boolean): readonly string[] | undefined => {
  const { train, test } = answerFilesIn(inside.map((path) => ({ name: below(path), kind: "file" })));
  if (train === undefined && test === undefined) return undefined;
  const wanted = ["task.json", ...(training || test === undefined ? [train, test] : [test])];
  return inside.filter((path) => wanted.includes(below(path)) || pictureName.test(path));
};

/**
 * The files among the paths of a dataset that are read: those of the WebDataset layout, or Parquet files of one configuration, with what says how classes are
 * called; or files of questions, with all pictures. On the left, what it lacks, as the end of a sentence.
 *
 * ```ts
 * const paths = ["README.md", "data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet", "raw.zip"];
 * assert.deepEqual(data.datasetPaths(paths, { training: false }), { _tag: "Right", right: ["README.md", "data/test-00000-of-00001.parquet"] });
 * ```
 */
export const datasetPaths = (paths: readonly string[], { config = "", training = true }: DatasetPart = {}): E.Either<string, readonly string[]> => {
  const inside = paths.filter((path) => config === "" || path.startsWith(`${config}/`));
  const below = (path: string): string => (config === "" ? path : path.slice(config.length + 1));
  const said = paths.filter((path) => path === "README.md" || (inside.includes(path) && companions.includes(below(path))));
  const shards = inside.filter((path) => /^(train|test|val)\/(nshards\.txt|[^/]+\.tar)$/.test(below(path)));
  if (shards.some((path) => path.endsWith(".tar"))) {
    const scored = shards.filter((path) => !below(path).startsWith("train/"));
    return E.right([...said, ...(training || scored.length === 0 ? shards : scored)]);
  }
  const configs = parquetSplits(inside);
  const only = configs.get(config) ?? (configs.size === 1 ? [...configs.values()][0] : undefined);
  if (only !== undefined) {
    const { train, test } = only;
    const files = training || test.length === 0 ? [...train, ...test] : test;
    const missing = missingParts(files);
    return missing.length > 0 ? E.left(`lacks ${someOf(missing)}`) : E.right([...said, ...files]);
  }
  if (configs.size > 1) return E.left(`has several configurations: ${someOf([...configs.keys()], 20)}; name one of them as NAME/CONFIGURATION`);
  const questions = questionPaths(inside, below, training);
  if (questions !== undefined) return E.right(questions);
  const where = config === "" ? "" : ` in ${config}`;
  const lacks = "has neither shards of WebDataset ({train,test}/0.tar) nor questions ({train,test}.jsonl) nor Parquet files";
  return E.left(`${lacks}${where}; its revision refs/convert/parquet may have some`);
};
