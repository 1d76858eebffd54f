/** What `transformers` reads as the image processor of a model of icons. */
import type { Preprocess } from "../../src/data/preprocess.ts";

/** The keys of `preprocessor_config.json`. */
export const processorConfig = ({ mean, std }: Preprocess, size: number): unknown => ({
  image_processor_type: "CLIPImageProcessor",
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: size },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: size, width: size },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: mean,
  image_std: std,
});
