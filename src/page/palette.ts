/**
 * The report's colours, for a light and a dark page.
 *
 * Heat maps use one hue whose lightness runs with the value (dark is high on a light page, bright is high on a dark one), so they
 * read without colour vision and in print. It is cut into {@link levels} classes with the ink of higher contrast on each, which a
 * renderer that bakes colours into attributes could not switch with the reader's theme.
 */
import { scaleLinear } from "d3-scale";

/** A page's scheme. */
export type Theme = "light" | "dark";

/** How many colour classes a heat map has. */
export const levels = 32;

const ramps: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#f3f6f4", "#cfe3dc", "#8fc4bb", "#45999c", "#1d6a7f", "#123f5c"],
  dark: ["#1b2226", "#1b3b47", "#1d6070", "#2e8d90", "#7cc5b0", "#dcf3df"],
};

/** Colours of methods in line charts, told apart also by dash and marker; at least 3:1 against the page. */
export const lines: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#0b6e8f", "#c4500c", "#6b4fb3", "#2c7a3f", "#b03070", "#8a6a00", "#3f5fc0", "#8c4a2f"],
  dark: ["#5cc3e6", "#ff9a5c", "#b7a0f5", "#7fd18f", "#f58fbf", "#e5c34b", "#93abff", "#d9a184"],
};

const channels = (colour: string): readonly number[] =>
  colour.startsWith("#") ? [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) : (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);

const luminance = (colour: string): number => {
  const [r, g, b] = channels(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** The contrast ratio of two colours (`#rrggbb` or `rgb(r, g, b)`) as WCAG 2 defines it, 1 to 21. */
export const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

/** The background of each level, and black or white ink on it: at least 4.5:1 at every level. */
export const heatLevels = (theme: Theme): readonly { readonly background: string; readonly ink: string }[] => {
  const ramp = ramps[theme];
  const scale = scaleLinear<string>()
    .domain(ramp.map((_, i) => (i * (levels - 1)) / (ramp.length - 1)))
    .range([...ramp]);
  return Array.from({ length: levels }, (_, i) => {
    const [r, g, b] = channels(scale(i)).map(Math.round);
    const background = `rgb(${r}, ${g}, ${b})`;
    return { background, ink: contrast(background, "#000000") > contrast(background, "#ffffff") ? "#000" : "#fff" };
  });
};

/** The level of a value on a scale: 0 at or below its low end, `levels - 1` at or above its high end. */
export const level =
  (domain: readonly [number, number]) =>
  (x: number): number => {
    const [low, high] = domain;
    const share = high > low ? (x - low) / (high - low) : 0.5;
    return Math.max(0, Math.min(levels - 1, Math.floor(share * levels)));
  };

/** The smallest scale from 0 on with a round end that holds all values; at least to 1, so that what is next to nothing does not fill it. */
export const fromZero = (xs: readonly (number | null)[]): readonly [number, number] => niceDomain([0, 1, ...xs]);

/** The smallest scale with round ends that holds all values; 0 to 1 where there are none. */
export const niceDomain = (xs: readonly (number | null)[], ticks = 5): readonly [number, number] => {
  const present = xs.filter((x) => x !== null);
  if (present.length === 0) return [0, 1];
  const [low, high] = scaleLinear()
    .domain([Math.min(...present), Math.max(...present)])
    .nice(ticks)
    .domain();
  return [low, high];
};
