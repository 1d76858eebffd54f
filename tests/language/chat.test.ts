import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { chatTemplateOf, defaultChat, type ChatTemplate, type ChatTokenizer } from "../../src/language/chat.ts";
import { left, right } from "../either.ts";

const test = suite("chat");

interface Row {
  readonly model: "smollm2" | "qwen2" | "bare" | "llava";
  readonly question: string;
  readonly pictures: number;
  readonly prompt: string;
  readonly answer?: string;
  readonly whole?: string;
}
const { templates, rows } = JSON.parse(readFileSync("tests/fixtures/chat.json", "utf8")) as {
  readonly templates: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
};

/** A tokenizer that has these special tokens. */
const tokenizer = (chatTemplate: string | undefined, ...tokens: readonly string[]) => ({
  id: (token: string) => (tokens.includes(token) ? tokens.indexOf(token) : undefined),
  ...(chatTemplate === undefined ? {} : { chatTemplate }),
});

test("ChatML and Vicuna are what transformers renders: SmolLM2's and Qwen2's system sentences, none where a template has none, LLaVA with pictures", () => {
  for (const { model, question, pictures, prompt, answer = "", whole } of rows) {
    const chat = right(chatTemplateOf(model === "llava" ? "vicuna" : "chatml", tokenizer(templates[model])));
    assert.is(chat.prompt(question, pictures), prompt, model);
    // ChatML ends a message with a line end, behind the token that ends an answer.
    if (whole !== undefined) assert.is(`${prompt}${chat.lead}${answer}${chat.end}\n`, whole);
  }
});

/** The template of a model that is asked in no other. */
const byDefault = (chat: ChatTokenizer, tuned?: string): ChatTemplate => right(chatTemplateOf(defaultChat(chat, tuned), chat));

test("ChatML of a tokenizer without a template has no system sentence", () => {
  const question = "Is it red?";
  const expected = "<|im_start|>user\nIs it red?<|im_end|>\n<|im_start|>assistant\n";
  assert.is(right(chatTemplateOf("chatml")).prompt(question, 0), expected);
  assert.is(byDefault(tokenizer(undefined, "<|im_start|>")).prompt(question, 0), expected);
});

test("by default ChatML where its tokens are known, what the architecture is tuned with, else the question and a line end", () => {
  const named = ({ name, lead, end }: ChatTemplate): readonly string[] => [name, lead, end];
  assert.equal(named(byDefault(tokenizer(templates.smollm2, "<|im_start|>"), "vicuna")), ["chatml", "", "<|im_end|>"]);
  assert.equal(named(byDefault(tokenizer(undefined, "</s>"), "vicuna")), ["vicuna", " ", ""]);
  assert.equal(named(byDefault(tokenizer(undefined, "</s>"))), ["{prompt}\n", "", ""]);
  assert.ok(byDefault(tokenizer(templates.smollm2, "<|im_start|>")).prompt("?", 0).includes("named SmolLM"));
});

test("a tokenizer's own template that only puts a text around messages is preferred to the architecture's: what transformers renders of it", () => {
  const rendered = {
    "{% for message in messages %}{{ message['content'] }} {% endfor %}": "{prompt} ",
    '{%- for message in messages -%}\n  Q: {{- message["content"] -}}\n A:\n{%- endfor -%}\n': "Q:{prompt}A:",
    "{% for message in messages %}\nQ: {{ message.content }}\nA: {% endfor %}": "Q: {prompt}\nA: ",
    "{% for message in messages %}\nQ: {{ message['content'] }}\nA:\n  {% endfor %}\n": "Q: {prompt}\nA:\n",
    "{% for message in messages %} {{ message['content'] }}\n\n{%- endfor %}": " {prompt}",
  };
  for (const [template, text] of Object.entries(rendered)) assert.is(byDefault(tokenizer(template, "</s>"), "vicuna").name, text);
  const others = [
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{% endfor %}",
    "{{ messages[0]['content'] }}",
    templates.smollm2,
  ];
  for (const template of others) assert.is(byDefault(tokenizer(template, "</s>"), "vicuna").name, "vicuna");
});

test("a plain template is a text with {prompt}; what it has of $ and braces stays, and blanks at its end belong to the answer", () => {
  const chat = right(chatTemplateOf("Question: {prompt}\nAnswer:  "));
  assert.is(chat.prompt("a {prompt} of $& and $1?", 0), "Question: a {prompt} of $& and $1?\nAnswer:");
  assert.is(chat.lead, "  ");
  assert.is(chat.prompt("What is it?", 2), "Question: <image>\n<image>\nWhat is it?\nAnswer:");
  assert.is(right(chatTemplateOf("{prompt}")).prompt("", 0), "");
});

test("one picture stands in front, several where the prompt has places for them, and without a picture nothing is touched", () => {
  const { prompt } = right(chatTemplateOf("{prompt}"));
  assert.is(prompt("What is this?\n<image>", 1), "<image>\nWhat is this?");
  assert.is(prompt("Is <image> like <image>?", 2), "Is <image> like <image>?");
  assert.is(prompt("Is <image> like this?", 2), "<image>\n<image>\nIs  like this?");
  assert.is(prompt("  What does <image> mean in HTML? ", 0), "  What does <image> mean in HTML? ");
});

test("what is neither a name nor a template is refused, and the names are said", () => {
  for (const bad of ["", "chatMl", "alpaca", "Q: {question}"])
    assert.match(describe(left(chatTemplateOf(bad))), /^chat: ".*" is no chat template; there are chatml, vicuna and any text that has \{prompt\}/);
});

const smollm2 = process.env.CAMBIUM_SMOLLM2;

(smollm2 === undefined ? test.skip : test)("SmolLM2's own files (CAMBIUM_SMOLLM2 names their folder)", () => {
  const path = join(smollm2 ?? "", "tokenizer_config.json");
  assert.ok(existsSync(path), path);
  const { chat_template } = JSON.parse(readFileSync(path, "utf8")) as { readonly chat_template: string };
  assert.is(byDefault(tokenizer(chat_template, "<|im_start|>")).prompt(rows[0].question, 0), rows[0].prompt);
});

test.run();
