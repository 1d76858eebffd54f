/**
 * Icons that are left out: they show something else than their name says to the other vendors, or vanish on white.
 */

/** "set:icon" of every icon that is left out. Found by looking at all drawings of a name side by side. */
export const leftOut: ReadonlySet<string> = new Set([
  // Another thing of the same name.
  "streamline-emojis:turkey",
  "streamline-emojis:japan",
  "openmoji:scroll",
  "emojione-v1:shield",
  "emojione-v1:keyboard",
  "fxemoji:keyboard",
  "fxemoji:construction",
  "fxemoji:up",
  "fxemoji:down",
  "fxemoji:couple",
  "fxemoji:pouting",
  "fxemoji:pout",
  // The same drawing as for another name.
  "fxemoji:hourglassflowingsand",
  "fluent-emoji-flat:cat-face",
  "flagpack:ms",
  "flagpack:tc",
  "flagpack:vg",
  // Another product of the same name.
  "logos:vite-icon",
  "logos:cairo-graphics-icon",
  "devicon:cairo",
  "devicon:vitejs",
  // Broken or black drawings.
  "fxemoji:heartblue",
  "fxemoji:tramcar",
  // Codes of languages, not of countries.
  "circle-flags:ar",
  "circle-flags:la",
  "circle-flags:ie",
  // White, or nearly: made for dark pages.
  "fxemoji:fog",
  "vscode-icons:file-type-hashicorp",
  "vscode-icons:file-type-railway",
  "vscode-icons:file-type-packship",
  "devicon:railway",
  "material-icon-theme:copilot",
  "material-icon-theme:semantic-release",
  "material-icon-theme:circleci",
  "material-icon-theme:code-climate",
  "devicon:stenciljs",
]);
