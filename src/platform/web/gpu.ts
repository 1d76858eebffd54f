/** A device from `navigator.gpu`, in a window or in a worker. */
import * as E from "fp-ts/lib/Either.js";
import { firstLine } from "../failures.ts";
import type { GpuRequest, OpenGpu, Platform } from "../platform.ts";
import type { GPU } from "../webgpu.ts";

/** Where browsers have WebGPU, and what turns it on where they have it and do not offer it. */
const advice =
  "WebGPU is in Chrome and Edge from 113 on, in Safari from 26 on, and in Firefox from 141 on (on Windows first). Where the browser has it and offers none, " +
  "switch on hardware acceleration in its settings; in Chrome and Edge also chrome://flags/#enable-unsafe-webgpu, or the flag --enable-unsafe-webgpu of the " +
  "command line, which Linux may need.";

/** Why there is no `navigator.gpu`. */
const whyAbsent = (): string =>
  globalThis.isSecureContext === false
    ? "this page is not secure, and browsers offer WebGPU to pages of https:// and of localhost alone"
    : "this browser offers no WebGPU here";

/** The device of the adapter that the browser prefers; a string says why there is none. */
const attempt = async (gpu: GPU, { descriptor }: GpuRequest, experimental: boolean): Promise<OpenGpu | string> => {
  // An adapter gives one device: whoever tries again asks for another.
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return "this browser has WebGPU and finds no adapter for it";
  const device = await adapter.requestDevice(descriptor(adapter, experimental));
  return { gpu: device, info: adapter.info, wait: (pending) => pending, release: () => undefined };
};

/** Opens the device that the browser offers. A page cannot choose among drivers: lavapipe and SwiftShader are refused as `BadOption`. */
export const openGpu: Platform["openGpu"] = (request) => async () => {
  const { rung } = request;
  if (rung === "lavapipe" || rung === "swiftshader") return E.left({ _tag: "BadOption", option: "adapter", detail: `a page cannot choose ${rung}` });
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  const opened = gpu === undefined ? whyAbsent() : await attempt(gpu, request, true).catch(() => attempt(gpu, request, false).catch(firstLine));
  return typeof opened === "string" ? E.left({ _tag: "NoAdapter", tried: [opened], advice }) : E.right(opened);
};
