/** Text from tokens as they come. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { readTextTokenizer } from "../../src/formats/textTokenizer.ts";
import { pieces } from "../../src/language/pieces.ts";
import { byteTokenizer } from "../fixtures/byteLlama.ts";

const bytes = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

/** The pieces of tokens, and the rest. */
const piecesOf = (tokens: readonly number[], stop: readonly string[] = []): readonly string[] => {
  const { next, rest, stopped } = pieces(byteTokenizer, stop);
  const given: string[] = [];
  for (const token of tokens) {
    if (stopped()) break;
    given.push(next(token));
  }
  return [...given, rest()];
};

const words = fc.array(fc.constantFrom("a", "b", "ab", " ", "é", "日本", "😀", "<", "</s>"), { maxLength: 12 }).map((list) => list.join(""));

test("the pieces of a text are the text, each of whole characters", () => {
  fc.assert(
    fc.property(words, (text) => {
      const given = piecesOf(bytes(text));
      assert.is(given.join(""), text);
      for (const piece of given) assert.not.match(piece, /\uFFFD/);
    }),
  );
  assert.equal(piecesOf(bytes("é😀!")), ["", "é", "", "", "", "😀", "!", ""]);
});

test("a text that ends within a character ends before it", () => {
  assert.equal(piecesOf(bytes("aé").slice(0, 2)), ["a", "", ""]);
  assert.equal(piecesOf(bytes("a😀").slice(0, 4)).join(""), "a");
});

test("bytes that are no character are given when text follows them", () => {
  assert.is(piecesOf([0xff, ...bytes("b")]).join(""), "\uFFFDb");
});

test("special tokens have no text", () => {
  assert.is(piecesOf([...bytes("é").slice(0, 1), ...bytes("é").slice(1), 256, 257, ...bytes("x")]).join(""), "éx");
});

test("a blank that only the first word of a text lacks is kept between words", () => {
  // As the tokenizers of Llama 2 do: a token is a word with a blank before it, which is cut off at the beginning of a text.
  const decode = (ids: readonly number[]): string =>
    ids
      .map((id) => ` w${id}`)
      .join("")
      .slice(1);
  const { next, rest } = pieces({ decode });
  assert.equal([next(1), next(2), next(3), rest()], ["w1", " w2", " w3", ""]);
});

test("a text ends before its first stop string, and nothing of one is given before that is certain", () => {
  fc.assert(
    fc.property(words, fc.array(fc.constantFrom("ab", "b ", "日", "</s>", "aa"), { maxLength: 3 }), (text, stop) => {
      const given = piecesOf(bytes(text), stop);
      const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
      // The first one to be complete ends the text: among those that begin earlier but end later, the one that is seen first counts.
      const whole = given.join("");
      assert.ok(text.startsWith(whole));
      assert.ok(stop.every((word) => !whole.includes(word)));
      assert.is(ends.length > 0, whole !== text);
    }),
  );
  assert.equal(piecesOf(bytes("a</s>b"), ["</s>"]), ["a", "", "", "", "", ""]);
  assert.equal(piecesOf(bytes("a</b"), ["</s>"]), ["a", "", "", "</b", ""]);
  assert.equal(piecesOf(bytes("a</"), ["</s>"]), ["a", "", "", "</"]);
});

for (const name of ["bytes", "blanks", "words"])
  test(`the pieces of any tokens are their text: tokenizer ${name}`, async () => {
    const tokenizer = (await get(readTextTokenizer(`tests/fixtures/text-tokenizer/${name}`)))!;
    fc.assert(
      fc.property(fc.array(fc.nat(250), { maxLength: 20 }), (tokens) => {
        const { next, rest } = pieces(tokenizer);
        const given = [...tokens.map(next), rest()];
        assert.is(given.join(""), tokenizer.decode(tokens).replace(/\uFFFD+$/u, ""));
      }),
    );
  });

test.run();
