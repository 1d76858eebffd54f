/** What makes inputs of a model: of images as its image processor does, of texts as its tokenizer does; and what of both cannot fit. */
import type { ImageTransform } from "../data/augment.ts";
import { imageTransform, outputSize, type Preprocess } from "../data/preprocess.ts";
import { printed } from "../formats/json.ts";
import type { TextBatch, Tokenizer } from "../formats/tokenizer.ts";
import { check } from "../tensor/tensor.ts";
import type { Architecture } from "./architecture.ts";

/** An image has red, green and blue. */
const channels = 3;

/** Why a model takes no images as they are read here, as a phrase; undefined where it does. */
export const faultOfImages = <C>({ inputs, images }: Architecture<C>, config: C): string | undefined => {
  if (images === undefined) return undefined;
  const { shape = [] } = inputs(config, { images: 1, texts: 0, length: 0 }).pixels ?? {};
  // [images, channels, height, width]; an architecture may take its pixels in another form.
  const wanted = shape.length === 4 ? shape[1] : channels;
  return wanted === channels ? undefined : `its images have ${wanted} channel${wanted === 1 ? "" : "s"}; ${channels} are supported`;
};

/** What of a preprocessing does not fit a model, as a phrase; undefined where all fits, or where the size of what it makes depends on the image. */
export const faultOfPreprocess = <C>({ images }: Architecture<C>, config: C, preprocess: Preprocess | undefined): string | undefined => {
  const made = images === undefined || preprocess === undefined ? undefined : outputSize(preprocess);
  if (images === undefined || made === undefined) return undefined;
  const size = images.size(config);
  if (made.height === size && made.width === size) return undefined;
  return `it makes images of ${made.width} x ${made.height} pixels, and the model takes ${size} x ${size}`;
};

/** The parts of a model that its images and texts depend on. */
interface Inputs {
  readonly architecture: Architecture;
  readonly config: unknown;
  readonly preprocess?: Preprocess;
  readonly tokenizer?: Tokenizer;
}

/** The transform of images for a model. Throws a `ShapeError` where it makes images that the model does not take. */
export const transformOf = ({ architecture, config, preprocess }: Pick<Inputs, "architecture" | "config" | "preprocess">): ImageTransform => {
  const { name, images } = architecture;
  const fault = faultOfImages(architecture, config) ?? faultOfPreprocess(architecture, config, preprocess);
  check(fault === undefined, "preprocessing", () => fault!);
  check(images !== undefined && preprocess !== undefined, "preprocessing", () => `a ${name} sees no images`);
  const size = images!.size(config);
  return imageTransform(preprocess!, { height: size, width: size });
};

/**
 * What turns texts into inputs of a model, as long as the longest or as `length` says; undefined where its architecture reads none. It throws a `ShapeError`
 * that names a text with a token beyond the model's vocabulary.
 */
export const textEncoder = ({
  architecture: { texts },
  config,
  tokenizer,
}: Pick<Inputs, "architecture" | "config" | "tokenizer">): ((list: readonly string[], length?: number) => TextBatch) | undefined => {
  if (texts === undefined) return undefined;
  const vocabulary = texts.vocabulary?.(config) ?? Infinity;
  return (list, length) => {
    const batch = texts.encode(config, tokenizer!, list, length);
    const at = batch.ids.findIndex((id) => id >= vocabulary);
    check(at < 0, "tokenizer", () => {
      const text = printed(list[Math.floor(at / batch.length)]);
      return `${text} has the token ${batch.ids[at]}, and the model knows those below ${vocabulary}; the tokenizer is that of another model`;
    });
    return batch;
  };
};
