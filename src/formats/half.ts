/**
 * Half precision: f16 (IEEE binary16) and bf16 to f32, which is exact, and back, rounded to nearest, ties to even.
 */

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** The bits of `value` rounded to f16; too large becomes infinity, too small a subnormal or zero. */
export const toF16 = (value: number): number => {
  real[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on, half way to the first value that does not fit
  if (magnitude < 0x38800000) {
    // Below 2^-14 the result is a multiple of 2^-24: adding 0.5 in f32, whose last bit is 2^-24 there, rounds for us.
    word[0] = magnitude;
    real[0] += 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
};

/** The bits of values rounded to f16, in whole words of 32 bits: an odd one out is followed by a zero. */
export const halfWords = (values: Float32Array): Uint16Array => {
  const bits = new Uint16Array(2 * Math.ceil(values.length / 2));
  values.forEach((value, i) => (bits[i] = toF16(value)));
  return bits;
};

/** The value of the f16 with these bits. */
export const fromF16 = (bits: number): number => {
  const magnitude = bits & 0x7fff;
  if (magnitude < 0x400) return (bits & 0x8000 ? -magnitude : magnitude) * 2 ** -24;
  if (magnitude > 0x7c00) return NaN;
  // The exponent grows by 112 and all bits move 13 places up. A power for each element would take most of the time that reading a model takes.
  word[0] = ((bits & 0x8000) << 16) | (magnitude === 0x7c00 ? 0x7f800000 : (magnitude << 13) + 0x38000000);
  return real[0];
};

/** The bits of `value` rounded to bf16. */
export const toBf16 = (value: number): number => {
  real[0] = value;
  const bits = word[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // a NaN stays one, whatever its low bits are
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
};

/** The value of the bf16 with these bits. */
export const fromBf16 = (bits: number): number => {
  word[0] = bits << 16;
  return real[0];
};
