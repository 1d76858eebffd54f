/**
 * Captions for pre-training: the name in the phrases that the stream's templates use, its group and kind, and its keywords.
 */
import type { Concept } from "./concept.ts";

const article = (word: string): string => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;

const place = (c: Concept): string => (c.group === "place" || c.group === "vehicle" ? "a place or a vehicle" : article(c.group));

const isPlay = (c: Concept): boolean => ["sport", "game", "music", "musical instrument", "party object", "art", "award"].includes(c.kind);

/** Every caption of one concept, the plainest first. Names have the article "a" throughout, as in the templates of the stream. */
export const captionsOf = (c: Concept): readonly string[] => {
  const n = c.name;
  // The keywords in two halves: captions of a few words each, which fit the context.
  const halves = [0, 1].map((parity) => {
    const three = c.tags.filter((_, i) => i % 2 === parity).slice(0, 3);
    return [n, ...three].join(" ").length <= 34 ? three : three.slice(0, 2);
  });
  const keywords = halves.filter((half) => half.length > 0).map((half) => `${n}: ${half.join(", ")}.`);
  switch (c.group) {
    case "flag":
      return c.kind === "country flag"
        ? [`the flag of ${n}.`, `an icon of the flag of ${n}.`, `a drawing of the flag of ${n}, a country.`, `a picture of the flag of ${n}.`]
        : [`an icon of a ${n}.`, `a drawing of a ${n}, a flag.`, `a picture of a ${n}.`, ...keywords];
    case "logo":
      return [`the logo of ${n}.`, `an icon of the logo of ${n}.`, `a drawing of the logo of ${n}, a software.`, `a picture of the logo of ${n}.`];
    case "weather":
      return [`an icon of ${n}, in the sky.`, `a drawing of ${n}, a kind of weather.`, `a picture of ${n}.`, `an icon of a ${n}.`, ...keywords];
    default:
      return [
        `an icon of a ${n}.`,
        `a drawing of a ${n}.`,
        `a picture of a ${n}.`,
        `an icon of a ${n}, a kind of ${c.group}.`,
        `a drawing of a ${n}, ${place(c)}.`,
        ...(c.kind === c.group ? [] : [`a ${n}, a kind of ${c.kind}.`]),
        ...(isPlay(c) ? [`an icon of a ${n}, for sport, music or play.`] : []),
        ...keywords,
      ];
  }
};
