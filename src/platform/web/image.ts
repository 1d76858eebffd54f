/**
 * From the bytes of an image file to RGB, by the browser, as Node's platform does it: no colour profile, no EXIF turning, alpha dropped. A JPEG in CMYK has the
 * colours that the browser shows.
 */
import * as TE from "fp-ts/lib/TaskEither.js";
import { decodeBmp } from "../bmp.ts";
import { message } from "../failures.ts";
import { framesOf, type Frame } from "../frames.ts";
import { pictureFormat, refusalOfPicture, refusalOfSize } from "../pictures.ts";
import type { Decoder } from "../platform.ts";
import { coloursOf } from "./canvas.ts";
import { withoutExif } from "./exif.ts";

/** Pixels as the file has them. */
const asStored = { premultiplyAlpha: "none", colorSpaceConversion: "none" } as const;

/** The MIME types of what may be an animation. */
const animations: Readonly<Record<string, string>> = { GIF: "image/gif", WebP: "image/webp" };

/** A frame of an animation; the only one of a still picture. */
const bitmapOfFrame = async (bytes: Uint8Array, type: string, { index, of }: Frame): Promise<ImageBitmap> => {
  if (typeof ImageDecoder === "undefined") throw new Error("this browser takes no frames of animations (it has no ImageDecoder, as Chrome and Edge have)");
  const decoder = new ImageDecoder({ data: bytes as BufferSource, type, ...asStored });
  try {
    await decoder.tracks.ready;
    await decoder.completed;
    const { image } = await decoder.decode({ frameIndex: framesOf(decoder.tracks.selectedTrack?.frameCount ?? 1, of)[index] ?? 0 });
    try {
      return await createImageBitmap(image, asStored);
    } finally {
      image.close();
    }
  } finally {
    decoder.close();
  }
};

const bitmapOf = (bytes: Uint8Array, format: string, frame: Frame | undefined): Promise<ImageBitmap> =>
  frame === undefined || !(format in animations)
    ? createImageBitmap(new Blob([withoutExif(bytes) as BlobPart]), asStored)
    : bitmapOfFrame(bytes, animations[format], frame);

/** What browsers say of a picture is that they cannot decode it. Not all know every format. */
const inWords =
  (format: string) =>
  (error: unknown): string => {
    if (!(error instanceof DOMException)) return message(error);
    return ["TIFF", "AVIF"].includes(format) ? `this browser does not read ${format}, or the picture is damaged` : "the picture is damaged or cut off";
  };

const decode = (bytes: Uint8Array, format: string, frame: Frame | undefined): ReturnType<Decoder> =>
  TE.tryCatch(async () => {
    const bitmap = await bitmapOf(bytes, format, frame);
    try {
      const refusal = refusalOfSize(bitmap.width, bitmap.height);
      if (refusal !== undefined) throw new Error(refusal);
      return coloursOf(bitmap);
    } finally {
      bitmap.close();
    }
  }, inWords(format));

/** Decodes the formats of `readFormats` that the browser knows, whatever the file is called. */
export const decodeImage: Decoder = (bytes, frame) => {
  const refusal = refusalOfPicture(bytes);
  if (refusal !== undefined) return TE.left(refusal);
  const format = pictureFormat(bytes) as string;
  return format === "BMP" ? TE.fromEither(decodeBmp(bytes)) : decode(bytes, format, frame);
};
