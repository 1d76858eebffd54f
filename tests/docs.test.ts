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

const declaration = /^export (?:declare )?(?:abstract )?(?:async )?(const|function|interface|type|class) (\w+)/;

interface Export {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Whether it is there when a program runs; types are not. */
  readonly value: boolean;
  readonly documented: boolean;
}

/** The declarations that a file exports; of overloads the first. */
const exportsOf = (file: string, text: string): readonly Export[] => {
  const lines = text.split("\n");
  const all = lines.flatMap((line, i): readonly Export[] => {
    const [, kind, name] = declaration.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, file, line: i + 1, value: kind !== "interface" && kind !== "type", documented: /\*\/$/.test(lines[i - 1] ?? "") }];
  });
  return all.filter(({ name }, i) => all.findIndex((e) => e.name === name) === i);
};

const all = [...sources].flatMap(([file, text]) => exportsOf(file, text));

test("every export of src has a doc comment", () => {
  assert.equal(
    all.filter(({ documented }) => !documented).map(({ name, file, line }) => `${file}:${line} ${name}`),
    [],
  );
});

/** What `export * as` gives. */
const isNamespace = (value: unknown): value is object => (value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] === "Module";

test("no export escapes: the values of mod.ts are among them", () => {
  const known = new Set(all.map(({ name }) => name));
  const inNamespaces = Object.entries(cambium).flatMap(([name, value]) => (isNamespace(value) ? Object.keys(value) : [name]));
  assert.ok(inNamespaces.length > 150, `${inNamespaces.length} names`);
  assert.equal(
    inNamespaces.filter((name) => !known.has(name)),
    [],
  );
});

test("every file of src says what it is for, and every doc comment says something", () => {
  for (const [file, text] of sources) {
    assert.match(text, /^(#!.*\n)?\/\*\*/, `${file} has no header`);
    assert.not.match(text, /\/\*\*\s*\*\//, `${file} has an empty doc comment`);
  }
});

interface Example {
  readonly name: string;
  readonly file: string;
  readonly code: string;
}

/** The examples that check something; the others show a shape or a type. */
const examples = [...sources].flatMap(([file, text]): readonly Example[] =>
  [...text.matchAll(/^ \* ```ts\n((?: \*.*\n)*?) \* ```$/gm)]
    .map(([, body]) => body.replace(/^ \* ?/gm, ""))
    .filter((code) => code.includes("assert."))
    .map((code, i) => ({ name: `${file} ${i + 1}`, file, code })),
);

/** An example as a function of its own: the names of its file are those that it stands beside, all others are public. */
const asFunction = ({ name, file, code }: Example, i: number): string => {
  const uses = (key: string): boolean => new RegExp(`(?<!\\w|[^.]\\.)\\b${key}\\b`).test(code);
  const beside = all.filter((e) => e.file === file && e.value).map((e) => e.name);
  const [near, far] = [beside.filter(uses), Object.keys(cambium).filter((key) => uses(key) && !beside.includes(key))];
  const names = `const { ${near.join(", ")} } = file${i};\nconst { ${far.join(", ")} } = cambium;`;
  return `[${JSON.stringify(name)}, async (folder: string) => {\n${names}\n{\n${code}}\n}],`;
};

test("the examples of doc comments compile and hold", async () => {
  const ended = await runScript(`
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as cambium from "cambium";
${examples.map(({ file }, i) => `import * as file${i} from "../../${file}";`).join("\n")}

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
