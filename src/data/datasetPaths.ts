/** Which files of a dataset are read. */
import * as E from "fp-ts/lib/Either.js";
import { missingParts } from "../formats/parts.ts";
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

/**
 * The files among the paths of a dataset that are read: those of the WebDataset layout, or Parquet files of one configuration, with what says how classes are
 * called. On the left, what it lacks, as the end of a sentence.
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
  const where = config === "" ? "" : ` in ${config}`;
  return E.left(`has neither shards of WebDataset ({train,test}/0.tar) nor Parquet files${where}; its revision refs/convert/parquet may have some`);
};
