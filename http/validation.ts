/** From a parsed body to an instance of the route's body class, or every field that is wrong. */
import 'reflect-metadata'
import { plainToInstance } from 'class-transformer'
import { getMetadataStorage, type ValidationError, ValidationTypes, validateSync } from 'class-validator'
import { pointerToken } from '../domain/json/json-pointer.ts'
import { type Fault, Problem } from './problem.ts'

const MAX_FAULTS = 50
const TYPE_CHECKS = new Set(['isString', 'isInt', 'isNumber', 'isBoolean', 'isObject', 'isArray', 'nestedValidation'])

/** @throws Problem `validation_failed` */
export function validate<Body extends object>(plain: object, type: new () => Body): Body {
  const body = plainToInstance(type, plain)
  const faults = validateSync(body, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }).flatMap((error) =>
    faultsOf(error, ''),
  )
  if (faults.length === 0) faults.push(...misplacedArrays(body, ''))
  if (faults.length === 0) return body
  const [first] = faults
  throw new Problem('validation_failed', `${first?.pointer || 'the body'}: ${first?.detail}`, { errors: faults.slice(0, MAX_FAULTS) })
}

/** @throws Problem `validation_failed` when a body holds anything though the route takes none */
export function refuseFields(plain: object): void {
  const errors = Object.keys(plain).map((name) => ({ pointer: pointerToken(name), code: 'unknown_field', detail: 'is not known here' }))
  if (errors[0])
    throw new Problem('validation_failed', `${errors[0].pointer}: ${errors[0].detail}`, { errors: errors.slice(0, MAX_FAULTS) })
}

function faultsOf(error: ValidationError, parent: string): Fault[] {
  const pointer = error.property === undefined ? parent : parent + pointerToken(error.property)
  const broken = Object.entries(error.constraints ?? {})
  const own = broken.find(([constraint]) => TYPE_CHECKS.has(constraint)) ?? broken[0]
  const children = (error.children ?? []).flatMap((child) => faultsOf(child, pointer))
  return own ? [{ pointer, ...describe(own[0], own[1], error.value) }, ...children] : children
}

function describe(constraint: string, message: string, value: unknown): { code: string; detail: string } {
  if (constraint === 'whitelistValidation') return { code: 'unknown_field', detail: 'is not known here' }
  if (value === undefined && constraint !== 'unknownValue') return { code: 'missing_field', detail: 'is required' }
  if (TYPE_CHECKS.has(constraint)) return { code: 'wrong_type', detail: message.slice(0, 200) }
  return { code: 'invalid_value', detail: message.slice(0, 200) }
}

/** class-validator takes an array for a nested object and validates its elements instead: a handler would then meet an array it does not expect. */
function misplacedArrays(value: object, parent: string): Fault[] {
  return getMetadataStorage()
    .getTargetValidationMetadatas(value.constructor, '', false, false)
    .filter(({ type }) => type === ValidationTypes.NESTED_VALIDATION)
    .flatMap(({ propertyName, each }) => {
      const pointer = parent + pointerToken(propertyName)
      const nested: unknown = (value as { [name: string]: unknown })[propertyName]
      if (nested === undefined) return []
      if (!each) return misplacedArray(nested, pointer)
      if (!Array.isArray(nested)) return [{ pointer, code: 'wrong_type', detail: 'must be an array' }]
      return nested.flatMap((item, index) => misplacedArray(item, `${pointer}/${index}`))
    })
}

function misplacedArray(item: unknown, pointer: string): Fault[] {
  if (Array.isArray(item)) return [{ pointer, code: 'wrong_type', detail: 'must be an object, not an array' }]
  return misplacedArrays(item as object, pointer)
}
