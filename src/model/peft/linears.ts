/** The linear layers of a model under the names that PEFT knows them by. */
import type { Model } from "../model.ts";
import type { Linear } from "../network.ts";
import { spellings } from "../spelling.ts";

/** What the functions of this folder need of a model. */
export type Base = Pick<Model, "architecture" | "config" | "weights">;

/** The linear layers whose weights an adapter can change: those of the blocks and those beside them. */
export const linearsOf = ({ architecture, config }: Pick<Model, "architecture" | "config">): readonly Linear[] => [
  ...architecture.layers(config),
  ...(architecture.projections?.(config) ?? []),
];

/** What PEFT calls a linear layer when it loads an adapter: its name in a model that transformers has loaded. */
export const moduleOf = ({ name, alias }: Linear): string => alias ?? name;

/** The names that files may have for a linear layer: its own, its other where it has one, and both with other prefixes. */
export const namesOf = ({ architecture }: Pick<Model, "architecture">, { name, alias = name }: Linear): readonly string[] => [
  ...new Set([name, alias].flatMap((own) => spellings(architecture, own))),
];

/** Which linear layers there are, for messages: each of those of the blocks once. */
export const listed = (base: Pick<Model, "architecture" | "config">): string =>
  [...new Set(linearsOf(base).map(({ name }) => name.replace(/^.*\.\d+\./, "")))].join(", ");
