/** `cambium compare` as a process: its formats, its files, what it says on stderr. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { ran } from "../report/fixture.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("compare-command");
test.after(remove);

const options = { shots: null, evalLimit: null };
for (const [name, tasks] of [
  ["sweep/codyra-0", 2],
  ["sweep/codyra-1", 2],
  ["half", 1],
] as const) {
  const seed = Number(name.at(-1)) || 0;
  const rows = [
    [80, 20],
    [60 + 10 * seed, 60],
  ];
  const result = ran(
    "codyra",
    rows.slice(0, tasks).map((row) => row.slice(0, tasks)),
    { seed, options },
  );
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, "result.json"), JSON.stringify({ ...result, tasks: 2, interrupted: tasks < 2 }));
}

const at = (name: string): string => join(dir, name);

test("a table in the terminal, seeds in one row", async () => {
  const { code, stdout, stderr } = await cambium(["compare", at("sweep")]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^codyra .* 62\.5 ± 3\.5 /m);
  assert.match(stdout, "Mean ± sample standard deviation over 2 seeds.");
  assert.is(stderr, "");
});

test("a table and a page in files", async () => {
  const { code, stdout, stderr } = await cambium(["compare", at("sweep"), "--format", "latex", "--out", at("table.tex"), "--html", at("page.html")]);
  assert.is(code, 0, stderr);
  assert.is(stdout, `table written to ${at("table.tex")}\n`);
  assert.is(stderr, `page written to ${at("page.html")}\n`);
  assert.match(readFileSync(at("table.tex"), "utf8"), /^% \\usepackage\{booktabs\}\n[\s\S]*codyra [\s\S]*\\end\{tabular\}/);
  assert.match(readFileSync(at("page.html"), "utf8"), /<!doctype html>[\s\S]*Runs side by side/);
});

test("CSV alone on stdout, what is to be said beside it on stderr", async () => {
  const { code, stdout, stderr } = await cambium(["compare", at("sweep"), at("half"), "--format", "csv"]);
  assert.is(code, 0, stderr);
  assert.is(stdout.split("\r\n").filter((line) => line.startsWith("codyra,")).length, 2);
  assert.ok(stdout.endsWith("\r\n"));
  assert.match(stdout, "codyra (1 of 2 tasks)");
  assert.match(stderr, "Not finished, and shown in tables of their own");
  assert.is((await cambium(["compare", at("sweep"), at("half"), "--format", "csv", "--quiet"])).stderr, "");
});

test("one JSON value", async () => {
  const { stdout } = await cambium(["compare", at("sweep"), "--json"]);
  const { runs, streams } = JSON.parse(stdout) as { runs: unknown[]; streams: { rows: { method: string; seeds: number[] }[] }[] };
  assert.is(runs.length, 2);
  assert.equal(streams[0].rows.find(({ method }) => method === "codyra")?.seeds, [0, 1]);
});

test("what is refused, and how", async () => {
  for (const [args, said] of [
    [[], "compare: needs at least one folder of a run after it"],
    [[at("nowhere")], `Cannot read ${at("nowhere")}`],
    [[at("sweep"), "--format", "latx"], "did you mean latex?"],
  ] as const) {
    const { code, stdout, stderr } = await cambium(["compare", ...args]);
    assert.is(code, 1);
    assert.is(stdout, "");
    assert.match(stderr, said);
  }
});

test.run();
