/** What an adapter's folder holds that Cambium does not have is refused by its name, in one sentence. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { readModel as readFolder } from "../../src/model/model.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";
import { fixture, readModel } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("peft-refusals");
test.after(remove);

/** Copies an adapter, does something to it, and gives what is said when it is read. */
const said = async (name: string, spoil: (dir: string) => Promise<void> | void, stored = "clip-patterns"): Promise<string> => {
  const dir = join(root, name.replace(/\W/g, "-"));
  cpSync(fixture(`peft/${stored}`), dir, { recursive: true });
  await spoil(dir);
  const model = stored.startsWith("vit") ? await get(readFolder(fixture("vit-tiny"))) : await readModel(fixture("clip-gelu"));
  const sentence = describe(left(await readPeft(dir, model)()));
  assert.ok(sentence.startsWith(dir) || sentence.startsWith(`Cannot read ${dir}`), sentence);
  assert.not.ok(sentence.includes("\n"), sentence);
  return sentence;
};

const configured =
  (change: Readonly<Record<string, unknown>>) =>
  (dir: string): void => {
    const path = join(dir, "adapter_config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  };

const rewritten =
  (change: (tensors: Map<string, HostTensor>) => void) =>
  async (dir: string): Promise<void> => {
    const path = join(dir, "adapter_model.safetensors");
    const tensors = new Map(await get(readSafetensors(path)));
    change(tensors);
    await get(writeSafetensors(path, tensors));
  };

/** Changes of the configuration, and what is said of them. */
const configurations: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, RegExp]>> = {
  AdaLoRA: [{ peft_type: "ADALORA" }, /it is AdaLoRA, and LoRA is what is read; merge it into its base model with peft \(merge_and_unload\)/],
  IA3: [{ peft_type: "IA3" }, /it is IA³, and LoRA/],
  LoHa: [{ peft_type: "LOHA" }, /it is LoHa/],
  LoKr: [{ peft_type: "LOKR" }, /it is LoKr/],
  VeRA: [{ peft_type: "VERA" }, /it is VeRA/],
  OFT: [{ peft_type: "OFT" }, /it is OFT/],
  "prompt tuning": [{ peft_type: "PROMPT_TUNING" }, /it is prompt tuning/],
  "a kind that comes later": [{ peft_type: "NEXT" }, /it is "NEXT", and LoRA/],
  "no kind": [{ peft_type: null }, /it has no peft_type/],
  DoRA: [{ use_dora: true }, /it has DoRA \(use_dora\), which is not read/],
  "trained biases": [{ bias: "lora_only" }, /it has trained biases \(bias is "lora_only"\)/],
  "biases of factors": [{ lora_bias: true }, /biases of its factors \(lora_bias\)/],
  "layers trained in full": [{ modules_to_save: ["classifier"] }, /trained in full \(modules_to_save is \["classifier"\]\)/],
  "replicated layers": [{ layer_replication: [[0, 2]] }, /replicated layers \(layer_replication\)/],
  "trained tokens": [{ trainable_token_indices: [3] }, /trained tokens/],
  PiSSA: [{ init_lora_weights: "pissa_niter_4" }, /it started from a changed base model \(init_lora_weights is "pissa_niter_4"\)/],
  OLoRA: [{ init_lora_weights: "olora" }, /init_lora_weights is "olora"/],
  "a feature that is not known": [{ use_next: true }, /its use_next is true, which is not known here/],
  "no modules": [{ target_modules: null }, /it has no target_modules/],
  "modules of another type": [{ target_modules: 3 }, /"target_modules" should be a string or a list of strings and is 3/],
  "rank 0": [{ r: 0 }, /"r" should be positive integer and is 0/],
  "a pattern that is none": [{ rank_pattern: { "(": 3 } }, /\( is no regular expression/],
  "a pattern of Python's alone": [{ target_modules: "(?i).*Q_PROJ" }, /the regular expression \(\?i\)\.\*Q_PROJ has \(\?i\), which is not read/],
  "another rank": [{ rank_pattern: {} }, /lora_A\.weight has rank \d where adapter_config\.json asks for 3/],
  "modules without factors": [{ target_modules: ".*(q_proj|fc1|out_proj|v_proj|k_proj)" }, /k_proj\.lora_A\.weight is missing, and target_modules asks for it/],
  "factors without a module": [
    { target_modules: ["q_proj", "out_proj", "v_proj"] },
    /fc1\.lora_A\.weight belongs to a layer that target_modules does not name/,
  ],
};

for (const [name, [change, sentence]] of Object.entries(configurations))
  test(`a configuration with ${name}`, async () => assert.match(await said(name, configured(change)), sentence));

test("a number alone switches nothing on, and what is off is no matter", async () => {
  const dir = join(root, "numbers");
  cpSync(fixture("peft/clip-patterns"), dir, { recursive: true });
  configured({ next_group_size: 16, use_next: false, next_config: {}, next_list: [], next_name: "" })(dir);
  await get(readPeft(dir, await readModel(fixture("clip-gelu"))));
});

const q = "base_model.model.vision_model.encoder.layers.0.self_attn.q_proj";
const zeros = (...shape: number[]): HostTensor => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

/** Changes of the tensors, and what is said of them. */
const files: Readonly<Record<string, readonly [(tensors: Map<string, HostTensor>) => void, RegExp]>> = {
  "a magnitude of DoRA": [(all) => all.set(`${q}.lora_magnitude_vector`, zeros(30)), /q_proj\.lora_magnitude_vector belongs to DoRA, which is not read/],
  "a LoRA of an embedding": [
    (all) => all.set("base_model.model.text_model.embeddings.token_embedding.lora_embedding_A", zeros(1, 131)),
    /belongs to a LoRA of an embedding, and linear layers alone are adapted here/,
  ],
  "a LoRA of a convolution": [
    (all) => all.set("base_model.model.vision_model.embeddings.patch_embedding.lora_A.weight", zeros(1, 3, 8, 8)),
    /belongs to vision_model\.embeddings\.patch_embedding, which is no linear layer of a clip here; there are self_attn\.q_proj, .*visual_projection/,
  ],
  "a bias of a factor": [(all) => all.set(`${q}.lora_B.bias`, zeros(30)), /q_proj\.lora_B\.bias is a bias of a factor/],
  "a layer trained in full": [(all) => all.set("base_model.model.modules_to_save.weight", zeros(3)), /trained in full/],
  "something else": [(all) => all.set("notes", zeros(3)), /tensor notes is no factor of a LoRA/],
  "a layer that is not there": [(all) => all.set("base_model.model.lm_head.lora_A.weight", zeros(1, 4)), /belongs to lm_head, which is no linear layer/],
  "another width": [(all) => all.set(`${q}.lora_A.weight`, zeros(1, 31)), /q_proj\.lora_A\.weight is \[1, 31\] where the model needs \[r, 30\]/],
  "another height": [(all) => all.set(`${q}.lora_B.weight`, zeros(29, 1)), /q_proj\.lora_B\.weight is \[29, 1\] where the model needs \[30, r\]/],
  "two ranks": [(all) => all.set(`${q}.lora_A.weight`, zeros(2, 30)), /q_proj\.lora_B\.weight is \[30, 1\] beside a lora_A of rank 2/],
  "one factor": [(all) => all.delete(`${q}.lora_B.weight`), /q_proj\.lora_B\.weight is missing/],
  "no factors": [(all) => all.clear(), /the file holds no factor of any layer/],
  "a factor under two names": [(all) => all.set(`${q.replace("base_model.model.", "")}.lora_A.weight`, zeros(1, 30)), /is there twice/],
  "two adapters": [(all) => all.set(`${q.replace("q_proj", "k_proj")}.lora_A.other.weight`, zeros(1, 30)), /belongs to another adapter than those before it/],
  "a number that is not finite": [(all) => all.get(`${q}.lora_A.weight`)!.data.fill(Number.NaN, 3, 4), /is not finite: its element 3 of 30/],
};

for (const [name, [change, sentence]] of Object.entries(files))
  test(`a file with ${name}`, async () => assert.match(await said(`f ${name}`, rewritten(change)), sentence));

test("an adapter of a classifier, which a ViT is read without", async () => {
  const change = rewritten((all) => all.set("base_model.model.classifier.lora_A.weight", zeros(2, 24)));
  assert.match(
    await said("classifier", change, "vit-classifier"),
    /belongs to classifier, which is no linear layer of a vit here; there are attention\.attention\.query/,
  );
});

test("a folder without its files", async () => {
  assert.match(await said("no tensors", (dir) => rmSync(join(dir, "adapter_model.safetensors"))), /adapter_model\.safetensors: no such file/);
  assert.match(await said("no configuration", (dir) => rmSync(join(dir, "adapter_config.json"))), /adapter_config\.json: no such file/);
  const pickled = (dir: string): void => {
    rmSync(join(dir, "adapter_model.safetensors"));
    writeFileSync(join(dir, "adapter_model.bin"), "");
  };
  assert.match(await said("pickled", pickled), /its tensors are in adapter_model\.bin, which is not read; .*safe_serialization/);
});

test.run();
