/** What docs/SWEEPS.md shows: its file is a sweep, its commands and scripts run, and its program does. */
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeSweep } from "../../src/sweep/sweep.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import { commandLine } from "../cli/command.ts";
import { right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { run } from "../runtime.ts";
import { runScript } from "../script.ts";

const text = readFileSync("docs/SWEEPS.md", "utf8");

const blocks = (language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, body]) => body);

const { dir, remove } = temporaryFolder("sweeps-doc");

/** The file with fewer steps, jobs and images. */
const smaller = (file: string): string =>
  file
    .replaceAll('"steps": 200', '"steps": 2, "batch": 4')
    .replace("[4, 8]", "[2]")
    .replace('[["pets", "cars"], ["cars", "pets"]]', '[["pets", "cars"]]')
    .replace("[0, 1, 2]", "[0]");

test.before(async () => {
  await writeTinyClip(join(dir, "models", "clip"));
  await writeColours(join(dir, "data"), { pets: [240, 30], cars: [60, 10] });
  writeFileSync(join(dir, "sweep.json"), smaller(blocks("json")[0]));
  mkdirSync(join(dir, "bin"));
  writeFileSync(join(dir, "bin", "cambium"), `#!/bin/sh\nexec ${commandLine.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(join(dir, "bin", "cambium"), 0o755);
});

test.after(remove);

/** Runs a script as its reader would, where `cambium` is found. */
const shell = (script: string, env: NodeJS.ProcessEnv = {}) =>
  run("bash", ["-c", script], { cwd: dir, env: { ...env, PATH: `${join(dir, "bin")}${delimiter}${process.env.PATH}` } });

const posix = process.platform === "win32" ? test.skip : test;

test("the file is a sweep, and has as many jobs as the page says", () => {
  const sweep = right(decodeSweep(JSON.parse(blocks("json")[0])));
  assert.ok(text.includes(`These are ${right(jobsOf(sweep)).length} jobs.`));
  assert.ok(right(jobsOf(sweep)).some(({ name }) => text.includes(`\`${name}\``)));
});

test("every field stands in a table", () => {
  const told = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const refused = JSON.stringify([decodeSweep({ x: 0 }), decodeSweep({ base: { x: 0 } })]);
  const fields = [...refused.matchAll(/there are ([^"]+)"/g)].flatMap(([, names]) => names.split(", "));
  assert.ok(fields.length > 10);
  assert.equal([...told].sort(), [...new Set(fields)].sort());
});

posix("its commands run, one after the other; those of a queue say that nobody answers there", async () => {
  const scripts = blocks("sh");
  assert.is(scripts.length, 10);
  for (const script of scripts) {
    const small = script
      .replace("--seeds 0,1,2", "--seeds 0,1 --steps 2 --batch 4")
      .replace(/\/8"/, '/2"')
      .replaceAll("redis://queue:6379", "redis:/queue:6379")
      .replaceAll("s3://lab", "s3:/lab");
    const { code, output } = await shell(small, { SLURM_ARRAY_TASK_ID: "2" });
    const queue = script.includes("--redis");
    assert.is(code, queue ? 1 : 0, `${script}\n${output}`);
    if (script.includes("--storage")) assert.match(output, /--storage: should be an address such as s3:\/\/BUCKET\/PREFIX/);
    else if (queue) assert.match(output, /--redis: should be an address such as redis:\/\/HOST:6379/);
  }
  assert.equal(readdirSync(join(dir, "runs", "codyra")).sort(), ["report.html", "seed-0", "seed-1", "sweep.json", "table.csv", "table.txt"]);
  const sweep = readdirSync(join(dir, "runs", "sweep")).sort();
  assert.equal(sweep, ["codyra-rank=2-order-1-seed-0", "keeplora-rank=2-order-1-seed-0", "report.html", "sweep.json", "table.csv", "table.txt"]);
});

posix("what the Kubernetes Job calls is a command", async () => {
  const [args] = [...blocks("yaml")[0].matchAll(/args: (\[.*\])$/gm)].map(([, list]) => JSON.parse(list) as readonly string[]);
  const { output } = await shell(`cambium ${args.join(" ").replace("redis://", "redis:/")}`);
  assert.match(output, /--redis: should be an address/);
});

test("the program runs", async () => {
  const [program] = blocks("ts");
  const ended = await runScript(program.replace('"sweep.json"', JSON.stringify(resolve(dir, "sweep.json"))));
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^codyra-rank=2-order-1-seed-0 ended\nkeeplora-rank=2-order-1-seed-0 ended$/m);
});

test.run();
