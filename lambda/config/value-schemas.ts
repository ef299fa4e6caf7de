import * as v from 'valibot';

/** `provider/model`, split at the first slash; further slashes belong to the model. */
export const providerModel = v.pipe(v.string(), v.regex(/^[^/\s]+\/\S+$/, 'must have the form provider/model'));

/** Lambda's longest timeout is 15 minutes; nothing can wait longer. */
const milliseconds = v.pipe(
  v.number(),
  v.integer('must be a whole number of milliseconds'),
  v.minValue(1, 'must be at least 1 millisecond'),
  v.maxValue(900_000, 'must be at most 900000 milliseconds (15 minutes)'),
);

/** As above, where 0 means not at all. */
const waitMilliseconds = v.pipe(
  v.number(),
  v.integer('must be a whole number of milliseconds'),
  v.minValue(0, 'must not be negative'),
  v.maxValue(900_000, 'must be at most 900000 milliseconds (15 minutes)'),
);

/** Limits of one attempt in milliseconds, of a wait for the last chance (`waitMs`), and of the whole request (`totalMs`). */
export const timeoutsSchema = v.strictObject({
  connectMs: v.optional(milliseconds),
  firstContentMs: v.optional(milliseconds),
  answerMs: v.optional(milliseconds),
  idleMs: v.optional(milliseconds),
  waitMs: v.optional(waitMilliseconds),
  totalMs: v.optional(milliseconds),
});
