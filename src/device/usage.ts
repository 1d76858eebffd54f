/**
 * The WebGPU usage bits as numbers. Dawn's Node binding defines no globals, so `GPUBufferUsage` and `GPUMapMode` exist as types only.
 */

/** How a buffer may be used: the bits of `GPUBufferUsage`. */
export const bufferUsage = {
  mapRead: 0x0001,
  mapWrite: 0x0002,
  copySrc: 0x0004,
  copyDst: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  indirect: 0x0100,
  queryResolve: 0x0200,
} as const;

/** How a buffer is mapped: the bits of `GPUMapMode`. */
export const mapMode = { read: 1, write: 2 } as const;
