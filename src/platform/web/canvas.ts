/** Pixels in and out of canvases that nobody sees. */
import type { Image } from "../platform.ts";

/** A canvas of so many pixels. Throws where the browser gives none of that size. */
export const drawing = (width: number, height: number): OffscreenCanvasRenderingContext2D => {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error(`the browser gives no canvas of ${width} x ${height} pixels`);
  return context;
};

/** An image as a canvas takes it. */
export const opaque = ({ width, height, data }: Image): ImageData => {
  const pixels = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    for (let channel = 0; channel < 3; channel++) pixels.data[to + channel] = data[from + channel];
    pixels.data[to + 3] = 255;
  }
  return pixels;
};

/** WebGL for all pictures: a browser has few contexts, and takes old ones away. */
let shared: WebGL2RenderingContext | undefined;

const webGl = (): WebGL2RenderingContext => {
  if (shared === undefined || shared.isContextLost()) shared = new OffscreenCanvas(1, 1).getContext("webgl2") ?? undefined;
  if (shared === undefined) throw new Error("pictures with transparent pixels need WebGL, which this browser does not offer");
  return shared;
};

/** The channels of a picture with transparent pixels as its file has them: a canvas for drawing multiplies colours by alpha, and loses what is transparent. */
const unmultiplied = (bitmap: ImageBitmap): Uint8Array => {
  const gl = webGl();
  const [width, height, most] = [bitmap.width, bitmap.height, gl.getParameter(gl.MAX_TEXTURE_SIZE) as number];
  if (Math.max(width, height) > most) throw new Error(`it has ${width} x ${height} pixels, more than the ${most} a side that this browser reads`);
  const [texture, frame, pixels] = [gl.createTexture(), gl.createFramebuffer(), new Uint8Array(4 * width * height)];
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.deleteFramebuffer(frame);
  gl.deleteTexture(texture);
  if (gl.isContextLost()) throw new Error("the browser took WebGL away while it read the picture");
  return pixels;
};

const drawn = (bitmap: ImageBitmap): Uint8ClampedArray => {
  const context = drawing(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
};

const isOpaque = (pixels: Uint8ClampedArray): boolean => {
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at] !== 255) return false;
  return true;
};

/** The colours of a bitmap whose alpha was not multiplied in. Alpha is dropped. */
export const coloursOf = (bitmap: ImageBitmap): Image => {
  const { width, height } = bitmap;
  const shown = drawn(bitmap);
  const pixels = isOpaque(shown) ? shown : unmultiplied(bitmap);
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) for (let channel = 0; channel < 3; channel++) data[to + channel] = pixels[from + channel];
  return { width, height, data };
};
