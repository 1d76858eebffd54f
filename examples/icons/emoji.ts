/**
 * Emoji as concepts: drawings of nine vendors brought together by Unicode code point.
 *
 * Four sets publish code points. The others have names only; these are looked up among the names that the four use, Unicode's own
 * labels and the short codes of `emojibase-data`, and, for the old names of fxemoji, in a table.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { Failure } from "../../src/failure.ts";
import type { Concept } from "./concept.ts";
import { plain } from "./concept.ts";
import type { Drawing, IconSet, SetName } from "./sets.ts";
import { readChars, readIconSet, readPackageJson, squash, svgOf } from "./sets.ts";

const Entry = t.intersection([
  t.type({ label: t.string, hexcode: t.string }),
  t.partial({ group: t.number, subgroup: t.number, order: t.number, tags: t.array(t.string) }),
]);
type Entry = t.TypeOf<typeof Entry>;
const Groups = t.type({ subgroups: t.record(t.string, t.string) });
const ShortCodes = t.record(t.string, t.union([t.string, t.array(t.string)]));

const withCodes: readonly SetName[] = ["noto", "twemoji", "fluent-emoji-flat", "openmoji"];
const withNames: readonly SetName[] = ["noto-v1", "emojione", "emojione-v1", "fxemoji", "streamline-emojis"];

/** Names that fxemoji alone uses, by code point. Its foxes (for cats) and its notes, pages and hands without an emoji stay out. */
const fxNames: Readonly<Record<string, string>> = Object.fromEntries(
  (
    "acorn:1f330 americasglobe:1f30e antennawithbars:1f4f6 asiaaustraliaglobe:1f30f aubergine:1f346 automatedtellermachine:1f3e7 " +
    "backwithleftwardsarrow:1f519 bactriancamel:1f42b banknotedollar:1f4b5 banknoteeuro:1f4b6 banknotepound:1f4b7 banknoteyen:1f4b4 " +
    "basketballandhoop:1f3c0 bellcancellation:1f515 blackclubsuit:2663 blackdiamondsuit:2666 blackheartsuit:2665 blackspadesuit:2660 " +
    "blackscissors:2702 blackskullcrossbones:2620 blacktelephone:260e bookmarktab:1f4d1 bouquetofflowers:1f490 bowing:1f647 bride:1f470 " +
    "bunny:1f430 bunnyside:1f407 bunny-ears:1f46f catside:1f408 cellphone:1f4f1 chartdownwardstrend:1f4c9 chartupwardstrend:1f4c8 " +
    "chartupwardstrendyen:1f4b9 chilipepper:1f336 confetti:1f38a constructionsign:1f6a7 crying:1f622 curryandrice:1f35b dogside:1f415 " +
    "dragonhead:1f432 dragonside:1f409 earofmaize:1f33d electrictorch:1f526 endwithleftwardsarrow:1f51a europeafricaglobe:1f30d " +
    "evergreen:1f332 exclaimationquestionmark:2049 fallingleaf:1f342 fatherchristmas:1f385 faxicon:1f4e0 fireworksparkler:1f387 " +
    "fishcakeswirl:1f365 flexbicep:1f4aa forkknife:1f374 frontfacingchick:1f425 gma:1f475 gpa:1f474 girlgirl:1f46d girlguy:1f46b " +
    "guyguy:1f46c hampster:1f439 headmassage:1f486 heartarrow:1f498 heartblue:1f499 heartgreen:1f49a heartpurple:1f49c heartyellow:1f49b " +
    "heartribbon:1f49d heels:1f460 highspeedtrainbulletnose:1f685 housebuilding:1f3e0 hundredpointssymbol:1f4af leaffluttering:1f343 " +
    "leftmagnifyingglass:1f50d leopardside:1f406 linksymbol:1f517 loudlycrying:1f62d lockandkey:1f510 openlock:1f513 monkeyhear:1f649 " +
    "monkeysee:1f648 monkeyspeak:1f64a mouseside:1f401 multiplemusicalnotes:1f3b6 meridianglobe:1f310 mensshoe:1f45e womansshirt:1f45a " +
    "opticaldisc:1f4bf pigside:1f416 pigsnout:1f43d policecarsrevolvinglight:1f6a8 present:1f381 printericon:1f5a8 sakebottleandcup:1f376 " +
    "sandals:1f461 skiandskiboot:1f3bf sliceofpizza:1f355 spurtingwhale:1f433 studiomic:1f399 sunraincloud:1f326 sunsetoverbuildings:1f307 " +
    "sweatsplash:1f4a6 tennisball:1f3be tie:1f454 tigerside:1f405 thoughtbaloon:1f4ad toykotower:1f5fc sixpointedstarwithdot:1f52f " +
    "silhouetteohjapan:1f5fe waningbibbousmoon:1f316 whitestar:2b50 whitesun:2600 wiredkeyboard:2328 twobuttonmouse:1f5b1 warningsign:26a0 " +
    "winking:1f609 womenssymbol:1f6ba menssymbol:1f6b9 snowmountains:1f3d4 saggitarius:2650 doubleexclaimationmark:203c screamfear:1f631 " +
    "grinsquint:1f606 grintears:1f602 videocasette:1f4fc floppydisk2:1f4be chineseflag:1f1e8-1f1f3 franceflag:1f1eb-1f1f7 " +
    "italianflag:1f1ee-1f1f9 japanflag:1f1ef-1f1f5 koreaflag:1f1f0-1f1f7 russianflag:1f1f7-1f1fa spanishflag:1f1ea-1f1f8 " +
    "greatbritainflag:1f1ec-1f1e7 wave:1f30a bow:1f380"
  )
    .split(" ")
    .map((pair) => pair.split(":") as [string, string]),
);

/** Group and kind by Unicode subgroup. */
const kinds: Readonly<Record<string, readonly [group: string, kind: string]>> = {
  "cat-face": ["face", "cat face"],
  "monkey-face": ["face", "monkey face"],
  heart: ["symbol", "heart"],
  emotion: ["symbol", "emotion"],
  "body-parts": ["body", "body part"],
  "animal-mammal": ["animal", "mammal"],
  "animal-bird": ["animal", "bird"],
  "animal-amphibian": ["animal", "amphibian"],
  "animal-reptile": ["animal", "reptile"],
  "animal-marine": ["animal", "sea animal"],
  "animal-bug": ["animal", "bug"],
  "plant-flower": ["plant", "flower"],
  "plant-other": ["plant", "plant"],
  "food-fruit": ["food", "fruit"],
  "food-vegetable": ["food", "vegetable"],
  "food-prepared": ["food", "dish"],
  "food-asian": ["food", "asian dish"],
  "food-sweet": ["food", "sweet dessert"],
  drink: ["food", "drink"],
  dishware: ["object", "kitchen tool"],
  "place-map": ["place", "map"],
  "place-geographic": ["place", "landscape"],
  "place-building": ["place", "building"],
  "place-religious": ["place", "building"],
  "place-other": ["place", "place"],
  "transport-ground": ["vehicle", "ground vehicle"],
  "transport-water": ["vehicle", "boat"],
  "transport-air": ["vehicle", "aircraft"],
  "transport-sign": ["sign", "transport sign"],
  hotel: ["object", "travel object"],
  time: ["object", "clock"],
  "sky-weather": ["weather", "sky"],
  event: ["object", "party object"],
  "award-medal": ["object", "award"],
  sport: ["object", "sport"],
  game: ["object", "game"],
  "arts-crafts": ["object", "art"],
  clothing: ["object", "clothing"],
  sound: ["object", "sound"],
  music: ["object", "music"],
  "musical-instrument": ["object", "musical instrument"],
  phone: ["object", "phone"],
  computer: ["object", "computer"],
  "light-video": ["object", "light or video"],
  "book-paper": ["object", "book or paper"],
  money: ["object", "money"],
  mail: ["object", "mail"],
  writing: ["object", "writing tool"],
  office: ["object", "office tool"],
  lock: ["object", "lock"],
  tool: ["object", "tool"],
  science: ["object", "science tool"],
  medical: ["object", "medical tool"],
  household: ["object", "household object"],
  "other-object": ["object", "object"],
  flag: ["flag", "flag"],
  "country-flag": ["flag", "country flag"],
  "subdivision-flag": ["flag", "country flag"],
  warning: ["sign", "warning sign"],
  arrow: ["symbol", "arrow"],
  religion: ["symbol", "religious symbol"],
  zodiac: ["symbol", "zodiac sign"],
  "av-symbol": ["symbol", "button"],
  gender: ["symbol", "gender symbol"],
  math: ["symbol", "mathematical symbol"],
  punctuation: ["symbol", "punctuation"],
  currency: ["symbol", "money"],
  alphanum: ["symbol", "letters"],
  geometric: ["symbol", "shape"],
};

const kindOf = (subgroup: string): readonly [string, string] =>
  kinds[subgroup] ??
  (subgroup.startsWith("face")
    ? ["face", "face"]
    : subgroup.startsWith("hand")
      ? ["body", "hand"]
      : subgroup.startsWith("person") || subgroup === "family"
        ? ["person", "person"]
        : ["symbol", "symbol"]);

/**
 * Near-duplicates of other entries: men and women where a neutral person exists, hair styles, families, mirrored people, clock
 * faces, key caps, Japanese word buttons and the sizes of squares.
 */
const isNearDuplicate = (hex: string, label: string, subgroup: string): boolean =>
  /^1f46[89]-200d/.test(hex) ||
  /-200d-264[02]/.test(hex) ||
  subgroup === "keycap" ||
  subgroup === "skin-tone" ||
  subgroup === "hair-style" ||
  (/:/.test(label) && !label.startsWith("flag:")) ||
  /^1f55[0-9a-f]$|^1f56[0-7]$/.test(hex) ||
  /facing right$/.test(label) ||
  /^Japanese “/.test(label) ||
  /(medium|small).*square$/.test(label) ||
  /^small .* diamond$/.test(label) ||
  /^1f9d1-200d-1f9b/.test(hex);

const codePoints = (hex: string): string => hex.toLowerCase().replace(/-?fe0f/g, "");

/** One emoji with its code points and drawings. */
export interface Emoji extends Concept {
  readonly codePoints: string;
}

/** Every emoji that at least one vendor drew, near-duplicates left out; country flags included (their name is the country's). */
export const readEmoji = (): E.Either<Failure, readonly Emoji[]> =>
  pipe(
    E.Do,
    E.bind("entries", () => readPackageJson("emojibase-data/en/data.json", t.array(Entry) as never) as E.Either<Failure, readonly Entry[]>),
    E.bind("groups", () => readPackageJson("emojibase-data/meta/groups.json", Groups)),
    E.bind("codes", () =>
      E.traverseArray(
        (f: string) => readPackageJson(`emojibase-data/en/shortcodes/${f}.json`, ShortCodes as never) as E.Either<Failure, t.TypeOf<typeof ShortCodes>>,
      )(["cldr", "joypixels", "emojibase", "iamcal", "github"]),
    ),
    E.bind("coded", () =>
      E.traverseArray((name: SetName) =>
        pipe(
          E.Do,
          E.let("name", () => name),
          E.bind("set", () => readIconSet(name)),
          E.bind("chars", () => readChars(name)),
        ),
      )(withCodes),
    ),
    E.bind("named", () =>
      E.traverseArray((name: SetName) =>
        pipe(
          E.Do,
          E.let("name", () => name),
          E.bind("set", () => readIconSet(name)),
        ),
      )(withNames),
    ),
    E.map(({ entries, groups, codes, coded, named }) => {
      const known = entries.filter((e) => e.order !== undefined);
      const byName = new Map<string, string>();
      const learn = (name: string, hex: string): void => {
        if (!byName.has(squash(name))) byName.set(squash(name), codePoints(hex));
      };
      known.forEach((e) => learn(e.label, e.hexcode));
      coded.forEach(({ chars }) => Object.entries(chars).forEach(([hex, name]) => learn(name, hex)));
      coded.forEach(({ set, chars }) => {
        const hexOf = new Map(Object.entries(chars).map(([hex, name]) => [name, hex]));
        Object.entries(set.aliases ?? {}).forEach(([name, a]) => {
          const hex = hexOf.get(a.parent);
          if (hex !== undefined && !a.hFlip && !a.vFlip && !a.rotate) learn(name, hex);
        });
      });
      codes.forEach((file) => Object.entries(file).forEach(([hex, names]) => [names].flat().forEach((name) => learn(name, hex))));

      const drawings = new Map<string, Drawing[]>();
      const draw = (hex: string, set: SetName, from: IconSet, icon: string): void => {
        const svg = svgOf(from, icon);
        const list = drawings.get(hex) ?? [];
        // One drawing a vendor; streamline draws some emoji twice, and both stay.
        if (svg !== undefined && (set === "streamline-emojis" || !list.some((d) => d.set === set))) drawings.set(hex, [...list, { set, icon, svg }]);
      };
      coded.forEach(({ name, set, chars }) => Object.entries(chars).forEach(([hex, icon]) => draw(codePoints(hex), name, set, icon)));
      named.forEach(({ name, set }) => {
        const aliasesOf = new Map<string, string[]>();
        Object.entries(set.aliases ?? {}).forEach(([alias, a]) => {
          if (!a.hFlip && !a.vFlip && !a.rotate) aliasesOf.set(a.parent, [...(aliasesOf.get(a.parent) ?? []), alias]);
        });
        Object.keys(set.icons)
          .filter((icon) => !/skin-tone/.test(icon))
          .forEach((icon) => {
            const hex =
              (name === "fxemoji" ? fxNames[icon] : undefined) ??
              [icon, ...(aliasesOf.get(icon) ?? [])]
                .flatMap((n) => [n, n.replace(/^flag-for-/, "flag-"), n.replace(/-\d$/, "")])
                .map((n) => byName.get(squash(n)))
                .find((h) => h !== undefined);
            if (hex !== undefined) draw(hex, name, set, icon);
          });
      });

      return known.flatMap((e): readonly Emoji[] => {
        const hex = codePoints(e.hexcode);
        const subgroup = groups.subgroups[String(e.subgroup)] ?? "";
        const found = drawings.get(hex);
        if (found === undefined || isNearDuplicate(hex, e.label, subgroup)) return [];
        const [group, kind] = kindOf(subgroup);
        const name = plain(e.label.replace(/^flag: /, ""));
        const tags = (e.tags ?? []).map((tag) => plain(tag).toLowerCase()).filter((tag) => /^[a-z][a-z '-]{1,9}$/.test(tag) && tag !== name.toLowerCase());
        return [{ codePoints: hex, name, group, kind, tags, drawings: found }];
      });
    }),
  );
