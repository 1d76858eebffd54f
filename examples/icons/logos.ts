/**
 * Logos as concepts: five sets brought together by name.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../src/failure.ts";
import type { Concept } from "./concept.ts";
import type { Drawing, IconSet, SetName } from "./sets.ts";
import { readIconSet, squash, svgOf } from "./sets.ts";

const sources: readonly SetName[] = ["logos", "devicon", "skill-icons", "vscode-icons", "material-icon-theme"];

/** Other spellings of one product. */
const sameAs: Readonly<Record<string, string>> = {
  cplusplus: "cpp",
  html5: "html",
  css3: "css",
  vuejs: "vue",
  d3js: "d3",
  adobephotoshop: "photoshop",
  adobeillustrator: "illustrator",
  adobepremiere: "premierepro",
  premiere: "premierepro",
  adobeaftereffects: "aftereffects",
  adobexd: "xd",
  golang: "go",
  gcp: "googlecloud",
  amazonwebservices: "aws",
  nuxtjs: "nuxt",
  backbonejs: "backbone",
  stenciljs: "stencil",
  apachekafka: "kafka",
  apachespark: "spark",
  apacheairflow: "airflow",
  wasm: "webassembly",
  rollupjs: "rollup",
  express: "expressjs",
  knexjs: "knex",
  vitejs: "vite",
  next: "nextjs",
  rails: "rubyonrails",
  kalilinux: "kali",
  arch: "archlinux",
  linuxtux: "linux",
  cypressio: "cypress",
  denojs: "deno",
  apollographql: "apollo",
  apollostack: "apollo",
  ember: "emberjs",
  postgres: "postgresql",
  pgsql: "postgresql",
  mongo: "mongodb",
  unity3d: "unity",
  dartlang: "dart",
  prismaio: "prisma",
  bevyengine: "bevy",
  visualstudiocode: "vscode",
  scikitlearn: "sklearn",
  framermotion: "framer",
  githubcopilot: "copilot",
  three: "threejs",
  googlechrome: "chrome",
  socketdotio: "socketio",
  gnubash: "bash",
  drizzleorm: "drizzle",
};

/** File kinds and generic words that the two editor themes draw and that are nobody's logo. */
const notALogo: ReadonlySet<string> = new Set(
  (
    "audio video image font favicon zip pdf log todo readme license robots key http key testjs testts tree diff word powerpoint epub jar url " +
    "certificate settings database table document email exe lock command console assembly systemd precommit skill just next tex rest flow " +
    "markdownlint pipeline toon typescriptdef reactts cssmap jsconfig tsconfig vueconfig astroconfig red q ai io jsonld"
  ).split(" "),
);

/** What a person calls a product, where the spellings in the sets do not say it well. */
const titles: Readonly<Record<string, string>> = {
  css: "CSS",
  html: "HTML",
  linux: "Linux",
  apollo: "Apollo",
  aws: "Amazon Web Services",
  rollup: "Rollup",
  bevy: "Bevy",
  kali: "Kali Linux",
  csharp: "C#",
  fsharp: "F#",
  d3: "D3",
  vlang: "V",
  pypi: "PyPI",
  xd: "Adobe XD",
  nextjs: "Next.js",
  threejs: "Three.js",
  alpinejs: "Alpine.js",
  javascript: "JavaScript",
  github: "GitHub",
  mysql: "MySQL",
  mariadb: "MariaDB",
  tailwindcss: "Tailwind CSS",
  webassembly: "WebAssembly",
  stackoverflow: "Stack Overflow",
  unrealengine: "Unreal Engine",
  reactrouter: "React Router",
  scikitlearn: "scikit-learn",
  sklearn: "scikit-learn",
  dotnet: ".NET",
  androidstudio: "Android Studio",
  readthedocs: "Read the Docs",
  jetbrains: "JetBrains",
  neovim: "Neovim",
  zeit: "Zeit",
};

/** The name of the product that an icon of `set` shows; `undefined` for word marks, folders and the like. */
const product = (set: SetName, from: IconSet, icon: string): string | undefined => {
  switch (set) {
    case "logos": {
      if (icon.endsWith("-icon")) return icon.slice(0, -5);
      const { width = from.width ?? 256, height = from.height ?? 256 } = from.icons[icon];
      // The plain name is the word mark where an icon stands beside it, or where it is much wider than high.
      return from.icons[`${icon}-icon`] === undefined && width / height < 1.5 ? icon : undefined;
    }
    case "devicon":
      return icon.endsWith("-wordmark") ? undefined : icon;
    case "skill-icons":
      return icon.replace(/-(dark|light)$/, "");
    case "vscode-icons":
      // Where there is a drawing for light pages, the plain one is for dark pages.
      return /^file-type-/.test(icon) && from.icons[icon.replace(/^file-type-/, "file-type-light-")] === undefined
        ? icon.replace(/^file-type-(light-)?/, "")
        : undefined;
    default:
      return icon.startsWith("folder") ? undefined : icon;
  }
};

/** Key under which all spellings of a product meet. */
export const productKey = (name: string): string => {
  const key = squash(name.replace(/\+\+/g, "plusplus").replace(/#/g, "sharp"));
  return sameAs[key] ?? key;
};

/** Every product that at least two of the five sets drew; `key` finds it whatever its spelling. */
export const readLogos = (): E.Either<Failure, readonly (Concept & { readonly key: string })[]> =>
  pipe(
    sources,
    E.traverseArray((name) =>
      pipe(
        readIconSet(name),
        E.map((set) => ({ name, set })),
      ),
    ),
    E.map((sets) => {
      const found = new Map<string, { readonly spellings: string[]; readonly drawings: Drawing[] }>();
      sets.forEach(({ name, set }) =>
        Object.keys(set.icons).forEach((icon) => {
          const spelling = product(name, set, icon);
          const svg = svgOf(set, icon);
          // Text depends on the fonts of the machine.
          if (spelling === undefined || svg === undefined || /<text/.test(svg)) return;
          const key = productKey(spelling);
          const entry = found.get(key) ?? { spellings: [], drawings: [] };
          entry.spellings.push(spelling);
          entry.drawings.push({ set: name, icon, svg });
          found.set(key, entry);
        }),
      );
      const drawn = [...found].filter(([key, { drawings }]) => !notALogo.has(key) && new Set(drawings.map((d) => d.set)).size > 1);
      return drawn.map(([key, { spellings, drawings }]) => ({
        key,
        // The spelling with most hyphens has the words apart.
        name: titles[key] ?? [...spellings].sort((a, b) => b.split("-").length - a.split("-").length)[0].replace(/-/g, " "),
        group: "logo",
        kind: "software logo",
        tags: [],
        drawings,
      }));
    }),
  );
