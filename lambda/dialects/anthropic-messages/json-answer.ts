/**
 * A tool that models without structured outputs are made to call when the caller wants JSON; its arguments are the
 * answer's text. The name is one that no caller uses.
 */
export const jsonAnswerTool = 'sluice_json_answer';
