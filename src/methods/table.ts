/** Every method by the name that commands and results call it by. */
import { joint, sequentialLora, zeroShot } from "./baselines.ts";
import { cLora } from "./cLora.ts";
import { codyra } from "./codyra.ts";
import { color } from "./color.ts";
import { dac } from "./dac.ts";
import type { Options, Reading, Values } from "./declare.ts";
import { duallora } from "./duallora.ts";
import { glad } from "./glad.ts";
import { infLora } from "./infLora.ts";
import { keeplora, keeploraPlus, keeploraPlusPlus, keeploraPlusPlusCls } from "./keeplora.ts";
import { loraTtt } from "./loraTtt.ts";
import { lwf } from "./lwf.ts";
import { moram } from "./moram.ts";
import { oLora } from "./oLora.ts";
import { replay } from "./replay.ts";
import { sdLora } from "./sdLora.ts";
import { sora } from "./sora.ts";
import { wiseFt } from "./wiseFt.ts";
import { zscl } from "./zscl.ts";

/** One line a method. */
const all = [
  zeroShot,
  sequentialLora,
  joint,
  replay,
  lwf,
  wiseFt,
  zscl,
  codyra,
  keeplora,
  keeploraPlusPlus,
  keeploraPlus,
  keeploraPlusPlusCls,
  dac,
  duallora,
  oLora,
  infLora,
  sdLora,
  cLora,
  sora,
  glad,
  color,
  moram,
  loraTtt,
] as const;

type All = (typeof all)[number];

/** The name of a method. */
export type MethodName = All["declaration"]["name"];

/** All methods by name. */
export const methods = Object.fromEntries(all.map((method) => [method.declaration.name, method])) as {
  readonly [M in All as M["declaration"]["name"]]: M;
};

type KeyOf<O> = O extends Options ? keyof O : never;
type ValueOf<O, K extends PropertyKey> = O extends Options ? (K extends keyof O ? Values<O>[K] : never) : never;
type AnyOptions = All["declaration"]["options"];

/** Options of any method; each takes those that it declares. */
export type MethodOptions = { readonly [K in KeyOf<AnyOptions>]?: ValueOf<AnyOptions, K> } & { readonly reading?: Reading };
