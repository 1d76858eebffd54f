/** Modules of hyparquet-compressors, which has types for all of them together alone. */
declare module "hyparquet-compressors/src/gzip.js" {
  export const gunzip: (bytes: Uint8Array, into: Uint8Array) => Uint8Array;
}
declare module "hyparquet-compressors/src/lz4.js" {
  export const decompressLz4: (bytes: Uint8Array, length: number) => Uint8Array;
  export const decompressLz4Raw: (bytes: Uint8Array, length: number) => Uint8Array;
}
