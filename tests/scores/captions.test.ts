/** Scores of texts against the packages that the field uses (tests/fixtures/scores.py). */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bleus } from "../../src/scores/bleu.ts";
import { captionRougeL } from "../../src/scores/captions.ts";
import { captionsOf, captionWords } from "../../src/scores/captionWords.ts";
import { ciderD } from "../../src/scores/cider.ts";
import { mteval } from "../../src/scores/sari.ts";
import { scoreOf } from "../../src/scores/table.ts";

interface Words {
  readonly text: string;
  readonly tokens: readonly string[];
}

interface Golden {
  readonly captions: readonly { readonly prediction: string; readonly references: readonly string[] }[];
  readonly words: readonly Words[];
  readonly bleu: readonly number[];
  readonly cider: number;
  readonly captionRougeL: number;
  readonly meteor: number;
  readonly meteorEach: readonly number[];
  readonly rougeL: readonly number[];
  readonly tokens13a: readonly Words[];
  readonly edits: readonly { readonly prediction: string; readonly reference: string; readonly similarity: number }[];
}

const golden = JSON.parse(readFileSync("tests/fixtures/scores.json", "utf8")) as Golden;
const predictions = golden.captions.map((c) => c.prediction);
const references = golden.captions.map((c) => c.references);
const captions = captionsOf(predictions, references);

const near = (actual: number, expected: number, what: string, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not ${expected}`);

test("captions have the words of the Penn Treebank's tokenizer, without punctuation but brackets", () => {
  const brackets: Readonly<Record<string, string>> = { "-lrb-": "(", "-rrb-": ")" };
  for (const { text, tokens } of golden.words) {
    assert.equal(
      captionWords(text),
      tokens.map((token) => brackets[token] ?? token),
      text,
    );
  }
});

test("BLEU-1 to BLEU-4 as pycocoevalcap and sacrebleu", () => {
  bleus(captions, 4).forEach((bleu, k) => near(bleu, golden.bleu[k], `BLEU-${k + 1}`, 1e-8));
  near(scoreOf("bleu-3").of(predictions, references), 100 * golden.bleu[2], "bleu-3", 1e-6);
});

test("CIDEr-D as pycocoevalcap", () => {
  near(ciderD(captions), golden.cider, "CIDEr");
  near(scoreOf("cider").of(predictions, references), 10 * golden.cider, "cider");
});

test("ROUGE-L of captions as pycocoevalcap", () => near(captionRougeL(captions), golden.captionRougeL, "ROUGE-L"));

test("METEOR as METEOR 1.5 with its matchers exact and stem, one by one and together", () => {
  predictions.forEach((prediction, i) => near(scoreOf("meteor").of([prediction], [references[i]]), 100 * golden.meteorEach[i], prediction));
  near(scoreOf("meteor").of(predictions, references), 100 * golden.meteor, "all");
});

test("the score of captions is the mean of seven", () => {
  const parts = [...golden.bleu, golden.meteor, golden.captionRougeL, golden.cider];
  near(scoreOf("captions").of(predictions, references), (100 * parts.reduce((a, b) => a + b)) / 7, "captions", 1e-6);
});

test("ROUGE-L as rouge-score", () => {
  predictions.forEach((prediction, i) => near(scoreOf("rouge-l").of([prediction], [references[i]]), 100 * golden.rougeL[i], prediction));
});

test("edit similarity as rapidfuzz's ratio", () => {
  for (const { prediction, reference, similarity } of golden.edits) near(scoreOf("edit-similarity").of([prediction], [[reference]]), similarity, prediction);
});

test("SARI has the words of mteval's 13a", () => {
  for (const { text, tokens } of golden.tokens13a) assert.equal(mteval(text), tokens, text);
});

test.run();
