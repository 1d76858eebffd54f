/** `cambium generate` as its users meet it. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { promptsOf } from "../../src/cli/prompts.ts";
import { left, temporaryFolder, write } from "../fixtures/datasets.ts";
import { writeTinyLlama } from "../fixtures/byteLlama.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium, type Ended } from "./command.ts";

const { dir, remove } = temporaryFolder("generate");
test.after(remove);
const generate = (...args: readonly string[]): Promise<Ended> => cambium(["generate", ...args], undefined, { cwd: dir });

interface Answer {
  readonly prompt: string;
  readonly pictures: readonly string[];
  readonly text: string;
  readonly tokens: number;
  readonly ended: string;
}

test.before(async () => {
  await writeTinyLlama(join(dir, "model"));
  await writeTinyClip(join(dir, "clip"));
  write(dir, {
    "lines.txt": "one red\n\n  two\n",
    "lines.jsonl": '{"prompt": "one red", "answer": "x"}\n{"prompt": "two\\nlines", "image": ["a.png", "more/b.png"]}\n',
    "bad.jsonl": '{"prompt": "one"}\n{"image": "a.png"}\n',
    "empty.txt": "\n",
  });
});

test("an answer on stdout, and the adapter and the speed beside it", async () => {
  const drawn = ["--prompt", "one red", "--max-tokens", "24", "--chat", "{prompt}", "--temperature", "5"];
  const ended = await generate("model", ...drawn);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /^adapter: /m);
  assert.match(ended.stderr, /first token after \d+\.\d s, then \d+\.\d tokens a second/);
  const json = await generate("model", ...drawn, "--json", "--quiet");
  assert.is(json.code, 0, json.stderr);
  const [{ text, ...rest }] = JSON.parse(json.stdout) as readonly Answer[];
  assert.equal(rest, { prompt: "one red", pictures: [], tokens: 24, ended: "length" });
  // Control characters of a model that nobody has trained do nothing to a terminal.
  assert.is(ended.stdout.replace(/\\u[\da-f]{4}/g, "").trim(), text.replace(/[^\P{Cc}\n\t]/gu, "").trim());
});

test("the prompts of a file, with their answers under them; drawn ones are the same for the same seed", async () => {
  const drawn = ["--prompts", "lines.txt", "--max-tokens", "5", "--temperature", "2", "--top-p", "0.9", "--quiet", "--seed"];
  const [one, again, other] = await Promise.all(["1", "1", "2"].map((seed) => generate("model", ...drawn, seed)));
  assert.is(one.code, 0, one.stderr);
  assert.match(one.stdout, /^> one red\n[\s\S]*\n\n> two\n[\s\S]*\n$/);
  assert.not.match(one.stderr, "adapter");
  assert.is(again.stdout, one.stdout);
  assert.is.not(other.stdout, one.stdout);
});

test("an answer ends with its line before anything is said beside it", async () => {
  for (const asked of [
    ["--prompt", "one red"],
    ["--prompts", "lines.txt"],
  ]) {
    // Both outputs in one file, in the order in which a terminal shows them.
    const file = openSync(join(dir, "both.txt"), "w");
    const args = ["generate", "model", ...asked, "--max-tokens", "24", "--temperature", "5"];
    const { code } = await cambium(args, undefined, { cwd: dir, stdio: ["ignore", file, file] });
    closeSync(file);
    const both = readFileSync(join(dir, "both.txt"), "utf8");
    assert.is(code, 0, both);
    assert.match(both, /\nfirst token after \d+\.\d s, then \d+\.\d tokens a second\n$/);
    assert.not.match(both, /\n\nfirst token/);
  }
});

test("a request to stop is said on a line of its own", async () => {
  let sent = false;
  const args = ["generate", "model", "--prompt", "one red", "--max-tokens", "50", "--temperature", "5"];
  const ended = await cambium(
    args,
    (printed, send) => {
      if (sent || !/^adapter: .*\n[^\n]/.test(printed)) return;
      sent = true;
      send("SIGINT");
    },
    { cwd: dir },
  );
  // One that is quicker than the signal has ended by itself.
  if (ended.code !== 0) assert.is(ended.code, 130, ended.stderr);
  assert.ok(ended.stdout === "" || ended.stdout.endsWith("\n"), ended.stdout);
});

test("what a model cannot answer is said in one line, and nothing is on stdout", async () => {
  for (const [args, said] of [
    [["model", "--prompt", "one red ".repeat(40)], /--prompt: it has \d+ tokens, and the model takes 64; shorten it\n$/],
    [["clip", "--prompt", "a"], /model: a clip tells classes apart and writes no text; give a language model\n$/],
    [["model", "--prompt", "a", "--top-p", "0"], /^--top-p: should be a number from/],
  ] as const) {
    const ended = await generate(...args);
    assert.equal([ended.code, ended.stdout], [1, ""], ended.stderr);
    assert.match(ended.stderr, said);
  }
});

test("prompts are those of a line, of a file of lines, or of JSON lines with pictures beside it", async () => {
  const at = (path: string): string => join(dir, path);
  const lines = [
    { prompt: "one red", pictures: [] },
    { prompt: "two", pictures: [] },
  ];
  assert.equal(await get(promptsOf({ prompts: "lines.txt" }, at)), lines);
  assert.equal(await get(promptsOf({ prompts: "lines.jsonl" }, at)), [lines[0], { prompt: "two\nlines", pictures: [at("a.png"), at("more/b.png")] }]);
  assert.equal(await get(promptsOf({ prompt: "one", image: ["a.png"] }, at)), [{ prompt: "one", pictures: [at("a.png")] }]);
  const wrong = async (flags: Parameters<typeof promptsOf>[0]): Promise<string> => describe(left(await promptsOf(flags, at)()));
  assert.is(await wrong({}), "--prompt: is missing; give a text, or a file with --prompts");
  assert.match(await wrong({ prompt: "a", prompts: "lines.txt" }), "give one of them");
  assert.match(await wrong({ prompts: "lines.txt", image: ["a.png"] }), /^--image: belongs to --prompt/);
  assert.match(await wrong({ prompts: "gone.txt" }), /gone\.txt: no such file or directory/);
  assert.match(await wrong({ prompts: "empty.txt" }), "it has no prompts");
  assert.match(await wrong({ prompts: "bad.jsonl" }), /bad\.jsonl is damaged: prompt 2: it has no text "prompt"/);
});

test.run();
