/** The scores by their names. */
import * as t from "io-ts";
import { bleu } from "./bleu.ts";
import { captions } from "./captions.ts";
import { cider } from "./cider.ts";
import { contained, containedWord } from "./contained.ts";
import { editSimilarity } from "./editSimilarity.ts";
import { compactMatch, exactMatch } from "./exact.ts";
import { listRecall, science } from "./listRecall.ts";
import { meteor } from "./meteor.ts";
import { rougeL } from "./rougeL.ts";
import { sari } from "./sari.ts";
import type { Scoring } from "./scoring.ts";

const scorings = {
  exact: exactMatch,
  "exact-compact": compactMatch,
  contained,
  "contained-word": containedWord,
  "list-recall": listRecall,
  science,
  "rouge-l": rougeL,
  "bleu-1": bleu(1),
  "bleu-2": bleu(2),
  "bleu-3": bleu(3),
  "bleu-4": bleu(4),
  meteor,
  cider,
  captions,
  "edit-similarity": editSimilarity,
  sari,
} as const satisfies Readonly<Record<string, Scoring>>;

/**
 * The codec of a score's name.
 *
 * ```ts
 * assert.ok(ScoreName.is("rouge-l") && !ScoreName.is("rouge"));
 * ```
 */
export const ScoreName: t.Type<ScoreName> = t.keyof(scorings as Readonly<Record<ScoreName, unknown>>, "the name of a score");

/** The name of a score of texts. */
export type ScoreName = keyof typeof scorings;

/** All names of scores. */
export const scoreNames: readonly ScoreName[] = Object.keys(scorings) as readonly ScoreName[];

/** A score of texts. */
export interface Score {
  readonly name: ScoreName;
  /** 0 to 100. */
  readonly of: Scoring;
  /** Whether it says nothing of a single answer: CIDEr weighs words by how rare they are in all references, BLEU needs four words in a row. */
  readonly ofCorpus: boolean;
}

const ofCorpus: ReadonlySet<ScoreName> = new Set(["bleu-1", "bleu-2", "bleu-3", "bleu-4", "cider", "captions"]);

/**
 * The score of a name.
 *
 * ```ts
 * assert.equal(scores.scoreOf("exact").of(["Paris", "Rome"], [["paris"], ["Oslo"]]), 50);
 * ```
 */
export const scoreOf = (name: ScoreName): Score => ({ name, of: scorings[name], ofCorpus: ofCorpus.has(name) });
