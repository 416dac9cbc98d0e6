import type { JSONSchema } from 'class-validator-jsonschema'

/** What the API says of typed data (EIP-712); what they have to be is told when they are hashed, as only then each field has a type. */
export const TYPED_DATA_SCHEMA: Parameters<typeof JSONSchema>[0] = {
  description:
    'For `eip712`: what `eth_signTypedData_v4` takes. Every struct is referred to and every field declared. Without `EIP712Domain`, the type of the domain is made of the fields that it has. Integers are decimal or 0x strings, or numbers below 2^53.',
  required: ['types', 'primaryType', 'domain', 'message'],
  additionalProperties: false,
  properties: {
    types: {
      type: 'object',
      additionalProperties: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'type'],
          additionalProperties: false,
          properties: { name: { type: 'string' }, type: { type: 'string' } },
        },
      },
    },
    primaryType: { type: 'string' },
    domain: { type: 'object', minProperties: 1 },
    message: { type: 'object' },
  },
}
