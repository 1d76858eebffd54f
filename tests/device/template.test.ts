import { test } from "uvu";
import * as assert from "uvu/assert";
import { specialise } from "../../src/device/template.ts";

const text = ["a {{N}}", "//#if WIDE", "wide", "  //#if !DEEP", "  flat", "  //#else", "  deep", "  //#end", "//#else", "narrow", "//#end", "z"].join("\n");

test("names are replaced by their values", () => {
  assert.is(specialise("{{A}} + {{B}} + {{A}}", { A: 1, B: "x", C: true }), "1 + x + 1");
});

test("branches stay or go, nested and negated; a missing name is false", () => {
  assert.is(specialise(text, { N: 4 }), "a 4\nnarrow\nz");
  assert.is(specialise(text, { N: 4, WIDE: true }), "a 4\nwide\n  flat\nz");
  assert.is(specialise(text, { N: 4, WIDE: true, DEEP: 1 }), "a 4\nwide\n  deep\nz");
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
