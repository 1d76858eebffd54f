/** What dropout.wgsl keeps, computed on the host by the same whole-number arithmetic. */

/** Hashes below this are dropped: a share `p` of all 2³². */
export const dropoutThreshold = (p: number): number => Math.min(2 ** 32 - 1, Math.round(p * 2 ** 32));

/** The permutation of u32 of dropout.wgsl. */
const mix = (value: number): number => {
  let h = (value + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
};

/** What dropout keeps of a tensor of `count` elements: 1 where an element is kept, 0 where it is dropped. */
export const dropoutMask = (count: number, p: number, seed: readonly [number, number], site: number): Float32Array => {
  const key = mix(mix(mix(seed[0]) ^ seed[1]) ^ site);
  return Float32Array.from({ length: count }, (_, i) => (mix(mix(i) ^ key) < dropoutThreshold(p) ? 0 : 1));
};
