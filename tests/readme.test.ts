/** What README.md shows: its pipeline runs, its flags are those of the command, its links lead somewhere. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { methods } from "../mod.ts";
import { rungs } from "../src/platform/platform.ts";
import { png, temporaryFolder, write } from "./fixtures/datasets.ts";
import { writeTinyClip } from "./fixtures/tinyClip.ts";
import { writeTinyLlama } from "./fixtures/tinyLlama.ts";
import { runFile } from "./runtime.ts";
import { runScript } from "./script.ts";

const readme = readFileSync("README.md", "utf8");

const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, body]) => body);

/** The text with `from` replaced, which must be there. */
const replaced = (text: string, from: string, to: string): string => {
  assert.ok(text.includes(from), `README.md has no ${from}`);
  return text.replaceAll(from, to);
};

/** The programs, by what they are about. */
const [asking, writing, composing] = blocks("ts");

test("a picture is told from a folder in five lines", async () => {
  const { dir, remove } = temporaryFolder("readme");
  try {
    await writeTinyClip(join(dir, "clip"));
    write(dir, { "picture.png": await png(240, 20, 16, 16) });
    const code = replaced(replaced(asking, '"runs/codyra"', JSON.stringify(join(dir, "clip"))), '"picture.jpg"', JSON.stringify(join(dir, "picture.png")));
    const ended = await runScript(code);
    assert.is(ended.code, 0, ended.output);
    // Deno takes FORCE_COLOR=0 for a wish, and colours numbers.
    const output = ended.output.replace(/\u001b\[\d+m/g, "");
    assert.match(output, /^(cat|dog) (0\.[5-9]\d*|1)$/m);
    assert.ok(asking.split("\n").filter((line) => line !== "").length <= 5);
  } finally {
    remove();
  }
});

test("a language model answers, whole and piece by piece", async () => {
  const { dir, remove } = temporaryFolder("readme");
  try {
    await writeTinyLlama(join(dir, "llama"));
    const small = [
      ['"models/SmolLM2-135M-Instruct"', JSON.stringify(join(dir, "llama"))],
      ["maxTokens: 20", 'maxTokens: 2, chat: "{prompt}"'],
      ["temperature: 0.7, seed: 1", 'temperature: 0.7, seed: 1, maxTokens: 2, chat: "{prompt}"'],
    ] as const;
    const code = small.reduce((text, [from, to]) => replaced(text, from, to), writing).replaceAll(/"What is[^"]*"|"Tell me[^"]*"/g, '"what colour is it"');
    const ended = await runScript(`${code}\nconsole.log("text:", typeof text);`);
    assert.is(ended.code, 0, ended.output);
    assert.match(ended.output, /^text: string$/m);
  } finally {
    remove();
  }
});

test("the pipeline type-checks and runs", async () => {
  const { dir, remove } = temporaryFolder("readme");
  try {
    await writeTinyClip(join(dir, "clip"));
    for (const [name, colours] of [
      ["pets", [240, 30]],
      ["cars", [60, 10]],
    ] as const) {
      for (const split of ["train", "test"]) {
        for (const [c, folder] of ["ant", "bee"].entries()) {
          for (let i = 0; i < 3; i++) write(join(dir, name), { [`${split}/${folder}/${i}.png`]: await png(colours[c], 20 * i, 16, 16) });
        }
      }
    }
    const small = [
      ['"models/clip"', JSON.stringify(join(dir, "clip"))],
      ['"data/pets"', JSON.stringify(join(dir, "pets"))],
      ['"data/cars"', JSON.stringify(join(dir, "cars"))],
      ["steps: 200", "steps: 2"],
      ["repeat(200", "repeat(2"],
      ["batch: 32", "batch: 4"],
    ] as const;
    const ended = await runScript(small.reduce((text, [from, to]) => replaced(text, from, to), composing));
    assert.is(ended.code, 0, ended.output);
    assert.match(ended.output, /^Method +Learned +(Gain kept +)?Transfer +Average +Last .*\n.+\nchance .*\nzero-shot .*\nmine /m);
  } finally {
    remove();
  }
});

test("the flags are those of the command", async () => {
  const source = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
  const ended = await runFile(existsSync(source) ? source : source.replace(/ts$/, "js"), ["run", "--help"]);
  assert.is(ended.code, 0, ended.output);
  assert.ok(blocks("text").includes(ended.output), ended.output);
});

test("every method and every rung is named", () => {
  for (const name of [...Object.keys(methods), ...rungs]) assert.ok(readme.includes(`\`${name}\``), name);
});

test("the commands are there", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
  const { tasks } = JSON.parse(readFileSync("deno.json", "utf8")) as { readonly tasks: Readonly<Record<string, string>> };
  for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|stream)\b/g)) assert.ok(name in scripts, name);
  for (const [, name] of readme.matchAll(/deno task (\w+)/g)) assert.ok(name in tasks, name);
});

test("links to files of this repository lead somewhere", () => {
  const targets = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target).filter((target) => !/^https?:/.test(target));
  assert.ok(targets.length > 0);
  assert.equal(
    targets.filter((target) => !existsSync(target)),
    [],
  );
});

test.run();
