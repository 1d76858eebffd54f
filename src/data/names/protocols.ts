/**
 * What each protocol calls the classes of its datasets.
 *
 * MTIL as its authors' code has it (Thunderbeee/ZSCL, Fazhan-cs/DAC, MaolinLuo/KeepLoRA): OpenAI's names or torchvision's, with blanks for underscores, and in
 * SUN397's for slashes. X-TAIL
 * as RAIL and CoDyRA read CoOp's splits: as they stand there, with their underscores, "satellite location" behind EuroSAT's, and "number" twice in MNIST's.
 */
import { cars } from "./cars.ts";
import { drawings, imagenetRFolders, imagenetRNames, objectFolders, objects } from "./groups.ts";
import { scenes } from "./scenes.ts";
import { aircraft, caltech, caltechFolders, cifar, digits, flowersOfOpenAI, food, land, landFolders, landOfCoOp, pets, textures } from "./things.ts";

/** The classes of a dataset as a protocol calls them. */
export interface ProtocolNames {
  /** What stands in prompts. */
  readonly names: readonly string[];
  /** What folders and files may call the same classes, list by list in the same order. */
  readonly alsoKnown: readonly (readonly string[])[];
}

const named = (names: readonly string[], ...alsoKnown: readonly (readonly string[])[]): ProtocolNames => ({ names, alsoKnown });

const underscored = (names: readonly string[]): readonly string[] => names.map((name) => name.replaceAll(" ", "_"));

/** MTIL's flowers: three of OpenAI's have the names that they had before. */
const before: Readonly<Record<string, string>> = { "globe flower": "globe-flower", "pink and yellow dahlia": "pink-yellow dahlia", "air plant": "ball moss" };
const flowers = flowersOfOpenAI.map((name) => before[name] ?? name);

/** CoOp puts the year of a car first. */
const carsOfCoOp = cars.map((name) => name.replace(/^(.*) (\d{4})$/, "$2 $1"));
/** OpenAI's list (openai/CLIP, MIT) has a blank where torchvision has a slash. */
const scenesOfOpenAI = scenes.map((name) => name.replaceAll("/", " "));
/** CoOp puts what kind of a place it is first. */
const scenesOfCoOp = underscored(scenes).map((name) => name.split("/").reverse().join(" "));

/** CoOp leaves out the second class of faces, and gives four classes other names than those of their folders. */
const isCentred = (_: string, i: number): boolean => i === caltech.indexOf("centered face");
const [caltechHere, foldersHere] = [caltech, caltechFolders].map((names) => names.filter((name, i) => !isCentred(name, i)));
const singular: Readonly<Record<string, string>> = { Faces: "face", Leopards: "leopard", Motorbikes: "motorbike", airplanes: "airplane" };

const numerals = digits.map((_, i) => `${i}`);

/** MTIL, by dataset. */
export const mtilNames = {
  aircraft: named(aircraft),
  caltech101: named(caltech, caltechFolders),
  cifar100: named(cifar),
  dtd: named(textures),
  eurosat: named(land, landFolders, landOfCoOp),
  flowers: named(flowers, flowersOfOpenAI),
  food: named(food),
  mnist: named(digits, numerals),
  pets: named(pets),
  cars: named(cars, carsOfCoOp),
  sun397: named(scenesOfOpenAI, scenesOfCoOp),
} as const;

/** X-TAIL, by dataset. */
export const xTailNames = {
  aircraft: named(aircraft),
  caltech101: named(
    foldersHere.map((name) => singular[name] ?? name),
    foldersHere,
    caltechHere,
  ),
  dtd: named(textures),
  eurosat: named(
    landOfCoOp.map((name) => `${name} satellite location`),
    ...[landOfCoOp, landFolders, land],
  ),
  flowers: named(flowers, flowersOfOpenAI),
  food: named(underscored(food)),
  mnist: named(
    digits.map((name) => `number: "${name}"`),
    ...[digits, numerals],
  ),
  pets: named(underscored(pets).map((name) => name.toLowerCase())),
  cars: named(carsOfCoOp, cars),
  sun397: named(scenesOfCoOp, scenes),
} as const;

/** Datasets whose classes are learned in groups. */
export const groupNames = {
  "imagenet-r": named(imagenetRNames, imagenetRFolders),
  domainnet: named(drawings),
  core50: named(objects, objectFolders),
} as const;
