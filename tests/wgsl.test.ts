import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fields, wgsl } from "../wgsl/generated.ts";

const files = readdirSync("wgsl")
  .filter((f) => f.endsWith(".wgsl"))
  .sort();

test("generated.ts carries every kernel as it is, with the parts that it includes", () => {
  assert.equal(
    Object.keys(wgsl),
    files.map((f) => f.slice(0, -".wgsl".length)),
  );
  const read = (...path: readonly string[]): string => readFileSync(join("wgsl", ...path), "utf8");
  for (const [name, text] of Object.entries(wgsl)) {
    const whole = (...path: readonly string[]): string =>
      read(...path)
        .split("\n")
        .map((line) => (line.startsWith("//#include ") ? whole("parts", `${line.slice("//#include ".length)}.wgsl`).trimEnd() : line))
        .join("\n");
    assert.is(text, whole(`${name}.wgsl`), `${name}: run node wgsl/generate.mjs`);
    assert.not.match(text, /^\s*\/\/#include/m);
  }
});

test("generated.ts knows the fields of every Dims", () => {
  assert.equal(Object.keys(fields), Object.keys(wgsl));
  assert.equal(Object.entries(fields.patchify), [
    ["count", "u32"],
    ["channels", "u32"],
    ["height", "u32"],
    ["width", "u32"],
    ["side", "u32"],
  ]);
  for (const [name, types] of Object.entries(fields)) {
    const struct = `struct Dims {${Object.entries(types).map(([field, type]) => `${field}:${type}`)}}`;
    assert.ok(wgsl[name as keyof typeof wgsl].replace(/\s+|,(?=\s*})/g, "").includes(struct.replace(/\s/g, "")), name);
  }
});

test("kernels of products list the bindings and the constants of the epilogue, and none that is gone", () => {
  for (const name of ["matmul-registers", "matmul-tiled", "matmul-matrix", "matmul-parts"] as const) {
    const header = /^(\/\/[^\n]*\n)+/.exec(wgsl[name])?.[0] ?? "";
    assert.match(header, /EPILOGUE|parts\/epilogue\.wgsl/, name);
    assert.match(header, /; *\n\/\/ +7 [^;]*; 8 to 10 /, name);
    assert.not.match(header, /ACTIVATION|GELU/, name);
  }
});

for (const [name, text] of Object.entries<string>(wgsl)) {
  test(`${name} opens with a comment that says what it computes and its bindings`, () => {
    const header = /^(\/\/[^\n]*\n)+/.exec(text)?.[0] ?? "";
    assert.match(header, /^\/\/ \w/);
    assert.match(header, /\bbindings?\b/i);
    assert.match(header, /\bbounds?\b|\bpast\b/i);
  });

  test(`${name} keeps the conventions`, () => {
    assert.match(text, /@group\(0\) @binding\(0\) var<uniform>/);
    assert.not.match(text, /@group\([1-9]/);
    assert.not.match(text, /atomic<f32>/);
    assert.ok(
      text.split("\n").every((line) => line.length <= 150),
      "lines of at most 150 characters",
    );
  });
}

/** The tokens of a kernel, without comments; what `specialise` reads is one token a line, and a name to fill in is a part of a word. */
const tokens = (text: string): readonly string[] =>
  text
    .replace(/\/\/(?!#).*/g, "")
    .split("\n")
    .flatMap((line) => (/^\s*\/\/#/.test(line) ? [line.trim()] : (line.match(/(?:[\w.]|\{\{\w+\}\})+|&&|\|\||->|<<|>>|[-+*/%=<>!&|^]=|--|\S/g) ?? [])));

test("for browsers kernels have the same tokens, and what they share stands there once", async () => {
  const { textFor } = (await import(pathToFileURL(resolve(".ci", "browser.mjs")).href)) as { readonly textFor: (path: string) => string };
  const module = textFor(resolve("wgsl", "generated.ts")).replaceAll(" as const", "");
  const small = ((await import(`data:text/javascript,${encodeURIComponent(module)}`)) as { readonly wgsl: Readonly<Record<string, string>> }).wgsl;
  assert.equal(Object.keys(small), Object.keys(wgsl));
  for (const [name, text] of Object.entries(wgsl)) assert.equal(tokens(small[name]), tokens(text), name);
  assert.ok(module.length < 80_000, `${module.length}`);
});

test.run();
