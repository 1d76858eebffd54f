/**
 * From the bytes of an image file to RGB, as Pillow's `Image.open(...).convert("RGB")` sees it: no colour profile, no EXIF turning,
 * alpha dropped.
 */
import { basename, dirname } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import type { Sharp } from "sharp";
import type { Failure } from "../failure.ts";
import { message, readBytes } from "../formats/files.ts";
import { readMember } from "../formats/tar.ts";
import type { ExampleDecoder, Image } from "./example.ts";
import type { Task } from "./task.ts";

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

/** Reads the bytes of an image file and decodes them; what is wrong with the bytes becomes a `CorruptSample` of `path` and `member`. */
export const decodeFile = (
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

/** Decodes examples by what their references say. Fails with what cannot be read, with `CorruptSample`, and with the failure that a damaged example holds. */
export const exampleDecoder =
  (decoder: Decoder = decodeImage): ExampleDecoder =>
  ({ id, image }) => {
    switch (image.kind) {
      case "file":
        return decodeFile(dirname(image.path), basename(image.path), readBytes(image.path), decoder);
      case "member":
        return decodeFile(image.archive, image.name, readMember(image.archive, image), decoder);
      case "bytes":
        return decodeFile("memory", id, TE.right(image.bytes), decoder);
      case "pixels":
        return TE.right(image.image);
      case "named":
        return TE.left({ _tag: "CorruptSample", path: "memory", member: id, detail: `only the task that it is from can make ${image.name}` });
      case "damaged":
        return TE.left(image.failure);
    }
  };

/** How a task decodes its examples: its own way, or {@link exampleDecoder}. A damaged example is never asked of the task. */
export const decoderOf =
  ({ decode = exampleDecoder() }: Task): ExampleDecoder =>
  (example) =>
    example.image.kind === "damaged" ? TE.left(example.image.failure) : decode(example);
