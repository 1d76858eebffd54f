/** Pictures as the browser's platform decodes and writes them; bytes go both ways as text. */
import * as E from "fp-ts/lib/Either.js";
import { web } from "../../../src/platform/web/web.ts";
import type { Asked, Pixels } from "../pixels.ts";

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

const textOf = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

/** The pixels of pictures, or what is wrong with each. */
export const decoded = (asked: readonly Asked[]): Promise<readonly (Pixels | string)[]> =>
  Promise.all(
    asked.map(async ({ base64, frame }) => {
      const image = await web.decodeImage(bytesOf(base64), frame)();
      if (E.isLeft(image)) return image.left;
      const { width, height, data } = image.right;
      return { width, height, base64: textOf(data) };
    }),
  );

/** A picture made small. */
export const thumbnail = async (base64: string, side: number): Promise<object | string> => {
  const image = await web.decodeImage(bytesOf(base64))();
  if (E.isLeft(image)) return image.left;
  const small = await web.encodeThumbnail(image.right, side)();
  return E.isLeft(small) ? small.left : { mime: small.right.mime, bytes: textOf(small.right.bytes) };
};
