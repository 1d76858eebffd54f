/** What residual adapters see and do: a learner's model run through their branch, and the weights that the branch gives to given class tokens. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { frozenScope, type Scope } from "../../src/model/scope.ts";
import type { Learner } from "../../src/model/learner.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { networkOf, outputsOf } from "../../src/model/model.ts";
import { through, type Branch } from "../../src/model/branch.ts";
import { share } from "../../src/subspace/bases.ts";
import type { InputOptions } from "../../src/subspace/inputs.ts";
import { sumOver } from "../../src/training/pass.ts";
import { project } from "../../src/stages/project.ts";
import { keepResidual, residualDirections } from "../../src/methods/dualloraSlots.ts";
import { slice } from "../../src/tensor/ops/window.ts";
import { floats, type Tensor } from "../../src/tensor/tensor.ts";
import { lessonOf, runStage, runtimeOf } from "./trace.ts";

type Outputs = Readonly<Record<string, Float32Array>>;

/** What went on in a forward pass of images [n, channels, size, size]. */
export interface Seen {
  /** [n, embed]: not normalised. */
  readonly features: Float32Array;
  /** The class tokens [n, width] that enter linear layers, by module. */
  readonly queries: Outputs;
  /** What the branch noted. */
  readonly notes: Outputs;
}

/** Runs images through a learner's model and a branch of it. */
export const forward = async (device: Device, learner: Learner, branch: Branch | undefined, { shape, data }: HostTensor): Promise<Seen> => {
  const { model } = learner;
  const out = await get(
    sumOver({
      weights: model.weights,
      batches: 1,
      at: () => TE.right({ pixels: data }),
      of: (leaves) => {
        const shown: Record<string, Tensor> = {};
        const plain = frozenScope(networkOf(model), leaves.frozen);
        const scope = through(branch, learner, plain, leaves.constant, (name, value) => void (shown[`note ${name}`] = value));
        const watched: Scope = {
          ...scope,
          linear: (name, x, ...updates) => {
            if (x.shape.length === 3) shown[`query ${name}`] = slice(x, 1, 0, 1);
            return scope.linear(name, x, ...updates);
          },
        };
        const { imageFeatures } = outputsOf(model, leaves, { images: shape[0], texts: 0, length: 0 }, watched);
        return { ...shown, features: imageFeatures };
      },
    })(runtimeOf(device)),
  );
  const named = (prefix: string): Outputs =>
    Object.fromEntries(Object.entries(out).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])));
  return { features: out.features, queries: named("query "), notes: named("note ") };
};

/**
 * The products [n, tokens, ranks] that a branch hands to the B of all its residual adapters in one module: x [n, tokens, width] times the rows of their A,
 * weighted. A module without a residual adapter gives x back.
 */
export const products = async (device: Device, learner: Learner, branch: Branch, module: string, { shape, data }: HostTensor): Promise<Float32Array> => {
  const { products: found } = await get(
    sumOver({
      weights: new Map(),
      batches: 1,
      at: () => TE.right({ x: data }),
      of: (leaves) => {
        const x = leaves.input("x", floats(shape));
        const shown: Scope = { param: () => x, has: () => false, linear: (_, own, ...[update]) => update?.p ?? own };
        return { products: through(branch, learner, shown, leaves.constant).linear(module, x) };
      },
    })(runtimeOf(device)),
  );
  return found;
};

/**
 * The weights [n, ranks] of the residual adapters of one module for images whose class tokens are `queries` [n, width]. Rows of their A are orthonormal, so a
 * second token that is the sum of all of them has a product of 1 with each; with rows that are zero it has none.
 */
export const weightsFor = async (device: Device, learner: Learner, branch: Branch, module: string, queries: ArrayLike<number>): Promise<Float32Array> => {
  const {
    shape: [ranks, width],
    data: A,
  } = branch.tensors(learner).get(`${module} A`)!;
  const n = queries.length / width;
  const x = new Float32Array(2 * n * width);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < width; k++) {
      x[2 * i * width + k] = queries[i * width + k];
      for (let r = 0; r < ranks; r++) x[(2 * i + 1) * width + k] += A[r * width + k];
    }
  }
  const p = await products(device, learner, branch, module, { shape: [n, 2, width], data: x });
  return Float32Array.from({ length: n * ranks }, (_, at) => p[(2 * Math.floor(at / ranks) + 1) * ranks + (at % ranks)]);
};

/** The learner with a residual adapter for its last slot too, which waits for one: it shows the slot's weights and adds nothing. */
export const withLastShown = async (
  device: Device,
  learner: Learner,
  options: { readonly rank: number } & Pick<InputOptions, "modules" | "towers">,
): Promise<Learner> => {
  const { model } = learner;
  const inputs = { ...options, tokens: "class", accumulate: "gram", slot: "previous", energy: share(1) } as const;
  const lesson = { ...lessonOf(learner, [1], 0), batches: undefined as never };
  const chosen = await runStage(device, project(residualDirections(inputs)), lesson);
  const adapter = parallel({ residual: lora({ ...options, directions: chosen.directions }) });
  const adapters = { adapter, values: adapter.initial(networkOf(model), model.weights, 0, 0) };
  return (await runStage(device, project(keepResidual("previous")), { ...chosen, adapters })).learner;
};
