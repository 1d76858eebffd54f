/** The samples of a WebDataset shard: which members belong to one, and which to none. */
import type { TarMember } from "../formats/tar.ts";
import { byNumber, pictureName } from "./classFolders.ts";
import type { ImageReference } from "./example.ts";
import type { PassedOver } from "./leftOut.ts";

/**
 * `a/KEY.seg.jpg` is the member `seg.jpg` of the sample `a/KEY`, as in the webdataset library: the first dot after the last slash ends the key. Undefined for
 * names without a key.
 */
export const splitName = (name: string): readonly [key: string, extension: string] | undefined => {
  const found = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/s.exec(name);
  return found === null ? undefined : [found[1], found[2].toLowerCase()];
};

/**
 * What samples are, by the member that says what their pictures are: a class and one picture (`cls`), or an answer and any number of pictures (`json`), which
 * are called `KEY.jpg` or `KEY.0.jpg`, `KEY.1.jpg`, ….
 */
export type SampleKind = "cls" | "json";

/** The members of a sample that are used. */
export interface Sample {
  readonly key: string;
  /** In the order of their numbers. */
  readonly images: readonly TarMember[];
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
const leftOutAs = (extension: string, kind: SampleKind): readonly [one: string, many: string] => {
  if (/\..*?(cls|json|jpe?g|png|webp|gif|tiff?|avif|bmp)$/.test(extension))
    return ["member with a second dot in its name, where the first ends the key", "members with a second dot in their names, where the first ends the key"];
  const what = kind === "cls" ? "class" : "answer";
  return [`member that is neither picture nor ${what}`, `members that are neither picture nor ${what}`];
};

/** Which part of a sample an extension is; undefined for none. */
const partOf = (extension: string, kind: SampleKind): "image" | "label" | undefined => {
  if (extension === kind) return "label";
  const picture = kind === "json" ? extension.replace(/^\d+\./, "") : extension;
  return !picture.includes(".") && pictureName.test(`.${picture}`) ? "image" : undefined;
};

/** The member that has the place of another in a sample; undefined where the place is free. */
const earlierThan = (extension: string, part: "image" | "label", { images, label }: Sample, kind: SampleKind): TarMember | undefined => {
  if (part === "label") return label;
  return kind === "cls" ? images[0] : images.find(({ name }) => splitName(name)?.[1] === extension);
};

/**
 * Puts the members of a shard together. A key that comes again after its sample is whole begins another sample, as in the webdataset library; what comes again
 * in an unfinished one, and a second picture of a sample, are left out.
 */
export const samplesOf = (members: readonly TarMember[], kind: SampleKind): ShardSamples => {
  const samples: Sample[] = [];
  const places = new Map<string, number>();
  const passedOver: PassedOver[] = [];
  for (const member of members) {
    const hidden = /(^|\/)\.[^/]*$/.test(member.name);
    const [key, extension = ""] = splitName(member.name) ?? [];
    const part = partOf(extension, kind);
    if (key === undefined || part === undefined) {
      if (!hidden) passedOver.push([...leftOutAs(extension, kind), member.name]);
      else if (pictureName.test(member.name)) passedOver.push(["hidden picture", "hidden pictures", member.name]);
      continue;
    }
    const place = places.get(key);
    const sample = place === undefined ? undefined : samples[place];
    const earlier = sample === undefined ? undefined : earlierThan(extension, part, sample, kind);
    const alone = part === "image" ? { images: [member] } : { images: [], label: member };
    if (sample === undefined || place === undefined) {
      places.set(key, samples.length);
      samples.push({ key, ...alone, again: false });
    } else if (earlier === undefined) {
      samples[place] = part === "image" ? { ...sample, images: inOrder([...sample.images, member]) } : { ...sample, label: member };
    } else if (splitName(earlier.name)?.[1] !== extension) {
      passedOver.push(["second picture of a sample", "second pictures of a sample", member.name]);
    } else if (sample.label !== undefined && (kind === "json" || sample.images.length > 0)) {
      places.set(key, samples.length);
      samples.push({ key, ...alone, again: true });
    } else {
      passedOver.push(["member that comes again", "members that come again", member.name]);
    }
  }
  return { samples, passedOver };
};

/** Pictures as their names number them. */
const inOrder = (images: readonly TarMember[]): readonly TarMember[] => [...images].sort((a, b) => byNumber(a.name, b.name));

/** Where a picture in the shard at `path` is. */
export const memberOf = ({ name, offset, size }: TarMember, path: string): ImageReference => ({ kind: "member", archive: path, name, offset, size });

/** The name of a sample in messages: that of its first picture, else of what says what is asked. */
export const idOf = ({ key, images: [image], label, again }: Sample, path: string): string => {
  const named = image ?? label;
  return `${path}:${named?.name ?? key}${again ? `@${named?.offset}` : ""}`;
};
