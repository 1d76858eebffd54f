/** Numbers as people read them: a real minus sign, an en dash for what has no meaning, thousands apart. */

/** What stands where a value has no meaning. */
export const missing = "\u2013";

/** A number with `digits` decimals; `null` as an en dash, and never "-0.0". */
export const fixed =
  (digits: number) =>
  (x: number | null): string => {
    if (x === null) return missing;
    const text = Math.abs(x).toFixed(digits);
    return x < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
  };

/** A change in percentage points with one decimal and its sign: `+1.2`, `−3.4`, `0.0`. */
export const signed = (x: number | null): string => {
  const text = fixed(1)(x);
  return x !== null && x > 0 && Number(text) !== 0 ? `+${text}` : text;
};

/** A count with its thousands apart: 4,425,984. */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** A number of bytes: `0 B`, `512 B`, `1.5 KiB`, `12.3 MiB`. */
export const bytes = (n: number): string => {
  const power = n < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(n) / 10));
  return power === 0 ? `${Math.round(n)} B` : `${(n / 1024 ** power).toFixed(1)} ${["B", "KiB", "MiB", "GiB"][power]}`;
};

/** So many of something: `1 picture`, `2 pictures`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** A wall time from seconds: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`. */
export const duration = (seconds: number): string => {
  const two = (n: number): string => String(n).padStart(2, "0");
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min ${two(s % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
};

/** Text made safe for HTML and SVG, in content and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&#39;");
