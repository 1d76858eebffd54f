/** Pixels in and out of a canvas that nobody sees. */
import type { Image } from "../platform.ts";

/** A canvas of so many pixels. Throws where the browser gives none of that size. */
export const drawing = (width: number, height: number): OffscreenCanvasRenderingContext2D => {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (context === null) throw new Error(`the browser gives no canvas of ${width} x ${height} pixels`);
  return context;
};

/** An image as a canvas takes it. */
export const opaque = ({ width, height, data }: Image): ImageData => {
  const pixels = new ImageData(width, height);
  for (let i = 0, to = 0; i < data.length; i += 3, to += 4) {
    pixels.data[to] = data[i];
    pixels.data[to + 1] = data[i + 1];
    pixels.data[to + 2] = data[i + 2];
    pixels.data[to + 3] = 255;
  }
  return pixels;
};

/** The same pixels without alpha, which is dropped. */
export const withoutAlpha = (width: number, height: number, pixels: Uint8Array | Uint8ClampedArray): Image => {
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = pixels[from];
    data[to + 1] = pixels[from + 1];
    data[to + 2] = pixels[from + 2];
  }
  return { width, height, data };
};
