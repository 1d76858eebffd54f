/** Folders of decoders: read and written with the same bits, their configurations both ways, and what is said of those that are not computed here. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get, type Failure } from "../../src/failure.ts";
import { elements, type HostTensor } from "../../src/formats/hostTensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { decodeConfig } from "../../src/model/config.ts";
import type { LanguageConfig } from "../../src/model/languageConfig.ts";
import { llama, qwen2 } from "../../src/model/llama.ts";
import { initialModel, networkOf, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { depthOf, layersOf } from "../../src/model/network.ts";
import { checkedWeights } from "../../src/model/weights.ts";
import { left, right, temporaryFolder } from "../fixtures/datasets.ts";
import { relativeError, sameBits } from "../tensor/check.ts";
import { fixture } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("llama-folders");
test.after(remove);
let made = 0;
const place = (): string => join(root, `${made++}`);

const small: LanguageConfig = {
  family: "llama",
  width: 12,
  mlpWidth: 22,
  layers: 2,
  heads: 6,
  keyHeads: 3,
  headWidth: 4,
  eps: 1e-5,
  theta: 500,
  biased: [],
  vocabulary: 420,
  context: 64,
  tied: true,
  bos: 1,
  eos: [2],
};

const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];
const withTokenizer = (): Model => {
  const dir = fixture("text-tokenizer/bytes");
  return initialModel(llama, small, 3, { files: new Map(tokenizerFiles.map((name) => [name, new Uint8Array(readFileSync(join(dir, name)))])) });
};

test("what a folder of transformers says: towers, layers, element type, tokens", async () => {
  const [grouped, wide, qwen] = await Promise.all(["llama-grouped", "llama-wide", "qwen2-tiny"].map((name) => get(readModel(fixture(name)))));
  const net = networkOf(grouped);
  assert.equal([grouped.architecture, wide.architecture, qwen.architecture], [llama, llama, qwen2]);
  assert.equal([grouped.dtype, wide.dtype, qwen.dtype], ["bf16", "f16", undefined]);
  assert.equal(Object.keys(net.towers), ["language"]);
  assert.equal([net.width, depthOf(net, "language")], [24, 2]);
  assert.equal(
    layersOf(net, { modules: "all", towers: "all" })
      .map(({ kind, in: columns, out }) => [kind, columns, out])
      .slice(0, 7),
    [
      ["q", 24, 24],
      ["k", 24, 12],
      ["v", 24, 12],
      ["out", 24, 24],
      ["gate", 24, 36],
      ["up", 24, 36],
      ["down", 36, 24],
    ],
  );
  assert.equal([grouped.weights.has("lm_head.weight"), wide.weights.has("lm_head.weight")], [false, true]);
  assert.equal([wide.config.headWidth, wide.config.eos, wide.config.pad], [10, [2, 5], 0]);
  assert.equal([qwen.config.theta, qwen.config.biased, qwen.config.bos], [50, ["q", "k", "v"], undefined]);
  // Three shards, and no tokenizer beside them.
  assert.equal([...qwen.weights.keys()].sort(), [...networkOf(qwen).parameters.keys()].sort());
  assert.is(qwen.textTokenizer, undefined);
});

for (const dtype of ["f32", "f16", "bf16"] as const)
  test(`a folder written in ${dtype} is read again, and written from that is the same file`, async () => {
    const [first, second] = [place(), place()];
    const model = withTokenizer();
    await get(writeModel(first, model, { dtype }));
    const again = await get(readModel(first));
    assert.equal(again.config, model.config);
    assert.equal(again.textTokenizer!.eos, [2]);
    for (const [name, { shape }] of networkOf(model).parameters) {
      assert.equal(again.weights.get(name)!.shape, shape, name);
      assert.ok(relativeError(again.weights.get(name)!.data, model.weights.get(name)!.data) <= { f32: 0, f16: 2 ** -10, bf16: 2 ** -8 }[dtype], name);
    }
    await get(writeModel(second, again));
    for (const name of ["config.json", "model.safetensors", ...tokenizerFiles]) {
      assert.ok(Buffer.compare(readFileSync(join(first, name)), readFileSync(join(second, name))) === 0, `${name} differs`);
    }
  });

test("generation_config.json and a chat template of their own stay beside the weights", async () => {
  const [from, to] = [place(), place()];
  await get(writeModel(from, withTokenizer()));
  writeFileSync(join(from, "generation_config.json"), JSON.stringify({ eos_token_id: [2, 0] }));
  writeFileSync(join(from, "chat_template.jinja"), "{{ messages }}");
  const model = await get(readModel(from));
  assert.equal([model.textTokenizer!.eos, model.textTokenizer!.chatTemplate], [[2, 0], "{{ messages }}"]);
  await get(writeModel(to, model));
  for (const name of ["generation_config.json", "chat_template.jinja"]) assert.equal(readFileSync(join(to, name)), readFileSync(join(from, name)));
});

// Configurations ------------------------------------------------------------------------------------------------------------------------

const configOf = (keys: Readonly<Record<string, unknown>>): LanguageConfig =>
  right(decodeConfig(keys.model_type === "qwen2" ? qwen2 : llama, "config.json", { model_type: "llama", ...keys }));
const parametersOf = (config: LanguageConfig): number => llama.parameters(config).reduce((n, { shape }) => n + elements(shape), 0);

test("what transformers assumes where a config.json is silent: Llama-2-7B, of 6,738,415,616 parameters", () => {
  const config = configOf({});
  const shape = { width: 4096, mlpWidth: 11008, layers: 32, heads: 32, keyHeads: 32, headWidth: 128, vocabulary: 32000, context: 2048 };
  assert.equal(config, { family: "llama", ...shape, eps: 1e-6, theta: 10_000, biased: [], tied: false, bos: 1, eos: [2] });
  assert.is(parametersOf(config), 6_738_415_616);
});

test("Qwen2-0.5B has 494,032,768 parameters, biases of queries, keys and values among them", () => {
  const shape = { hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, num_attention_heads: 14, num_key_value_heads: 2, vocab_size: 151936 };
  assert.is(parametersOf(configOf({ model_type: "qwen2", ...shape, tie_word_embeddings: true, rope_theta: 1e6 })), 494_032_768);
});

test("the base of rotary positions stands under the old key or the new one", () => {
  assert.is(configOf({ rope_theta: 7, rope_scaling: null }).theta, 7);
  assert.is(configOf({ rope_parameters: { rope_theta: 8, rope_type: "default" } }).theta, 8);
  assert.is(configOf({ rope_theta: 9, rope_scaling: { type: "default" } }).theta, 9);
});

test("biases of all projections, as attention_bias and mlp_bias say", () => {
  assert.equal(configOf({ attention_bias: true, mlp_bias: true }).biased, ["q", "k", "v", "out", "gate", "up", "down"]);
  const biased = configOf({ attention_bias: true });
  assert.equal(biased.biased, ["q", "k", "v", "out"]);
  assert.ok(llama.parameters(biased).some(({ name }) => name === "model.layers.0.self_attn.o_proj.bias"));
});

test("a configuration that is written is read again as it was", () => {
  const whole = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  const arbitrary = fc
    .record({
      family: fc.constantFrom("llama" as const, "qwen2" as const),
      groups: whole(5),
      keyHeads: whole(5),
      half: whole(40),
      width: whole(99),
      mlpWidth: whole(99),
      layers: whole(9),
      eps: fc.constantFrom(1e-5, 1e-6),
      theta: fc.constantFrom(1e4, 1e6, 12.5),
      vocabulary: whole(999),
      context: whole(9999),
      tied: fc.boolean(),
      attention: fc.boolean(),
      mlp: fc.boolean(),
      bos: fc.option(whole(9), { nil: undefined }),
      pad: fc.option(whole(9), { nil: undefined }),
      eos: fc.uniqueArray(whole(9), { maxLength: 3 }),
    })
    .map(({ groups, half, attention, mlp, bos, pad, ...rest }): LanguageConfig => {
      const llamas = [...(attention ? (["q", "k", "v", "out"] as const) : []), ...(mlp ? (["gate", "up", "down"] as const) : [])];
      return {
        ...rest,
        heads: groups * rest.keyHeads,
        headWidth: 2 * half,
        biased: rest.family === "qwen2" ? ["q", "k", "v"] : llamas,
        ...(bos === undefined ? {} : { bos }),
        ...(pad === undefined ? {} : { pad }),
      };
    });
  fc.assert(
    fc.property(arbitrary, (config) => {
      const { config: codec } = config.family === "llama" ? llama : qwen2;
      // As it goes through a file.
      const stored = JSON.parse(JSON.stringify(codec.encode(config))) as Readonly<Record<string, unknown>>;
      const read = codec.decode(stored);
      assert.ok(E.isRight(read));
      assert.equal(read.right, config);
    }),
  );
});

// Damage --------------------------------------------------------------------------------------------------------------------------------

const edit =
  (change: Readonly<Record<string, unknown>>) =>
  (dir: string): void => {
    const path = join(dir, "config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  };

const rewrite =
  (change: (tensors: Map<string, HostTensor>) => void) =>
  async (dir: string): Promise<void> => {
    const path = join(dir, "model.safetensors");
    const tensors = new Map(await get(readSafetensors(path)));
    change(tensors);
    await get(writeSafetensors(path, tensors));
  };

const damaged = (name: string, damage: (dir: string) => Promise<void> | void, tag: Failure["_tag"], words: readonly string[]): void =>
  test(`a folder with ${name}`, async () => {
    const dir = place();
    await get(writeModel(dir, withTokenizer()));
    await damage(dir);
    const failure = left(await readModel(dir)());
    assert.is(failure._tag, tag, describe(failure));
    for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
    assert.not.ok(describe(failure).includes("\n"), describe(failure));
  });

damaged("scaled rotary positions", edit({ rope_scaling: { type: "linear", factor: 2 } }), "BadConfig", ['rope_type is "linear"', "default"]);
damaged("scaled rotary positions, as Llama 3 has them", edit({ rope_parameters: { rope_type: "llama3", factor: 8 } }), "BadConfig", ['"llama3"']);
damaged("heads that are turned in part", edit({ partial_rotary_factor: 0.5 }), "BadConfig", ["partial_rotary_factor"]);
damaged("an angle of nothing", edit({ rope_theta: "much" }), "BadConfig", ["rope_theta", "much"]);
damaged("heads that do not share keys evenly", edit({ num_key_value_heads: 4 }), "BadConfig", ["num_attention_heads 6", "num_key_value_heads 4"]);
damaged("a head of odd width", edit({ head_dim: 5 }), "BadConfig", ["head_dim 5"]);
damaged("heads that do not divide the width", edit({ head_dim: null, num_attention_heads: 5, num_key_value_heads: 5 }), "BadConfig", ["hidden_size 12", "5"]);
damaged("another activation", edit({ hidden_act: "gelu" }), "BadConfig", ["hidden_act", "gelu"]);
damaged("a width that is not a number", edit({ hidden_size: "wide" }), "BadConfig", ["hidden_size", "wide"]);
damaged("a model of another kind", edit({ model_type: "mistral" }), "BadConfig", ["mistral", "llama", "qwen2"]);
damaged("more blocks than weights", edit({ num_hidden_layers: 3 }), "BadTensor", ["model.layers.2", "missing"]);
damaged("fewer blocks than weights", edit({ num_hidden_layers: 1 }), "BadTensor", ["model.layers.1"]);
damaged("no product at its end, and none that is tied", edit({ tie_word_embeddings: false }), "BadTensor", ["lm_head.weight", "missing"]);
damaged("a vocabulary without room for its tokens", edit({ vocab_size: 2 }), "BadTensor", ["model.embed_tokens.weight"]);
damaged("a tokenizer that is not JSON", (dir) => writeFileSync(join(dir, "tokenizer.json"), "{"), "FileCorrupt", ["tokenizer.json"]);

damaged(
  "weights of PyTorch: its own class reads all of them",
  (dir) => renameSync(join(dir, "model.safetensors"), join(dir, "pytorch_model.bin")),
  "FileUnreadable",
  ["from transformers import LlamaForCausalLM as M"],
);

test("a Qwen2 whose tokens see a window alone is refused", async () => {
  const dir = place();
  await cp(fixture("qwen2-tiny"), dir, { recursive: true });
  edit({ use_sliding_window: true })(dir);
  assert.match(describe(left(await readModel(dir)())), "use_sliding_window");
});

test("what files hold beside the parameters is left out: rotary frequencies of old ones, a tied product that is there too", async () => {
  const dir = place();
  const model = withTokenizer();
  await get(writeModel(dir, model, { dtype: "f32" }));
  await rewrite((tensors) => {
    tensors.set("model.layers.1.self_attn.rotary_emb.inv_freq", { shape: [2], data: new Float32Array(2) });
    tensors.set("lm_head.weight", { shape: [420, 12], data: new Float32Array(420 * 12) });
  })(dir);
  const again = await get(readModel(dir));
  assert.equal([...again.weights.keys()], [...model.weights.keys()]);
  for (const [name, { data }] of model.weights) sameBits(again.weights.get(name)!.data, data, name);
});

test("a tensor of a block that is neither a parameter nor derived from config.json is refused", () => {
  const { weights } = withTokenizer();
  const [frequencies, other] = ["model.layers.1.self_attn.rotary_emb.inv_freq", "model.layers.1.self_attn.rotary_emb.scale"];
  const held = (name: string, architecture = llama) =>
    checkedWeights(architecture, small, new Map([...weights, [name, { shape: [2], data: new Float32Array(2) }]]), "folder");
  assert.equal([...right(held(frequencies)).keys()], [...weights.keys()]);
  assert.match(describe(left(held(other))), `${other} is not in the model that config.json describes`);
  assert.match(describe(left(held(frequencies, { ...llama, derived: undefined }))), `${frequencies} is not in the model`);
});

test.run();
