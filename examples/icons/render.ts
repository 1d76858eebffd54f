/**
 * SVG drawings to small RGB images on white.
 */
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import { message } from "../../src/formats/files.ts";
import type { Failure } from "../../src/failure.ts";
import type { Image } from "../../src/data/example.ts";
import type { Drawing } from "./sets.ts";

/** Renders `drawing` to `size` x `size` RGB pixels, fitted into the square, on white. Fails where the SVG is broken. */
export const render = (drawing: Drawing, size: number): TE.TaskEither<Failure, Image> =>
  TE.tryCatch(
    async () => {
      // Width and height in the document make librsvg draw at the wanted size, with no resampling after it.
      const svg = drawing.svg.replace("<svg ", `<svg width="${size}" height="${size}" `);
      const data = await sharp(Buffer.from(svg)).flatten({ background: "#ffffff" }).toColourspace("srgb").removeAlpha().raw().toBuffer();
      return { width: size, height: size, data: new Uint8Array(data) };
    },
    (e) => ({ _tag: "CorruptSample", path: `@iconify-json/${drawing.set}`, member: drawing.icon, detail: message(e) }),
  );
