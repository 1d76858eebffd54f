/** The device of a browser's tab, its cache, and what is said where there is none. */
import * as assert from "uvu/assert";
import { browserTest, runTests } from "./check.ts";

const page = "tests/browser/pages/device.ts";

/** What the page tells of a device. */
interface Told {
  readonly line: string;
  readonly kind: string;
  readonly subgroupSize: number;
  readonly bytes: number;
  readonly buffers: number;
}

browserTest("a device opens in a worker and in a window, with the limits of its adapter and no more storage buffers than every adapter has", async (tab) => {
  for (const place of [tab.inWorker, tab.inWindow]) {
    const { line, kind, subgroupSize, bytes, buffers } = await place<Told>(page, "device");
    assert.match(line, kind === "cpu" ? /swiftshader \(software, on the CPU\)$/ : /GPU\)$/);
    if (kind === "cpu") assert.is(subgroupSize, 4);
    assert.ok(bytes >= 2 ** 27);
    assert.is(buffers, 8);
  }
});

browserTest("without WebGPU, or without an adapter, the failure says what to enable", async ({ inWorker, inWindow }) => {
  for (const place of [inWorker, inWindow]) {
    const absent = await place<string>(page, "device", "absent");
    assert.match(absent, /^No WebGPU adapter: this browser offers no WebGPU here\. WebGPU is in Chrome and Edge from 113 on, in Safari from 26 on/);
    assert.match(absent, /chrome:\/\/flags\/#enable-unsafe-webgpu/);
    assert.not.match(absent, /lavapipe|npm/);
  }
  assert.match(
    await inWorker<string>(page, "device", "without adapter"),
    /^No WebGPU adapter: this browser has WebGPU and finds no adapter for it\. WebGPU is in/,
  );
  assert.is(await inWorker<string>(page, "device", "as it is", "lavapipe"), "adapter: a page cannot choose lavapipe");
});

browserTest("the cache keeps what is written", async ({ inWorker, inWindow }) => {
  assert.equal(await inWorker(page, "cached", "matmul-a.json", "{}"), [undefined, "{}"]);
  assert.equal(await inWindow(page, "cached", "matmul-a.json", "[]"), ["{}", "[]"]);
});

runTests();
