/** Stands for a credential that is not shown; sent back to the API in a change, it means the stored value. */
export const HIDDEN = "***";
