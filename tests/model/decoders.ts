/** Runs decoders for tests: the rows of a golden file, and what a model gives for them, with LoRA or without. */
import type { Device } from "../../src/device/device.ts";
import { resident } from "../../src/device/resident.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import type { BatchSize } from "../../src/model/architecture.ts";
import { networkOf, outputsOf, type Model } from "../../src/model/model.ts";
import { frozenScope } from "../../src/model/scope.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { evaluate, orThrow, type Value } from "../tensor/check.ts";

/** Rows of tokens, padded, with the positions whose next token counts. */
export interface Rows {
  readonly ids: Value;
  readonly starts: Value;
  readonly positions: readonly number[];
  readonly next: readonly number[];
  /** Pixels [images, 3, size, size], and which of their tokens stand where. */
  readonly pictures?: { readonly pixels: Value; readonly picks: Value };
}

const sizeOf = ({ ids: { shape }, positions, pictures }: Rows): BatchSize => ({
  images: pictures?.pixels.shape[0] ?? 0,
  texts: shape[0],
  length: shape[1],
  positions: positions.length,
});

/** The length of every row, from ids that are padded on the left. */
export const lengthsOf = (starts: HostTensor, longest: number): readonly number[] => [...starts.data].map((start) => longest - start);

/** The rows of a batch whose padding stands on the left or on the right. `chosen` are the numbers of the tokens of a row whose next one counts. */
export const rowsOf = (padded: HostTensor, lengths: readonly number[], left: boolean, chosen: (length: number) => readonly number[]): Rows => {
  const [rows, longest] = padded.shape;
  const starts = lengths.map((length) => (left ? longest - length : 0));
  const positions = lengths.flatMap((length, row) => chosen(length).map((i) => row * longest + starts[row] + i));
  const last = padded.data.length - 1;
  return {
    ids: { shape: [rows, longest], data: Uint32Array.from(padded.data) },
    starts: { shape: [rows], data: Uint32Array.from(starts) },
    positions,
    next: positions.map((at) => padded.data[Math.min(at + 1, last)]),
  };
};

/** The inputs of a batch by name; every position has an equal share. */
const inputsOf = ({ ids, starts, positions, next, pictures }: Rows): Readonly<Record<string, Value>> => {
  const shape = [positions.length];
  return {
    ids,
    starts,
    positions: { shape, data: Uint32Array.from(positions) },
    next: { shape, data: Uint32Array.from(next) },
    share: { shape, data: new Float32Array(positions.length).fill(1 / positions.length) },
    ...pictures,
  };
};

/** The outputs of a decoder by name, for the given rows. */
export const outputsFor = async (device: Device, model: Model, rows: Rows, names: readonly string[]): Promise<Readonly<Record<string, Float32Array>>> => {
  const uploaded = orThrow(resident(device, model.weights));
  try {
    return await evaluate(
      device,
      inputsOf(rows),
      (inputs) => {
        const outputs = outputsOf(model, { ...leafBook(), input: (name) => inputs[name] }, sizeOf(rows));
        return Object.fromEntries(names.map((name) => [name, outputs[name]]));
      },
      uploaded,
    );
  } finally {
    uploaded.release();
  }
};

/** Factors of LoRA by layer, the rows of A first. */
export type LoraFactors = ReadonlyMap<string, { readonly A: HostTensor; readonly B: HostTensor }>;

/** The loss of the answers through LoRA on all layers, and its gradients: `A of LAYER`, `B of LAYER`, and those of `parameters` by their names. */
export const lossAndGradients = async (
  device: Device,
  model: Model,
  rows: Rows,
  factors: LoraFactors,
  parameters: readonly string[] = [],
): Promise<Readonly<Record<string, Float32Array>>> => {
  const net = networkOf(model);
  const uploaded = orThrow(resident(device, model.weights));
  const values = Object.fromEntries(
    [...factors].flatMap(([name, { A, B }]) => [
      [`A of ${name}`, A],
      [`B of ${name}`, B],
    ]),
  );
  const [{ A }] = factors.values();
  try {
    return await evaluate(
      device,
      { ...inputsOf(rows), ...values },
      (inputs) => {
        const leaves = leafBook();
        const group = (letter: string): ReadonlyMap<string, Tensor> => new Map([...factors.keys()].map((name) => [name, inputs[`${letter} of ${name}`]]));
        const scope = lora({ rank: A.shape[0] }).scope(net, frozenScope(net, leaves.frozen), { A: group("A"), B: group("B") });
        const loss = outputsOf(model, { ...leaves, input: (name) => inputs[name] }, sizeOf(rows), scope).answerLoss;
        const wanted = [
          ...Object.keys(values).map((name) => [name, inputs[name]] as const),
          ...parameters.map((name) => [name, leaves.frozen(name, net.parameters.get(name)!.shape)] as const),
        ];
        const gradients = gradient(
          loss,
          wanted.map(([, tensor]) => tensor),
        );
        return { loss, ...Object.fromEntries(wanted.map(([name], i) => [name, gradients[i]])) };
      },
      uploaded,
    );
  } finally {
    uploaded.release();
  }
};
