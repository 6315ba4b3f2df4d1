/** Stands for a value that is not shown; sent back in a PATCH, it means the stored value. */
export const HIDDEN = "***";
