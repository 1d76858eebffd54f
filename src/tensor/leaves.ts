/** The tensors that a traced step asks for by name. Asking twice for one name gives the same tensor. */
import type { HostTensor } from "../formats/hostTensor.ts";
import type { Storage } from "../device/resident.ts";
import { floats, leaf, sameShape, ShapeError, show, type Role, type Shape, type Spec, type Tensor } from "./tensor.ts";

/** What a step may ask for while it is traced. A name with another shape than before is a `ShapeMismatch`. */
export interface Leaves {
  /** A tensor that is uploaded once: a weight of the model, of f32, or of f16 where it is stored so. */
  readonly frozen: (name: string, shape: Shape, storage?: Storage) => Tensor;
  /** A tensor that is uploaded once, with its values. */
  readonly constant: (name: string, value: HostTensor) => Tensor;
  /** A tensor of f32 that lives from run to run, zero before the first unless it is written. */
  readonly state: (name: string, shape: Shape) => Tensor;
  /** A tensor that is written before a run. */
  readonly input: (name: string, spec: Spec) => Tensor;
}

/** Leaves to be asked, and the values of the constants that they were given. */
export interface LeafBook extends Leaves {
  readonly constants: ReadonlyMap<string, HostTensor>;
}

/** New leaves, none of them asked for yet. */
export const leafBook = (): LeafBook => {
  const leaves = new Map<string, Tensor>();
  const constants = new Map<string, HostTensor>();
  const once = (role: Role, name: string, spec: Spec): Tensor => {
    const key = `${role}:${name}`;
    const tensor = leaves.get(key) ?? leaf(role, name, spec);
    if (!sameShape(tensor.shape, spec.shape) || tensor.dtype !== spec.dtype) throw new ShapeError(name, `asked for as ${show(tensor)} and as ${show(spec)}`);
    leaves.set(key, tensor);
    return tensor;
  };
  return {
    constants,
    frozen: (name, shape, dtype = "f32") => once("frozen", name, { shape, dtype }),
    constant: (name, value) => {
      constants.set(name, value);
      return once("frozen", name, floats(value.shape));
    },
    state: (name, shape) => once("state", name, floats(shape)),
    input: (name, spec) => once("input", name, spec),
  };
};
