/** The namespace `formats`: safetensors, and files that are written whole or not at all. */
export { readModelTensors, readSafetensors, readSafetensorsMetadata, writeSafetensors } from "./safetensors.ts";
export type { SafetensorsOptions } from "./safetensors.ts";
export { readJson, readText, writeFolderAtomic, writeJson, writeText } from "./files.ts";
export type { HostTensor, Tensors } from "./hostTensor.ts";
