/**
 * The safetensors format: eight bytes of header length, a JSON header, the tensors back to back.
 *
 * The reader trusts nothing: a damaged or hostile file is a `FileCorrupt` with a byte offset and never an allocation larger than the file.
 */
export { isNumberArray, type NumberArray } from "./safetensors/arrays.ts";
export { readArrays, readModelPlaces, readModelTensors, readSafetensors, readSafetensorsMetadata } from "./safetensors/read.ts";
export { toFloat32 } from "./safetensors/convert.ts";
export { readInParts, type Part, type StoredTensor } from "./safetensors/stream.ts";
export { writeArrays, writeSafetensors, type SafetensorsOptions } from "./safetensors/write.ts";
