/** Small pictures for a page: WebP, or PNG where a browser writes no WebP. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { message } from "../failures.ts";
import type { ThumbnailEncoder } from "../platform.ts";
import { drawing, opaque } from "./canvas.ts";

/** Shrinks with a canvas; a picture that is small enough keeps its size. */
export const encodeThumbnail: ThumbnailEncoder = (image, side) =>
  TE.tryCatch(async () => {
    const share = Math.min(1, side / Math.max(image.width, image.height));
    const [width, height] = [image.width, image.height].map((pixels) => Math.max(1, Math.round(pixels * share)));
    const bitmap = await createImageBitmap(opaque(image), { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
    const context = drawing(width, height);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const blob = await context.canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
    return { mime: blob.type, bytes: new Uint8Array(await blob.arrayBuffer()) };
  }, message);
