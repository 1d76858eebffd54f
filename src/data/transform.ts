/** What becomes of the pixels of an image before a model sees them: pure functions of plain data, which run on any thread. */
import { centreCrop, crop, resize, resizedCentre, shortestSize } from "../formats/resize.ts";
import type { Resampling, Size } from "../formats/resize.ts";
import type { Image } from "../platform/platform.ts";

/** How a model wants its images, as plain data. */
export interface Preprocess {
  /** Whether an image is first padded to a square, in its middle, with the colour that is the mean below: as LLaVA is trained. Default: no. */
  readonly square?: boolean;
  /** To a shorter side, to a fixed size, or not at all. */
  readonly resize: { readonly shortest: number } | Size | undefined;
  readonly resampling: Resampling;
  /** The size of the central crop; undefined where none is made. */
  readonly crop: Size | undefined;
  /** What 8-bit values are multiplied with. */
  readonly scale: number;
  /** Per channel, after scaling: (x - mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A rectangle of an image, resized. What lies outside of the image is black. Mirrored, left and right change places behind that. */
export interface Cut {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly size: Size;
  readonly resampling?: Resampling;
  readonly mirrored?: boolean;
}

/** An image whose left and right have changed places. */
export const mirror = ({ data, width, height }: Image): Image => {
  const out = new Uint8Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [from, to] = [3 * (row * width + column), 3 * (row * width + width - 1 - column)];
      for (let channel = 0; channel < 3; channel++) out[to + channel] = data[from + channel];
    }
  }
  return { data: out, width, height };
};

/** A rectangle of an image at its size. */
export const cutOut = (image: Image, { top, left, height, width, size, resampling, mirrored = false }: Cut): Image => {
  const cut = resize(crop(image, top, left, { height, width }), size, resampling);
  return mirrored ? mirror(cut) : cut;
};

/** An image in the middle of a square of one colour, which has 8 bits a channel. */
const padded = ({ data, width, height }: Image, colour: readonly number[]): Image => {
  const side = Math.max(width, height);
  const [left, top] = [Math.floor((side - width) / 2), Math.floor((side - height) / 2)];
  const out = new Uint8Array(3 * side * side);
  for (let i = 0; i < out.length; i++) out[i] = colour[i % 3];
  for (let row = 0; row < height; row++) out.set(data.subarray(3 * row * width, 3 * (row + 1) * width), 3 * ((top + row) * side + left));
  return { data: out, width: side, height: side };
};

/** The longest side of an image that is padded as it is: the square of a longer one might fit no computer. */
const longestPadded = 2 ** 13;

/** An image as a square; of one that is too long for that, a smaller copy. */
const squared = (image: Image, { mean, resampling }: Preprocess): Image => {
  const longest = Math.max(image.width, image.height);
  const shrunk = (side: number): number => Math.max(1, Math.round((side * longestPadded) / longest));
  const held = longest > longestPadded ? resize(image, { height: shrunk(image.height), width: shrunk(image.width) }, resampling) : image;
  return held.width === held.height
    ? held
    : padded(
        held,
        mean.map((x) => Math.trunc(x * 255)),
      );
};

/** Padding, resize and crop of a preprocessing: any image to the model's size. */
export const centre =
  (p: Preprocess) =>
  (original: Image): Image => {
    const image = p.square ? squared(original, p) : original;
    if (p.resize === undefined) return p.crop === undefined ? image : centreCrop(image, p.crop);
    const size = "shortest" in p.resize ? shortestSize(image, p.resize.shortest) : p.resize;
    return p.crop === undefined ? resize(image, size, p.resampling) : resizedCentre(image, size, p.crop, p.resampling);
  };

/** An image as normalised planes `[3, height, width]` in f32, written into `into` from `offset` on. */
export const normalise = (p: Preprocess) => {
  // 8-bit input: every result is one of 3 x 256, rounded at each step as the reference does in f32.
  const table = Float32Array.from({ length: 768 }, (_, i) => {
    const [channel, value] = [i >> 8, i & 255];
    return Math.fround(Math.fround(value * p.scale) - Math.fround(p.mean[channel])) / Math.fround(p.std[channel]);
  });
  return ({ data, width, height }: Image, into: Float32Array, offset: number): void => {
    const plane = width * height;
    for (let channel = 0; channel < 3; channel++) {
      const values = table.subarray(channel << 8, (channel + 1) << 8);
      for (let i = 0, at = channel; i < plane; i++, at += 3) into[offset + channel * plane + i] = values[data[at]];
    }
  };
};
