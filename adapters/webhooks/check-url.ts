import { isIP } from 'node:net'
import type { CheckWebhookUrl } from '../../domain/ports/webhook-sender.ts'
import { hostOf, isPublicAddress, type Resolve, resolveAll } from './public-address.ts'

/**
 * Judges an address when it is registered, so that whoever registers it hears of it; where a name leads then is judged again whenever something is sent.
 */
export function webhookUrlCheck({ allowPrivate, resolve = resolveAll }: { allowPrivate: boolean; resolve?: Resolve }): CheckWebhookUrl {
  return async (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (!url || !['https:', 'http:'].includes(url.protocol)) return 'it must be an https URL'
    if (url.username !== '' || url.password !== '') return 'it must not hold a name or password'
    if (url.hash !== '') return 'it must not have a fragment'
    if (allowPrivate) return undefined
    if (url.protocol !== 'https:') return 'it must be an https URL'
    const host = hostOf(url)
    const addresses = isIP(host) ? [{ address: host }] : await resolve(host).catch(() => [])
    return addresses.every(({ address }) => isPublicAddress(address)) ? undefined : 'it leads to an address that is not public'
  }
}
