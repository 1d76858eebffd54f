/** What reads Parquet files, and how their pages are unpacked beside the two ways that it knows itself. Loaded with the first such file. */
/// <reference path="./hyparquetCompressors.d.ts" />
import { decompress } from "fzstd";
// Not the whole package: its dictionary of Brotli is larger than all else that a page loads.
import { gunzip } from "hyparquet-compressors/src/gzip.js";
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors/src/lz4.js";
import { platform } from "../platform/default.ts";

/** What turns packed bytes into so many. */
type Unpack = (bytes: Uint8Array, length: number) => Uint8Array;

export { parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";

/** By the names that Parquet has for them. */
export const compressors: Readonly<Record<string, Unpack>> = {
  GZIP: (bytes, length) => gunzip(bytes, new Uint8Array(length)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
  ZSTD: (bytes) => decompress(bytes),
  ...(platform.unpackBrotli === undefined ? {} : { BROTLI: platform.unpackBrotli }),
};
