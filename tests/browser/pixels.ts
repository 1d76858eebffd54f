/** Pictures on their way between a test and a browser, as data. */
import type { Frame } from "../../src/platform/frames.ts";

/** A picture, and which of its frames. */
export interface Asked {
  readonly base64: string;
  readonly frame?: Frame;
}

/** The pixels of a picture. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly base64: string;
}
