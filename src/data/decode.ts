/**
 * From the bytes of an image file to RGB, as Pillow's `Image.open(...).convert("RGB")` sees it: no colour profile, no EXIF turning,
 * alpha dropped.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import type { Sharp } from "sharp";
import type { Failure } from "../failure.ts";
import { message } from "../formats/files.ts";
import type { Image } from "./task.ts";

/** What turns the bytes of an image file into pixels; the left side says in words what is wrong with them. */
export type Decoder = (bytes: Uint8Array) => TE.TaskEither<string, Image>;

/** Decodes JPEG, PNG, WebP and all else that sharp reads. An image that ends early is an error, a mere warning is not. */
export const decodeImage: Decoder = (bytes) =>
  TE.tryCatch(async () => {
    // A view of a larger buffer is read as that view; failOn "error" includes truncation.
    const image = sharp(bytes, { failOn: "error", ignoreIcc: true });
    const { space } = await image.metadata();
    if (space === "cmyk") return await decodeCmyk(image);
    const { data, info } = await image.removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }, message);

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

/** Reads the bytes of a sample and decodes them; what is wrong with the bytes becomes a `CorruptSample` of `path` and `member`. */
export const decodeSample = (
  path: string,
  member: string,
  read: TE.TaskEither<Failure, Uint8Array>,
  decoder: Decoder = decodeImage,
): TE.TaskEither<Failure, Image> =>
  pipe(
    read,
    TE.chain((bytes) =>
      pipe(
        decoder(bytes),
        TE.mapLeft((detail): Failure => ({ _tag: "CorruptSample", path, member, detail })),
      ),
    ),
    TE.chainEitherK((image) =>
      image.data.length === image.width * image.height * 3
        ? E.right(image)
        : E.left<Failure>({ _tag: "CorruptSample", path, member, detail: `${image.data.length} bytes for ${image.width} x ${image.height} pixels` }),
    ),
  );
