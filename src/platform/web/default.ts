/** The platform that is used where none is given, in a browser: a build for browsers puts this file in the place of `src/platform/default.ts`. */
import type { Platform } from "../platform.ts";
import { web } from "./web.ts";

/** A browser's tab. */
export const platform: Platform = web;
