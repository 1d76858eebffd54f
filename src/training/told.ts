/** What is told of a row of the accuracy matrix while it is measured. */
import type { Prediction } from "../report/predictions.ts";
import type { Reply } from "../report/replies.ts";

/** An event of one dataset of a row. */
export type Told =
  /**
   * A test split is scored, of a task or of a probe; its accuracy is null where nothing of it could be read. Answers in words are
   * correct where they score all there is, and where a single answer has no score, if they are one of their references. */
  | {
      readonly type: "evaluation";
      readonly dataset: string;
      readonly correct: number;
      readonly total: number;
      readonly accuracy: number | null;
      readonly probe?: true;
    }
  /** What the images of that split were taken for, where the runtime asks for it. */
  | { readonly type: "predictions"; readonly dataset: string; readonly predictions: readonly Prediction[] }
  /** What the questions of that split were answered with, where the runtime asks for it. */
  | { readonly type: "replies"; readonly dataset: string; readonly replies: readonly Reply[] };
