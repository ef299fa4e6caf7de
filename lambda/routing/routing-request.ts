import type { Capability } from '../config/routing-schema.ts';
import type { Preferences } from './preferences.ts';

/** What of a request matters for choosing a target. Made by the gateway; nothing of the prompt's text is in it. */
export type RoutingRequest = {
  stream: boolean;
  /** Estimated from the size of the messages. */
  inputTokens: number;
  maxOutputTokens: number | undefined;
  bodyBytes: number;
  /** What the model must be able to do. */
  needs?: readonly Capability[];
  /** The model was asked to think before it answers. */
  thinks?: boolean;
  /** What the caller said in the body about whom to ask. */
  preferences?: Preferences;
  /** Label of the caller's key. */
  keyLabel?: string;
  user?: string;
  /** `x-session-id`. */
  session?: string;
  /** A hash of how the conversation began; the same for all its turns. */
  conversation?: string;
  metadata?: Readonly<Record<string, string>>;
  /** Lower-case names. */
  headers?: Readonly<Record<string, string | undefined>>;
};
