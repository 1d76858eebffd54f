/** Which patches of images a step of test-time training sees; the others are hidden, and reconstructed. */
import type { Learner } from "../model/learner.ts";
import { random } from "../random.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Adaptation } from "./adaptation.ts";

/** How many patches an image has, and how many of them are seen. */
export interface Patches {
  readonly all: number;
  readonly seen: number;
}

/** The patches of an image under an adaptation; undefined where an architecture hides none. */
export const patchesOf = ({ model: { architecture, config } }: Learner, { hidden = 0 }: Adaptation): Patches | undefined => {
  const all = architecture.images?.patches?.(config);
  return all === undefined ? undefined : { all, seen: Math.floor(all * (1 - hidden)) };
};

/** The patches that are seen of so many images in a step, as rows of the tokens of all; drawn by the seed. */
export const visibleOf = (count: number, patches: Patches | undefined, seed: number, step: number): HostRecord => {
  if (patches === undefined) return {};
  const rows = Array.from({ length: count }, (_, i) => {
    const seen = random(seed, "visible patches", step, i).permutation(patches.all).subarray(0, patches.seen);
    return [0, ...Array.from(seen, (patch) => 1 + patch)].map((token) => i * (1 + patches.all) + token);
  });
  return { visible: Uint32Array.from(rows.flat()) };
};
