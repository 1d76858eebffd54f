/** The samples of a WebDataset shard: which members belong to one, and which to none. */
import type { TarMember } from "../formats/tar.ts";
import { pictureName } from "./classFolders.ts";
import type { PassedOver } from "./leftOut.ts";

/**
 * `a/KEY.seg.jpg` is the member `seg.jpg` of the sample `a/KEY`, as in the webdataset library: the first dot after the last slash ends the key. Undefined for
 * names without a key.
 */
export const splitName = (name: string): readonly [key: string, extension: string] | undefined => {
  const found = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/s.exec(name);
  return found === null ? undefined : [found[1], found[2].toLowerCase()];
};

/** The two members of a sample that are used. */
export interface Sample {
  readonly key: string;
  readonly image?: TarMember;
  readonly label?: TarMember;
  /** Whether an earlier sample has the same key. */
  readonly again: boolean;
}

/** The samples of a shard in the order of their keys, and the members that are left out. */
export interface ShardSamples {
  readonly samples: readonly Sample[];
  readonly passedOver: readonly PassedOver[];
}

/** What a member with this extension is left out as. */
const kindOf = (extension: string): readonly [one: string, many: string] =>
  /\..*?(cls|jpe?g|png|webp|gif|tiff?|avif|bmp)$/.test(extension)
    ? ["member with a second dot in its name, where the first ends the key", "members with a second dot in their names, where the first ends the key"]
    : ["member that is neither picture nor class", "members that are neither picture nor class"];

/** Which part of a sample an extension is; undefined for none. */
const partOf = (extension: string): "image" | "label" | undefined =>
  extension === "cls" ? "label" : !extension.includes(".") && pictureName.test(`.${extension}`) ? "image" : undefined;

/**
 * Puts the members of a shard together. A key that comes again after its sample is whole begins another sample, as in the webdataset library; what comes again
 * in an unfinished one, and a second picture of a sample, are left out.
 */
export const samplesOf = (members: readonly TarMember[]): ShardSamples => {
  const samples: Sample[] = [];
  const places = new Map<string, number>();
  const passedOver: PassedOver[] = [];
  for (const member of members) {
    const hidden = /(^|\/)\.[^/]*$/.test(member.name);
    const [key, extension = ""] = splitName(member.name) ?? [];
    const part = partOf(extension);
    if (key === undefined || part === undefined) {
      if (!hidden) passedOver.push([...kindOf(extension), member.name]);
      else if (pictureName.test(member.name)) passedOver.push(["hidden picture", "hidden pictures", member.name]);
      continue;
    }
    const place = places.get(key);
    const sample = place === undefined ? undefined : samples[place];
    const earlier = sample?.[part];
    if (sample === undefined || place === undefined) {
      places.set(key, samples.length);
      samples.push({ key, [part]: member, again: false });
    } else if (earlier === undefined) {
      samples[place] = { ...sample, [part]: member };
    } else if (splitName(earlier.name)?.[1] !== extension) {
      passedOver.push(["second picture of a sample", "second pictures of a sample", member.name]);
    } else if (sample.image !== undefined && sample.label !== undefined) {
      places.set(key, samples.length);
      samples.push({ key, [part]: member, again: true });
    } else {
      passedOver.push(["member that comes again", "members that come again", member.name]);
    }
  }
  return { samples, passedOver };
};
