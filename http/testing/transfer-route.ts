/** A command with every kind of field, and a query: what the tests of the application call. */
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator'
import { type Route, type RouteRequest, route } from '../route.ts'

export class FeeBody {
  @IsIn(['low', 'high']) level!: string
}

export class OutputBody {
  @IsString() @MaxLength(20) to!: string
  @IsInt() @Min(1) amount!: number
}

export class SpendBody {
  @IsString() @MaxLength(100_000) memo!: string
  @IsArray() @ArrayMaxSize(100) @ValidateNested({ each: true }) @Type(() => OutputBody) outputs!: OutputBody[]
  @IsDefined() @ValidateNested() @Type(() => FeeBody) fee!: FeeBody
  @IsOptional() @IsObject() extra?: object
}

export const SPEND = { memo: 'rent', outputs: [{ to: 'bob', amount: 5 }], fee: { level: 'low' } }

export const WALLET_ID = '5f1b6e1c-8a51-4c52-9d2f-0b8d7c9d3a10'

export type SeenRequest = RouteRequest<string, unknown>

/** `POST …/spend` and `POST …/stop` answer 202, `GET …/balance` 200; each request is handed to `see`, which may also throw or wait. */
export function exampleRoutes(see: (request: SeenRequest) => unknown = () => undefined): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/wallets/:walletId/spend',
      tag: 'example',
      summary: 'Spend',
      roles: ['client'],
      intent: true,
      body: SpendBody,
      answers: {
        202: {
          description: 'Begun',
          schema: { title: 'Spending', type: 'object', properties: { commandId: { type: 'string' }, title: { type: 'string' } } },
        },
      },
      async handle(request) {
        await see(request)
        return {
          status: 202,
          body: {
            commandId: request.commandId,
            isInstance: request.body instanceof SpendBody && request.body.outputs[0] instanceof OutputBody,
          },
          position: 42n,
          location: `/v1/wallets/${request.params.walletId}`,
        }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/wallets/:walletId/stop',
      tag: 'example',
      summary: 'Stop',
      roles: ['operator'],
      platform: true,
      answers: { 204: { description: 'Stopped' } },
      async handle(request) {
        await see(request)
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/wallets/:walletId/balance',
      tag: 'example',
      summary: 'Balance',
      roles: ['client', 'auditor'],
      waits: true,
      query: { limit: { description: 'How many', schema: { type: 'integer', minimum: 1, maximum: 200 } } },
      answers: { 200: { description: 'The balance', schema: { type: 'object' } } },
      async handle(request) {
        await see(request)
        return { status: 200, body: { walletId: request.params.walletId }, position: 7n, etag: '3' }
      },
    }),
  ]
}
