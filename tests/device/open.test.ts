import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDevice } from "../../src/device/open.ts";
import { inPrecision, lineOf } from "../../src/device/precision.ts";
import type { Rung } from "../../src/platform/platform.ts";
import { describe, get } from "../../src/failure.ts";

const icds = "/usr/share/vulkan/icd.d";
const available: Readonly<Record<Exclude<Rung, "gpu">, boolean>> = {
  lavapipe: existsSync(icds) && readdirSync(icds).some((f) => f.startsWith("lvp_icd")),
  swiftshader: process.platform === "linux" && process.arch === "x64",
};

/** Runs with variables set and puts the old ones back. */
const withEnv = async <A>(env: NodeJS.ProcessEnv, use: () => Promise<A>): Promise<A> => {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  Object.entries(env).forEach(([name, value]) => set(name, value));
  try {
    return await use();
  } finally {
    before.forEach(([name, value]) => set(name, value));
  }
};

test("the ladder opens a device and says in one line which", async () => {
  const { adapter, limits, close } = await get(openDevice());
  assert.ok(adapter.line.length > 0 && !adapter.line.includes("\n"));
  assert.match(adapter.key, /^[a-z0-9-]+$/);
  assert.ok(limits.maxStorageBufferBindingSize >= 2 ** 27);
  await close();
});

test("the rung gpu, forced, opens a GPU or says what is there instead", async () => {
  const opened = await openDevice({ adapter: "gpu" })();
  if (E.isLeft(opened)) assert.is(opened.left._tag, "NoAdapter");
  else {
    assert.is(opened.right.adapter.kind, "gpu");
    await opened.right.close();
  }
});

for (const rung of ["lavapipe", "swiftshader"] as const) {
  (available[rung] ? test : test.skip)(`the rung ${rung} can be forced`, async () => {
    for (const open of [openDevice({ adapter: rung }), () => withEnv({ CAMBIUM_ADAPTER: rung }, openDevice())]) {
      const opened = await get(open);
      assert.match(opened.adapter.line.toLowerCase(), rung === "lavapipe" ? /llvmpipe/ : /swiftshader/);
      assert.is(opened.adapter.kind, "cpu");
      assert.is(opened.adapter.features.has("subgroups"), opened.adapter.subgroupSize > 0);
      await opened.close();
    }
  });
}

(available.swiftshader ? test : test.skip)("mixed precision is refused in one sentence by an adapter without f16", async () => {
  const opened = await openDevice({ adapter: "swiftshader", precision: "mixed" })();
  assert.ok(E.isLeft(opened));
  assert.is(opened.left._tag, "BadOption");
  assert.match(describe(opened.left), /precision: mixed needs an adapter that computes with f16, and .*SwiftShader.* does not/);
});

(available.lavapipe ? test : test.skip)("a device computes in f32 unless it is opened for another precision, and says so", async () => {
  const device = await get(openDevice({ adapter: "lavapipe" }));
  assert.is(device.precision, "f32");
  assert.is(lineOf(device), device.adapter.line);
  const mixed = inPrecision("mixed", device);
  assert.ok(E.isRight(mixed));
  assert.is(mixed.right.precision, "mixed");
  assert.is(lineOf(mixed.right), `${device.adapter.line}, mixed precision`);
  await device.close();
});

test("a missing adapter is said with what was tried and the three ways to get one", async () => {
  const nowhere = "/nonexistent/icd.json";
  const opened = await withEnv({ VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere }, async () => {
    const result = await openDevice({ adapter: "gpu" })();
    assert.is(process.env.VK_DRIVER_FILES, nowhere);
    return result;
  });
  assert.ok(E.isLeft(opened));
  assert.is(opened.left._tag, "NoAdapter");
  const sentence = describe(opened.left);
  assert.match(sentence, /^No WebGPU adapter: gpu: /);
  assert.match(sentence, /GPU driver.*lavapipe.*SwiftShader/);
  assert.not.match(sentence, /\n/);
});

(available.swiftshader ? test : test.skip)("a driver that does not work leaves the other rungs", async () => {
  const nowhere = "/nonexistent/icd.json";
  const opened = await withEnv({ VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere, CAMBIUM_ADAPTER: "" }, openDevice());
  assert.ok(E.isRight(opened));
  await opened.right.close();
});

test("the environment is left as it was", async () => {
  const before = [process.env.VK_DRIVER_FILES, process.env.VK_ICD_FILENAMES];
  const opened = await openDevice(available.swiftshader ? { adapter: "swiftshader" } : {})();
  assert.equal([process.env.VK_DRIVER_FILES, process.env.VK_ICD_FILENAMES], before);
  if (E.isRight(opened)) await opened.right.close();
});

test("a rung that does not exist is a bad option", async () => {
  const opened = await withEnv({ CAMBIUM_ADAPTER: "abacus" }, openDevice());
  assert.ok(E.isLeft(opened));
  assert.is(opened.left._tag, "BadOption");
  assert.match(describe(opened.left), /abacus.*gpu, lavapipe, swiftshader/);
});

test("two devices opened at once do not disturb each other", async () => {
  const pair = await Promise.all([openDevice()(), openDevice()()]);
  for (const opened of pair) {
    assert.ok(E.isRight(opened));
    assert.ok(E.isRight(await opened.right.settled()));
    await opened.right.close();
  }
});

test.run();
