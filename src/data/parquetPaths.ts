/** Which Parquet files of a dataset are of which configuration and of which split, by their paths. */

/** The files of a configuration. A `validation` stands in for a missing `test`. */
export interface ParquetSplits {
  readonly train: readonly string[];
  readonly test: readonly string[];
}

type SplitName = "train" | "validation" | "test";

/** What splits are called, as Hugging Face's datasets take them. */
export const splitWords: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval", "evaluation"],
};

/** The split that a name speaks of. */
export const splitNamed = (name: string): SplitName | undefined => {
  const parts = name.toLowerCase().split(/[^a-z]+/);
  return (Object.keys(splitWords) as SplitName[]).find((split) => splitWords[split].some((word) => parts.includes(word)));
};

/** The configuration and the split of a file: `data/train-00000-of-00002.parquet`, `CONFIG/test/0000.parquet`, `train.parquet`. */
const placeOf = (path: string): { readonly config: string; readonly split: SplitName | undefined } => {
  const folders = path.split("/");
  const name = folders.pop()!;
  const own = splitNamed(name.replace(/\.parquet$/, ""));
  const last = folders.at(-1);
  const above = own === undefined && last !== undefined ? splitNamed(last) : undefined;
  const config = (above === undefined ? folders : folders.slice(0, -1)).filter((folder) => folder !== "data").join("/");
  return { config, split: own ?? above };
};

/** The Parquet files among the paths of a dataset by configuration, which is empty where there is one without a name; files of no split are for training. */
export const parquetSplits = (paths: readonly string[]): ReadonlyMap<string, ParquetSplits> => {
  const found = new Map<string, Record<SplitName, string[]>>();
  for (const path of [...paths].filter((name) => name.endsWith(".parquet")).sort()) {
    const { config, split = "train" } = placeOf(path);
    if (!found.has(config)) found.set(config, { train: [], validation: [], test: [] });
    found.get(config)![split].push(path);
  }
  return new Map([...found].map(([config, { train, validation, test }]) => [config, { train, test: test.length > 0 ? test : validation }]));
};
