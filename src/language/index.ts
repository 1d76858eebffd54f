/** The namespace `language`: what a decoder reads and says. */
export { chatTemplateOf, defaultChat } from "./chat.ts";
export type { ChatTemplate, ChatTokenizer } from "./chat.ts";
