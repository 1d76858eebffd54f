/** The doc comments: every export has one, and their examples compile and hold. */
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as cambium from "../mod.ts";
import { runScript } from "./script.ts";

const filesOf = (dir: string): readonly string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(dir, entry.name);
    return entry.isDirectory() ? filesOf(path) : entry.name.endsWith(".ts") ? [path] : [];
  });

const sources = new Map(filesOf("src").map((file) => [file, readFileSync(file, "utf8")] as const));

const declaration = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|function|interface|type|class) (\w+)/;

interface Export {
  readonly name: string;
  readonly at: string;
  readonly documented: boolean;
}

/** The declarations that a file exports; of overloads the first. */
const exportsOf = (file: string, text: string): readonly Export[] => {
  const lines = text.split("\n");
  const all = lines.flatMap((line, i): readonly Export[] => {
    const name = declaration.exec(line)?.[1];
    return name === undefined ? [] : [{ name, at: `${file}:${i + 1}`, documented: /\*\/$/.test(lines[i - 1] ?? "") }];
  });
  return all.filter(({ name }, i) => all.findIndex((e) => e.name === name) === i);
};

const all = [...sources].flatMap(([file, text]) => exportsOf(file, text));

test("every export of src has a doc comment", () => {
  assert.equal(
    all.filter(({ documented }) => !documented).map(({ name, at }) => `${at} ${name}`),
    [],
  );
});

test("no export escapes: the values of mod.ts are among them", () => {
  const known = new Set(all.map(({ name }) => name));
  const values = [...Object.keys(cambium), ...Object.keys(cambium.tensor), ...Object.keys(cambium.linalg)];
  assert.equal(
    values.filter((name) => !known.has(name) && !["tensor", "linalg"].includes(name)),
    [],
  );
});

test("every file of src says what it is for, and every doc comment says something", () => {
  for (const [file, text] of sources) {
    assert.match(text, /^\/\*\*/, `${file} has no header`);
    assert.not.match(text, /\/\*\*\s*\*\//, `${file} has an empty doc comment`);
  }
});

interface Example {
  readonly name: string;
  readonly code: string;
}

/** The examples that check something; the others show a shape or a type. */
const examples = [...sources].flatMap(([file, text]): readonly Example[] =>
  [...text.matchAll(/^ \* ```ts\n((?: \*.*\n)*?) \* ```$/gm)]
    .map(([, body]) => body.replace(/^ \* ?/gm, ""))
    .filter((code) => code.includes("assert."))
    .map((code, i) => ({ name: `${file} ${i + 1}`, code })),
);

/** An example as a function of its own, with the public names that it uses. */
const asFunction = ({ name, code }: Example): string => {
  const used = Object.keys(cambium).filter((key) => new RegExp(`(?<!\\w|[^.]\\.)\\b${key}\\b`).test(code));
  return `[${JSON.stringify(name)}, async (folder: string) => {\nconst { ${used.join(", ")} } = cambium;\n{\n${code}}\n}],`;
};

test("the examples of doc comments compile and hold", async () => {
  const ended = await runScript(`
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as cambium from "cambium";

const examples: readonly (readonly [string, (folder: string) => Promise<void>])[] = [
${examples.map(asFunction).join("\n")}
];
const folder = await mkdtemp(join(tmpdir(), "cambium-examples-"));
for (const [name, run] of examples) await run(folder).catch((error) => console.log(name, error));
await rm(folder, { recursive: true });
console.log("done");
`);
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^done$/m);
  assert.is(ended.output.replace(/^(done|Warning: .*)$/gm, "").trim(), "");
  assert.ok(examples.length >= 15, `${examples.length} examples`);
});

test.run();
