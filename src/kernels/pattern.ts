/** Broadcasts, and the sums that undo them: the pattern that they share, and how they become launches. */
import type { Bounds } from "./bounds.ts";
import { foldGroups, input, launch, output, scratch, type Launch } from "./launch.ts";
import { windowOf } from "./windows.ts";

/** A tensor seen as `[outer, mod, div]`: the pattern of a broadcast and of the sum that undoes it. */
export interface Pattern {
  readonly outer: number;
  readonly mod: number;
  readonly div: number;
  /** Dimensions between those of mod are left out too: mod is [mod / low, low], and the tensor is [outer, mod / low, count, low, div]. */
  readonly gap?: { readonly count: number; readonly low: number };
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

/**
 * The pattern by which the shape `b` broadcasts to `a`; undefined where it does not. The dimensions of `b` other than 1 must be a run of those of `a`, with one
 * gap at most.
 */
export const broadcastPattern = (a: readonly number[], b: readonly number[]): Pattern | undefined => {
  if (b.length > a.length) return undefined;
  const padded = [...a.slice(b.length).map(() => 1), ...b];
  if (padded.some((d, i) => d !== 1 && d !== a[i])) return undefined;
  const first = padded.findIndex((d) => d !== 1);
  if (first < 0) return { outer: product(a), mod: 1, div: 1 };
  const end = padded.findLastIndex((d) => d !== 1) + 1;
  const ends = { outer: product(a.slice(0, first)), mod: product(b), div: product(a.slice(end)) };
  const left = padded.flatMap((d, i) => (first < i && i < end && d !== a[i] ? [i] : []));
  if (left.length === 0) return ends;
  const [from, to] = [left[0], left[left.length - 1] + 1];
  if (padded.slice(from, to).some((d) => d !== 1)) return undefined;
  return { ...ends, gap: { count: product(a.slice(from, to)), low: product(a.slice(to, end)) } };
};

/** Rows that one thread sums at least in the first of two passes: a tall matrix would otherwise keep only `mod` threads busy. */
const shortest = 64;
/** Chunks are one dimension of a grid. */
const mostChunks = 65535;

const chunkOf = (outer: number): number => Math.max(shortest, Math.ceil(outer / mostChunks));

/** The chunks that a sum over `outer` is cut into, each with sums of its own; 0 where one pass does. */
export const sumChunks = (outer: number): number => (outer > 2 * shortest ? Math.ceil(outer / chunkOf(outer)) : 0);

/** The steps of a launch that sums one tensor. */
const alone = { xStep: 0, outStep: 0 };

/** Sums over `outer` and `div`, times `factor`; in two passes, by way of scratch 0 [chunks, mod], where there are chunks. */
export const sumLaunches = ({ adapter }: Bounds, { outer, mod, div }: Pattern, factor: number): readonly Launch[] => {
  const GROUP = adapter.kind === "gpu";
  const grid = foldGroups(GROUP ? mod : Math.ceil(mod / 64));
  const chunks = sumChunks(outer);
  if (chunks === 0) return [launch("reduce", { outer, groups: mod, inner: div, chunk: 0, scale: factor, ...alone }, [input(0), output(0)], grid, { GROUP })];
  const chunk = chunkOf(outer);
  return [
    launch("reduce", { outer, groups: mod, inner: div, chunk, scale: 1, ...alone }, [input(0), scratch(0)], [Math.ceil(mod / 64), chunks, 1], {
      PARTIAL: true,
    }),
    launch("reduce", { outer: chunks, groups: mod, inner: 1, chunk: 0, scale: factor, ...alone }, [scratch(0), output(0)], grid, { GROUP }),
  ];
};

/**
 * The sums over `outer` of `count` tensors [outer, mod], `xStep` elements from one to the next, times `factor`, each as {@link sumLaunches} computes it on a
 * GPU; those of a tensor begin `step` elements behind those of the one before, step < mod + 64, with zeros between. By way of scratch 0 [count, chunks, mod].
 */
export const batchSumLaunches = (count: number, { outer, mod }: Pattern, factor: number, xStep: number, step: number): readonly Launch[] => {
  const chunks = sumChunks(outer);
  const last = { groups: mod, inner: 1, chunk: 0, scale: factor, outStep: step };
  const [grid, constants] = [[mod, 1, count] as const, { GROUP: true, BATCH: true }];
  if (chunks === 0) return [launch("reduce", { ...last, outer, xStep }, [input(0), output(0)], grid, constants)];
  const partial = { outer, groups: mod, inner: 1, chunk: chunkOf(outer), scale: 1, xStep, outStep: chunks * mod };
  return [
    launch("reduce", partial, [input(0), scratch(0)], [Math.ceil(mod / 64), chunks, count], { PARTIAL: true, BATCH: true }),
    launch("reduce", { ...last, outer: chunks, xStep: chunks * mod }, [scratch(0), output(0)], grid, constants),
  ];
};

/** Groups that one launch sums, a multiple of 64 so that each launch's part of a tensor begins where a binding may. */
const groupsALaunch = Math.floor(mostChunks / 64) * 64;

/** Sums a tensor [groups, count, width] over count in one pass, times `factor`. */
export const groupSumLaunches = (groups: number, count: number, width: number, factor: number): readonly Launch[] =>
  Array.from({ length: Math.ceil(groups / groupsALaunch) }, (_, i) => {
    const first = i * groupsALaunch;
    const inside = Math.min(groupsALaunch, groups - first);
    const operands = [windowOf(input(0), first * count * width, inside * count * width), windowOf(output(0), first * width, inside * width)];
    const dims = { outer: inside * count, groups: width, inner: 1, chunk: count, scale: factor, ...alone };
    return launch("reduce", dims, operands, [Math.ceil(width / 64), inside, 1], { PARTIAL: true });
  });
