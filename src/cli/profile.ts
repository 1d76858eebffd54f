/** `--profile`: where the time on the device went, below what a command says. */
import { profileText } from "../report/profileText.ts";
import type { Profile } from "../tensor/profile.ts";
import type { Ended } from "./command.ts";
import { toggle } from "./flags.ts";

/** The flag, for a command that leaves a file or not. */
export const profileFlag = (file: string) =>
  toggle(`time what runs on the device, by kernel and shape, beside its operations and bytes: a table at the end${file}; results stay the same, to the bit`);

/** The options that ask for a profile where the flag is set, and what a command leaves, with the profile that came. */
export const profiledBy = (flag: boolean) => {
  let found: Profile | undefined;
  return {
    options: flag ? { profiled: (profile: Profile) => void (found = profile) } : {},
    ended: (ended: Ended): Ended => {
      const profile = found;
      if (profile === undefined) return ended;
      return {
        ...ended,
        text: (columns) => `${ended.text(columns).trimEnd()}\n\n${profileText(profile, columns)}\n`,
        json: { ...(ended.json as object), profile },
      };
    },
  };
};
