/** Asking learners that answer in words: a tiny LLaVA about pictures, as transformers does; templates, stop strings, and who is refused. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { generate, generating } from "../../src/afterwards/generate.ts";
import { classify, embedImages, embedTexts } from "../../src/afterwards/predict.ts";
import { describe, get } from "../../src/failure.ts";
import { withGenerator } from "../../src/language/generate.ts";
import { promptTokens } from "../../src/language/promptTokens.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel } from "../../src/model/model.ts";
import { streamModel } from "../../src/model/streamModel.ts";
import { byteConfig, byteLlama } from "../fixtures/byteLlama.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { fixture, goldenOf } from "../model/embeddings.ts";
import { deviceTest, failureOf, orThrow, runTests } from "../tensor/check.ts";

const picture = (name: string): string => `tests/fixtures/preprocess/${name}`;

/** The prompts of the golden file, as `llava_models.py` has them. */
const asked = [
  { prompt: "USER: <image>\nWhat is in the picture? ASSISTANT:", pictures: [picture("rgb.png")] },
  { prompt: "<image> and <image>: which of both is grey?", pictures: [picture("grey.png"), picture("rgb.png")] },
] as const;

/** One picture always stands in front of a question: these templates give the texts of the golden file. */
const chats = ["USER: {prompt} ASSISTANT:", "{prompt}"];

deviceTest("what a tiny LLaVA says of pictures is what transformers makes it say", async (device) => {
  const model = learner(await get(readModel(fixture("llava-tiny"))));
  const golden = await goldenOf("llava-tiny/golden.safetensors");
  for (const [i, one] of asked.entries()) {
    const question = i === 0 ? { ...one, prompt: "What is in the picture?" } : one;
    const [{ tokens }] = await get(generate(model, question, { device, maxTokens: 8, chat: chats[i] }));
    assert.equal(tokens, [...golden(`new.${i}`).data]);
  }
});

deviceTest("prompts with one picture, with two and with none are answered in one batch as one by one", async (device) => {
  const model = learner(await get(readModel(fixture("llava-tiny"))));
  const prompts = [...asked, "grey?", { prompt: "Which?", pictures: [new Uint8Array(readFileSync(picture("grey.png")))] }];
  const options = { device, maxTokens: 8, chat: "{prompt}" };
  const together = await get(generate(model, prompts, options));
  for (const [i, prompt] of prompts.entries()) assert.equal(await get(generate(model, prompt, options)), [together[i]], `prompt ${i}`);
  assert.equal(together[1].tokens, [...(await goldenOf("llava-tiny/golden.safetensors"))("new.1").data]);
});

deviceTest("weights that are on the device already are used as they are stored, and stay", async (device) => {
  const { liveBytes } = device.ledger();
  for (const storage of ["f32", "f16"] as const) {
    const { model, weights } = await get(streamModel(fixture("llava-tiny"), device, { storage }));
    const there = device.ledger().liveBytes;
    const { ids } = orThrow(promptTokens(model, "grey?"));
    const plain = { ids, picks: ids.map(() => 0) };
    const options = { learner: learner(model), device, weights };
    const streamed = await get(withGenerator(options)((generator) => generator.all([plain], { maxTokens: 8 })));
    const whole = await get(generate(learner(await get(readModel(fixture("llava-tiny")))), "grey?", { device, maxTokens: 8, chat: "{prompt}" }));
    assert.equal(streamed, whole, storage);
    assert.is(device.ledger().liveBytes, there);
    weights.release();
  }
  assert.is(device.ledger().liveBytes, liveBytes);
});

deviceTest("the stop string of a template and that of the options end an answer", async (device) => {
  const model = byteLlama();
  const decode = (ids: readonly number[]): string => ids.map((id) => `<${id}>`).join("");
  const telling = learner({ ...model, textTokenizer: { ...model.textTokenizer!, decode } });
  const [{ tokens, ended }] = await get(generate(telling, "a", { device, maxTokens: 8, chat: "{prompt}" }));
  assert.equal([tokens.length, ended], [8, "length"]);
  const stop = decode(tokens.slice(0, 3)).slice(1);
  for (const given of [stop, ["none of these", stop]]) {
    const [stopped] = await get(generate(telling, "a", { device, maxTokens: 8, chat: "{prompt}", stop: given }));
    assert.equal([stopped.text, stopped.ended], ["<", "stop"]);
  }
});

deviceTest("who cannot be asked is refused in one sentence, which is the last piece", async (device) => {
  const said = async (...[of, prompts, options]: Parameters<typeof generate>): Promise<string> =>
    describe(failureOf(await generate(of, prompts, { device, ...options })()));
  const clip = learner(await tinyClip());
  assert.is(await said(clip, "a"), "model: a clip tells classes apart and writes no text; give a language model");
  for await (const piece of generating(clip, "a", { device })) assert.is(piece._tag, "Left");
  const llama = learner(byteLlama());
  assert.match(await said(llama, { prompt: "a", pictures: [picture("rgb.png")] }), "sees no pictures");
  assert.match(await said(llama, "a", { chat: "none" }), '"none" is no chat template');
  assert.match(await said(llama, "a", { maxTokens: 0 }), "maxTokens: is 0");
  const long = "a".repeat(byteConfig.context);
  assert.match(await said(llama, long, { chat: "ask {prompt}" }), "4 of them are the chat template's: shorten it, or ask by another template (--chat)");
  const llava = learner(await get(readModel(fixture("llava-tiny"))));
  assert.match(await said(llava, { prompt: "a", pictures: [picture("gone.png")] }, { chat: "{prompt}" }), /Cannot read .*gone\.png/);
  for (const wordy of [llama, llava]) {
    for (const ask of [
      classify(wordy, picture("rgb.png"), ["a"], { device }),
      embedImages(wordy, picture("rgb.png"), { device }),
      embedTexts(wordy, "a", { device }),
    ])
      assert.match(describe(failureOf<unknown>(await ask())), "answers in words and does not tell classes apart");
  }
});

runTests();
