/** The namespace `scores`: how texts that were answered are scored. */
export { bleu } from "./bleu.ts";
export { captions } from "./captions.ts";
export { captionWords } from "./captionWords.ts";
export { cider } from "./cider.ts";
export * from "./contained.ts";
export * from "./editSimilarity.ts";
export * from "./exact.ts";
export * from "./listRecall.ts";
export { meteor } from "./meteor.ts";
export * from "./rougeL.ts";
export { sari } from "./sari.ts";
export type { Scoring } from "./scoring.ts";
export * from "./table.ts";
