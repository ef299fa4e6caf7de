import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anthropicMessagesClient } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';
import { distorted, strangers } from '../../support/distorted.ts';

const { decodeRequest } = anthropicMessagesClient;

function decode(more: JsonObject, ...content: JsonObject[]) {
  const messages = [{ role: 'user', content: content.length > 0 ? content : 'hi' }];
  return decodeRequest({ model: 'claude-sonnet-4-5', max_tokens: 100, messages, ...more }, {});
}

describe('a request', () => {
  test('text: system and messages as strings or blocks', () => {
    const cached = { type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral', ttl: '1h' } };

    expect(decode({ system: 'Be brief' }).messages[0]).toEqual({
      role: 'system',
      parts: [{ type: 'text', text: 'Be brief' }],
    });
    expect(decode({ system: [cached] }).messages).toEqual([
      { role: 'system', parts: [{ type: 'text', text: 'Be brief', cache: { ttl: '1h' } }] },
      { role: 'user', parts: [{ type: 'text', text: 'hi' }] },
    ]);
  });

  test('tools: with schema, cache mark and choice', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const tool = { name: 'weather', description: 'd', input_schema: schema, cache_control: { type: 'ephemeral' } };

    const request = decode({ tools: [tool], tool_choice: { type: 'any', disable_parallel_tool_use: true } });

    expect(request.tools).toEqual([{ name: 'weather', description: 'd', parameters: schema, cache: {} }]);
    expect(request.toolChoice).toEqual({ type: 'required' });
    expect(request.parallelToolCalls).toBe(false);
  });

  test('tool-result: with images, errors and names of calls', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
    const content = [{ type: 'text', text: 'seen' }, image];

    const request = decode({}, { type: 'tool_result', tool_use_id: 't1', is_error: true, content });

    expect(request.messages[0]?.parts).toEqual([
      {
        type: 'tool-result',
        callId: 't1',
        isError: true,
        content: [
          { type: 'text', text: 'seen' },
          { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
        ],
      },
    ]);
  });

  test.each([
    [
      { type: 'base64', media_type: 'application/pdf', data: 'JVBE' },
      { kind: 'base64', mediaType: 'application/pdf', data: 'JVBE' },
    ],
    [
      { type: 'url', url: 'https://a.test/a.pdf' },
      { kind: 'url', url: 'https://a.test/a.pdf' },
    ],
    [
      { type: 'file', file_id: 'file_1' },
      { kind: 'id', id: 'file_1' },
    ],
    [
      { type: 'text', media_type: 'text/plain', data: 'ü' },
      { kind: 'base64', mediaType: 'text/plain', data: 'w7w=' },
    ],
    [
      { type: 'content', content: [{ type: 'text', text: 'ü' }] },
      { kind: 'base64', mediaType: 'text/plain', data: 'w7w=' },
    ],
  ])('document from %j', (source, expected) => {
    const request = decode({}, { type: 'document', source, title: 'T' });

    expect(request.messages[0]?.parts).toEqual([{ type: 'file', source: expected, name: 'T' }]);
  });

  test.each([
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { budgetTokens: 2048 }],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }, { effort: 'high' }],
    [{ thinking: { type: 'adaptive', display: 'summarized' } }, { summary: 'auto' }],
    [{ thinking: { type: 'disabled' } }, { effort: 'none' }],
    [{ output_config: { effort: 'low' } }, { effort: 'low' }],
    [{}, undefined],
  ])('reasoning from %j', (fields, reasoning) => {
    expect(decode(fields).reasoning).toEqual(reasoning);
  });

  test.each(['output_config', 'output_format'])('json-schema in %s', (name) => {
    const format = { type: 'json_schema', schema: { type: 'object' } };

    const { responseFormat } = decode({ [name]: name === 'output_config' ? { format } : format });

    expect(responseFormat).toMatchObject({ type: 'json-schema', schema: { type: 'object' } });
  });

  test('keeps what only Anthropic knows for Anthropic', () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    const used = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };

    const request = decode({ tools: [search], container: 'c', system: null }, used, { type: 'text', text: 'a' });

    expect(request.tools).toEqual([]);
    expect(request.messages[0]?.parts).toEqual([{ type: 'text', text: 'a' }]);
    expect(request.extensions['anthropic-messages']).toEqual({
      container: 'c',
      tools: [search],
      content_blocks: [{ message: 0, part: 0, block: used }],
    });
  });

  test('takes the model and the stream from the path where the body says nothing', () => {
    const body = { max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] };

    expect(decodeRequest(body, { model: 'm', stream: true })).toMatchObject({ model: 'm', stream: true });
  });

  test.each([
    [{ max_tokens: undefined }, 'max_tokens'],
    [{ max_tokens: '7' }, 'max_tokens'],
    [{ messages: [] }, 'messages'],
    [{ messages: ['hi'] }, 'messages[0]'],
    [{ messages: [{ role: 'robot', content: 'hi' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
    [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    [{ messages: [{ role: 'user', content: [{ type: 'image' }] }] }, 'messages[0].content[0].source'],
    [{ system: 7 }, 'system'],
    [{ tools: {} }, 'tools'],
    [{ tools: [{}] }, 'tools[0].name'],
    [{ tool_choice: 'auto' }, 'tool_choice'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ stop_sequences: 'END' }, 'stop_sequences'],
    [{ output_config: { format: { type: 'xml' } } }, 'output_config.format'],
  ])('refuses %j and names the parameter', (fields, param) => {
    expect(() => decode(fields)).toThrow(RequestProblem);
    expect(() => decode(fields)).toThrow(expect.objectContaining({ param }));
  });

  test('of random JSON is decoded or refused, never a crash', () => {
    const body = {
      max_tokens: 1,
      system: [{ type: 'text', text: 's' }],
      tools: [{ name: 'f', input_schema: {} }],
      thinking: { type: 'adaptive' },
      metadata: { user_id: 'u' },
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'x' }] }] },
      ],
    };
    fc.assert(
      fc.property(fc.nat(60), fc.constantFrom(...strangers), (place, stranger) => {
        try {
          decodeRequest(distorted(body, place, stranger), {});
        } catch (error) {
          expect(error).toBeInstanceOf(RequestProblem);
        }
      }),
    );
  });
});
