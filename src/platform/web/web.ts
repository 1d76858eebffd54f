/** The platform of a browser's tab, in a window or in a worker: `navigator.gpu`, files of the browser's own storage, and what it decodes pictures with. */
import type { Platform } from "../platform.ts";
import { cacheIn } from "./cache.ts";
import { files, mount } from "./files.ts";
import { openGpu } from "./gpu.ts";
import { decodeImage } from "./image.ts";
import { output, progress } from "./output.ts";
import { encodeThumbnail } from "./thumbnail.ts";

/** The platform of a browser's tab. */
export const web: Platform = { name: "web", files, mount, decodeImage, encodeThumbnail, openGpu, cache: cacheIn(files, "/.cache/cambium"), progress, output };
