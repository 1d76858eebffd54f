/**
 * From the bytes of an image file to RGB, as Pillow's `Image.open(...).convert("RGB")` sees it: no colour profile, no EXIF turning,
 * alpha dropped.
 */
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { message } from "../failures.ts";
import { framesOf, type Frame } from "../frames.ts";
import { pictureFormat, refusalOfPicture, refusalOfSize } from "../pictures.ts";
import type { Decoder, Image } from "../platform.ts";
import { decodeBmp } from "../bmp.ts";

/** Larger pictures are decoded one at a time. */
const largePixels = 2 ** 24;

let queue: Promise<unknown> = Promise.resolve();

const inTurn = <A>(task: () => Promise<A>): Promise<A> => {
  const result = queue.then(task);
  queue = result.catch(() => undefined);
  return result;
};

const pixelsOf = async (image: Sharp): Promise<Image> => {
  const { data, info } = await image.removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
};

/** What libvips says is lost where several pictures are damaged at a time. */
const inWords = (error: unknown): string => {
  const said = message(error);
  return said === "Unknown error" ? "the picture is damaged or cut off" : said;
};

/** The frame of an animation that is asked for; of a still picture the only one. */
const pageOf = async (bytes: Uint8Array, { index, of }: Frame): Promise<number> => framesOf((await sharp(bytes).metadata()).pages ?? 1, of)[index] ?? 0;

/** Decodes with sharp. */
const decode: Decoder = (bytes, frame) =>
  TE.tryCatch(async () => {
    const page = frame === undefined ? 0 : await pageOf(bytes, frame);
    // A view of a larger buffer is read as that view; failOn "error" includes truncation.
    const image = sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: false, page });
    const { space, width, height } = await image.metadata();
    const pixels = width * height;
    const refusal = refusalOfSize(width, height);
    if (refusal !== undefined) throw new Error(refusal);
    const decoded = (): Promise<Image> => (space === "cmyk" ? decodeCmyk(image) : pixelsOf(image));
    return await (pixels > largePixels ? inTurn(decoded) : decoded());
  }, inWords);

/** CMYK to RGB by Pillow's plain formula, channel = (255 - k) - c (255 - k) / 255, where sharp would assume a printing press. */
const decodeCmyk = async (image: Sharp): Promise<Image> => {
  const { data, info } = await image.pipelineColourspace("cmyk").toColourspace("cmyk").raw().toBuffer({ resolveWithObject: true });
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let i = 0; i < info.width * info.height; i++) {
    const light = 255 - data[i * info.channels + 3];
    for (let c = 0; c < 3; c++) {
      const product = data[i * info.channels + c] * light + 128;
      rgb[i * 3 + c] = Math.max(0, light - ((product + (product >> 8)) >> 8));
    }
  }
  return { width: info.width, height: info.height, data: rgb };
};

/** Decodes the formats of `readFormats`, whatever the file is called. An image that ends early is an error, a mere warning is not. */
export const decodeImage: Decoder = (bytes, frame) => {
  const refusal = refusalOfPicture(bytes);
  if (refusal !== undefined) return TE.left(refusal);
  return pictureFormat(bytes) === "BMP" ? TE.fromEither(decodeBmp(bytes)) : decode(bytes, frame);
};
