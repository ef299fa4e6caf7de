/** Keys of the config table, shared by the stack and the stores so that they cannot disagree. */
export const configTable = { partitionKey: 'kind', sortKey: 'name' } as const;

/** What people write. The compiler listens to these and to nothing else. */
export const authoredKinds = ['provider', 'model', 'key', 'settings'] as const;

/** What the compiler writes into the same table. */
export const compiledKinds = { snapshot: 'snapshot', pointer: 'pointer', status: 'status' } as const;

/** Name of the one pointer item, of the one status item and of the one settings item. */
export const pointerName = 'current';
export const statusName = 'config';
export const settingsName = 'default';
