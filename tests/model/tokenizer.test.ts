import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readTokenizer, tokenise } from "../../src/formats/tokenizer.ts";
import type { Tokenizer } from "../../src/formats/tokenizer.ts";

const test = suite("tokenizer");
const fixtures = "tests/fixtures/tokenizer";
const context = 32;
const dir = mkdtempSync(join(tmpdir(), "cambium-tokenizer-"));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const tokenizer = (from: string): Promise<Tokenizer> => get(readTokenizer(from));

const texts = JSON.parse(readFileSync(join(fixtures, "texts.json"), "utf8")) as readonly string[];

/** Compares rows as the golden files hold them: the padding after the first end token cut off. */
const agree = (t: Tokenizer, golden: string): void => {
  const rows = readFileSync(join(fixtures, golden), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  assert.is(texts.length, 1000);
  assert.is(rows.length, 1000);
  const { ids, eot } = tokenise(t, texts, context);
  const wrong = texts.filter((_, i) => {
    const padded = Uint32Array.from({ length: context }, (_, j) => rows[i][j] ?? t.pad);
    const row = ids.subarray(i * context, (i + 1) * context);
    return padded.some((id, j) => id !== row[j]) || eot[i] !== padded.indexOf(t.eos);
  });
  assert.equal(wrong, []);
};

test("equals CLIPTokenizer on 1,000 texts, from tokenizer.json", async () => agree(await tokenizer(fixtures), "ids-own.txt"));

test("equals CLIPTokenizer on 1,000 texts, from vocab.json and merges.txt", async () => {
  for (const file of ["vocab.json", "merges.txt"]) copyFileSync(join(fixtures, file), join(dir, file));
  agree(await tokenizer(dir), "ids-own.txt");
  writeFileSync(join(dir, "merges.txt"), readFileSync(join(fixtures, "merges.txt"), "utf8").replaceAll("\n", "\r\n"));
  agree(await tokenizer(dir), "ids-own.txt");
});

const nano = "../shared/models/photo-nano";
(existsSync(nano) ? test : test.skip)("equals CLIPTokenizer on 1,000 texts, with CLIP's own merges (photo-nano)", async () => {
  agree(await tokenizer(nano), "ids-nano.txt");
});

test("start, end, truncation and padding", async () => {
  const t = await tokenizer(fixtures);
  const { ids, eot } = tokenise(t, ["", "cat ".repeat(50), "cat"], 6);
  assert.equal([...ids.subarray(0, 6)], [t.bos, t.eos, t.pad, t.pad, t.pad, t.pad]);
  assert.is(ids[6], t.bos);
  assert.is(ids[11], t.eos);
  assert.equal([...eot], [1, 5, 1 + t.encode("cat").length]);
});

test("another padding token is taken from the folder", async () => {
  for (const file of ["vocab.json", "merges.txt"]) copyFileSync(join(fixtures, file), join(dir, file));
  writeFileSync(join(dir, "special_tokens_map.json"), JSON.stringify({ pad_token: { content: "!", lstrip: false }, eos_token: "<|endoftext|>" }));
  const t = await tokenizer(dir);
  assert.is(t.pad, (JSON.parse(readFileSync(join(fixtures, "vocab.json"), "utf8")) as Record<string, number>)["!"]);
  rmSync(join(dir, "special_tokens_map.json"));
});

test("a folder without tokenizer, one that is damaged, one without end token: named", async () => {
  const failure = async (folder: string): Promise<string> => {
    const e = await readTokenizer(folder)();
    assert.ok(E.isLeft(e));
    return describe(e.left);
  };
  assert.match(await failure(join(dir, "missing")), /tokenizer\.json/);
  writeFileSync(join(dir, "vocab.json"), `{"a": 0, "<|startoftext|>": 1}`);
  assert.match(await failure(dir), /vocab\.json.*endoftext/);
  writeFileSync(join(dir, "vocab.json"), `{"a": "b"}`);
  assert.match(await failure(dir), /vocab\.json/);
  writeFileSync(join(dir, "tokenizer.json"), `{"model": {"type": "Nothing"}}`);
  assert.match(await failure(dir), /tokenizer\.json/);
  writeFileSync(join(dir, "tokenizer.json"), `{"model": `);
  assert.match(await failure(dir), /not JSON/);
  rmSync(join(dir, "tokenizer.json"));
});

test.run();
