import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDevice, withDevice } from "../../src/device/open.ts";
import type { OpenDevice } from "../../src/device/device.ts";
import type { GPU } from "../../src/platform/webgpu.ts";
import { compile } from "../../src/device/pipeline.ts";
import { wrapDevice } from "../../src/device/wrap.ts";
import { describe, get } from "../../src/failure.ts";
import type { Failure } from "../../src/failure.ts";
import { left, right } from "../either.ts";

const opened = async (): Promise<OpenDevice> => await get(openDevice());

test("a buffer over the limit names what, how much and the limit, and makes nothing", async () => {
  const device = await opened();
  const before = device.ledger();
  const failure = left(device.buffer("the weights", device.limits.maxBufferSize + 1));
  assert.is(failure._tag, "OverLimit");
  assert.match(describe(failure), /the weights needs .* MiB.*allows .* MiB \(maxBufferSize\)/);
  assert.equal(device.ledger(), before);
  await device.close();
});

test("the ledger counts bytes and objects; release gives back once", async () => {
  const device = await opened();
  assert.equal(device.ledger(), { liveBytes: 0, peakBytes: 0, created: 0 });
  const a = right(device.buffer("a", 20));
  const b = right(device.buffer("empty", 0));
  assert.is(a.size, 32);
  assert.is(b.size, 16);
  device.release(a);
  device.release(a);
  assert.equal(device.ledger(), { liveBytes: 16, peakBytes: 48, created: 2 });
  device.count(3);
  assert.is(device.ledger().created, 5);
  await device.close();
  assert.is(device.ledger().liveBytes, 0);
});

const fill = (value: number): string =>
  `@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n@compute @workgroup_size(1) fn main() { out[0] = ${value}.0; }`;

test("a pipeline is compiled once for its text", async () => {
  const device = await opened();
  const [one, two] = await Promise.all([device.pipeline("fill", fill(1))(), device.pipeline("fill", fill(1))()]);
  assert.is(right(one), right(two));
  const { created } = device.ledger();
  await get(device.pipeline("fill", fill(1)));
  assert.is(device.ledger().created, created);
  assert.is.not(await get(device.pipeline("fill", fill(2))), right(one));
  await device.close();
});

test("a kernel that is refused says which line, and the device goes on", async () => {
  const device = await opened();
  const failure = left(await compile(device.gpu, "broken", "// header\n@compute @workgroup_size(1)\nfn main() { let x: f32 = 1u; }\n")());
  assert.is(failure._tag, "KernelInvalid");
  assert.match(describe(failure), /^The kernel broken was refused.*line 3: .*let x: f32 = 1u/);
  const entry = left(await compile(device.gpu, "nameless", "@compute @workgroup_size(1) fn other() {}")());
  assert.match(describe(entry), /^The kernel nameless was refused/);
  const unknown = left(await device.pipeline("no such kernel", "")());
  assert.is(unknown._tag, "KernelInvalid");
  assert.is(device.failure(), undefined);
  await get(device.settled);
  await device.close();
});

test("an uncaptured error becomes a failure of the next wait", async () => {
  const device = await opened();
  const a = right(device.buffer("a", 16));
  const encoder = device.gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(a, 0, a, 0, 1024);
  device.gpu.queue.submit([encoder.finish()]);
  assert.is(left(await device.settled())._tag, "KernelInvalid");
  assert.is(device.failure()?._tag, "KernelInvalid");
  await device.close();
});

test("a lost device fails everything, and says so", async () => {
  const device = await opened();
  const a = right(device.buffer("a", 16));
  device.gpu.destroy();
  assert.is(left(await device.settled())._tag, "DeviceLost");
  assert.match(describe(left(await device.settled())), /was lost \(.+\)/);
  assert.is(left(device.buffer("b", 16))._tag, "DeviceLost");
  assert.is(left(await device.pipeline("fill", fill(1))())._tag, "DeviceLost");
  device.release(a);
  await device.close();
  await device.close();
});

test("withDevice releases after success, failure and a throw, and reports what use did not notice", async () => {
  const seen: OpenDevice["gpu"][] = [];
  const lost = async (): Promise<number> => (await Promise.all(seen.map((gpu) => gpu.lost))).length;
  assert.is(await get(withDevice({})((d) => (seen.push(d.gpu), TE.right(7)))), 7);
  const failure: Failure = { _tag: "Interrupted" };
  assert.is(left(await withDevice({})((d) => (seen.push(d.gpu), TE.left(failure)))()), failure);
  try {
    await withDevice({})((d) => {
      seen.push(d.gpu);
      throw new Error("a defect");
    })();
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /a defect/);
  }
  assert.is(await lost(), 3);
  const unnoticed = withDevice({})((d) => async () => {
    d.gpu.destroy();
    await d.gpu.lost;
    return E.right(1);
  });
  assert.is(left(await unnoticed())._tag, "DeviceLost");
});

test("withDevice uses a device that is open already, tells its failure, and leaves it open", async () => {
  const device = await opened();
  assert.is(await get(withDevice(device)((d) => TE.right(d))), device);
  assert.is(device.failure(), undefined);
  right(device.buffer("it is still open", 16));
  await get(device.settled);
  const unnoticed = withDevice(device)((d) => async () => {
    d.gpu.destroy();
    await d.gpu.lost;
    return E.right(1);
  });
  assert.is(left(await unnoticed())._tag, "DeviceLost");
  await device.close();
});

test("a GPUDevice that somebody else opened is wrapped, and works", async () => {
  const { gpu, adapter, close } = await opened();
  const device = wrapDevice(gpu);
  assert.is(device.adapter.line, adapter.line);
  await get(device.pipeline("fill", fill(1)));
  const a = right(device.buffer("a", 20));
  assert.is(device.ledger().liveBytes, 32);
  device.release(a);
  await get(device.settled);
  await device.cache.write("name", "text")();
  assert.is(await device.cache.read("name")(), undefined, "nothing is kept where nothing was said");
  await device.close();
  await close();
});

/** What of a browser's page Deno has too. */
const { navigator } = globalThis as unknown as { readonly navigator?: { readonly gpu?: GPU } };

(navigator?.gpu === undefined ? test.skip : test)("the runtime's own WebGPU can be wrapped, as in a page", async () => {
  const gpuAdapter = await navigator!.gpu!.requestAdapter();
  if (gpuAdapter === null) return;
  const device = wrapDevice(await gpuAdapter.requestDevice());
  assert.ok(device.adapter.line.length > 0);
  await get(device.pipeline("fill", fill(1)));
  await get(device.settled);
  await device.close();
});

test.run();
