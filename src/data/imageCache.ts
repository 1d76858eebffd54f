/** A cache of decoded images of bounded size: decoding costs more than everything else that a batch needs. */
import type { Image } from "./example.ts";

/** Decoded images by the place of their file, or the id of their example where there is none; least recently used first, bounded in bytes. */
export interface ImageCache {
  readonly get: (key: string) => Image | undefined;
  readonly set: (key: string, image: Image) => void;
}

/** A cache of at most `megabytes` (2^20 bytes) of decoded images, each of at most half of that; 0 keeps none. */
export const imageCache = (megabytes: number): ImageCache => {
  const images = new Map<string, Image>();
  const largest = (megabytes * 2 ** 20) / 2;
  let bytes = 0;
  const drop = (key: string): void => {
    bytes -= images.get(key)?.data.byteLength ?? 0;
    images.delete(key);
  };
  return {
    get: (key) => {
      const image = images.get(key);
      if (image !== undefined) {
        images.delete(key);
        images.set(key, image);
      }
      return image;
    },
    set: (key, image) => {
      drop(key);
      // It would drive out many others.
      if (image.data.byteLength > largest) return;
      images.set(key, image);
      bytes += image.data.byteLength;
      while (bytes > megabytes * 2 ** 20) drop((images.keys().next() as IteratorYieldResult<string>).value);
    },
  };
};
