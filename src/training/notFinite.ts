/** What is said of numbers of a step that are not finite. */
import type { Failure } from "../failure.ts";
import { leastScale, scaleName } from "./lossScale.ts";

/** What is wrong with the numbers of a step: its loss, or gradients that no scale of the loss makes finite. */
export const faultOf = ({ loss = 0, [scaleName]: scale = leastScale }: Readonly<Record<string, number>>): string | undefined =>
  Number.isFinite(loss) ? (scale < leastScale ? "A gradient" : undefined) : "The loss";

/** A number that is not finite: before anything was trained it is not the learning rate's fault. */
export const notFinite = (what: string, step: number): Failure => ({
  _tag: "NotFinite",
  what,
  step,
  ...(step === 0 ? { advice: "no step was made before it, so the model, the data or an option of the method is at fault" } : {}),
});
