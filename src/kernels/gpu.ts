/** A GPU as guesses take it, where nothing was measured: an H100. */

/** Its processors, which run workgroups side by side. */
export const processors = 132;

/** Workgroups that it has room for at a time, about: in a smaller grid, smaller workgroups are done sooner. */
export const residentGroups = 512;
