import { test } from "uvu";
import * as assert from "uvu/assert";
import { specialise } from "../../src/kernels/template.ts";

const text = ["a {{N}}", "//#if WIDE", "wide", "  //#if !DEEP", "  flat", "  //#else", "  deep", "  //#end", "//#else", "narrow", "//#end", "z"].join("\n");

test("names are replaced by their values", () => {
  assert.is(specialise("{{A}} + {{B}} + {{A}}", { A: 1, B: "x", C: true }), "1 + x + 1");
});

test("branches stay or go, nested and negated; a missing name is false", () => {
  assert.is(specialise(text, { N: 4 }), "a 4\nnarrow\nz");
  assert.is(specialise(text, { N: 4, WIDE: true }), "a 4\nwide\n  flat\nz");
  assert.is(specialise(text, { N: 4, WIDE: true, DEEP: 1 }), "a 4\nwide\n  deep\nz");
});

test("a repeated block sees its index and stays nested; no times leaves nothing", () => {
  const rows = ["//#for i ROWS", "//#for j 2", "//#if WIDE", "a{{i}}{{j}}", "//#else", "b", "//#end", "//#end", "//#end", "z"].join("\n");
  assert.is(specialise(rows, { ROWS: 2, WIDE: true }), "a00\na01\na10\na11\nz");
  assert.is(specialise(rows, { ROWS: 0 }), "z");
  assert.is(specialise("//#if A\n//#for i N\n{{B}}\n//#end\n//#end\nz", {}), "z");
});

test("a text without directives stays as it is", () => {
  assert.is(specialise("// plain\nfn main() {}\n", {}), "// plain\nfn main() {}\n");
});

test("defects of a kernel are said", () => {
  assert.throws(() => specialise("{{A}}", {}), /no value for \{\{A\}\}/);
  assert.throws(() => specialise("//#if A", {}), /without \/\/#end/);
  assert.throws(() => specialise("//#end", {}), /without \/\/#if/);
});

test("a name in a branch that goes needs no value", () => {
  assert.is(specialise("//#if A\n{{B}}\n//#end\nz", {}), "z");
});

test.run();
