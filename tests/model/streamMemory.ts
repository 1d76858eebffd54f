/**
 * Streams a folder of about 1 GB with the shapes of LLaVA-1.5-7B but fewer blocks, and generates a few tokens: run by `streamMemory.test.ts` in a process of
 * its own, which has little room for objects. Prints, as JSON, what the process held beside the device's memory.
 *
 *     node --max-old-space-size=128 dist/tests/model/streamMemory.js FOLDER
 */
import { closeSync, existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "../../src/device/device.ts";
import { withDevice } from "../../src/device/open.ts";
import { get } from "../../src/failure.ts";
import { withGenerator } from "../../src/language/generate.ts";
import { learner } from "../../src/model/learner.ts";
import { llava } from "../../src/model/llava.ts";
import type { LlavaConfig } from "../../src/model/llavaConfig.ts";
import { streamModel } from "../../src/model/streamModel.ts";

const [vision, text] = [
  { width: 1024, mlpWidth: 4096, layers: 3, heads: 16, activation: "quick_gelu", eps: 1e-5, imageSize: 336, patchSize: 14, channels: 3 },
  {
    family: "llama",
    width: 4096,
    mlpWidth: 11008,
    layers: 1,
    heads: 32,
    keyHeads: 32,
    headWidth: 128,
    eps: 1e-5,
    theta: 10_000,
    biased: [],
    vocabulary: 32064,
  },
] as const;
const config: LlavaConfig = {
  vision,
  text: { ...text, context: 4096, tied: false, eos: [2], pad: 32001 },
  imageToken: 32000,
  visionDepth: 2,
  select: "default",
  projectorActivation: "gelu",
  projectorBias: true,
};

/** Writes the folder: weights of f16 in shards of at most 400 MB, none of them in memory as a whole. Gives its size in bytes. */
const writeFolder = async (dir: string): Promise<number> => {
  await mkdir(dir, { recursive: true });
  writeFileSync(join(dir, "config.json"), JSON.stringify(llava.config.encode(config)));
  const shards: (readonly [name: string, shape: readonly number[], bytes: number])[][] = [[]];
  let [filled, total] = [0, 0];
  for (const { name, shape } of llava.parameters(config)) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    if (filled > 0 && filled + bytes > 400e6) {
      shards.push([]);
      filled = 0;
    }
    shards[shards.length - 1].push([name, shape, bytes]);
    [filled, total] = [filled + bytes, total + bytes];
  }
  // Small numbers of both signs: 0x1xxx is about 2^-12 in f16.
  const chunk = new Uint16Array(2 ** 20);
  for (let i = 0; i < chunk.length; i++) chunk[i] = 0x1000 | ((i * 2654435761) & 0x83ff);
  const bytes = new Uint8Array(chunk.buffer);
  const map: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const file = `model-${`${i + 1}`.padStart(5, "0")}-of-${`${shards.length}`.padStart(5, "0")}.safetensors`;
    let at = 0;
    const entries = shard.map(([name, shape, size]) => {
      map[name] = file;
      at += size;
      return [name, { dtype: "F16", shape, data_offsets: [at - size, at] }] as const;
    });
    const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
    const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
    const handle = openSync(join(dir, file), "w");
    writeSync(handle, length);
    writeSync(handle, header);
    for (let left = at; left > 0; left -= bytes.length) writeSync(handle, bytes, 0, Math.min(left, bytes.length));
    closeSync(handle);
  }
  writeFileSync(join(dir, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  return total;
};

/** A tokenizer is no part of this: ids go in and come out. */
const textTokenizer = { encode: () => [], decode: (ids: readonly number[]) => ids.join(" "), eos: [2], pad: 32001, id: () => undefined };

/**
 * What the process holds beside its device's memory, in bytes, at most. On a CPU adapter that memory is the process's own: what has been written there is
 * counted, and no buffer before it is written.
 */
const watched = (device: Device): { readonly device: Device; readonly most: () => number } => {
  const begun = new Map<unknown, number>();
  let most = 0;
  const look = (): void => void (most = Math.max(most, process.memoryUsage().rss - [...begun.values()].reduce((a, b) => a + b, 0)));
  const queue = {
    submit: (...args: Parameters<Device["gpu"]["queue"]["submit"]>) => device.gpu.queue.submit(...args),
    onSubmittedWorkDone: () => device.gpu.queue.onSubmittedWorkDone(),
    writeBuffer: (...[buffer, offset, data, from, size]: Parameters<Device["gpu"]["queue"]["writeBuffer"]>) => {
      device.gpu.queue.writeBuffer(buffer, offset, data, from, size);
      begun.set(buffer, Math.max(begun.get(buffer) ?? 0, offset + (size ?? 0)));
      look();
    },
  };
  const settled: Device["settled"] = async () => {
    const done = await device.settled();
    look();
    return done;
  };
  return { device: { ...device, gpu: { ...device.gpu, queue } as unknown as Device["gpu"], settled }, most: () => most };
};

const main = async (dir: string): Promise<void> => {
  const bytes = existsSync(join(dir, "config.json")) ? 0 : await writeFolder(dir);
  const measured = await get(
    withDevice({})((device) => async () => {
      const base = process.memoryUsage().rss;
      const watching = watched(device);
      const begun = performance.now();
      const streamed = await streamModel(dir, watching.device, { storage: "f16" })();
      if (streamed._tag === "Left") return streamed;
      const { model, weights } = streamed.right;
      const seconds = (performance.now() - begun) / 1000;
      const [most, live] = [watching.most(), device.ledger().liveBytes];
      const ids = [1, 306, ...Array.from({ length: 576 }, () => 32000), 13, 450];
      const picks = ids.map((id, i) => (id === 32000 ? i - 1 : 0));
      const pixels = {
        count: 1,
        pixels: async () => ({ _tag: "Right", right: [Float32Array.from({ length: 3 * 336 * 336 }, (_, i) => Math.sin(i))] }) as const,
      };
      const options = { learner: learner({ ...model, textTokenizer }), device, weights };
      const answers = await withGenerator(options)((generator) => generator.all([{ ids, picks, pictures: pixels }], { maxTokens: 3 }))();
      if (answers._tag === "Left") return answers;
      weights.release();
      return { _tag: "Right", right: { adapter: device.adapter.line, base, most, live, seconds, tokens: answers.right[0].tokens } };
    }),
  );
  console.log(JSON.stringify({ bytes, ...measured }));
};

await main(process.argv[2]);
