/** The namespace `language`: what a decoder reads and says. */
export { chatTemplateOf, defaultChat } from "./chat.ts";
export type { ChatTemplate, ChatTokenizer } from "./chat.ts";
export { promptTokens } from "./promptTokens.ts";
export type { PromptTokens } from "./promptTokens.ts";
export { openGenerator, withGenerator } from "./generate.ts";
export type { AnswerPiece, Generated, Generator, GeneratorOptions } from "./generate.ts";
export type { ContinueOptions, Prompt, PromptPictures } from "./prompts.ts";
