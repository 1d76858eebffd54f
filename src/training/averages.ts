/** The average of what a training has gone through: sums that it keeps as state, and what becomes of them at its end. */
import type { GroupValues } from "../model/adapters/adapter.ts";
import type { Training } from "./keeper.ts";

/** The name of the state that holds the sum of a group's values. */
export const sumOf = (group: string): string => `${group}.sum`;

/** The name of the state that counts them. */
export const summed = "summed";

/** The values of every group that was averaged, in f64 and rounded once; of the others those at the end. */
export const averaged = <G extends string>({ values, moments }: Training<G>): GroupValues<G> => {
  const [count] = moments[summed] ?? [0];
  const groups = Object.entries<Float32Array>(values).map(([group, last]) => {
    const sum = moments[sumOf(group)];
    return [group, sum === undefined || count === 0 ? last : sum.map((x) => x / count)] as const;
  });
  return Object.fromEntries(groups) as GroupValues<G>;
};
