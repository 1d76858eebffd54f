/** Pictures as the page shows them: small files in data URLs, which are plain text. */
import * as E from "fp-ts/lib/Either.js";
import { data, platform } from "../../mod.ts";
import { ordinals } from "../ordinals.ts";

/** No side of a picture that is shown is longer. */
const side = 96;

/** Bytes as a data URL. */
const dataUrl = (mime: string, bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `data:${mime};base64,${btoa(text)}`;
};

/** A picture of one pixel, for one that cannot be shown. */
const nothing = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** Decoded pixels as a small picture. */
export const thumbnail = async (image: data.Image): Promise<string> => {
  const encoded = await platform.encodeThumbnail(image, side)();
  return E.isLeft(encoded) ? nothing : dataUrl(encoded.right.mime, encoded.right.bytes);
};

/** An example of a task as a small picture. */
export const shownExample =
  (task: data.ClassTask) =>
  async (example: data.Example): Promise<string> => {
    const image = await data.decoderOf(task)(example)();
    return E.isLeft(image) ? nothing : thumbnail(image.right);
  };

/** The first example of every class, then the second of every class, and so on: up to so many. */
export const spread = (examples: readonly data.Example[], most: number): readonly data.Example[] => {
  const nth = ordinals(examples.map(({ label }) => label));
  return [...examples.keys()]
    .sort((a, b) => nth[a] - nth[b] || examples[a].label - examples[b].label)
    .slice(0, most)
    .map((i) => examples[i]);
};
