/** What kind of picture a file is, by its first bytes: a name may lie. */

/** How many bytes from a file's start on {@link pictureFormat} looks at. */
export const firstBytes = 256;

/** The formats that Cambium reads. SVG is none of them: it is a program that is rendered, can take long, and can name other files. */
export const readFormats = ["JPEG", "PNG", "WebP", "GIF", "TIFF", "AVIF", "BMP"] as const;

/** Bytes as text of one character a byte. `TextDecoder("latin1")` is none: by its standard it reads Windows-1252, as Deno does. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Brands of the container that AVIF and HEIC share, by the four letters after `ftyp`. */
const brands: Readonly<Record<string, string>> = { avif: "AVIF", avis: "AVIF", heic: "HEIC", heix: "HEIC", hevc: "HEIC", heim: "HEIC", heis: "HEIC" };

/** A container of the HEIF family: its major brand says what it is, or, where that is general, the first brand in its list that does. */
const heifFormat = (start: string): string | undefined => {
  const listed = start.slice(16, Math.min(start.length, start.charCodeAt(2) * 256 + start.charCodeAt(3))).match(/.{4}/gs) ?? [];
  const known = [start.slice(8, 12), ...listed].find((brand) => brand in brands);
  return known === undefined ? undefined : brands[known];
};

/** How files begin, one character a byte. */
const beginnings: readonly (readonly [format: string, ...starts: readonly string[]])[] = [
  ["JPEG", "\xff\xd8\xff"],
  ["PNG", "\x89PNG\r\n\x1a\n"],
  ["GIF", "GIF87a", "GIF89a"],
  ["TIFF", "II*\0", "II+\0", "MM\0*", "MM\0+"],
  ["JPEG XL", "\xff\x0a", "\0\0\0\x0cJXL "],
  ["JPEG 2000", "\0\0\0\x0cjP  ", "\xff\x4f\xff\x51"],
  ["Photoshop", "8BPS"],
];

/** What the first bytes match of files whose beginning varies. */
const patterns: readonly (readonly [format: string, pattern: RegExp])[] = [
  ["WebP", /^RIFF.{4}WEBP/s],
  ["SVG", /^(\xef\xbb\xbf)?\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)/i],
  ["Netpbm", /^P[1-7][\s#]/],
];

/** Whether it is a BMP: its second header has 12 to 127 bytes. */
const isBmp = (start: string): boolean => start.startsWith("BM") && start.charCodeAt(14) >= 12 && start.charCodeAt(14) < 128 && start.startsWith("\0\0\0", 15);

/** The format of a picture by its first bytes, also of some that are not read (see {@link readFormats}); undefined for what is no picture that is known. */
export const pictureFormat = (bytes: Uint8Array): string | undefined => {
  const start = textOf(bytes.subarray(0, firstBytes));
  if (start.startsWith("ftyp", 4)) return heifFormat(start);
  if (isBmp(start)) return "BMP";
  const found = beginnings.find(([, ...starts]) => starts.some((beginning) => start.startsWith(beginning)));
  return (found ?? patterns.find(([, pattern]) => pattern.test(start)))?.[0];
};

/** Whether a format is one that Cambium reads. */
export const isRead = (format: string | undefined): boolean => (readFormats as readonly (string | undefined)[]).includes(format);

/** Whether bytes are the start of a pointer of Git LFS, which stands where a large file was not fetched. */
export const isLfsPointer = (bytes: Uint8Array): boolean => textOf(bytes.subarray(0, 40)).startsWith("version https://git-lfs");

/** What is said of a Git LFS pointer. */
export const lfsAdvice = "it is a Git LFS pointer and not the file itself; run git lfs pull in its folder";

/** Why bytes are no picture that is read, in words; undefined where they may be one. */
export const refusalOfPicture = (bytes: Uint8Array): string | undefined => {
  if (bytes.length === 0) return "the file is empty";
  if (isLfsPointer(bytes)) return lfsAdvice;
  const format = pictureFormat(bytes);
  if (isRead(format)) return undefined;
  const read = `${readFormats.slice(0, -1).join(", ")} and ${readFormats.at(-1)} are read`;
  return format === undefined ? `it is no picture, by its first bytes; ${read}` : `it is ${format}; ${read}`;
};

/** Larger pictures are refused, as by Pillow (twice its `MAX_IMAGE_PIXELS`): a file of some kilobytes can claim pixels for all of a computer's memory. */
const mostPixels = 178_956_970;

/** Why a picture of this size is not decoded, in words; undefined where it is. */
export const refusalOfSize = (width: number, height: number): string | undefined =>
  width * height > mostPixels ? `it has ${width} x ${height} pixels, more than the ${mostPixels} that a picture may have` : undefined;
