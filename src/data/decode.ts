/** From the references of examples to pixels. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { basename, dirname } from "../formats/path.ts";
import { readMember } from "../formats/tar.ts";
import { platform } from "../platform/default.ts";
import type { Frame } from "../platform/frames.ts";
import type { Decoder, Image, Platform } from "../platform/platform.ts";
import type { ExampleDecoder } from "./example.ts";
import { rowReader } from "./rowReader.ts";
import type { ClassTask } from "./task.ts";

export type { Decoder } from "../platform/platform.ts";

/** Decodes the bytes of an image file, as the platform does: in Node and Deno JPEG, PNG, WebP, GIF, TIFF, AVIF and BMP. */
export const decodeImage: Decoder = (bytes, frame) => platform.decodeImage(bytes, frame);

/** Reads the bytes of an image file and decodes them; what is wrong with the bytes becomes a `CorruptSample` of `path` and `member`. */
export const decodeFile = (
  path: string,
  member: string,
  read: TE.TaskEither<Failure, Uint8Array>,
  decoder: Decoder = decodeImage,
  frame?: Frame,
): TE.TaskEither<Failure, Image> =>
  pipe(
    read,
    TE.chain((bytes) =>
      pipe(
        decoder(bytes, frame),
        TE.mapLeft((detail): Failure => ({ _tag: "CorruptSample", path, member, detail })),
      ),
    ),
    TE.chainEitherK((image) =>
      image.data.length === image.width * image.height * 3
        ? E.right(image)
        : E.left<Failure>({ _tag: "CorruptSample", path, member, detail: `${image.data.length} bytes for ${image.width} x ${image.height} pixels` }),
    ),
  );

/**
 * Decodes examples by what their references say, from the files of a platform. Fails with what cannot be read, with `CorruptSample`, and with the failure that
 * a damaged example holds.
 */
export const exampleDecoder = ({ files, decodeImage: decoder }: Pick<Platform, "files" | "decodeImage"> = platform): ExampleDecoder => {
  // It keeps some rows, so that the next ones need not be read.
  const rows = rowReader(files);
  return ({ id, image }) => {
    switch (image.kind) {
      case "file":
        return decodeFile(dirname(image.path), basename(image.path), files.read(image.path), decoder, image.frame);
      case "member":
        return decodeFile(image.archive, image.name, readMember(image.archive, image, files), decoder);
      case "row":
        return decodeFile(image.file, `in row ${image.row}`, rows(image), decoder);
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
};

/** How a task decodes its examples: its own way, or {@link exampleDecoder}. A damaged example is never asked of the task. */
export const decoderOf =
  ({ decode = exampleDecoder() }: Pick<ClassTask, "decode">): ExampleDecoder =>
  (example) =>
    example.image.kind === "damaged" ? TE.left(example.image.failure) : decode(example);
