/** Questions as tokens: what is left out where a sequence would be too long, and what is said where nothing more can be. */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Question } from "../../src/data/question.ts";
import { describe } from "../../src/failure.ts";
import { promptOf, type Asking } from "../../src/language/sequences.ts";
import { left } from "../fixtures/datasets.ts";

/** So many tokens stand for a picture. */
const each = 16;

/** One token for each character, and so many for each picture. */
const asking = (longest: number): Asking => ({
  chat: { name: "test", prompt: (text, pictures) => `${"#".repeat(pictures)}Q${text}A`, lead: "", end: "" },
  closing: { text: "", tokens: [0], stop: [], ends: [0] },
  longest,
  tokens: (text) => {
    const picks = [...text].flatMap((c) => (c === "#" ? Array.from({ length: each }, (_, i) => i + 1) : [0]));
    const ids = [...text].flatMap((c) => Array.from({ length: c === "#" ? each : 1 }, () => c.charCodeAt(0)));
    return E.right({ ids, picks });
  },
});

const question = (prompt: string, pictures = 0): Question => ({
  id: "test.jsonl:1",
  prompt,
  pictures: Array.from({ length: pictures }, (_, i) => ({ kind: "named" as const, name: `${i}` })),
  answer: "yes",
});

const promptIn = (longest: number, prompt: string, room: number): string => {
  const sequence = promptOf(asking(longest), question(prompt), room);
  assert.ok(E.isRight(sequence));
  return String.fromCharCode(...sequence.right.ids);
};

const complaint = (longest: number, pictures: number): string => describe(left(promptOf(asking(longest), question("what?", pictures), 8)));

test("an answer may be as long as it likes: room for it is at most half of a sequence, and only a longer question is cut", () => {
  assert.is(promptIn(16, "0123", 4), "Q0123A");
  assert.is(promptIn(16, "0123", 4096), "Q0123A");
  assert.is(promptIn(16, "0123456789", 6), "Q23456789A");
  assert.is(promptIn(16, "0123456789", 4096), "Q456789A");
});

test("where pictures take most of the tokens, that is said, and what gives fewer of them", () => {
  assert.match(
    complaint(128, 8),
    /context.*test\.jsonl:1 has 143 tokens, of which 128 are read, and its 8 pictures of 16 tokens each take 128; of a video, "frames"/,
  );
  assert.match(complaint(20, 1), /test\.jsonl:1 has 31 tokens, of which 20 are read, and its picture takes 16$/);
  assert.match(complaint(2, 0), /has 8 tokens, of which its answer and what stands around the question need more than 2$/);
});

test.run();
