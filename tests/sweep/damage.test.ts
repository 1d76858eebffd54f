/** Sweeps whose folders are damaged, or belong to something else; and what is said of a part of the jobs. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readSweep } from "../../src/sweep/readSweep.ts";
import { resumeSweep, runSweep } from "../../src/sweep/runSweep.ts";
import type { Sweep } from "../../src/sweep/sweep.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "../cli/command.ts";

const { dir, remove } = temporaryFolder("damage");
const at = (...path: readonly string[]): string => join(dir, ...path);

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30] });
});

test.after(remove);

const sweep = (out: string, seeds: readonly number[], more: Partial<Sweep> = {}): Sweep => ({
  version: 1,
  base: { model: at("model"), source: { folders: [at("data", "red")] } },
  methods: [{ name: "codyra", options: { steps: 2, batch: 4, rank: 2 }, folder: "" }],
  seeds,
  out,
  ...more,
});

const cut = (...path: readonly string[]): void => writeFileSync(at(...path), readFileSync(at(...path), "utf8").slice(0, 40));

test("a job with a damaged file is listed as failed, and the others run and are compared", async () => {
  await get(runSweep(sweep(at("damaged"), [0, 1, 2, 3])));
  cut("damaged", "seed-0", "result.json");
  cut("damaged", "seed-1", "job.json");
  cut("damaged", "seed-2", "answers.json");
  rmSync(at("damaged", "table.csv"));
  const { jobs, compared } = await get(runSweep(sweep(at("damaged"), [0, 1, 2, 3, 4])));
  assert.equal(
    jobs.map(({ state }) => state),
    ["failed", "failed", "failed", "ended", "ended"],
  );
  for (const [i, file] of ["result.json", "job.json", "answers.json"].entries())
    assert.match(jobs[i].detail ?? "", new RegExp(`seed-${i}/${file.replace(".", "\\.")} is damaged: .*; remove the folder of the job, and it begins anew$`));
  assert.is(compared?.runs.length, 2);
  assert.ok(existsSync(at("damaged", "table.csv")));
  const again = await cambium(["resume", at("damaged")]);
  assert.is(again.code, 1);
  assert.match(again.stdout, /^2 of 5 jobs have ended, 3 have failed\. /m);
  const told = await cambium(["info", at("damaged")]);
  assert.is(told.code, 0, told.stderr);
  assert.match(told.stdout, /a sweep; 2 of 5 jobs have ended, 3 have failed, and cambium resume\s.*\sgoes on/);
  assert.match(told.stdout, /seed-0:[\s\S]*result\.json\sis damaged/);
  for (const name of ["seed-0", "seed-1", "seed-2"]) rmSync(at("damaged", name), { recursive: true });
  assert.ok((await get(resumeSweep(at("damaged")))).jobs.every(({ state }) => state === "ended"));
});

test("a job that failed is told of by info until it has ended", async () => {
  const methods = [{ name: "codyra", options: { steps: 2, batch: 4, rank: 2, lr: 1e30 }, folder: "" }];
  await get(runSweep(sweep(at("hot"), [0], { methods })));
  const told = await cambium(["info", at("hot")]);
  assert.match(told.stdout, /a sweep; 0 of 1 job have ended, 1 has failed, and cambium resume\s.*\sgoes on/);
  assert.match(told.stdout, /seed-0: .*is not finite/);
  // The other part of the jobs knows nothing of this one, and keeps what was said of it.
  await get(runSweep(sweep(at("hot"), [0], { methods }), { share: { nth: 2, of: 2 } }));
  assert.match((await cambium(["info", at("hot")])).stdout, /1 has failed/);
  assert.ok(existsSync(at("hot", "failures.json")));
});

test("a sweep file of its user is not written over; an out that is empty, or the root, is refused", async () => {
  const write = (file: string, value: object): string => {
    mkdirSync(at("own"), { recursive: true });
    writeFileSync(at("own", file), JSON.stringify(value, null, 2));
    return at("own", file);
  };
  const own = write("sweep.json", sweep(".", [0]));
  const before = readFileSync(own, "utf8");
  for (const file of [own, write("other.json", sweep(at("own"), [0])), write("sweep.json", sweep(at("own"), [0]))]) {
    const refused = await cambium(["sweep", file]);
    assert.is(refused.code, 1);
    assert.match(refused.stderr, /^out: .*own has a sweep\.json of your own, which the one of the sweep would replace; name another folder\n$/);
  }
  assert.is(readFileSync(own, "utf8"), before.replace('"out": "."', `"out": "${at("own")}"`));
  for (const [out, sentence] of [
    ["", /other\.json: .*out should be the path of a folder, not ""$/],
    [7, /out should be the path of a folder, not 7$/],
  ] as const)
    assert.match(describe(left(await readSweep(write("other.json", { ...sweep("x", [0]), out }))())), sentence);
  for (const out of ["/", "//", "/."]) assert.is(describe(left(await runSweep(sweep(out, [0]))())), "out: is the root of all files; name a folder");
  // What a sweep has written is gone on with, by its file, too.
  await get(runSweep(sweep(at("ours"), [0])));
  assert.is((await cambium(["sweep", at("ours", "sweep.json")])).code, 0);
});

test("what is no sweep is told in words", async () => {
  const refused = async (value: unknown): Promise<string> => {
    writeFileSync(at("words.json"), JSON.stringify(value));
    return describe(left(await readSweep(at("words.json"))()));
  };
  const base = sweep(at("x"), [0]);
  assert.match(await refused([]), /the sweep should be an object, not \[\]$/);
  assert.match(await refused({ ...base, seeds: 3 }), /seeds should be a list, not 3$/);
  assert.match(await refused({ ...base, options: { rank: 4 } }), /options\.rank should be a list, not 4$/);
  assert.match(await refused({ ...base, options: [] }), /options should be an object, not \[\]$/);
  assert.match(await refused({ ...base, methods: [{ name: "codyra", options: 3 }] }), /methods\[0\]\.options should be an object, not 3$/);
  assert.match(await refused({ ...base, base: { ...base.base, facts: 1 } }), /base\.facts should be an object, not 1$/);
});

test("a part is listed with its numbers; one without jobs, and a job that runs, are told of as they are", async () => {
  writeFileSync(at("parts.json"), JSON.stringify(sweep("parts", [0, 1, 2])));
  const list = async (part: string) => (await cambium(["sweep", at("parts.json"), "--list", "--only", part])).stdout;
  assert.is(await list("2/2"), "2/3 seed-1\n");
  assert.is(await list("9/9"), "no job: there are fewer jobs than parts\n");
  const none = await cambium(["sweep", at("parts.json"), "--only", "9/9"]);
  assert.is(none.code, 0, none.stderr);
  assert.match(none.stdout, /^written to .*parts: sweep\.json, and of no job anything yet$/m);
  const notes: string[] = [];
  await get(runSweep(await get(readSweep(at("parts.json"))), { share: { nth: 2, of: 2 }, note: (line) => notes.push(line) }));
  assert.ok(notes.includes("seed-1, 2 of 3:"), notes.join("\n"));
  const part = await cambium(["sweep", at("parts.json"), "--only", "9/9"]);
  assert.match(part.stdout, /^written to .*parts: table\.txt, table\.csv, report\.html, folders of 1 of 3 jobs$/m);
});

test.run();
