/** The notebooks: saved without outputs, for Deno's kernel, and of the right types. `.ci/notebooks` runs them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { refusal } from "../../examples/run/refusal.ts";
import { inDeno } from "../runtime.ts";
import { checkScript } from "../script.ts";

interface Cell {
  readonly cell_type: "markdown" | "code";
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
  readonly execution_count?: number | null;
}

interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: { readonly name: string } };
}

const folder = join("examples", "notebooks");
const notebooks = readdirSync(folder)
  .filter((name) => name.endsWith(".ipynb"))
  .map((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return { name, text, ...(JSON.parse(text) as Notebook) };
  });

const code = (cells: readonly Cell[]): readonly string[] => cells.filter((c) => c.cell_type === "code").map((c) => c.source.join(""));

test("there are four: a first stream, composing a pipeline, comparing methods, questions about pictures", () => {
  assert.equal(
    notebooks.map(({ name }) => name),
    ["compare-methods.ipynb", "compose.ipynb", "first-stream.ipynb", "questions.ipynb"],
  );
});

for (const { name, text, cells, metadata } of notebooks) {
  test(`${name} is saved without outputs, for Deno's kernel`, () => {
    assert.is(metadata.kernelspec.name, "deno");
    for (const cell of cells) assert.equal([cell.outputs ?? [], cell.execution_count ?? null], [[], null]);
    assert.is(text, `${JSON.stringify(JSON.parse(text), null, 1)}\n`);
  });

  test(`${name} explains itself, and its cells are thin`, () => {
    assert.match(cells[0].source[0], /^# /);
    for (const source of code(cells)) assert.ok(source.split("\n").length <= 12, source);
  });

  test(`${name} type-checks`, async () => {
    // Cells share one scope, and lie one folder deeper than what they import from the examples.
    const module = code(cells)
      .join("\n")
      .replaceAll(/from "\.\.\/(?!\.\.)/g, 'from "../../examples/');
    const checked = await checkScript(module);
    assert.is(checked.code, 0, checked.output);
  });
}

(inDeno ? test : test.skip)("a refusal is the type checker's first error, and a program that it accepts has none", async () => {
  assert.match(await refusal('const a: number = "b";'), /^TS2322 .*Type 'string' is not assignable to type 'number'/);
  await refusal("const a: number = 1;").then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, "does not refuse"),
  );
});

test.run();
