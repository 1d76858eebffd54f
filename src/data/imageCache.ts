/** A cache of decoded images of bounded size: decoding costs more than everything else that a batch needs. */
import type { Image } from "./example.ts";

/** Decoded images by the id of their example, least recently used first, bounded in bytes. */
export interface ImageCache {
  readonly get: (id: string) => Image | undefined;
  readonly set: (id: string, image: Image) => void;
}

/** A cache of at most `megabytes` (2^20 bytes) of decoded images, each of at most half of that; 0 keeps none. */
export const imageCache = (megabytes: number): ImageCache => {
  const images = new Map<string, Image>();
  const largest = (megabytes * 2 ** 20) / 2;
  let bytes = 0;
  const drop = (id: string): void => {
    bytes -= images.get(id)?.data.byteLength ?? 0;
    images.delete(id);
  };
  return {
    get: (id) => {
      const image = images.get(id);
      if (image !== undefined) {
        images.delete(id);
        images.set(id, image);
      }
      return image;
    },
    set: (id, image) => {
      drop(id);
      // It would drive out many others.
      if (image.data.byteLength > largest) return;
      images.set(id, image);
      bytes += image.data.byteLength;
      while (bytes > megabytes * 2 ** 20) drop((images.keys().next() as IteratorYieldResult<string>).value);
    },
  };
};
