/**
 * Chat templates: the text that a decoder reads before it answers, and what closes the answer.
 *
 * Instruction-tuned models know one template. Others take a plain text that has `{prompt}`.
 */
import * as E from "fp-ts/lib/Either.js";
import { picturesFirst } from "../data/question.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { TextTokenizer } from "../formats/textTokenizer.ts";

/**
 * How a question becomes text. All that a decoder learns from is `prompt(question, pictures) + lead + answer + end`; of this `lead`, the answer and `end` are
 * trained. Text is cut into tokens as a whole: the blank of `lead` and the word behind it are one token.
 */
export interface ChatTemplate {
  /** `chatml`, `vicuna`, or the plain text itself. */
  readonly name: string;
  /** The text before the answer, with an `<image>` for each of `pictures` pictures: where the question has them, else before it. */
  readonly prompt: (question: string, pictures: number) => string;
  /** What stands between the prompt and the answer and belongs to the answer: a blank, or nothing. */
  readonly lead: string;
  /** What closes the answer. Where it is empty, the tokenizer's first end token does. */
  readonly end: string;
}

/** ChatML, as SmolLM2 and Qwen2 are tuned with it; `system` is the sentence that stands before all questions. */
const chatml = (system?: string): ChatTemplate => ({
  name: "chatml",
  prompt: (question, pictures) => {
    const before = system === undefined ? "" : `<|im_start|>system\n${system}<|im_end|>\n`;
    return `${before}<|im_start|>user\n${picturesFirst(question, pictures)}<|im_end|>\n<|im_start|>assistant\n`;
  },
  lead: "",
  end: "<|im_end|>",
});

/** The sentence that Vicuna, and LLaVA after it, are tuned with. */
const assistant =
  "A chat between a curious user and an artificial intelligence assistant. " +
  "The assistant gives helpful, detailed, and polite answers to the user's questions.";

const vicuna: ChatTemplate = {
  name: "vicuna",
  prompt: (question, pictures) => `${assistant} USER: ${picturesFirst(question, pictures)} ASSISTANT:`,
  lead: " ",
  end: "",
};

/** A text with the question in the place of `{prompt}`; blanks at its end belong to the answer. */
const plain = (text: string): ChatTemplate => {
  const [, before, lead] = /^(.*?)( *)$/s.exec(text) as RegExpExecArray;
  return { name: text, prompt: (question, pictures) => before.replaceAll("{prompt}", () => picturesFirst(question, pictures)), lead, end: "" };
};

/** The plain template of a model that is not tuned for chats. */
const plainest = "{prompt}\n";

/** What of a tokenizer tells how its model is asked. */
export type ChatTokenizer = Pick<TextTokenizer, "id" | "chatTemplate">;

/** The system sentence that a Jinja template of ChatML puts before chats that have none. Line ends may be written `\n` in it. */
const systemOf = (tokenizer?: ChatTokenizer): string | undefined =>
  /<\|im_start\|>system(?:\n|\\n)([^'"{}]+?)<\|im_end\|>/.exec(tokenizer?.chatTemplate ?? "")?.[1];

/**
 * The chat template of a name (`chatml`, `vicuna`), or the plain one of a text that has `{prompt}`. ChatML begins with the system sentence that the tokenizer's
 * own template has, if it has one: with it the model was tuned. Fails with `BadOption`, which lists the names.
 *
 * ```ts
 * const vicuna = language.chatTemplateOf("vicuna");
 * assert.ok(vicuna._tag === "Right" && vicuna.right.prompt("What is it?", 1).endsWith("USER: <image>\nWhat is it? ASSISTANT:"));
 * const plain = language.chatTemplateOf("Question: {prompt}\nAnswer: ");
 * assert.ok(plain._tag === "Right" && plain.right.prompt("Is it red?", 0) === "Question: Is it red?\nAnswer:" && plain.right.lead === " ");
 * ```
 */
export const chatTemplateOf = (nameOrText: string, tokenizer?: ChatTokenizer): E.Either<Failure, ChatTemplate> => {
  if (nameOrText === "chatml") return E.right(chatml(systemOf(tokenizer)));
  if (nameOrText === "vicuna") return E.right(vicuna);
  if (nameOrText.includes("{prompt}")) return E.right(plain(nameOrText));
  return E.left({
    _tag: "BadOption",
    option: "chat",
    detail: `${printed(nameOrText)} is no chat template; there are chatml, vicuna and any text that has {prompt}`,
  });
};

/** A Jinja template that puts the same text before and behind every message, whoever says it. A `-` takes the blanks beside it away. */
const jinja =
  /^\{%(-?) *for +message +in +messages *(-?)%\}([^{}]*)\{\{(-?) *message(?:\.content|\[ *['"]content['"] *\]) *(-?)\}\}([^{}]*)\{%(-?) *endfor *(-?)%\}\s*$/;

/** The plain template that a tokenizer's own template amounts to, where it is as plain. */
const plainOf = ({ chatTemplate = "" }: Pick<ChatTokenizer, "chatTemplate">): string | undefined => {
  const found = jinja.exec(chatTemplate);
  if (found === null) return undefined;
  const [, , behindFor, before, beforeContent, behindContent, after, beforeEnd] = found;
  // As transformers renders templates: a line end behind a tag of control is none of the text, nor are blanks before one that begins a line.
  const first = behindFor === "-" ? before.trimStart() : before.replace(/^\n/, "");
  const last = behindContent === "-" ? after.trimStart() : after;
  return `${beforeContent === "-" ? first.trimEnd() : first}{prompt}${beforeEnd === "-" ? last.trimEnd() : last.replace(/\n[ \t]+$/, "\n")}`;
};

/**
 * The name of the chat template of a model that is asked in no other: ChatML where its vocabulary has `<|im_start|>`, else the tokenizer's own template where
 * it only puts a text before and behind each message, else what its architecture is `tuned` with, else the question and a line end.
 *
 * ```ts
 * const words = ["<|im_start|>", "<|im_end|>"];
 * const id = (token: string) => (words.includes(token) ? words.indexOf(token) : undefined);
 * assert.equal(language.defaultChat({ id }), "chatml");
 * assert.equal(language.defaultChat({ id: () => undefined }, "vicuna"), "vicuna");
 * const chatTemplate = "{% for message in messages %}Q: {{ message['content'] }} A: {% endfor %}";
 * assert.equal(language.defaultChat({ id: () => undefined, chatTemplate }, "vicuna"), "Q: {prompt} A: ");
 * assert.equal(language.defaultChat({ id: () => undefined }), "{prompt}\n");
 * ```
 */
export const defaultChat = (tokenizer: ChatTokenizer, tuned: string = plainest): string =>
  tokenizer.id("<|im_start|>") === undefined ? (plainOf(tokenizer) ?? tuned) : "chatml";
