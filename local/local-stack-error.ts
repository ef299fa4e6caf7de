/** A failure that the user can mend; its message is one clear line that says how. */
export class LocalStackError extends Error {}
