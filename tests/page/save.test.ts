/** The tables that a page's links hold: each as CSV, Markdown and LaTeX. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { htmlReport } from "../../src/page/html.ts";
import { saveRows } from "../../src/page/save.ts";
import { csvTable, matrixCsv } from "../../src/report/csv.ts";
import { latexTable, markdownTable, matrixLatex, matrixMarkdown } from "../../src/report/markup.ts";
import { inSpace } from "../../src/report/spaces.ts";
import { summarise } from "../../src/report/summary.ts";
import { learned, ran, still } from "../report/fixture.ts";
import { answered } from "./reports.ts";

interface Saved {
  readonly name: string;
  readonly mime: string;
  readonly text: string;
}

/** The files that the links of a page hold. */
const savedIn = (html: string): readonly Saved[] =>
  [...html.matchAll(/<a download="([^"]+)" href="data:([^;]+);charset=utf-8;base64,([^"]*)"/g)].map(([, name, mime, data]) => ({
    name,
    mime,
    text: new TextDecoder().decode(Uint8Array.from(atob(data), (c) => c.charCodeAt(0))),
  }));

const textOf = (saved: readonly Saved[], name: string): string => {
  const found = saved.filter((file) => file.name === name);
  assert.is(found.length, 1, `${name} among ${saved.map((file) => file.name).join(", ")}`);
  return found[0].text;
};

test("the comparison and every matrix are saved as they are written elsewhere", () => {
  const rows = [
    [60, 40],
    [50, 70],
  ];
  const union = { zeroShot: [10, 20], matrix: { datasets: ["task 1", "task 2"], rows }, chance: [5, 5] };
  const run = ran("codyra", rows, { also: { union } });
  const saved = savedIn(htmlReport([run]));
  const [s] = summarise([run]);
  assert.is(textOf(saved, "comparison.csv"), csvTable([run]));
  assert.is(textOf(saved, "comparison.md"), markdownTable([run]));
  assert.is(textOf(saved, "comparison.tex"), latexTable([run]));
  const label = s.label.toLowerCase();
  assert.is(textOf(saved, `${label}-among-its-task.csv`), matrixCsv(s));
  assert.is(textOf(saved, `${label}-among-its-task.md`), matrixMarkdown(s));
  assert.is(textOf(saved, `${label}-among-all-tasks.tex`), matrixLatex(inSpace(s, "union")!));
  assert.equal([...new Set(saved.map(({ mime }) => mime))], ["text/csv", "text/markdown", "application/x-tex"]);
});

test("tasks, seeds, ranks and classes are saved, too", () => {
  const tasks = savedIn(htmlReport([answered()]));
  assert.is(textOf(tasks, "tasks.csv"), `Task,Classes,Test images,"Chance, %"\r\n1 animals,3,4,${100 / 3}\r\n2 trees,2,4,50\r\n`);
  assert.match(textOf(tasks, "tasks.md"), /^\| 1 animals \| +3 \| +4 \| +33\.3 \|$/m);
  assert.match(textOf(tasks, "animals-codyra-classes.csv"), "cat,2,100,0,dog,2\r\n");
  const html = htmlReport([still, learned(1, 0), learned(2, 5)]);
  const saved = savedIn(html);
  assert.match(textOf(saved, "codyra-seeds.csv"), /^Seed,Learned,.*\r\n1,70,/);
  assert.match(textOf(saved, "codyra-ranks.csv"), "vision_model.encoder.layers.0.self_attn.q_proj,1,2,3\r\n");
  assert.match(html, "The 2 single runs");
  assert.is(textOf(saved, "codyra-seed-2-among-its-task.csv"), matrixCsv(summarise([learned(2, 5)])[0]));
});

test("a name becomes that of a file on any system, and half a surrogate pair no failure", () => {
  const [file] = savedIn(saveRows("\u00c9t\u00e9: <a/b>\\..", [["x"], ["\ud800\u6f22"]]));
  assert.is(file.name, "ete-a-b.csv");
  assert.is(file.text, "x\r\n\ufffd\u6f22\r\n");
  assert.is(savedIn(saveRows("\u6f22", [["x"]]))[0].name, "table.csv");
});

test.run();
