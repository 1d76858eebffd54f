/** A program for weights as they lie on the device: frozen tensors that are stored as f16 are widened, which later passes put off until they are read. */
import { storageOf, type ResidentTensor } from "../../device/resident.ts";
import type { Bounds } from "../../kernels/bounds.ts";
import { widen } from "../ops/widen.ts";
import type { Program } from "../program.ts";
import { leaf, type Node, type Tensor } from "../tensor.ts";
import { rewrite } from "./pass.ts";

/** The program with those of its frozen tensors stored as f16 that are so among the weights. */
export const asStored = (program: Program, { tensors }: { readonly tensors: ReadonlyMap<string, Pick<ResidentTensor, "dtype">> }): Program => {
  const halves = new Map<Node, Tensor>();
  for (const node of program.leaves) {
    const { shape, dtype } = node.outputs[0];
    if (node.role !== "frozen" || dtype !== "f32" || tensors.get(node.name)?.dtype !== "f16") continue;
    halves.set(node, leaf("frozen", node.name, { shape, dtype: "f16" }));
  }
  if (halves.size === 0) return program;
  const rewritten = rewrite(program, (_, traced) => {
    const half = halves.get(traced);
    return half && [widen(half)];
  });
  return { ...rewritten, leaves: program.leaves.map((node) => (halves.get(node)?.node ?? node) as Program["leaves"][number]) };
};

/** The program as a device of a precision stores its weights that are uploaded for it: in mixed precision matrices as f16. */
export const asUploaded = (program: Program, { precision }: Pick<Bounds, "precision">): Program => {
  if (precision === "f32") return program;
  const frozen = program.leaves.filter(({ role }) => role === "frozen");
  return asStored(program, { tensors: new Map(frozen.map(({ name, outputs: [{ shape }] }) => [name, { dtype: storageOf(shape, "f16") }])) });
};
