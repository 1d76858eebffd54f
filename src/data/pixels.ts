/** Pixels that are to be other than a model's folder says, and a preprocessing written down as such a folder has it. */
import type { Resampling } from "../formats/resize.ts";
import type { Preprocess } from "./transform.ts";

/** What of a model's preprocessing is to be otherwise. */
export interface Pixels {
  /** Per channel, of values from 0 to 1: (x - mean) / std. Mean 0 and deviation 1 leave these as they are. */
  readonly mean?: [number, number, number];
  readonly std?: [number, number, number];
  /** The share of the shorter side that the central crop leaves (timm's crop_pct): 0.875 resizes it to 256 for a crop of 224. 1 crops a square. */
  readonly crop?: number;
  readonly resampling?: Resampling;
}

/**
 * A preprocessing with other pixels, for images of a square size.
 *
 * ```ts
 * const unit = data.withPixels(data.vitPreprocess(224), 224, { mean: [0, 0, 0], std: [1, 1, 1], crop: 0.875 });
 * assert.deepEqual([unit.resize, unit.crop], [{ shortest: 256 }, { height: 224, width: 224 }]);
 * ```
 */
export const withPixels = (p: Preprocess, size: number, { crop, ...values }: Pixels): Preprocess => ({
  ...p,
  ...values,
  ...(crop === undefined ? {} : { resize: { shortest: Math.floor(size / crop) }, crop: { height: size, width: size } }),
});

/** Pillow's numbers. */
const numbers: Readonly<Record<Resampling, number>> = { lanczos: 1, bilinear: 2, bicubic: 3 };

/** A preprocessing as `preprocessor_config.json` of a Hugging Face folder has it: `readPreprocess` reads the same from it. */
export const processorConfig = ({ square = false, resize, resampling, crop, scale, mean, std }: Preprocess): object => ({
  image_processor_type: square ? "LlavaImageProcessor" : "CLIPImageProcessor",
  ...(square ? { do_pad: true } : {}),
  do_resize: resize !== undefined,
  ...(resize === undefined ? {} : { size: "shortest" in resize ? { shortest_edge: resize.shortest } : resize }),
  resample: numbers[resampling],
  do_center_crop: crop !== undefined,
  ...(crop === undefined ? {} : { crop_size: crop }),
  do_rescale: true,
  rescale_factor: scale,
  do_normalize: true,
  image_mean: mean,
  image_std: std,
});
