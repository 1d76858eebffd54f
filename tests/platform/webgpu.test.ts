/** The parts of WebGPU that are types of ours: the devices and adapters of the standard, as `@webgpu/types` has them, are such. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkScript } from "../script.ts";

const names = ["GPU", "GPUAdapter", "GPUAdapterInfo", "GPUDevice", "GPUBuffer", "GPUComputePipeline", "GPUBindGroup", "GPUSupportedLimits", "GPUShaderModule"];

test("what the standard gives is what we take", async () => {
  const program = (taken: (name: string) => string): string => `
/// <reference types="@webgpu/types" />
import type * as ours from "../../src/platform/webgpu.ts";

${names.map((name) => `export const take${name} = (standard: ${name}): ${taken(name)} => standard;`).join("\n")}
`;
  const { code, output } = await checkScript(program((name) => `ours.${name}`));
  assert.is(code, 0, output);
  // The check sees a difference where there is one.
  const other = await checkScript(program((name) => `ours.${name === "GPUBuffer" ? "GPUDevice" : name}`));
  assert.match(other.output, /'GPUBuffer' is (missing|not assignable)|Type 'GPUBuffer'/);
});

test.run();
