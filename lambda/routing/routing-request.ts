/** What of a request matters for choosing a target. Made by the gateway; nothing of the prompt's text is in it. */
export type RoutingRequest = {
  stream: boolean;
  /** Estimated from the size of the messages. */
  inputTokens: number;
  maxOutputTokens: number | undefined;
  bodyBytes: number;
};
