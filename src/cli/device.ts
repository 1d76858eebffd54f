/** Flags of the commands that open a device. */
import { flag, oneOf } from "./flags.ts";

/** In which precision a device computes. */
export const precisionFlag = flag(
  oneOf("f32", "mixed"),
  "P",
  "f32, or mixed: frozen weights and what is kept for the backward pass in f16, for less memory and faster products on a GPU",
  "f32",
);
