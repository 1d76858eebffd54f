/**
 * The parts of WebGPU that Cambium uses, as types. `@webgpu/types` and the DOM library cannot both be in a program whose declarations are checked, and a
 * user's program may have either or none; so the declarations of Cambium need neither. A test holds these types against `@webgpu/types`. What an
 * implementation can do beyond them is a cast away: `device.gpu as GPUDevice`.
 *
 * Source: https://www.w3.org/TR/webgpu/
 */

/** Limits that are asked for and that kernels depend on. */
export interface GPUSupportedLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** Names of optional features. */
export interface GPUSupportedFeatures extends Iterable<string> {
  has(name: string): boolean;
}

/** Memory on the device. */
export interface GPUBuffer {
  readonly size: number;
  destroy(): void;
  mapAsync(mode: number, offset?: number, size?: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
}

/** A compiled WGSL text. */
export interface GPUShaderModule {
  getCompilationInfo(): Promise<{ readonly messages: readonly { readonly type: string; readonly lineNum: number; readonly message: string }[] }>;
}

/** What a bind group must look like. */
export interface GPUBindGroupLayout {
  readonly label: string;
}

/** Buffers at the bindings of a kernel. */
export interface GPUBindGroup {
  readonly label: string;
}

/** One buffer, or a part of it, at one binding. */
export interface GPUBindGroupEntry {
  readonly binding: number;
  /** `{ buffer, offset, size }` here; other implementations also know textures and samplers. */
  readonly resource: object | undefined;
}

/** A kernel that is ready to run. */
export interface GPUComputePipeline {
  readonly label: string;
  getBindGroupLayout(index: number): GPUBindGroupLayout;
}

/** Dispatches that follow one another. */
export interface GPUComputePassEncoder {
  setPipeline(pipeline: GPUComputePipeline): void;
  setBindGroup(index: number, group: GPUBindGroup | null | undefined): void;
  dispatchWorkgroups(x: number, y?: number, z?: number): void;
  end(): void;
}

/** Commands that are ready to be submitted. */
export interface GPUCommandBuffer {
  readonly label: string;
}

/** Places for timestamps. */
export interface GPUQuerySet {
  readonly count: number;
  destroy(): void;
}

/** Which timestamps a pass writes, when it begins and when it has ended. */
export interface GPUComputePassDescriptor {
  readonly timestampWrites?: {
    readonly querySet: GPUQuerySet;
    readonly beginningOfPassWriteIndex?: number | undefined;
    readonly endOfPassWriteIndex?: number | undefined;
  };
}

/** Writes commands down. */
export interface GPUCommandEncoder {
  beginComputePass(descriptor?: GPUComputePassDescriptor): GPUComputePassEncoder;
  resolveQuerySet(querySet: GPUQuerySet, firstQuery: number, queryCount: number, destination: GPUBuffer, destinationOffset: number): void;
  copyBufferToBuffer(source: GPUBuffer, sourceOffset: number, destination: GPUBuffer, destinationOffset: number, size: number): void;
  finish(): GPUCommandBuffer;
}

/** Takes commands and data to the device. */
export interface GPUQueue {
  submit(commands: Iterable<GPUCommandBuffer>): void;
  writeBuffer(buffer: GPUBuffer, offset: number, data: ArrayBufferLike | ArrayBufferView, dataOffset?: number, size?: number): void;
  onSubmittedWorkDone(): Promise<void>;
}

/** What was wrong, in words. */
export interface GPUError {
  readonly message: string;
}

/** An error that nobody waited for. */
export interface GPUUncapturedErrorEvent {
  readonly error: GPUError;
}

/** An open device. */
export interface GPUDevice {
  readonly limits: GPUSupportedLimits;
  readonly features: GPUSupportedFeatures;
  readonly adapterInfo: GPUAdapterInfo;
  readonly queue: GPUQueue;
  readonly lost: Promise<{ readonly message: string; readonly reason: string }>;
  /** The event is a {@link GPUUncapturedErrorEvent}; not every implementation's types say so. */
  addEventListener(type: "uncapturederror", listener: (event: object) => void): void;
  createBuffer(descriptor: { readonly label?: string | undefined; readonly size: number; readonly usage: number }): GPUBuffer;
  createShaderModule(descriptor: { readonly label?: string | undefined; readonly code: string }): GPUShaderModule;
  createComputePipelineAsync(descriptor: {
    readonly label?: string | undefined;
    readonly layout: "auto" | object;
    readonly compute: { readonly module: GPUShaderModule; readonly entryPoint?: string | undefined };
  }): Promise<GPUComputePipeline>;
  createBindGroup(descriptor: { readonly layout: GPUBindGroupLayout; readonly entries: Iterable<GPUBindGroupEntry> }): GPUBindGroup;
  createCommandEncoder(): GPUCommandEncoder;
  createQuerySet(descriptor: { readonly type: "timestamp"; readonly count: number }): GPUQuerySet;
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<GPUError | null>;
  destroy(): void;
}

/** What an adapter says about itself. */
export interface GPUAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
  readonly subgroupMinSize?: number | undefined;
  readonly subgroupMaxSize?: number | undefined;
  /** Matrices that subgroups multiply; only Dawn says so, and only where it may. */
  readonly subgroupMatrixConfigs?: Iterable<GPUSubgroupMatrixConfig> | undefined;
}

/** Types and sizes of matrices that the lanes of a subgroup multiply together: [M, K] and [K, N]. */
export interface GPUSubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What a device is asked to have. */
export interface GPUDeviceDescriptor {
  readonly requiredLimits?: Readonly<Record<string, number | undefined>>;
  readonly requiredFeatures?: Iterable<string>;
}

/** A GPU, or software that acts as one. */
export interface GPUAdapter {
  readonly info: GPUAdapterInfo;
  readonly features: GPUSupportedFeatures;
  readonly limits: GPUSupportedLimits;
  requestDevice(descriptor?: GPUDeviceDescriptor): Promise<GPUDevice>;
}

/** Where adapters come from: `navigator.gpu` in a browser, what `create()` returns in Dawn. */
export interface GPU {
  requestAdapter(options?: { readonly powerPreference?: "low-power" | "high-performance" }): Promise<GPUAdapter | null>;
}
