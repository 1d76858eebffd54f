/** The linear layers of a model under the names that PEFT knows them by. */
import type { Model } from "../model.ts";
import type { Linear } from "../network.ts";

/** What the functions of this folder need of a model. */
export type Base = Pick<Model, "architecture" | "config" | "weights">;

/** The linear layers whose weights an adapter can change: those of the blocks and those beside them. */
export const linearsOf = ({ architecture, config }: Pick<Model, "architecture" | "config">): readonly Linear[] => [
  ...architecture.layers(config),
  ...(architecture.projections?.(config) ?? []),
];

/** What PEFT calls a linear layer when it loads an adapter: its name in a model that transformers has loaded. */
export const moduleOf = ({ name, alias }: Linear): string => alias ?? name;

/** The names of a linear layer: its own, and where it has one its other. */
export const namesOf = ({ name, alias }: Linear): readonly string[] => (alias === undefined ? [name] : [name, alias]);

/** Which linear layers there are, for messages: each of those of the blocks once. */
export const listed = (base: Pick<Model, "architecture" | "config">): string =>
  [...new Set(linearsOf(base).map(({ name }) => name.replace(/^.*\.\d+\./, "")))].join(", ");
