/** An image as a model takes it, computed on whatever thread: `work` is what other threads are asked for. */
import type { Image } from "../platform/platform.ts";
import { centre, cutOut, normalise, type Cut, type Preprocess } from "./transform.ts";

/** An image and what becomes of it: a rectangle of it where one is given, else the evaluation transform. */
export interface Preparation {
  readonly image: Image;
  readonly preprocess: Preprocess;
  readonly cut?: Cut;
}

/** The size that an image has behind its transform, and its normalised planes [3, height, width]. */
export interface Prepared {
  readonly width: number;
  readonly height: number;
  readonly planes: Float32Array;
}

/** Where this module is, for a thread that imports it. */
export const module: string = import.meta.url;

/** Prepares an image. */
export const work = ({ image, preprocess, cut }: Preparation): Prepared => {
  const { width, height, data } = cut === undefined ? centre(preprocess)(image) : cutOut(image, cut);
  const planes = new Float32Array(3 * width * height);
  normalise(preprocess)({ width, height, data }, planes, 0);
  return { width, height, planes };
};
