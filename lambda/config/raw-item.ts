/** An item of the config table as a person wrote it, not validated: `kind`, `name` and the rest. */
export type RawItem = { kind: string; name: string; [field: string]: unknown };
