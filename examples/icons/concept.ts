/**
 * A concept is a name that several vendors drew: the class of the icon world.
 */
import type { Drawing } from "./sets.ts";

/** One name with its drawings, at most a few of each vendor. */
export interface Concept {
  /** What a person calls it, for example "hot dog", "Norway", "TypeScript". */
  readonly name: string;
  /** The widest word for it: "animal", "food", "place", "object", "flag", "logo", "weather", … */
  readonly group: string;
  /** A narrower word for it, for example "bird". */
  readonly kind: string;
  /** Keywords, without the name itself. */
  readonly tags: readonly string[];
  readonly drawings: readonly Drawing[];
}

/** A class name in plain ASCII: no accents, straight quotes, "and" for "&". */
export const plain = (label: string): string =>
  label.normalize("NFD").replace(/\p{M}/gu, "").replace(/[“”]/g, "").replace(/’/g, "'").replace(/ & /g, " and ").replace(/\s+/g, " ").trim();
