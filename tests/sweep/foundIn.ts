/** What the runs of a sweep have found, to be compared bit by bit. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What a run has found, without the time that it took. */
export const foundIn = (folder: string): unknown => {
  const { seconds: _, ...result } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as Readonly<Record<string, unknown>>;
  const weights = createHash("sha256")
    .update(readFileSync(join(folder, "model", "model.safetensors")))
    .digest("hex");
  const log = readFileSync(join(folder, "log.jsonl"), "utf8").replace(/"seconds":[^,}]+/g, "");
  return { result, weights, log };
};

/** The folders of the jobs of a sweep. */
export const jobFolders = (out: string): readonly string[] =>
  readdirSync(out, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
