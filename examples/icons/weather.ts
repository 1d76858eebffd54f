/**
 * Meteocons as further drawings of weather emoji, on dark grey: they are light and made for dark pages.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../src/failure.ts";
import type { Drawing } from "./sets.ts";
import { readIconSet, svgOf } from "./sets.ts";

const iconsOf: Readonly<Record<string, string>> = {
  sun: "clear-day",
  "crescent moon": "clear-night",
  cloud: "cloudy",
  "sun behind cloud": "partly-cloudy-day",
  "cloud with rain": "rain",
  "cloud with snow": "snow",
  "cloud with lightning": "thunderstorms",
  fog: "fog",
  tornado: "tornado",
  cyclone: "hurricane",
  rainbow: "rainbow",
  "sun behind rain cloud": "partly-cloudy-day-rain",
  snowflake: "snowflake",
  snowman: "snowman",
  "high voltage": "lightning-bolt",
  star: "star",
  umbrella: "umbrella",
  thermometer: "thermometer",
  droplet: "raindrop",
  "new moon": "moon-new",
  "waxing crescent moon": "moon-waxing-crescent",
  "first quarter moon": "moon-first-quarter",
  "waxing gibbous moon": "moon-waxing-gibbous",
  "full moon": "moon-full",
  "waning gibbous moon": "moon-waning-gibbous",
  "last quarter moon": "moon-last-quarter",
  "waning crescent moon": "moon-waning-crescent",
  compass: "compass",
  sunrise: "sunrise",
  sunset: "sunset",
};

const background = `<rect width="512" height="512" fill="#42424d"/>`;

/** The meteocons (outlined and filled) of each emoji name that has some. */
export const readWeather = (): E.Either<Failure, ReadonlyMap<string, readonly Drawing[]>> =>
  pipe(
    readIconSet("meteocons"),
    E.map(
      (set) =>
        new Map(
          Object.entries(iconsOf).map(([name, icon]) => [
            name,
            [icon, `${icon}-fill`].flatMap((i): readonly Drawing[] => {
              const svg = svgOf(set, i);
              return svg === undefined ? [] : [{ set: "meteocons", icon: i, svg: svg.replace(/(<svg [^>]*>)/, `$1${background}`) }];
            }),
          ]),
        ),
    ),
  );
