/** The places of equal values among one another. */

/** For every value how many equal ones stand before it: of a, b, a these are 0, 0, 1. */
export const ordinals = (values: readonly (string | number)[]): readonly number[] => {
  const seen = new Map<string | number, number>();
  return values.map((value) => {
    const before = seen.get(value) ?? 0;
    seen.set(value, before + 1);
    return before;
  });
};
