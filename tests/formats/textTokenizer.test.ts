/** Tokenizers of language models: ids and texts are transformers' (golden files), and what the files beside them say of special tokens. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readTextTokenizer, type TextTokenizer } from "../../src/formats/textTokenizer.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const test = suite("text tokenizer");
const { dir: root, remove } = temporaryFolder("text-tokenizer");
test.after(remove);

const folderOf = (name: string): string => `tests/fixtures/text-tokenizer/${name}`;
const read = async (dir: string, vocabulary?: number): Promise<TextTokenizer> => (await get(readTextTokenizer(dir, { vocabulary })))!;

interface Golden {
  readonly texts: readonly (readonly [text: string, ids: readonly number[], again: string])[];
  readonly loose: readonly (readonly [ids: readonly number[], text: string])[];
}

for (const name of ["bytes", "blanks", "words"])
  test(`${name}: ids of texts and texts of ids are transformers'`, async () => {
    const tokenizer = await read(folderOf(name));
    const { texts, loose } = JSON.parse(readFileSync(join(folderOf(name), "golden.json"), "utf8")) as Golden;
    for (const [text, ids, again] of texts) {
      assert.equal(tokenizer.encode(text), ids, JSON.stringify(text));
      assert.is(tokenizer.decode(ids), again, JSON.stringify(text));
    }
    for (const [ids, text] of loose) assert.is(tokenizer.decode(ids), text, ids.join());
    assert.is(tokenizer.decode([]), "");
    assert.is(tokenizer.decode([...texts[0][1], 1_000_000]), texts[0][2]);
  });

test("which tokens begin, end and fill up, and the chat template", async () => {
  const [bytes, blanks, words] = await Promise.all(["bytes", "blanks", "words"].map((name) => read(folderOf(name))));
  assert.equal([bytes.bos, bytes.eos, bytes.pad], [undefined, [2], 2]);
  assert.equal([bytes.id("<|im_start|>"), bytes.id("no such token")], [1, undefined]);
  assert.equal([blanks.bos, blanks.eos, blanks.pad, blanks.chatTemplate], [1, [2], blanks.id("<image>"), undefined]);
  assert.equal([words.bos, words.eos, words.pad, words.chatTemplate], [0, [1], 1, "{{ messages }}"]);
  assert.match(bytes.chatTemplate!, "m.content");
});

let copies = 0;
/** A copy of a folder with other files in it; `undefined` takes one away. */
const changed = async (name: string, files: Readonly<Record<string, unknown>>): Promise<string> => {
  const dir = join(root, `${copies++}`);
  await cp(folderOf(name), dir, { recursive: true });
  for (const [file, value] of Object.entries(files))
    if (value === undefined) rmSync(join(dir, file));
    else writeFileSync(join(dir, file), JSON.stringify(value));
  return dir;
};
const json = (name: string): Readonly<Record<string, unknown>> => JSON.parse(readFileSync(join(folderOf(name), "tokenizer.json"), "utf8"));

test("generation_config.json says which tokens end an answer; config.json, where it does not", async () => {
  const eosOf = async (files: Readonly<Record<string, unknown>>): Promise<readonly number[]> => (await read(await changed("words", files))).eos;
  assert.equal(await eosOf({ "generation_config.json": { eos_token_id: [9, 1] }, "config.json": { eos_token_id: 5 } }), [1, 9]);
  assert.equal(await eosOf({ "generation_config.json": {}, "config.json": { eos_token_id: 5 } }), [1, 5]);
  assert.equal(await eosOf({ "tokenizer_config.json": undefined, "config.json": { eos_token_id: 5, pad_token_id: null } }), [5]);
});

test("tokenizer_config.json and special_tokens_map.json name tokens, and say whether texts begin with one", async () => {
  const never = await read(
    await changed("words", { "tokenizer_config.json": { add_bos_token: false, bos_token: "<|begin|>", eos_token: { content: "<|end|>" } } }),
  );
  assert.equal([never.bos, never.eos], [undefined, [1]]);
  const always = await read(await changed("bytes", { "tokenizer_config.json": { add_bos_token: true, bos_token: "<|im_start|>", eos_token: "<|im_end|>" } }));
  assert.is(always.bos, 1);
  const mapped = await read(await changed("bytes", { "tokenizer_config.json": undefined, "special_tokens_map.json": { eos_token: "<|endoftext|>" } }));
  assert.equal([mapped.eos, mapped.chatTemplate], [[0], undefined]);
  const several = [
    { name: "tool", template: "a" },
    { name: "default", template: "b" },
  ];
  const named = await read(await changed("bytes", { "tokenizer_config.json": { eos_token: "<|im_end|>", chat_template: several } }));
  assert.is(named.chatTemplate, "b");
});

test("a token that fills up needs no embedding, one that ends an answer does", async () => {
  const blanks = await read(folderOf("blanks"), 420);
  assert.is(blanks.id("<image>"), 420);
  assert.is(blanks.pad, 2);
  const failure = left(await readTextTokenizer(folderOf("blanks"), { vocabulary: 2 })());
  assert.match(describe(failure), "config.json's vocab_size 2 has no room for its token 2");
});

test("a folder without tokenizer.json has none", async () => {
  assert.is(await get(readTextTokenizer(await changed("bytes", { "tokenizer.json": undefined }))), undefined);
});

for (const [what, name, files, words] of [
  ["no end", "words", { "tokenizer_config.json": undefined }, "which token ends an answer"],
  ["an unknown decoder", "words", { "tokenizer.json": { ...json("words"), decoder: { type: "CTC" } } }, 'decoder "CTC"'],
  [
    "a decoder that makes texts grow",
    "words",
    { "tokenizer.json": { ...json("words"), decoder: { type: "Replace", pattern: { String: "a" }, content: "aaaa" } } },
    'replaces "a" by "aaaa"',
  ],
  [
    "an expression that may take for ever",
    "words",
    { "tokenizer.json": { ...json("words"), pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+b" }, behavior: "Isolated" } } },
    "(a+)+b",
  ],
  ["a model that is no BPE", "words", { "tokenizer.json": { ...json("words"), model: { type: "WordPiece", vocab: {} } } }, "tokenizer.json"],
] as const)
  test(`what is refused: ${what}`, async () => {
    const said = describe(left(await readTextTokenizer(await changed(name, files))()));
    assert.ok(said.includes(words) && !said.includes("\n"), said);
  });

test.run();
