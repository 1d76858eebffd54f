/** A model whose weights go from its files to a device part by part: the memory of the process never holds them. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import { bindingStride, ownedOn, roundUp } from "../device/owned.ts";
import { storageOf, type Resident, type ResidentTensor, type Storage } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import { halfWords } from "../formats/half.ts";
import { elements, firstNotFinite } from "../formats/hostTensor.ts";
import { readInParts, readModelPlaces, toFloat32, type Part, type StoredTensor } from "../formats/safetensors.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";
import { architectureOf, readModelAs, type Model, type ReadModelOptions } from "./model.ts";
import { heldParameters } from "./weights.ts";

/** A model whose weights are on a device and nowhere else. */
export interface StreamedModel {
  /** Its `weights` are empty. */
  readonly model: Model;
  /** The weights by name. Whoever has read the model releases them. */
  readonly weights: Resident;
}

/** Options of {@link streamModel}. */
export interface StreamModelOptions extends ReadModelOptions {
  /** How matrices are stored on the device; what has one dimension, such as the gains of norms, is stored as f32. Default: f32, or f16 in mixed precision. */
  readonly storage?: Storage;
}

/** A parameter on its way: where it lies, and where it goes. */
interface Moving extends StoredTensor {
  readonly buffer: GPUBuffer;
  readonly storage: Storage;
}

/** The position of the first f16 that is NaN or infinite; -1 where all are finite. */
const firstInfinite = (bits: Uint16Array): number => {
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7c00) === 0x7c00) return i;
  return -1;
};

/** The bits that go to the device for a part. Fails with `BadTensor` for a number that is not finite, or is too large for f16. */
const bitsOf = ({ dtype, storage, path, name }: Moving, { bytes, first }: Part): E.Either<Failure, Float32Array | Uint16Array> => {
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path, tensor: name, detail });
  // What is of f16 already goes as it is.
  const same = storage === "f16" && dtype === "F16" && bytes.length % 4 === 0 ? new Uint16Array(bytes.buffer as ArrayBuffer) : undefined;
  if (same !== undefined && firstInfinite(same) < 0) return E.right(same);
  const values = toFloat32(dtype, bytes);
  const at = firstNotFinite(values);
  if (at >= 0) return bad(`is not finite: its element ${first + at} is ${values[at]}`);
  if (storage === "f32") return E.right(values);
  const bits = halfWords(values);
  const large = firstInfinite(bits);
  return large < 0 ? E.right(bits) : bad(`holds ${values[large]}, which f16 cannot hold; store f32`);
};

/** Makes room for the weights of a model and moves them there, file by file. Nothing stays behind where it fails. */
const upload = (model: Model, dir: string, device: Device, storage: Storage, files: Files): TE.TaskEither<Failure, Resident> => {
  const owned = ownedOn(device);
  const tensors = new Map<string, ResidentTensor>();
  const move = (moving: Moving, part: Part): TE.TaskEither<Failure, void> =>
    pipe(
      TE.fromEither(bitsOf(moving, part)),
      TE.map((bits) =>
        device.gpu.queue.writeBuffer(moving.buffer, part.first * bits.BYTES_PER_ELEMENT, bits.buffer as ArrayBuffer, bits.byteOffset, bits.byteLength),
      ),
      // What is written waits in memory of the process until the device has it.
      TE.chain(() => device.settled),
    );
  return pipe(
    readModelPlaces(dir, files),
    TE.chainEitherK((places) => heldParameters(model.architecture, model.config, places, dir)),
    TE.chainEitherK((held): E.Either<Failure, readonly Moving[]> => {
      const moving: Moving[] = [];
      for (const [{ name, shape }, stored] of held) {
        const dtype = storageOf(shape, storage);
        const buffer = owned.buffer(name, roundUp(elements(shape) * (dtype === "f16" ? 2 : 4), bindingStride));
        if (E.isLeft(buffer)) return buffer;
        tensors.set(name, { buffer: buffer.right, dtype });
        moving.push({ ...stored, buffer: buffer.right, storage: dtype });
      }
      return E.right(moving);
    }),
    TE.chain((moving) =>
      pipe(
        [...new Set(moving.map(({ path }) => path))],
        TE.traverseSeqArray((path) =>
          readInParts(
            path,
            moving.filter((one) => one.path === path),
            move,
            files,
          ),
        ),
      ),
    ),
    TE.map((): Resident => ({ tensors, release: owned.release })),
    TE.mapLeft((failure) => {
      owned.release();
      return failure;
    }),
  );
};

/**
 * Reads a model folder as {@link readModel} does, but its weights, which go to a device part by part, shard by shard: no more than 4,194,304 numbers are in the
 * memory of the process at once, whatever the model's size. `generate` takes both, on the same device, and nothing else does: training and evaluation read the
 * weights of a model from memory. Fails as `readModel` does, naming the shard, and with `OverLimit`; nothing then stays on the device.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * assert.equal((await writeModel(`${folder}/streamed`, model.initialModel(model.vit, { vision }, 1))())._tag, "Right");
 * const dtype = await withDevice({})((device) => async () => {
 *   const streamed = await model.streamModel(`${folder}/streamed`, device, { storage: "f16" })();
 *   if (streamed._tag === "Left") return streamed;
 *   const { tensors, release } = streamed.right.weights;
 *   const stored = tensors.get("encoder.layer.0.output.dense.weight")?.dtype;
 *   release();
 *   return { _tag: "Right", right: stored };
 * })();
 * assert.deepEqual(dtype, { _tag: "Right", right: "f16" });
 * ```
 */
export const streamModel = (dir: string, device: Device, options: StreamModelOptions = {}): TE.TaskEither<Failure, StreamedModel> => {
  const { storage = device.precision === "mixed" ? "f16" : "f32", files = platform.files } = options;
  return pipe(
    architectureOf(dir, options),
    TE.chain((architecture) => readModelAs(architecture, dir, files, () => TE.right({ weights: new Map() }))),
    TE.bindTo("model"),
    TE.bind("weights", ({ model }) => upload(model, dir, device, storage, files)),
  );
};
