/** A network as plain data: its parameters, the layers that adapters attach to, and its towers. */
import { check, type Shape } from "../tensor/tensor.ts";

/** A parameter: its name on disk, its shape, and how it is drawn for a network that nobody has trained. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** One value everywhere, or normal with mean 0. */
  readonly initial: { readonly value: number } | { readonly deviation: number };
  /** A folder may lack it; the network then computes without it. */
  readonly optional?: boolean;
}

/** A linear layer: its weight `NAME.weight` is [out, in]. */
export interface Linear {
  readonly name: string;
  /** What programs call it that load its file under other names than those that stand there. */
  readonly alias?: string;
  readonly in: number;
  readonly out: number;
}

/** A linear layer that adapters may attach to. */
export interface Layer extends Linear {
  readonly tower: string;
  /** What it does in its block, in the words of papers: `q`, `k`, `v`, `out`, `fc1`, `fc2`, … */
  readonly kind: string;
  /** Whether it has a `NAME.bias`. */
  readonly bias: boolean;
  /** The number of its block in the tower, from 0. */
  readonly depth: number;
}

/** A stack of blocks: the inputs that it reads, and the output that runs all of it. */
export interface Tower {
  readonly inputs: readonly string[];
  readonly output: string;
  /** It leads from one tower to another, and is so small that methods may train it in full. */
  readonly connects?: true;
}

/** What adapters, projections and counts need of a model: plain data. */
export interface Network {
  /** The name of its architecture, for messages. */
  readonly name: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly layers: readonly Layer[];
  readonly towers: Readonly<Record<string, Tower>>;
  /** Width of the features that heads and prototypes are made of. */
  readonly width: number;
}

/** Some of a network's layers, by their kinds and towers. */
export interface LayerChoice {
  /** Kinds of layers, in the order in which their adapters are drawn; or all. */
  readonly modules: "all" | readonly string[];
  readonly towers: "all" | readonly string[];
  /** Of every tower the last so many blocks alone, or all where it has fewer. Default: all. */
  readonly last?: number;
}

const distinct = (words: readonly string[]): readonly string[] => [...new Set(words)];

/**
 * Whether a name is among those that are chosen.
 *
 * ```ts
 * assert.ok(model.chooses("all", "vision") && !model.chooses(["text"], "vision"));
 * ```
 */
export const chooses = (choice: "all" | readonly string[], name: string): boolean => choice === "all" || choice.includes(name);

/** The names that are chosen among those that there are. Throws a `ShapeError` that lists both where one is not there. */
const chosen = (what: string, { name }: Network, choice: "all" | readonly string[], there: readonly string[]): readonly string[] => {
  if (choice === "all") return there;
  const unknown = choice.find((word) => !there.includes(word));
  check(unknown === undefined, "layers", () => `a ${name} has no ${what} ${unknown}; it has ${there.join(", ")}`);
  return choice;
};

/** The chosen towers. Throws a `ShapeError` where the network lacks one. */
export const towersOf = (net: Network, towers: LayerChoice["towers"]): readonly string[] => chosen("tower", net, towers, Object.keys(net.towers));

/** The layers of the chosen towers, block by block. Throws a `ShapeError` where the network lacks a tower or a kind that is named. */
export const layersOf = (net: Network, { modules, towers, last = Infinity }: LayerChoice): readonly Layer[] => {
  const kinds = chosen("layer of the kind", net, modules, distinct(net.layers.map(({ kind }) => kind)));
  return towersOf(net, towers).flatMap((tower) => {
    const inTower = net.layers.filter((layer) => layer.tower === tower);
    const depths = [...new Set(inTower.map(({ depth }) => depth))];
    return depths.slice(-last).flatMap((depth) => kinds.flatMap((kind) => inTower.filter((layer) => layer.depth === depth && layer.kind === kind)));
  });
};

/** The number of blocks in a tower. */
export const depthOf = (net: Network, tower: string): number => 1 + Math.max(-1, ...net.layers.filter((l) => l.tower === tower).map((l) => l.depth));
