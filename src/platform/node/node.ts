/** The platform of Node and Deno: Dawn, `node:fs`, sharp, the user's cache folder, stderr and stdout, or the cells of a notebook. */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { brotliDecompressSync } from "node:zlib";
import type { Platform } from "../platform.ts";
import { openQueue } from "./bullmq.ts";
import { cacheIn } from "./cache.ts";
import { files } from "./files.ts";
import { nodeHub } from "./hub.ts";
import { decodeImage } from "./image.ts";
import { openGpu } from "./ladder.ts";
import { output, progress } from "./output.ts";
import { openS3 } from "./s3.ts";
import { encodeThumbnail } from "./thumbnail.ts";
import { threads } from "./threads.ts";

/** The user's cache folder; a function, as the environment may change. */
const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "cambium");

/** The platform of Node and Deno. */
export const node: Platform = {
  name: "node",
  files,
  decodeImage,
  encodeThumbnail,
  openGpu,
  openQueue,
  openStorage: openS3(),
  cache: cacheIn(cacheFolder),
  get progress() {
    return progress();
  },
  get output() {
    return output();
  },
  hub: nodeHub(),
  unpackBrotli: brotliDecompressSync,
  threads,
};
