/** A training whose blocks are computed again learns the same, bit by bit, in less memory. */
import * as assert from "uvu/assert";
import type { Stream } from "../../src/data/task.ts";
import type { Device } from "../../src/device/device.ts";
import { get } from "../../src/failure.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { learner } from "../../src/model/learner.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { dropout, gradient, repeat, update } from "../../src/stages/steps.ts";
import { matching } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { colourTask, tinyLlama, tinyLlamaConfig } from "../fixtures/tinyLlama.ts";
import { initialModel } from "../../src/model/model.ts";
import { llama } from "../../src/model/llama.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";

const deep = initialModel(llama, { ...tinyLlamaConfig, layers: 6 }, 1, { textTokenizer: tinyLlama().textTokenizer });

interface Learned {
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly most: number;
}

/** What a training of three steps has learned, and the bytes that it took of the device. */
const learned = async (device: Device, options: Pick<Runtime, "recompute" | "accumulate">): Promise<Learned> => {
  const task = colourTask("one", 0);
  const stage = pipeline(
    encode({ batch: 8, steps: 3 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(3, dropout(0.3), gradient(matching), update(adamW({ lr: constantly(1e-2) }))) }),
  );
  const lesson = { learner: learner(deep), task, position: 0, stream: { tasks: [task], labelSpace: "task" } as Stream, learned: 1 };
  let most = 0;
  const before = device.ledger().liveBytes;
  const emit: Runtime["emit"] = (event) => void (event.type === "step" && (most = Math.max(most, device.ledger().liveBytes - before)));
  const { adapters } = await get(stage.run(lesson)({ ...runtimeOf(device), ...options, emit }));
  return { values: adapters.values, most };
};

deviceTest("blocks that are computed again change no bit of what is learned, at once and in parts, and take less memory", async (device) => {
  for (const accumulate of [1, 2]) {
    const [plain, blocks] = [await learned(device, { accumulate }), await learned(device, { accumulate, recompute: "blocks" })];
    for (const [name, values] of Object.entries(plain.values)) sameBits(blocks.values[name], values, name);
    assert.ok(blocks.most < plain.most, `${blocks.most} bytes, and ${plain.most} without`);
  }
});

runTests();
