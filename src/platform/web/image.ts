/** From the bytes of an image file to RGB, by the browser, as `node/image.ts` does it: no colour profile, no EXIF turning, alpha dropped. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { pictureFormat, refusalOfPicture } from "../pictures.ts";
import { decodeBmp } from "../bmp.ts";
import type { Decoder } from "../platform.ts";
import { drawing, withoutAlpha } from "./canvas.ts";

const decode: Decoder = (bytes) =>
  TE.tryCatch(
    async () => {
      const bitmap = await createImageBitmap(new Blob([bytes as BlobPart]), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
      const { width, height } = bitmap;
      const context = drawing(width, height);
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      return withoutAlpha(width, height, context.getImageData(0, 0, width, height).data);
    },
    () => "the picture is damaged or cut off",
  );

/** Decodes the formats of `readFormats` that the browser knows, whatever the file is called. */
export const decodeImage: Decoder = (bytes, frame) => {
  const refusal = refusalOfPicture(bytes);
  if (refusal !== undefined) return TE.left(refusal);
  return pictureFormat(bytes) === "BMP" ? TE.fromEither(decodeBmp(bytes)) : decode(bytes, frame);
};
