/** The platform that is used where none is given. A bundler for browsers replaces this one file. */
import { node } from "./node/node.ts";
import type { Platform } from "./platform.ts";

/** Node and Deno. */
export const platform: Platform = node;
