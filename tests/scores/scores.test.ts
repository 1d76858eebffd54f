/** Scores of texts: what was counted by hand, and laws of all of them. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ScoreName, scoreNames, scoreOf } from "../../src/scores/table.ts";

/** A score in percent, rounded to hide the last bits. */
const score = (name: ScoreName, pairs: readonly (readonly [string, string | readonly string[], string?])[]): number => {
  const references = pairs.map(([, wanted]) => (typeof wanted === "string" ? [wanted] : wanted));
  const found = scoreOf(name).of(
    pairs.map(([said]) => said),
    references,
    pairs.map(([, , source]) => source ?? ""),
  );
  return Math.round(found * 1e9) / 1e9;
};

test("exact: case and spaces do not count, all else does; any reference will do", () => {
  assert.is(score("exact", [[" Great\n Dane ", "great dane"]]), 100);
  assert.is(score("exact", [["yes.", "yes"]]), 0);
  assert.is(
    score("exact", [
      ["B", ["A", "b"]],
      ["C", ["A", "B"]],
      ["", "a"],
      ["", ""],
    ]),
    50,
  );
});

test("a question without a reference scores 0, whatever is said", () => {
  for (const name of scoreNames) {
    assert.is(scoreOf(name).of(["a cat sat"], [[]], ["a cat sat there"]), 0, name);
    assert.is(scoreOf(name).of([""], [[]], [""]), 0, name);
    assert.ok(Number.isFinite(scoreOf(name).of(["a cat sat on it", "a dog ran to it"], [["a cat sat on it"], []], ["", ""])), name);
  }
});

test("an empty reference is contained in an empty prediction alone", () => {
  for (const name of ["contained", "contained-word"] as const) {
    assert.is(score(name, [["anything", ""]]), 0, name);
    assert.is(score(name, [[" ", ""]]), 100, name);
  }
});

test("an accented letter is the same in one character or in two", () => {
  for (const name of ["exact", "exact-compact", "contained", "contained-word"] as const) assert.is(score(name, [["caf\u00e9", "Cafe\u0301"]]), 100, name);
});

test("METEOR of a word that is said hundreds of times takes no long time", () => {
  const said = "the ".repeat(200);
  const start = performance.now();
  assert.is(score("meteor", [[said, said]]), 100);
  assert.ok(score("meteor", [[said, "the dog ".repeat(100)]]) < 100);
  assert.ok(performance.now() - start < 5000, "it took 15 s once");
});

test("exact-compact: spaces and full stops do not count either", () => {
  assert.is(score("exact-compact", [["A. Buy now.", "a.buynow"]]), 100);
  assert.is(score("exact-compact", [["buy, now", "buy now"]]), 0);
});

test("contained: anywhere in the prediction", () => {
  assert.is(
    score("contained", [
      ["The Left Lung.", "left lung"],
      ["lung, left", "left lung"],
    ]),
    50,
  );
  assert.is(score("contained", [["cannot", "no"]]), 100);
});

test("contained-word: several words are a part of the prediction, one word is a word of it", () => {
  assert.is(score("contained-word", [["It can turn left.", "turn left"]]), 100);
  assert.is(score("contained-word", [["cannot", "no"]]), 0);
  assert.is(score("contained-word", [["No, it does not", "no"]]), 100);
  assert.is(score("contained-word", [['"(3)!"', "3"]]), 100);
  assert.is(
    score("contained-word", [
      ["-3", "3"],
      ["13", "3"],
      ["3.5", "3"],
    ]),
    0,
  );
});

test("list-recall: the share of the list that is there, whatever else is", () => {
  assert.is(score("list-recall", [["Ohio, Utah and Iowa.", "iowa, Ohio, Maine, Texas"]]), 50);
  assert.is(score("list-recall", [["West Virginia", "Virginia"]]), 0);
  assert.is(score("list-recall", [["Utah, Utah", "Utah, Ohio"]]), 50);
});

test("science: lists where the question asks which states, else exact", () => {
  const lists = ["Ohio, Utah", "Utah, Iowa"] as const;
  assert.is(score("science", [[...lists, "<image>\nWhich states are the darkest?"]]), 50);
  assert.is(score("science", [[...lists, "Which letter is it?"]]), 0);
  assert.is(scoreOf("science").of([lists[0]], [[lists[1]]]), 0);
});

test("rouge-l: by hand", () => {
  // Of 6 and 5 words 4 are common in order: P = 4/6, R = 4/5.
  assert.is(score("rouge-l", [["the cat sat on the mat", "The cat was on mat."]]), Math.round((200 * 4e9) / 11) / 1e9);
  assert.is(
    score("rouge-l", [
      ["...", "a b"],
      ["", "a"],
    ]),
    0,
  );
  assert.is(score("rouge-l", [["Straßen sind naß", "straßen SIND naß!"]]), 100);
});

test("bleu: clipped counts, brevity, and 0 where no run is right", () => {
  // The example of the paper: "the" is in a reference twice.
  assert.is(score("bleu-1", [["the the the the the the the", ["The cat is on the mat.", "There is a cat on the mat."]]]), Math.round(200e9 / 7) / 1e9);
  assert.is(score("bleu-1", [["a b", "a b c d"]]), Math.round(100e9 * Math.exp(-1)) / 1e9);
  // The nearest length counts; of 1 and 3, as near to 2, the shorter.
  assert.is(score("bleu-1", [["a b", ["a b x", "a"]]]), 100);
  assert.is(score("bleu-2", [["a b c", "a c b"]]), 0);
});

test("cider: rare runs weigh, what every example has does not", () => {
  assert.is(score("cider", [["a cat", "a cat"]]), 0);
  // Only "x" and "y" weigh, in runs of one word; a quarter of the mean over n.
  assert.is(
    score("cider", [
      ["x", "x"],
      ["z", "y"],
    ]),
    12.5,
  );
});

test("meteor: a text that is its reference is whole; a pair of stems counts 0.6", () => {
  assert.is(
    score("meteor", [
      ["a dog runs", "a dog runs"],
      ["one", "one"],
    ]),
    100,
  );
  // P = R = (2 + 0.6) / 3, one chunk that is all of both.
  assert.is(score("meteor", [["a dog running", "a dog runs"]]), Math.round((100e9 * 2.6) / 3) / 1e9);
  assert.is(
    score("meteor", [
      ["", "a dog"],
      ["a dog", ""],
    ]),
    0,
  );
});

test("captions: more than 100 counts as 100", () => {
  const pairs = ["a cat sits on a mat", "my dog runs over there", "two men eat some rice"].map((text) => [text, text] as const);
  assert.is(score("captions", pairs), 100);
});

test("edit-similarity: by hand", () => {
  assert.is(score("edit-similarity", [["kitten", "sitting"]]), Math.round(800e9 / 13) / 1e9);
  assert.is(score("edit-similarity", [["", ""]]), 100);
  assert.is(score("edit-similarity", [["a", "B"]]), 0);
});

test("sari: published, and by hand", () => {
  const source = "About 95 species are currently accepted.";
  const references = ["About 95 species are currently known.", "About 95 species are now accepted.", "95 species are now accepted."];
  assert.is(score("sari", [["About 95 you now get in.", references, source]]), Math.round(26.953601953601954 * 1e9) / 1e9);
  // Runs of one word: keep P 1, R 1; delete 1; add 1. Of two: "a b" is to keep and kept. Longer ones: nothing to keep, and all else is right.
  assert.is(score("sari", [["a b d", "a b d", "a b c"]]), 100);
  // What is deleted is wrong, and nothing was to be added: keep P 1, R 1/2, F 2/3; delete 0; add 1. No run of two words is left.
  const one = (2 / 3 + 0 + 1) / 3;
  const two = (0 + 0 + 1) / 3;
  const none = 1;
  assert.is(score("sari", [["a", "a b", "a b"]]), Math.round((1e11 * (one + two + 2 * none)) / 4) / 1e9);
});

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const text = fc.array(word, { minLength: 4, maxLength: 9 }).map((words) => words.join(" "));
const samples = fc.array(fc.record({ said: text, wanted: fc.array(text, { minLength: 1, maxLength: 3 }), source: text }), { minLength: 1, maxLength: 6 });

type Samples = readonly { readonly said: string; readonly wanted: readonly string[]; readonly source: string }[];

const of = (name: ScoreName, all: Samples): number =>
  scoreOf(name).of(
    all.map((s) => s.said),
    all.map((s) => s.wanted),
    all.map((s) => s.source),
  );

for (const name of scoreNames) {
  test(`${name}: from 0 to 100, in any order, and 0 of nothing`, () => {
    fc.assert(
      fc.property(samples, (all) => {
        const found = of(name, all);
        assert.ok(found >= 0 && found <= 100 + 1e-9, `${found}`);
        assert.ok(Math.abs(found - of(name, [...all].reverse())) < 1e-9);
      }),
      { numRuns: 40 },
    );
    assert.is(of(name, []), 0);
  });

  test(`${name}: any text is a prediction`, () => {
    const anything = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", " ", "...", "'", "-", "n't", "a-b's"));
    fc.assert(
      fc.property(anything, anything, (said, wanted) => {
        const found = of(name, [
          { said, wanted: [wanted], source: said },
          { said: wanted, wanted: ["a", said], source: "" },
        ]);
        assert.ok(found >= 0 && found <= 100 + 1e-9, `${found}`);
      }),
      { numRuns: 100 },
    );
  });
}

// CIDEr weighs what is rare among several examples; `captions` has it as a part.
for (const name of scoreNames.filter((n) => n !== "cider" && n !== "captions")) {
  test(`${name}: a prediction that is its reference scores 100`, () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
        const found = of(
          name,
          texts.map((said) => ({ said, wanted: [said], source: "another text" })),
        );
        assert.ok(Math.abs(found - 100) < 1e-9, `${found}`);
      }),
      { numRuns: 40 },
    );
  });
}

test("cider: predictions that are their references, of which no two share a word, score 100", () => {
  assert.is(
    score("cider", [
      ["a b c d", "a b c d"],
      ["e f g h", "e f g h"],
    ]),
    100,
  );
});

test("names", () => {
  assert.ok(scoreNames.every((name) => ScoreName.is(name) && scoreOf(name).name === name));
  assert.not(ScoreName.is("toString"));
});

test("but for the scores of a corpus, what a test set scores is the mean of what its answers score alone", () => {
  const texts = fc.constantFrom("a red rose", "a rose", "red", "the red sky, a rose", "yes");
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, texts, texts), { minLength: 1, maxLength: 6 }), (triples) => {
      for (const { of, ofCorpus, name } of scoreNames.map(scoreOf)) {
        // METEOR scores single answers too, and a test set by the sum of their counts.
        if (ofCorpus || name === "meteor") continue;
        const alone = triples.map(([said, wanted, source]) => of([said], [[wanted]], [source]));
        const all = of(
          triples.map(([said]) => said),
          triples.map(([, wanted]) => [wanted]),
          triples.map(([, , source]) => source),
        );
        assert.ok(Math.abs(all - alone.reduce((sum, x) => sum + x, 0) / alone.length) < 1e-9, name);
      }
    }),
  );
});

test.run();
