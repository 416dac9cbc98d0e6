import { parseArgs } from 'node:util'
import { readSettings } from '../adapters/process/settings.ts'
import { openDevelopmentIssuer } from '../http/development-issuer.ts'
import { PLATFORM_TENANT, ROLES, type Role, TENANT } from '../http/route.ts'

const USAGE = `usage: npm run --silent token -- [--tenant T] [--roles ${ROLES.join(',')}] [--sub S] [--ttl SECONDS]`

try {
  console.log(await issue())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

/** A token of the development issuer, which a Quorate over the same data folder accepts. */
async function issue(): Promise<string> {
  const { values } = parseArgs({
    options: {
      tenant: { type: 'string', default: PLATFORM_TENANT },
      roles: { type: 'string', default: ROLES.join(',') },
      sub: { type: 'string', default: 'dev-client' },
      ttl: { type: 'string', default: '86400' },
    },
  })
  const roles = values.roles.split(',').map((role) => role.trim())
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role))
  const ttlSeconds = Number(values.ttl)
  if (unknown !== undefined || !TENANT.test(values.tenant) || !values.sub || !(Number.isInteger(ttlSeconds) && ttlSeconds > 0))
    throw new Error(USAGE)
  const { dataDir, jwks } = readSettings(process.env)
  if (jwks) throw new Error('QUORATE_JWKS_URL is set: ask your identity provider for a token')
  const issuer = await openDevelopmentIssuer(dataDir)
  return issuer.issueToken({ sub: values.sub, tenant: values.tenant, roles: roles as Role[], ttlSeconds })
}
