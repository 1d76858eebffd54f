/**
 * Windows bitmaps, which sharp does not read: 1, 4, 8, 24 and 32 bits a pixel without compression, as Pillow converts them to RGB. Other kinds are named.
 *
 * Source: BITMAPFILEHEADER, BITMAPCOREHEADER and BITMAPINFOHEADER of the Windows GDI.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { refusalOfSize } from "./pictures.ts";
import type { Image } from "./platform.ts";

/** What the headers say. */
interface Header {
  readonly width: number;
  readonly height: number;
  /** Whether the first row of the file is the top one. */
  readonly topDown: boolean;
  readonly bits: number;
  /** Where the palette begins, and the bytes of one colour in it: blue, green, red, and perhaps one more. */
  readonly palette: number;
  readonly colour: number;
  /** Where the pixels begin, and the bytes of a row. */
  readonly pixels: number;
  readonly stride: number;
}

/** Whether pixels of 32 bits have blue, green and red in this order, as those without masks do. */
const usualMasks = (view: DataView): boolean => view.byteLength >= 66 && [0xff0000, 0xff00, 0xff].every((mask, i) => view.getUint32(54 + 4 * i, true) === mask);

const readHeader = (view: DataView): E.Either<string, Header> => {
  const size = view.byteLength < 26 ? Infinity : view.getUint32(14, true);
  if (view.byteLength < 14 + size) return E.left("the BMP ends within its header");
  const core = size === 12;
  if (!core && size < 40) return E.left(`the BMP has a header of ${size} bytes, which is not read`);
  const [width, rows] = core ? [view.getUint16(18, true), view.getUint16(20, true)] : [view.getInt32(18, true), view.getInt32(22, true)];
  const bits = view.getUint16(core ? 24 : 28, true);
  const compression = core ? 0 : view.getUint32(30, true);
  if (!(width > 0 && rows !== 0)) return E.left(`the BMP has ${width} x ${rows} pixels`);
  const refusal = refusalOfSize(width, Math.abs(rows));
  if (refusal !== undefined) return E.left(refusal);
  const plain = compression === 0 || (compression === 3 && bits === 32 && usualMasks(view));
  if (!plain || ![1, 4, 8, 24, 32].includes(bits)) return E.left(`the BMP has ${bits} bits a pixel and compression ${compression}, which is not read`);
  const [pixels, stride] = [view.getUint32(10, true), 4 * Math.ceil((width * bits) / 32)];
  if (pixels + stride * Math.abs(rows) > view.byteLength) return E.left("the BMP ends within its pixels");
  return E.right({ width, height: Math.abs(rows), topDown: rows < 0, bits, palette: 14 + size, colour: core ? 3 : 4, pixels, stride });
};

const pixelsOf = (bytes: Uint8Array, { width, height, topDown, bits, palette, colour, pixels, stride }: Header): Image => {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const row = pixels + stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const value = bits > 8 ? 0 : (bytes[row + (bit >> 3)] >> (8 - bits - (bit & 7))) & (2 ** bits - 1);
      const from = bits > 8 ? row + (bit >> 3) : palette + colour * value;
      for (let channel = 2; channel >= 0; channel--) data[to++] = bytes[from + channel];
    }
  }
  return { width, height, data };
};

/** Decodes a BMP; the left side says what is wrong with it. */
export const decodeBmp = (bytes: Uint8Array): E.Either<string, Image> =>
  pipe(
    readHeader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    E.map((header) => pixelsOf(bytes, header)),
  );
