import type { Node } from 'constructs';

/** What operators may set about alarms, each by a CDK context value of its name. */
export type AlarmSettings = {
  /** Hears of every alarm; the address has to be confirmed once. Without it nobody is subscribed. */
  alarmEmail: string | undefined;
  /** Share of a provider's attempts that fail, in three times five minutes. */
  alarmProviderErrorRatio: number;
  /** Errors of the gateway itself within five minutes. */
  alarmGatewayErrors: number;
  /** 95 of 100 callers see the first content of a stream within these seconds. */
  alarmFirstContentSeconds: number;
  /** With fewer requests in five minutes no share and no percentile means anything. */
  alarmMinimumRequests: number;
};

const defaults = {
  alarmProviderErrorRatio: 0.5,
  alarmGatewayErrors: 5,
  alarmFirstContentSeconds: 30,
  alarmMinimumRequests: 20,
} as const satisfies Partial<AlarmSettings>;

/** Reads the settings from the context of the app; undefined when there are to be no alarms. Throws on one that cannot be meant. */
export function readAlarmSettings(node: Node): AlarmSettings | undefined {
  const wanted = String(node.tryGetContext('alarms') ?? true);
  if (wanted === 'false') return undefined;
  if (wanted !== 'true') throw new Error(`The context value alarms is ${wanted}; it has to be true or false.`);
  const number = (name: keyof typeof defaults): number => {
    const given: unknown = node.tryGetContext(name) ?? defaults[name];
    const value = Number(given);
    if (Number.isFinite(value) && value > 0) return value;
    throw new Error(`The context value ${name} is ${JSON.stringify(given)}; it has to be a number above 0.`);
  };
  const alarmEmail: unknown = node.tryGetContext('alarmEmail');
  if (alarmEmail !== undefined && !(typeof alarmEmail === 'string' && /^[^@\s]+@[^@\s]+$/.test(alarmEmail))) {
    throw new Error(`The context value alarmEmail is ${JSON.stringify(alarmEmail)}, which is no address.`);
  }
  const ratio = number('alarmProviderErrorRatio');
  if (ratio > 1) throw new Error(`The context value alarmProviderErrorRatio is ${ratio}; a share is 1 at most.`);
  return {
    alarmEmail,
    alarmProviderErrorRatio: ratio,
    alarmGatewayErrors: number('alarmGatewayErrors'),
    alarmFirstContentSeconds: number('alarmFirstContentSeconds'),
    alarmMinimumRequests: number('alarmMinimumRequests'),
  };
}
