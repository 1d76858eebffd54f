/**
 * Pictures without the part that says how they are to be turned: browsers obey it and cannot be told otherwise, and models are fed what stands in the file.
 *
 * Sources: ITU-T T.81 (JPEG) and CIPA DC-008 (EXIF); the PNG Specification, third edition (eXIf); the WebP Container Specification.
 */
import { pictureFormat } from "../pictures.ts";

/** A part of a file: what it is called, and where it begins and ends. */
interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const textAt = (bytes: Uint8Array, from: number, length: number): string => String.fromCharCode(...bytes.subarray(from, from + length));

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The segments of a JPEG before its pixels, called by what they begin with. */
function* segments(bytes: Uint8Array): Iterable<Part> {
  for (let from = 2; from + 10 <= bytes.length && bytes[from] === 0xff; ) {
    const marker = bytes[from + 1];
    // A byte of filling; or the scan begins.
    if (marker === 0xff) from += 1;
    else if (marker === 0xda) return;
    else {
      const to = from + 2 + viewOf(bytes).getUint16(from + 2);
      yield { name: marker === 0xe1 ? textAt(bytes, from + 4, 4) : "", from, to };
      from = to;
    }
  }
}

/** The chunks of a PNG, or of a WebP, whose lengths are padded to even ones. */
function* chunks(bytes: Uint8Array, png: boolean): Iterable<Part> {
  for (let from = png ? 8 : 12; from + 8 <= bytes.length; ) {
    const [length, name] = png
      ? [viewOf(bytes).getUint32(from), textAt(bytes, from + 4, 4)]
      : [viewOf(bytes).getUint32(from + 4, true), textAt(bytes, from, 4)];
    const to = from + (png ? 12 + length : 8 + length + (length % 2));
    yield { name, from, to };
    from = to;
  }
}

const partsOf: Readonly<Record<string, (bytes: Uint8Array) => Iterable<Part>>> = {
  JPEG: segments,
  PNG: (bytes) => chunks(bytes, true),
  WebP: (bytes) => chunks(bytes, false),
};

/** The same picture without EXIF; the same bytes where it has none, or is of a format that says nothing of turning. */
export const withoutExif = (bytes: Uint8Array): Uint8Array => {
  const parts = partsOf[pictureFormat(bytes) ?? ""]?.(bytes) ?? [];
  const exif = [...parts].filter(({ name }) => name.toLowerCase() === "exif");
  if (exif.length === 0) return bytes;
  const kept = bytes.slice();
  let length = 0;
  let from = 0;
  for (const part of [...exif, { from: bytes.length, to: bytes.length }]) {
    kept.set(bytes.subarray(from, part.from), length);
    length += part.from - from;
    from = Math.min(part.to, bytes.length);
  }
  const shorter = kept.subarray(0, length);
  if (pictureFormat(bytes) === "WebP") viewOf(shorter).setUint32(4, length - 8, true);
  return shorter;
};
