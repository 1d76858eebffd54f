/** Training parameters of the model itself, in place of the frozen ones: all of them, or those of some layers. */
import { layout, unflatten, type Layout } from "../../tensor/layout.ts";
import { layersOf, type LayerChoice, type Network } from "../network.ts";
import { plainScope, type Scope } from "../scope.ts";
import type { Adapter, GroupViews } from "./adapter.ts";

/** What is trained in full, and the scope in which it stands for what was frozen. */
interface Form {
  readonly name: string;
  readonly options: unknown;
  /** The parameters that are trained, by name. */
  readonly trained: (net: Network) => readonly string[];
  readonly scope: (net: Network, base: Scope, param: Scope["param"]) => Scope;
}

const inPlace = ({ name, options, trained, scope }: Form): Adapter<"weights"> => {
  const layoutOf = (net: Network): Layout => layout(trained(net).map((parameter) => [parameter, net.parameters.get(parameter)!.shape]));
  return {
    name,
    options,
    layouts: (net) => ({ weights: layoutOf(net) }),
    trained: ["weights"],
    initial: (net, weights) => {
      const l = layoutOf(net);
      const flat = new Float32Array(l.length);
      l.entries.forEach((entry) => flat.set(weights.get(entry.name)!.data, entry.offset));
      return { weights: flat };
    },
    scope: (net, base, { weights }: GroupViews<"weights">) => scope(net, base, (parameter) => weights.get(parameter) ?? base.param(parameter)),
    update: (net, values) => ({ factors: new Map(), weights: unflatten(layoutOf(net), values.weights) }),
    ranks: () => new Map(),
    fullRank: true,
  };
};

/** Options of {@link allParameters}. */
export interface AllParametersOptions {
  /** Parameters that stay frozen, by name, as far as the network has them. Default: none. */
  readonly except?: readonly string[];
}

/**
 * All parameters of the model, trained in place of the frozen ones: full fine-tuning and pre-training. Group: `weights`.
 *
 * ```ts
 * assert.deepEqual(adapter.allParameters({ except: ["logit_scale"] }).options, { except: ["logit_scale"] });
 * ```
 */
export const allParameters = ({ except = [] }: AllParametersOptions = {}): Adapter<"weights"> =>
  inPlace({
    name: "allParameters",
    options: except.length === 0 ? {} : { except },
    trained: ({ parameters }) => [...parameters.keys()].filter((name) => !except.includes(name)),
    scope: (net, _, param) => plainScope(net, param),
  });

/**
 * The weights and biases of some layers, trained in place of the frozen ones, such as the projector of a LLaVA. In `parallel` it stands first: adapters of the
 * same layers come on top. Group: `weights`.
 *
 * ```ts
 * const both = adapter.parallel({ projector: adapter.wholeLayers({ modules: "all", towers: ["projector"] }), lora: adapter.lora({ towers: ["language"] }) });
 * assert.deepEqual(both.trained, ["projector.weights", "lora.A", "lora.B"]);
 * ```
 */
export const wholeLayers = (choice: LayerChoice): Adapter<"weights"> =>
  inPlace({
    name: "wholeLayers",
    options: choice,
    trained: (net) => layersOf(net, choice).flatMap(({ name }) => [`${name}.weight`, `${name}.bias`].filter((parameter) => net.parameters.has(parameter))),
    scope: (net, base, param) => {
      const [chosen, whole] = [new Set(layersOf(net, choice).map(({ name }) => name)), plainScope(net, param)];
      return { ...base, linear: (layer, ...rest) => (chosen.has(layer) ? whole : base).linear(layer, ...rest) };
    },
  });
