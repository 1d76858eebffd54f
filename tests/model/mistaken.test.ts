/** What people take for a model is called what it is. */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readModel } from "../../src/model/model.ts";
import { left, temporaryFolder, write } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir: root, remove } = temporaryFolder("mistaken");
test.after(remove);

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n";
const without = (dir: string, ...names: readonly string[]): void => names.forEach((name) => rmSync(join(dir, name)));

/** What is done to a good folder, which folder is then read, and what is said of it. */
const cases: Readonly<Record<string, readonly [spoil: (dir: string) => void, said: RegExp, within?: string]>> = {
  "a Git LFS pointer for weights": [(dir) => write(dir, { "model.safetensors": pointer }), /model\.safetensors: it is a Git LFS pointer.*run git lfs pull/],
  "a Git LFS pointer for a tokenizer": [(dir) => write(dir, { "tokenizer.json": pointer }), /tokenizer\.json: it is a Git LFS pointer/],
  "a Git LFS pointer for a configuration": [(dir) => write(dir, { "config.json": pointer }), /config\.json: it is a Git LFS pointer/],
  "weights of PyTorch": [
    (dir) => renameSync(join(dir, "model.safetensors"), join(dir, "pytorch_model.bin")),
    /its weights are in pytorch_model\.bin, which is not read; write them as model\.safetensors: python -c ".*save_pretrained/,
  ],
  "sharded weights of PyTorch": [
    (dir) => {
      without(dir, "model.safetensors");
      write(dir, { "pytorch_model-00001-of-00002.bin": "", "pytorch_model.bin.index.json": "{}" });
    },
    /its weights are in pytorch_model-00001-of-00002\.bin/,
  ],
  "weights of other libraries": [(dir) => renameSync(join(dir, "model.safetensors"), join(dir, "tf_model.h5")), /tf_model\.h5, which is not read/],
  "weights under another name": [
    (dir) => renameSync(join(dir, "model.safetensors"), join(dir, "clip.safetensors")),
    /clip\.safetensors; model\.safetensors is read/,
  ],
  "no weights at all": [(dir) => without(dir, "model.safetensors"), /model\.safetensors: no such file/],
  "a PEFT adapter": [
    (dir) => {
      without(dir, "config.json", "model.safetensors");
      write(dir, { "adapter_config.json": '{"peft_type":"LORA","base_model_name_or_path":"base"}', "adapter_model.safetensors": "" });
    },
    /it is a PEFT adapter and no model; .* reads its base model \(base\) and merges it with readPeft and mergeUpdate/,
  ],
  "a PEFT adapter whose file is damaged": [
    (dir) => {
      without(dir, "config.json");
      write(dir, { "adapter_config.json": "{" });
    },
    /PEFT adapter.* reads its base model and merges it/,
  ],
  "the folder of a run": [() => undefined, /its model is in .*run\/model; give that folder/, "run"],
  "a folder of the hub's cache": [
    (dir) => {
      without(dir, "config.json");
      write(dir, { "snapshots/00/config.json": "{}" });
    },
    /Hugging Face cache; give the folder in .*snapshots/,
  ],
  "a dataset": [
    (dir) => {
      without(dir, "config.json");
      write(dir, { "classnames.txt": "cat\n" });
    },
    /it is a dataset, and no model/,
  ],
  "a file": [() => undefined, /model\.safetensors: it is a file; a model is a folder/, "run/model/model.safetensors"],
  nothing: [() => undefined, /nowhere.config\.json: no such file/, "nowhere"],
};

for (const [index, [name, [spoil, said, within = "run/model"]]] of Object.entries(cases).entries()) {
  test(name, async () => {
    const parent = join(root, String(index));
    await writeTinyClip(join(parent, "run/model"));
    await get(readModel(join(parent, "run/model")));
    spoil(join(parent, "run/model"));
    const sentence = describe(left(await readModel(join(parent, within))()));
    assert.match(sentence, said);
    assert.not.match(sentence, /\n/);
    assert.ok(sentence.length < 500, sentence);
  });
}

test.run();
