/** A function that hides these secrets wherever they stand in a text. */
export function secretMasker(secrets: Iterable<string>): (text: string) => string {
  // Short ones are test values, and hiding them would garble ordinary words.
  const hidden = [...secrets].filter((secret) => secret.length >= 8);
  return (text) => hidden.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}
