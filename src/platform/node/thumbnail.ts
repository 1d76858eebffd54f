/** Small pictures for a page, as WebP. */
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import { message } from "../failures.ts";
import type { ThumbnailEncoder } from "../platform.ts";

/** Shrinks with sharp; a picture that is small enough keeps its size. */
export const encodeThumbnail: ThumbnailEncoder = ({ width, height, data }, side) =>
  TE.tryCatch(async () => {
    const picture = sharp(data, { raw: { width, height, channels: 3 } }).resize({ width: side, height: side, fit: "inside", withoutEnlargement: true });
    const { buffer, byteOffset, byteLength } = await picture.webp({ quality: 80, smartSubsample: true }).toBuffer();
    return { mime: "image/webp", bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  }, message);
