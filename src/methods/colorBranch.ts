/** What CoLoR runs images through: the adapter of the task whose prototypes are nearest to an image (arXiv 2311.17601; METHODS.md H.2). */
import { prototypes, type Calibration, type TaskPrototypes } from "../stages/index.ts";
import { model, tensor, type formats } from "./vocabulary.ts";

const { add, matmul, normalize, topMask } = tensor;
type Tensor = tensor.Tensor;

/** The name under which {@link nearest} notes the task of an image: [images, tasks], 1 for the nearest and 0 for the others. */
export const nearestTask = "nearest task";

/** The prototypes of all tasks as one matrix, half of the squared length of each, below zero, and which of them are whose. */
const prototypeTensors = (all: readonly TaskPrototypes[]): readonly (readonly [string, formats.HostTensor])[] => {
  const width = all[0].centres.shape[1];
  const data = Float32Array.from(all.flatMap(({ centres }) => [...centres.data]));
  const count = data.length / width;
  const halves = Float32Array.from({ length: count }, (_, i) => -data.subarray(i * width, (i + 1) * width).reduce((sum, x) => sum + (x * x) / 2, 0));
  return [
    ["prototypes", { shape: [count, width], data }],
    ["halves", { shape: [count], data: halves }],
    ["owners", model.membership(all.map(({ centres }) => centres.shape[0]))],
  ];
};

/** The adapters of a learner's bank, of which an image takes that of the task with the nearest prototype to its unit feature in the model as it is. */
export const nearest: model.Branch = model.banked({
  name: "nearest",
  options: {},
  tensors: (learner) => new Map(prototypeTensors(prototypes.of(learner))),
  weights: ({ model: { architecture } }, { tensor: tensorNamed, plain, note }) => {
    let found: Tensor | undefined;
    /** The same for all layers: the nearest of points c to a unit x is that of the largest x · c − |c|² / 2. */
    const chosen = (): Tensor => {
      if (found !== undefined) return found;
      const unit = normalize(plain(architecture.readout!.features));
      const closeness = add(matmul(unit, tensorNamed("prototypes"), { tb: true, exact: true }), tensorNamed("halves"));
      found = matmul(topMask(closeness, 1), tensorNamed("owners"), { tb: true });
      note(nearestTask, found);
      return found;
    };
    return (layer) => (z) => model.weightsOfRanks(chosen(), tensorNamed(`${layer} ranks`), z);
  },
});

/** An image is of the task whose adapter it takes: the classes of other tasks that have one are out, and those of tasks that have none yet stay. */
export const ofNearestTask: Calibration = {
  name: "ofNearestTask",
  options: {},
  of: (learner, { [nearestTask]: noted }) => {
    const own = prototypes.of(learner);
    if (noted === undefined) return () => 0;
    const placeOf = new Map(own.map(({ position }, place) => [position, place] as const));
    return (image, position) => {
      const place = placeOf.get(position);
      return place === undefined || noted[image * own.length + place] > 0 ? 0 : -Infinity;
    };
  },
};
