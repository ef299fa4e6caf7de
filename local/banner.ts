import type { LocalStack } from './stack.ts';

/** What to do with a stack that has just started, ready to be copied. */
export function banner({ gatewayUrl, dynamodbUrl, configTable, apiKey, region, example }: LocalStack): string {
  const { model, target } = example;
  return `
Sluice runs at ${gatewayUrl}
  DynamoDB  ${dynamodbUrl} (table ${configTable}, any credentials, region ${region})
  API key   ${apiKey}

curl
  curl -N ${gatewayUrl}/v1/chat/completions -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' \\
    -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

Python
  from openai import OpenAI
  client = OpenAI(base_url="${gatewayUrl}/v1", api_key="${apiKey}")
  print(client.chat.completions.create(model="${model}", messages=[{"role": "user", "content": "Hello"}]).choices[0].message.content)

TypeScript
  import OpenAI from 'openai';
  const client = new OpenAI({ baseURL: '${gatewayUrl}/v1', apiKey: '${apiKey}' });
  const completion = await client.chat.completions.create({ model: '${model}', messages: [{ role: 'user', content: 'Hello' }] });
  console.log(completion.choices[0]?.message.content);

Add a model while it runs (in force within 10 s)
  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws dynamodb put-item --region ${region} --endpoint-url ${dynamodbUrl} \\
    --table-name ${configTable} --item '{"kind":{"S":"model"},"name":{"S":"my-model"},"targets":{"L":[{"S":"${target}"}]}}'

Ctrl-C stops everything.
`;
}
