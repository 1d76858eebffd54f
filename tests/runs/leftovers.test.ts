/** Which names in the folder of a run are files that are not whole. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isLeftover } from "../../src/runs/leftovers.ts";
import { names } from "../../src/runs/runFolder.ts";
import { memoryFiles } from "../fixtures/memoryPlatform.ts";

test("every file of a run that is written at once may be left over, and nothing else is", () => {
  const files = { ...memoryFiles().files, unfinished: (name: string) => name.endsWith(".tmp") };
  for (const name of [names.job, names.training, names.result, names.answers, names.replies, names.report, names.profile, names.model, names.after(2)]) {
    assert.ok(isLeftover(`.${name}.1.tmp`, files), name);
    assert.not.ok(isLeftover(name, files), name);
  }
  for (const name of [".notes.txt.1.tmp", ".log.jsonl.1.tmp"]) assert.not.ok(isLeftover(name, files), name);
});

test.run();
