// What the page takes at most. Beyond it a browser is the wrong tool, and the command the right one.

/** Characters of a configuration. */
export const MAX_TEXT = 512 * 1024;
