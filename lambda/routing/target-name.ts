/** A target as statistics, breakers and logs name it: `provider/model`. */
export function targetName({ provider, model }: { provider: string; model: string }): string {
  return `${provider}/${model}`;
}
